"""The application's own settings: `[app]` of wwspec.toml and the variables `WWSPEC_APP_…`, read into its own Struct.

A variable goes before the file. Keys of the file have dashes, as all others there. The file goes into a repository and
an image, so a secret comes from a variable, or from a file of its own that a key `…-file` or a variable `…_FILE` names.
"""

from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from wwspec_contracts.errors import ConfigurationError, InputError, did_you_mean
from wwspec_contracts.support.printable import error_text
from wwspec_contracts.toml import key_lines, read_toml
from wwspec_router.codecs.defaults import default_of
from wwspec_router.config import APP_PREFIX, APP_TABLE, SETTINGS_FILE
from wwspec_router.handlers.secret import Secret
from wwspec_router.process.secret_files import read_secret
from wwspec_router.registry.file import value_fault

_NESTED = (
    msgspec.inspect.StructType,
    msgspec.inspect.DataclassType,
    msgspec.inspect.TypedDictType,
    msgspec.inspect.NamedTupleType,
)


class OwnValue(NamedTuple):
    """One setting."""

    key: str
    """Its key in wwspec.toml, such as `api-url`."""
    value: Any
    origin: str
    """`default`, a line of the file, or a variable."""


class _Given(NamedTuple):
    """A value that is not converted yet."""

    value: Any
    origin: str
    place: str
    """Where it is, as faults say it."""
    is_text: bool
    """Whether it is from a variable or a file of its own, where all values are texts."""


class OwnSettings:
    """The Struct that an application declares for its settings.

    Args:
        name: Its name in the registry file: `package.module:attribute`.
        type_: The Struct.
        place: Where the registry file names it.

    Raises:
        TypeError: No settings can be read into it; the text says what to change.
    """

    def __init__(self, name: str, type_: Any, place: str) -> None:
        if not (isinstance(type_, type) and issubclass(type_, msgspec.Struct)):
            raise TypeError(
                f'{name} is no Struct; write "class Settings(msgspec.Struct)" with a field for each setting'
            )
        self.name = name
        self.type = type_
        self._place = place
        try:
            self._fields = {field.name: field for field in msgspec.structs.fields(type_)}
        except NameError as error:
            raise TypeError(f"{name}: {error}; annotations must be importable at run time") from None
        self._secret: set[str] = set()
        for key, field in self._fields.items():
            parts = list(_parts(field.type))
            if any(isinstance(each, _NESTED) for each in parts):
                raise TypeError(f"{name}: {key} is a table in the table; give its fields to {type_.__name__} itself")
            custom = {each.cls for each in parts if isinstance(each, msgspec.inspect.CustomType)}
            if unknown := [each.__name__ for each in custom - {Secret}]:
                raise TypeError(
                    f"{name}: {key} is a {unknown[0]}, which can't be read from a text; declare it as a str"
                )
            if custom:
                self._secret.add(key)
        for key in self._secret:
            if f"{key}_file" in self._fields:
                raise TypeError(f"{name}: {key}_file would name the file of the secret {key}; choose another name")

    def read(self, file: Path | None, environment: Mapping[str, str]) -> Any:
        """Return the Struct with the values in force.

        Args:
            file: The settings file; None for none.
            environment: The variables.

        Raises:
            ConfigurationError: Values are missing, wrong or unknown; the text names each with its place and the fix.
        """
        values, faults = self.values(file, environment)
        if not faults:
            try:
                return self.type(**{name: each.value for name, each in values.items() if each.origin != "default"})
            except (Exception, SystemExit) as error:  # its __post_init__ may raise anything
                faults = [f"{self._place}: settings: {self.name}: {error_text(error) or type(error).__name__}"]
        raise ConfigurationError("\n".join(faults)) from None

    def values(self, file: Path | None, environment: Mapping[str, str]) -> tuple[dict[str, OwnValue], list[str]]:
        """Return each setting that has a value, and the faults, to list them."""
        given: dict[str, _Given | None] = {}
        faults = [*self._from_environment(environment, given), *self._from_file(file, given)]
        values, missing = {}, []
        for name, field in self._fields.items():
            key = _key(name)
            if (found := given.get(name)) is not None:
                value, fault = self._convert(name, found)
                faults += [f"{found.place}: {fault}"] if fault else []
                values[name] = OwnValue(key, value, found.origin)
            elif name in given:
                continue
            elif field.required:
                missing.append(f"{key}: {self._fix(name)}")
            else:
                value, fault = default_of(field, partial(_reread, field.type))
                if fault and name in self._secret:  # it is not repeated
                    fault = 'its default is no Secret; write Secret("") for an empty one, or none'
                faults += [f"{self._place}: settings: {self.name}.{name}: {fault}"] if fault else []
                values[name] = OwnValue(key, value, "default")
        if missing:
            faults.append(f"{_app_place(file)}: missing {'; '.join(missing)}")
        return values, faults

    def _from_file(self, file: Path | None, given: dict[str, _Given | None]) -> Iterator[str]:
        """Take what a settings file gives and no variable did, as `_from_environment`, and yield its faults."""
        if file is None:
            return
        text, tables = read_toml(file)
        lines = key_lines(text)
        table = tables.get(APP_TABLE, {})
        if not isinstance(table, dict):
            yield f"{_app_place(file)}: must be a table; write [{APP_TABLE}]"
            return
        for key, value in table.items():
            line = lines.get((APP_TABLE, key)) or lines.get((APP_TABLE, ""))
            where = "" if line is None else f":{line}"
            place = f"{file}{where} [{APP_TABLE}] {key}"
            name, origin = key.replace("-", "_"), f"{file.name}{where}"
            secret = name.removesuffix("_file") if key.endswith("-file") else ""
            if secret in given:
                continue
            if secret in self._secret:
                if not (isinstance(value, str) and value):
                    given[secret] = None
                    yield f"{place}: must be the path of a file, as text"
                else:
                    yield from _take_file(given, secret, file.parent / value, origin, place)
            elif name not in self._fields or "_" in key:
                yield f"{place}: unknown setting; {self._suggestion(key)}"
            elif name in self._secret:
                given[name] = None
                yield f"{place}: a secret does not belong in this file: {self._fix(name)}"
            elif name not in given:
                given[name] = _Given(value, origin, place, is_text=False)

    def _from_environment(self, environment: Mapping[str, str], given: dict[str, _Given | None]) -> Iterator[str]:
        """Take what variables give, with None for what can't be used, and yield their faults. An empty one is none."""
        own = {name: text for name, text in environment.items() if name.startswith(APP_PREFIX) and text}
        for variable, text in sorted(own.items()):
            name = variable.removeprefix(APP_PREFIX).lower()
            secret = name.removesuffix("_file")
            if name in self._fields and variable == _variable(name):
                given[name] = _Given(text, variable, variable, is_text=True)
            elif secret in self._secret and variable == f"{_variable(secret)}_FILE":
                if _variable(secret) in own:
                    yield f"{_variable(secret)} and {variable} are both set: unset one of them"
                else:
                    yield from _take_file(given, secret, Path(text), variable, variable)
            else:
                names = [_variable(each) for each in self._fields] + [
                    f"{_variable(each)}_FILE" for each in self._secret
                ]
                yield f"{variable}: unknown setting; {did_you_mean(variable, names, f'{self.name} has no such field')}"

    def _convert(self, name: str, given: _Given) -> tuple[Any, str]:
        """Return a value as its field has it, and what is wrong with it. A secret is not repeated."""
        type_ = self._fields[name].type
        try:
            return msgspec.convert(given.value, type_, strict=not given.is_text, dec_hook=_secret), ""
        except msgspec.ValidationError as error:
            fault = value_fault(given.value, type_, error)
        if given.is_text:
            try:  # a list or a table
                return msgspec.json.decode(given.value, type=type_, dec_hook=_secret), ""
            except (msgspec.DecodeError, UnicodeError):
                pass
        return None, fault

    def _fix(self, name: str) -> str:
        if name in self._secret:
            return (
                f"set {_variable(name)}, or name a file that holds it with {_key(name)}-file or {_variable(name)}_FILE"
            )
        return f"write {_key(name)} = … below [{APP_TABLE}] in {SETTINGS_FILE}, or set {_variable(name)}"

    def _suggestion(self, key: str) -> str:
        known = [_key(name) for name in self._fields if name not in self._secret]
        known += [f"{_key(name)}-file" for name in self._secret]
        spelled = key.replace("_", "-")
        if spelled in known:
            return f"write {spelled}"
        return did_you_mean(spelled, known, f"{self.name} has no such field")


def read_own_settings(declared: OwnSettings | None, file: Path | None, environment: Mapping[str, str]) -> Any:
    """Return the application's own settings; None when it declares none.

    Args:
        declared: What it declares.
        file: The settings file; None for none.
        environment: The variables.

    Raises:
        ConfigurationError: They have faults, or the file has settings and none are declared.
    """
    if declared is not None:
        return declared.read(file, environment)
    if file is not None and read_toml(file)[1].get(APP_TABLE):
        raise ConfigurationError(
            f"{_app_place(file)}: no settings are declared: "
            'write settings = "abilities.settings:Settings" in [program] of the registry file'
        )
    return None


def _take_file(given: dict[str, _Given | None], name: str, file: Path, origin: str, place: str) -> Iterator[str]:
    """Take the secret that a file holds, and yield what is wrong with the file."""
    given[name] = None
    try:
        given[name] = _Given(read_secret(place, file), origin, place, is_text=True)
    except ConfigurationError as error:
        yield str(error)


def _app_place(file: Path | None) -> str:
    """Return where `[app]` is, or would be."""
    if file is None:
        return f"{SETTINGS_FILE} [{APP_TABLE}]"
    line = key_lines(read_toml(file)[0]).get((APP_TABLE, ""))
    return f"{file}{'' if line is None else f':{line}'} [{APP_TABLE}]"


def _key(name: str) -> str:
    return name.replace("_", "-")


def _variable(name: str) -> str:
    return APP_PREFIX + name.upper()


def _secret(type_: type, value: object) -> object:
    if type_ is Secret and isinstance(value, str):
        return Secret(value)
    raise TypeError(f"must be a text, not {type(value).__name__}")


def _reread(type_: Any, value: Any) -> Any:
    """Return a default as it would be if it had been given."""
    given = msgspec.to_builtins(value, enc_hook=_revealed)
    msgspec.json.encode(given)  # which finds texts that are no Unicode
    try:
        return msgspec.convert(given, type_, dec_hook=_secret)
    except msgspec.ValidationError as error:
        raise InputError("$", value_fault(given, type_, error)) from None


def _revealed(value: object) -> object:
    if isinstance(value, Secret):
        return value.reveal()
    raise TypeError(f"must be a text, not {type(value).__name__}")


def _parts(type_: Any) -> Iterator[msgspec.inspect.Type]:
    """Yield a type and the types that it is made of; not the fields of a nested object."""
    waiting: list[Any] = [msgspec.inspect.type_info(type_)]
    while waiting:
        each = waiting.pop()
        yield each
        if not isinstance(each, _NESTED):
            for name in each.__struct_fields__:
                part = getattr(each, name)
                waiting += [
                    one
                    for one in (part if isinstance(part, tuple) else (part,))
                    if isinstance(one, msgspec.inspect.Type)
                ]
