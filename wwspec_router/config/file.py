"""wwspec.toml: the settings of one application in a file, below the environment and the options.

The tables are `[serve]` and, for what differs in development, `[dev]`. Their keys are named as the options of
`wwspec serve`; `[dev]` also has those of `wwspec dev`. Paths are relative to the file. Secrets are refused here: the
file goes into a repository and an image.
The table `[app]` is the application's own; `registry.own_settings` reads it.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from wwspec_contracts.errors import ConfigurationError, did_you_mean
from wwspec_router.config import APP_TABLE, Secrecy, Setting, Topic, may_hold_password, settings, variable

TABLES = ("serve", "dev", APP_TABLE)
NOT_IN_DEV = (
    *("host", "allow_remote", "sdk", "debug_token_file", "access_token_file", "corpid", "corpsecret_file", "api_url"),
)
"""Settings that `wwspec dev` does not take."""
_ONLY_DEV: dict[str, Setting | None] = {
    "scene": None,  # a file
    "emulator-port": Setting("", Topic.NETWORK, "emulator_port", 8090, 1, 65_535),
    **{key: Setting("", Topic.NETWORK, key.replace("-", "_"), "") for key in ("page", "app-type", "callback-url")},
    **{key: Setting("", Topic.NETWORK, key, 1, 1) for key in ("corps", "machines")},
    **{key: Setting("", Topic.NETWORK, name, False) for key, name in (("open", "opens"), ("debug", "debug"))},
}
"""The keys of `[dev]` that `[serve]` does not have: options of `wwspec dev`, which knows their limits."""
PRODUCTION = ("store", "store_file", *NOT_IN_DEV)
"""What `wwspec dev` does not take from `[serve]`: a program under development does not touch the real store."""
SHOWN = 40
"""Characters of a wrong value that a fault repeats."""


class SettingsFile(NamedTuple):
    """A settings file without a fault."""

    path: Path
    values: Mapping[str, Mapping[str, Any]]
    """The values of each table, by the names of the command's arguments, such as `queue_timeout`."""
    lines: Mapping[tuple[str, str], int]

    @property
    def registry(self) -> Path | None:
        """The registry file that `[serve]` names; None when it names none."""
        named = self.values.get("serve", {}).get("registry")
        return None if named is None else Path(named)

    def defaults(self, verb: str) -> dict[str, Any]:
        """Return the values that a verb takes where neither an option nor the environment gives another."""
        served = self.values.get("serve", {})
        if verb != "dev":
            return dict(served)
        served = {name: value for name, value in served.items() if name not in PRODUCTION}
        return {**served, **self.values.get("dev", {})}

    def place(self, verb: str, name: str) -> str:
        """Return where the value that a verb takes is, such as `wwspec.toml:4`."""
        table = "dev" if verb == "dev" and name in self.values.get("dev", {}) else "serve"
        return _place(self.path.name, self.lines, table, name.replace("_", "-"))


def read_settings_file(path: Path) -> SettingsFile:
    """Read a settings file.

    Raises:
        ConfigurationError: It can't be read, is not TOML, or has faults; the text names each with its line and the fix.
    """
    from wwspec_contracts.toml import key_lines, read_toml  # here: most applications have no such file

    text, tables = read_toml(path, "name another one with --config")
    lines = key_lines(text)
    faults = [
        " ".join(filter(None, (_place(str(path), lines, table, key), f"[{table}]", key))) + f": {fault}"
        for table, row in tables.items()
        for key, fault in _faults(table, row)
    ]
    if faults:
        raise ConfigurationError("\n".join(faults))
    values = {
        table: {_name(key): _value(path.parent.absolute(), key, value) for key, value in row.items()}
        for table, row in tables.items()
        if table != APP_TABLE
    }
    return SettingsFile(path, values, lines)


def _name(key: str) -> str:
    """Return the name that the argument of a verb has."""
    only_dev = _ONLY_DEV.get(key)
    return key.replace("-", "_") if only_dev is None else only_dev.name


def _faults(table: str, row: object) -> Iterator[tuple[str, str]]:
    """Yield each fault of a table with the key that it is about; an empty key means the table."""
    if table not in TABLES:
        known = table.replace("_", "-") in _keys("serve")
        meant = did_you_mean(table, TABLES, f"known: {', '.join(TABLES)}")
        yield "", "put it below [serve]" if known else f"unknown table; {meant}"
        return
    if not isinstance(row, dict):
        yield "", f"must be a table; write [{table}]"
        return
    if table == APP_TABLE:
        return
    known_keys = _keys(table)
    for key, value in row.items():
        fault = _fault(key, value, known_keys)
        if fault:
            yield key, fault
        if f"{key}-file" in row:
            yield key, f"give one of {key} and {key}-file"


def _keys(table: str) -> dict[str, Setting | None]:
    """Return the keys of a table with their settings; a key without a setting names a file."""
    known: dict[str, Setting | None] = {"registry": None}
    for name, setting in settings().items():
        if setting.secret is not Secrecy.ALWAYS:
            known[setting.option] = setting
        if setting.secret is not Secrecy.NEVER:
            known[f"{name.replace('_', '-')}-file"] = None
    if table != "dev":
        return known
    return {key: each for key, each in (known | _ONLY_DEV).items() if key.replace("-", "_") not in NOT_IN_DEV}


def _fault(key: str, value: object, known: Mapping[str, Setting | None]) -> str:
    """Return what is wrong with a key and its value; a value that may be secret is not repeated."""
    if key.replace("_", "-") in {each.option for each in settings().values() if each.secret is Secrecy.ALWAYS}:
        option = key.replace("_", "-")
        return f"a secret does not belong in this file: set {variable(option)}, or name a file with {option}-file"
    if key not in known:
        return f"unknown key; {_suggestion(key, known)}"
    setting = known[key]
    if setting is None:
        return "" if isinstance(value, str) and value else "must be the path of a file, as text"
    if not setting.allows(value):
        shown = f", not {str(value)[:SHOWN]!r}" if isinstance(value, str) else f", not {str(value)[:SHOWN]}"
        return f"must be {setting.allowed}{shown if setting.secret is Secrecy.NEVER else ''}"
    if setting.secret is Secrecy.WITH_PASSWORD and may_hold_password(str(value)):
        return f"a password does not belong in this file: set {variable(key)}, or name a file with {key}-file"
    return ""


def _suggestion(key: str, known: Mapping[str, Setting | None]) -> str:
    spelled = key.replace("_", "-")
    if spelled in known:
        return f"write {spelled}"
    if spelled in _keys("serve"):
        return "it belongs in [serve]"
    return did_you_mean(key, known, "wwspec config lists the keys")


def _value(folder: Path, key: str, value: Any) -> Any:
    """Return a value: a relative path from the folder of the file, a number as the type that the setting has."""
    if key in ("registry", "scene") or key.endswith("-file"):
        return str(folder / value)
    scheme, _, path = value.partition(":") if key == "store" else ("", "", "")
    if scheme == "sqlite" and path not in ("", ":memory:"):
        return f"sqlite:{folder / path}"
    setting = settings().get(key.replace("-", "_"))
    return float(value) if setting is not None and isinstance(setting.default, float) else value


def _place(file: str, lines: Mapping[tuple[str, str], int], table: str, key: str) -> str:
    line = lines.get((table, key)) or lines.get((table, ""))
    return file if line is None else f"{file}:{line}"
