"""Compares recorded shapes with the contracts and with the emulator: a list of differences, and a test of them."""

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from wwspec_contracts.errors import SdkCallError
from wwspec_contracts.shape import ListShape, ObjectShape, Scalar, Shape
from wwspec_contracts.source_text import literal
from wwspec_devtools.emulator.platform import Platform
from wwspec_devtools.emulator.settings import EmulatorSettings
from wwspec_devtools.emulator.state.faults import ReturnCodeError
from wwspec_devtools.emulator.state.world import Caller, ChannelTimeoutError, ProgramReply
from wwspec_devtools.shapes.recording import (
    ANY_KEY,
    Answers,
    Node,
    Recording,
    contract_of,
    fields_of,
    record,
    type_name,
)
from wwspec_router.config import SdkSource
from wwspec_router.sdk.base import SdkClient

WORDS = {"word": "项目", "name": "zhang"}
"""What the search APIs look for: the emulated corp has both."""
NOTHING = "-"
ABSENT = "absent"

_START = 1_767_225_600
"""Start of the emulator's clock, so that its answers are the same each time."""
_SETUP: tuple[tuple[str, dict[str, Any]], ...] = (
    (
        "create_rule",
        {
            "name": "规则",
            "keyword": {"word_list": ["退款"], "is_case_sensitive": 0, "match_rule": 1, "is_trim_msg": 0},
            "semantics": {"semantics_list": [1]},
            "applicable_range": {
                "target_type": {"type_list": [1]},
                "chat_type": {"type_list": [1]},
                "department": {"id_list": [2]},
                "user": {"id_list": ["lina"]},
                "external_contact": {"id_list": ["wm"]},
                "msg_scope": 3,
                "exclude_mobile": {"mobile_list": ["+8613800138000"]},
                "exclude_bank_card": {"bank_card_list": ["6222020200112233446"]},
                "exclude_email": {"email_list": ["a@example.com"]},
                "session_type": {"session_type_list": [1]},
                "exclude_keyword": {"word_list": ["测试"]},
                "voice_match_msgtype": {"type_list": [6]},
            },
        },
    ),
    ("create_rule", {"name": "词", "keyword": {"word_list": ["发票"]}}),
    (
        "knowledge_base_create",
        {"kb_name": "手册", "doc_list": [{"doc_name": "价格", "type": 101, "web_url": "https://example.com/"}]},
    ),
)
"""What the emulated corp has besides its seed, so that there is something to read."""


_TEST = '''\
"""Where contracts and emulator differ from answers of WeCom that were recorded: made by `wwspec shapes compare --test`.

A test passes when they agree. It holds shapes only, no value of an answer.
"""

import msgspec
import pytest

from wwspec_devtools.shapes.comparing import differences
from wwspec_devtools.shapes.recording import Recording

RECORDED = msgspec.json.decode(
    r"""
%s
""",
    type=Recording,
)
PLACES = [
%s]
FOUND = {each.place: each for each in differences(RECORDED)}


@pytest.mark.parametrize("place", PLACES)
def test_contracts_and_emulator_agree_with_wecom(place: str) -> None:
    assert place not in FOUND, FOUND[place]
'''


class Difference(msgspec.Struct, frozen=True):
    """One place where the recorded answers are not what contract or emulator say."""

    api: str
    case: str
    path: str
    """`errcode` and `return code` are those of the whole case."""
    contract: str
    emulator: str
    recorded: str

    @property
    def place(self) -> str:
        """API, case and path."""
        return f"{self.api} {self.case} {self.path}"


def differences(recording: Recording) -> list[Difference]:
    """Return where recorded answers differ from the contracts, or from what the emulator answers to the same."""
    emulated = emulated_shapes().apis
    return [
        each
        for api, cases in recording.apis.items()
        for case, answers in cases.items()
        for each in _of_case(api, case, answers, emulated.get(api, {}).get(case, Answers()))
    ]


def test_of(recording: Recording, found: list[Difference]) -> str:
    """Return a pytest module that fails until contracts and emulator agree with a recording.

    Args:
        recording: Of WeCom's answers.
        found: Its differences.
    """
    places = "".join(f"    {literal(each.place)},\n" for each in found)
    cases = {(each.api, each.case) for each in found}
    apis = {
        api: {case: answers for case, answers in of_api.items() if (api, case) in cases}
        for api, of_api in recording.apis.items()
        if any(api == each for each, _ in cases)
    }
    part = msgspec.structs.replace(recording, apis=apis)
    return _TEST % (msgspec.json.format(msgspec.json.encode(part), indent=1).decode(), places)


def emulated_shapes() -> Recording:
    """Return the shapes of the emulator's answers."""
    return record(emulated_client(), SdkSource.EMULATOR, WORDS)


def emulated_client() -> SdkClient:
    """Return a client of a new emulator in memory, whose corp has something to read for each API."""
    platform = Platform(EmulatorSettings(clock_start=_START), _NoProgram())
    client = _EmulatedClient(platform)
    for api, request in _SETUP:
        client.invoke(api, msgspec.json.encode(request).decode())
    app = platform.world.app
    app.receiver = next(iter(app.programs.values()))
    platform.fire("hit_keyword")  # it writes a message that hits a rule
    return client


class _NoProgram:
    """The way to a program that is not there."""

    def post(self, url: str, headers: Mapping[str, str], body: str, limit: float | None = None) -> ProgramReply:
        raise ChannelTimeoutError("there is no program")


class _EmulatedClient:
    """Calls the SDK APIs of an emulator in memory; see `SdkClient`."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        self._caller = Caller(corpid=platform.settings.corpid, agentid=platform.settings.agentid)

    def invoke(self, api: str, request: str) -> str:
        """Call one API."""
        try:
            return self._platform.sdk_call(api, self._caller, request.encode()).decode()
        except ReturnCodeError as error:
            raise SdkCallError(api, error.return_code) from None


def _of_case(api: str, case: str, recorded: Answers, emulated: Answers) -> Iterator[Difference]:
    if emulated.calls and recorded.errcodes.keys() - emulated.errcodes.keys():
        yield Difference(api, case, "errcode", NOTHING, _codes(emulated.errcodes), _codes(recorded.errcodes))
    if recorded.return_codes:
        yield Difference(api, case, "return code", NOTHING, NOTHING, _codes(recorded.return_codes))
    if recorded.not_json:
        yield Difference(api, case, "$", "object", "object", "no JSON object")
    contract = contract_of(api)
    for there, here in ((recorded.accepted, emulated.accepted), (recorded.refused, emulated.refused)):
        for path in sorted({*there, *here}):
            if _differs(path, contract, there, here):
                says = " or ".join(sorted(_allowed(contract, path))) or "not listed"
                yield Difference(api, case, path, says, _said(here, path), _said(there, path))


def _codes(counts: Mapping[str, int]) -> str:
    return ", ".join(sorted(counts)) or NOTHING


def _differs(path: str, contract: Shape, there: Mapping[str, Node], here: Mapping[str, Node]) -> bool:
    """Return whether recorded answers differ at a path: from the contract, or from what the emulator's have there."""
    parent = _parent(path)
    if parent not in there or not _types(there, parent) <= _allowed(contract, parent):  # that has a line of its own
        return False
    types, known = _types(there, path), _types(here, path)
    if not types <= _allowed(contract, path) or (_has_all(here, path) and not _has_all(there, path)):
        return True
    is_shown = parent in here and (known or not _is_of_list(path))
    return is_shown and not types <= known


def _said(nodes: Mapping[str, Node], path: str) -> str:
    """Return what was at a path, in words."""
    parent = _parent(path)
    if parent and parent not in nodes:
        return NOTHING
    if path not in nodes:
        return NOTHING if _is_of_list(path) else ABSENT
    node = nodes[path]
    text = " or ".join(sorted(node.types))
    if _is_of_list(path) or path.endswith(f".{ANY_KEY}") or _has_all(nodes, path):
        return text
    return f"{text}, in {sum(node.types.values())} of {nodes[parent].types.get('object', 0)}"


def _types(nodes: Mapping[str, Node], path: str) -> set[str]:
    return set(nodes[path].types) if path in nodes else set()


def _has_all(nodes: Mapping[str, Node], path: str) -> bool:
    """Return whether each object at the parent of a path has the key."""
    parent = nodes.get(_parent(path))
    if parent is None or _is_of_list(path) or path not in nodes or path.endswith(f".{ANY_KEY}"):
        return False
    return sum(nodes[path].types.values()) >= parent.types.get("object", 0)


def _parent(path: str) -> str:
    """Return the path of the object or array that a path is in; empty for `$`."""
    return path.removesuffix("[]") if _is_of_list(path) else path.rpartition(".")[0]


def _is_of_list(path: str) -> bool:
    return path.endswith("[]")


def _allowed(contract: Shape, path: str) -> set[str]:
    """Return the JSON types that a contract allows at a path; none when it does not list the path."""
    shape: Shape | None = contract
    for part in path.replace("[]", ".[]").split(".")[1:]:
        if part == "[]":
            shape = shape.item if isinstance(shape, ListShape) else None
        else:
            shape = fields_of(shape).get(part)
    match shape:
        case ObjectShape():
            return {"object"}
        case ListShape():
            return {"array"}
        case Scalar(kind=kind, also=also):
            examples = {"str": "", "int": 0, "float": 0.5, "bool": True}
            named = {type_name(examples[each]) for each in (kind, also) if each in examples}
            return named | ({"integer"} if kind == "float" else set())
    return set()
