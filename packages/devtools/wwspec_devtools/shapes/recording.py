"""Records the shapes of the answers of SDK APIs: keys, types, lengths and errcodes.

No value of an answer is kept, but for errcodes. A key is kept when the contract lists it. Another one is kept when it
looks like the name of a field, is no value of any answer, and is one of few at its path, in all answers of the API,
beside keys that the contract lists. All others are `*`, since they may be data, as in an object with a key for each
userid.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Set
from functools import cache
from importlib import import_module
from itertools import product
from pathlib import Path
from typing import Annotated, Any, Literal, cast

import msgspec
from msgspec import Meta

from wwspec_contracts import __version__
from wwspec_contracts.decoding import decode_json
from wwspec_contracts.errors import ConfigurationError, JsonError, SdkCallError
from wwspec_contracts.matching import MAX_DEPTH, kind
from wwspec_contracts.read_only import CASES, Case, found
from wwspec_contracts.shape import ListShape, ObjectShape, Shape, shape_of
from wwspec_router.config import SdkSource
from wwspec_router.sdk.base import SdkClient

MOST = 3
"""Requests of one case, each with another id."""
ANY_KEY = "*"
"""A key that may be data."""
OTHER = "other"
"""An errcode that is no number, or none that WeCom could have."""

_FIELD = re.compile(r"[a-z]+(_[a-z]+)*")
"""No name of WeCom's SDK APIs has a digit, while most IDs have some."""
_LONGEST_FIELD = 40
_MOST_NEW = 8
"""Keys that WeCom may have added to the objects at one path; of more than these none is kept."""
_ERRCODES = range(-99_999, 10_000_000)


JsonType = Literal["object", "array", "string", "integer", "number with a fraction", "boolean", "null"]
Place = Annotated[str, Meta(pattern=r"^\$(\.([a-z0-9_]+|\*)|\[\])*$", max_length=1000)]
"""A path, such as `$.msg_list[].msgid`."""
Code = Annotated[str, Meta(pattern=r"^(-?[0-9]{1,7}|other)$")]
"""An errcode or return code."""
Word = Annotated[str, Meta(pattern=r"^[a-z0-9_]+$", max_length=64)]
Names = Set[tuple[str, str]]
"""Keys that no contract lists and that are written: the path of their object, and the key."""


class Node(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    """What was at one path of the answers."""

    types: dict[JsonType, int] = {}
    """How often each JSON type was there."""
    lengths: tuple[int, int] | None = None
    """The shortest and the longest: bytes of strings, elements of arrays; None without either."""

    def add(self, value: Any) -> None:
        """Count a value."""
        name = type_name(value)
        self.types[name] = self.types.get(name, 0) + 1
        if isinstance(value, str | list):
            length = len(value.encode(errors="replace")) if isinstance(value, str) else len(value)
            least, most = self.lengths or (length, length)
            self.lengths = (min(least, length), max(most, length))


class Answers(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    """The answers to the requests of one case."""

    calls: int = 0
    errcodes: dict[Code, int] = {}
    """How often each came; without one it is 0."""
    return_codes: dict[Code, int] = {}
    """Return codes of calls that the SDK could not make."""
    not_json: int = 0
    """Answers that are no JSON object."""
    accepted: dict[Place, Node] = {}
    """Nodes of the answers with errcode 0, by path."""
    refused: dict[Place, Node] = {}
    """The same of all others."""

    @property
    def outcomes(self) -> Counter[str]:
        """How often each errcode and return code came, and text that is no JSON object."""
        no_json = {"no JSON object": self.not_json} if self.not_json else {}
        return Counter({**self.errcodes, **self.return_codes, **no_json})


class Recording(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """A file of shapes. Its types let no other text in."""

    format: Literal[1] = 1
    """The number changes with the meaning of the file."""
    package: Annotated[str, Meta(pattern=r"^[0-9a-z.+]{1,40}$")] = __version__
    """The version that recorded it."""
    sdk: SdkSource
    """Answers of the emulator prove nothing about WeCom."""
    apis: dict[Word, dict[Word, Answers]] = {}
    """The answers by API and case."""


def record(client: SdkClient, sdk: SdkSource, words: Mapping[str, str]) -> Recording:
    """Ask each read-only API, and return the shapes of the answers.

    Args:
        client: Of one corp and app.
        sdk: Which SDK it is of.
        words: What the search APIs look for: `word` and `name`.
    """
    recording = Recording(sdk=sdk)
    values: dict[str, list[Any]] = defaultdict(list, {key: [word] for key, word in words.items()})
    replies: defaultdict[str, list[tuple[Answers, dict[str, Any]]]] = defaultdict(list)
    for case in CASES:
        for request in _requests(case, values):
            answers = recording.apis.setdefault(case.api, {}).setdefault(case.name, Answers())
            answer = _ask(client, case.api, request, answers)
            if answer is not None:
                replies[case.api].append((answers, answer))
                for name, value in found(case.api, answer):
                    if value not in values[name]:
                        values[name].append(value)
    data = {*words.values(), *(text for each in replies.values() for _, answer in each for text in _texts(answer))}
    for api, of_api in replies.items():
        shape = contract_of(api)
        names = _new_names((answer for _, answer in of_api), shape, data)
        for answers, answer in of_api:
            _note(answers, answer, shape, names)
    return recording


@cache
def contract_of(api: str) -> Shape:
    """Return the shape of an API's `Response`."""
    return shape_of(import_module(f"wwspec_contracts.api.{api}").Response)


def _note(answers: Answers, answer: dict[str, Any], shape: Shape, names: Names) -> None:
    """Add the shape of an answer to those of its case."""
    code = answer.get("errcode", 0)
    known = type(code) is int and code in _ERRCODES
    name = str(code) if known else OTHER
    answers.errcodes[name] = answers.errcodes.get(name, 0) + 1
    for path, value, _ in _walk("$", answer, shape, names):
        (answers.accepted if code == 0 and known else answers.refused).setdefault(path, Node()).add(value)


def write(recording: Recording, path: Path) -> None:
    """Write a new file.

    Raises:
        ConfigurationError: It exists, or can't be written.
    """
    text = msgspec.json.format(msgspec.json.encode(recording), indent=1)
    try:
        with path.open("xb") as file:
            file.write(text + b"\n")
    except FileExistsError:
        raise ConfigurationError(f"{path} exists: name a new file") from None
    except OSError as error:
        raise ConfigurationError(f"{path}: can't be written: {error.strerror}") from None


def read(path: Path) -> Recording:
    """Read a file.

    Raises:
        ConfigurationError: It can't be read, or is not one that this release reads.
    """
    try:
        recording = decode_json(path.read_bytes(), Recording)
    except OSError as error:
        raise ConfigurationError(f"{path}: can't be read: {error.strerror}") from None
    except JsonError as error:
        raise ConfigurationError(f"{path}: is no file of `wwspec shapes record` of this release: {error}") from None
    if unknown := recording.apis.keys() - {case.api for case in CASES}:
        raise ConfigurationError(f"{path}: this release records no API {', '.join(sorted(unknown))}")
    return recording


def type_name(value: Any) -> JsonType:
    """Return the JSON type of a value."""
    return cast(JsonType, kind(value).removeprefix("a ").removeprefix("an "))


def _requests(case: Case, values: Mapping[str, list[Any]]) -> list[Any]:
    """Return the requests of a case with what was found in the place of placeholders; none when nothing was."""
    names = _placeholders(case.request)
    choices = [values.get(name, [])[:MOST] for name in names]
    return [_fill(case.request, dict(zip(names, chosen, strict=True))) for chosen in product(*choices)]


def _placeholders(template: Any) -> list[str]:
    match template:
        case str() if template[:1] == "{" and template[-1:] == "}":
            return [template[1:-1]]
        case dict():
            return [name for each in template.values() for name in _placeholders(each)]
        case list():
            return [name for each in template for name in _placeholders(each)]
    return []


def _fill(template: Any, values: Mapping[str, Any]) -> Any:
    match template:
        case str() if names := _placeholders(template):
            return values[names[0]]
        case dict():
            return {key: _fill(each, values) for key, each in template.items()}
        case list():
            return [_fill(each, values) for each in template]
    return template


def _ask(client: SdkClient, api: str, request: Any, answers: Answers) -> dict[str, Any] | None:
    """Return the answer to a request; None, and it is counted, when there is none."""
    answers.calls += 1
    try:
        return decode_json(client.invoke(api, msgspec.json.encode(request).decode()), dict[str, Any])
    except JsonError:
        answers.not_json += 1
    except SdkCallError as error:
        name = str(error.return_code) if error.return_code is not None else OTHER
        answers.return_codes[name] = answers.return_codes.get(name, 0) + 1
    return None


def _new_names(answers: Iterable[dict[str, Any]], shape: Shape, data: Set[str]) -> Names:
    """Return the keys that WeCom may have added to answers of one API, with the paths of their objects.

    Args:
        answers: All that are recorded.
        shape: Of the contract.
        data: Texts that no key is.
    """
    found: defaultdict[str, set[str]] = defaultdict(set)
    for answer in answers:
        for path, value, fields in _walk("$", answer, shape, set()):
            if isinstance(value, dict) and not fields.keys().isdisjoint(value):
                found[path] |= value.keys() - fields.keys()
    few = ((path, keys) for path, keys in found.items() if len(keys) <= _MOST_NEW)
    of_few = ((path, key) for path, keys in few for key in keys - data)
    return {(path, key) for path, key in of_few if len(key) <= _LONGEST_FIELD and _FIELD.fullmatch(key)}


def _walk(
    path: str, value: Any, shape: Shape | None, names: Names, depth: int = 0
) -> Iterator[tuple[str, Any, dict[str, Shape]]]:
    """Yield each path of an answer, its value, and the keys that the contract lists there.

    Keys are `*` when neither the contract nor `names` has them.
    """
    fields = fields_of(shape)
    yield path, value, fields
    if depth == MAX_DEPTH:
        return
    if isinstance(value, list):
        item = shape.item if isinstance(shape, ListShape) else None
        for each in value:
            yield from _walk(f"{path}[]", each, item, names, depth + 1)
    elif isinstance(value, dict):
        for key, each in value.items():
            name = key if key in fields or (path, key) in names else ANY_KEY
            yield from _walk(f"{path}.{name}", each, fields.get(key), names, depth + 1)


def _texts(value: Any) -> Iterator[str]:
    """Yield all strings of an answer but its keys."""
    left = [value]
    while left:
        match left.pop():
            case str() as text:
                yield text
            case dict() as members:
                left += members.values()
            case list() as items:
                left += items


def fields_of(shape: Shape | None) -> dict[str, Shape]:
    """Return the shapes of an object's keys, other spellings of them included."""
    if not isinstance(shape, ObjectShape):
        return {}
    named = {name: field.shape for name, field in shape.fields.items()}
    return named | {alias: named[name] for alias, name in shape.renamed.items()}
