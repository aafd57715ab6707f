"""What the targets are fed: structured inputs as hypothesis strategies, and the seeds of the coverage-guided fuzzer.

Inputs are written from what the application takes, and then spoiled: JSON that almost fits a contract, calls that are
almost genuine, TOML that is almost a registry.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from torture.fuzz_targets import AES_KEY, KEY, RECEIVER, ROOT, TOKEN, text_bytes
from wwspec_contracts.callbacks import CallbackCrypto, write_xml
from wwspec_contracts.examples import console_example
from wwspec_devtools.console_contracts.described import ConsoleContracts
from wwspec_devtools.emulator.standin.wwspec_standin import seal
from wwspec_router.registry.table import build_table

__all__ = ["CORPUS", "dictionary", "seeds", "strategies"]

CORPUS = Path(__file__).parent / "corpus"
"""Inputs that once broke a promise, a folder for each target."""

RAW = (
    *("NaN", "Infinity", "-Infinity", "1e400", "-1e-400", "-0", "01", "1.0", "1E5", "true", "null", "tru"),
    *("9" * 400, "9" * 5000, "18446744073709551616", "-9223372036854775809"),
    *('"\\ud800"', '"\\udc00\\ud800"', '"\\u0000"', '"\udcff"', '""', '" "', f'"{"x" * 200}"', f'"{"数" * 50}"'),
    *("[" * 40 + "]" * 40, '{"a":' * 40 + "1" + "}" * 40, "[" * 3000, "[" * 3000 + "]" * 3000),
    *("[[]]", "[null]", "[1,{}]"),
)
"""Pieces of JSON text, and of what is none."""

_text = st.text(st.characters(codec="utf-8") | st.sampled_from('\x00\n\r\x1b\x85\u2028\udc80\udcff"\\'), max_size=12)
_leaf = st.none() | st.booleans() | st.integers() | st.floats() | _text
_json = st.recursive(
    _leaf, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_text, inner, max_size=3), max_leaves=6
)


@st.composite
def _spoilt(draw: st.DrawFn, examples: list[Any], words: list[str]) -> str:
    """JSON text of one example after up to three changes at any depth."""
    value = json.loads(json.dumps(draw(st.sampled_from(examples))))
    fragments = []
    for _ in range(draw(st.integers(0, 3))):
        holder = {"": value}
        key: Any = ""
        spot: Any = holder
        while isinstance(spot[key], dict | list) and spot[key] and draw(st.integers(0, 3)):
            spot = spot[key]
            key = draw(st.sampled_from(sorted(spot))) if isinstance(spot, dict) else draw(st.integers(0, len(spot) - 1))
        match draw(st.sampled_from(["raw", "other", "gone", "added", "twice"])):
            case "raw":
                fragments.append(draw(st.sampled_from(RAW)))
                spot[key] = f"@{len(fragments)}@"
            case "other":
                spot[key] = draw(_leaf | st.sampled_from(["", 0, 1, True, [], {}, 0.5]))
            case "gone":
                spot.pop(key)
            case "added" if isinstance(spot[key], dict):
                spot[key][draw(st.sampled_from(words) | _text)] = draw(_leaf)
            case _:
                spot[key] = [spot[key], spot[key]]
        value = holder.get("", {})
    text = json.dumps(value, ensure_ascii=draw(st.booleans()))
    for number, fragment in enumerate(fragments, 1):
        text = text.replace(f'"@{number}@"', fragment)
    return text if draw(st.integers(0, 9)) else text[: draw(st.integers(0, len(text)))]


def strategies() -> dict[str, st.SearchStrategy[bytes]]:
    """Return a strategy for each target, by its name."""
    material = _Material()
    document = _spoilt(material.documents, material.words) | _json.map(json.dumps) | st.sampled_from(RAW) | _text
    ability = st.sampled_from(material.abilities) | st.integers(0, 400).map("#{}".format) | _text
    numbers = st.tuples(
        st.integers() | st.just(7), st.sampled_from([1, 1, 1, 2, 0, 3, -1, 2**70]), st.sampled_from([0, 0, 0, 1])
    ).map(lambda each: ",".join(map(str, each)))
    edit = st.sampled_from("btdcvn").flatmap(lambda kind: _text.map(lambda text: kind + text)) | st.just("")
    sealed = st.tuples(st.just(""), edit, _text, numbers, ability, _text, document)
    noise = st.tuples(_text.map(lambda name: f"ww-{name}:1\n{name}: 2"), document)
    number = st.integers(0, 400).map(str)
    refusal = st.tuples(st.integers(), _text).map(lambda each: json.dumps({"errcode": each[0], "errmsg": each[1]}))
    request, reply, event = (_spoilt(each, material.words) for each in material.sides)
    return {
        "decode": _joined(sealed | noise),
        "exchange": _joined(sealed | noise),
        "dispatch": _joined(st.tuples(ability, document, _text, _text, _text, numbers, document | refusal)),
        "events": _joined(st.tuples(event | document, _text, st.just("{}") | refusal | document)),
        "input": _joined(st.tuples(number, request | document)),
        "output": _joined(st.tuples(number, reply | document)),
        "registry": _registries(material).map(text_bytes),
        "examples": _joined(st.tuples(document, document)) | document.map(text_bytes),
        "callbacks": _joined(st.tuples(_text, _text, st.just("") | _text, _text, st.just("") | _text | _xml())),
    }


def _joined(parts: st.SearchStrategy[tuple[str, ...]]) -> st.SearchStrategy[bytes]:
    return parts.map(lambda each: text_bytes(*each))


def _xml() -> st.SearchStrategy[str]:
    piece = st.sampled_from(["<xml>", "</xml>", "<a>", "</a>", "<![CDATA[", "]]>", "&amp;", "&#0;", " ", "\n"]) | _text
    return st.lists(piece, max_size=12).map("".join) | st.dictionaries(
        st.sampled_from(["Event", "NotifyId"]), _text | st.integers(), max_size=2
    ).map(write_xml)


def _registries(material: "_Material") -> st.SearchStrategy[str]:
    key = st.sampled_from([*material.registry_keys, "abilities.a", '"a.b"', "abilities.'é'"]) | _text
    values = ['"sync_msg"', '"callback_data"', "['sync_msg']", '"*"', "0.5", "nan", "inf", "-1", "1e400", "true", "[]"]
    values += ["{a=1}", "{api='sync_msg'}", "{api='sync_msg',timeout=1}", "1979-05-27", "9" * 400, "9" * 5000, "''"]
    value = st.sampled_from(values) | _json.map(json.dumps)
    line = st.one_of(
        key.map("[{}]".format),
        key.map("[[{}]]".format),
        st.tuples(key, value).map(lambda pair: f"{pair[0]} = {pair[1]}"),
        _text,
    )
    return st.lists(line, max_size=10).map("\n".join)


class _Material:
    """What the application takes and gives, as JSON values, and the words in it."""

    def __init__(self) -> None:
        table = build_table(ROOT, ROOT / "abilities" / "registry.toml")
        self.abilities = list(table.abilities)
        contracts = list(table.api_contracts.values())
        requests = [console_example(each.request) for each in contracts]
        replies = [console_example(each.response) for each in contracts]
        events = [console_example(each.event) for each in table.events.values()]
        wrapped = [each.input for each in ConsoleContracts(table).values()]
        self.sides = requests, replies, events
        self.documents = [*requests, *replies, *events, *wrapped]
        self.words = sorted(set(_keys(self.documents)))
        self.registry_keys = ["program", "passthrough", "func", "abilities", "notify_scenes", "api", "handler", "kind"]
        self.registry_keys += ["apis", "prefix", "timeout", "errcode", "name", "output_policy", "input", "drop_empty"]


def _keys(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        yield from value
        value = list(value.values())
    for each in value if isinstance(value, list) else ():
        yield from _keys(each)


def seeds() -> dict[str, list[bytes]]:
    """Return what the coverage-guided fuzzer starts from, by the target's name; those of the corpus are among them."""
    material = _Material()
    requests, replies, events = ([json.dumps(each) for each in side] for side in material.sides)
    documents = [json.dumps(each) for each in material.documents]
    crypto = CallbackCrypto(TOKEN, AES_KEY, RECEIVER)
    call = seal.seal_call(KEY, seal.CallContent("ww1", 7, 1, "{}", "request", 5, "invoke_sync_msg"))
    head = "\n".join(f"{name}:{value[:63]}" for name, value in call.headers.items())
    sealed = [text_bytes("", edit, "ww1", "7,1,0", "chat_history", "n", "{}") for edit in ("", "b\x01x", "d\x02", "nx")]
    abilities = [f"#{number}" for number in range(len(material.abilities))]
    refused = json.dumps({"errcode": 1, "errmsg": "a\nb\rc"})
    found = {
        "decode": [*sealed, text_bytes(head, call.body)],
        "exchange": [*sealed, text_bytes(head, call.body)],
        "dispatch": [
            text_bytes(each, document, "ww1", "n", "", "7,1,0", refused)
            for each in abilities
            for document in documents[:3]
        ],
        "events": [text_bytes(each, "ww1", "{}") for each in events],
        "input": [text_bytes(str(2 * number), each) for number, each in enumerate(requests)],
        "output": [text_bytes(str(2 * number), each) for number, each in enumerate([*replies, *events])],
        "registry": [(ROOT / "abilities" / "registry.toml").read_bytes()],
        "examples": [text_bytes(each, each) for each in documents],
        "callbacks": [text_bytes("5", "n", "", crypto.encrypt("x"), write_xml({"Event": "program_notify", "N": 1}))],
    }
    return {name: each + [path.read_bytes() for path in kept(name)] for name, each in found.items()}


def kept(target: str) -> list[Path]:
    """Return the files of the corpus for one target."""
    return sorted(path for path in (CORPUS / target).glob("*") if path.is_file())


def dictionary() -> list[str]:
    """Return words that inputs are made of."""
    material = _Material()
    pieces = ["<xml>", "</xml>", "<![CDATA[", "]]>", "errcode", "errmsg", "ww-", "1e400", "NaN", "\\ud800", "[[["]
    return [*pieces, *material.words, *material.registry_keys]
