"""What is fuzzed: each target takes any bytes, and neither raises nor hangs, and keeps a promise for all of them.

Bytes are cut at 0xFF into texts; what is not UTF-8 in them becomes lone surrogates. So a target's input can be made by
a coverage-guided fuzzer, written by a strategy, and kept as a file. Knows no fuzzer.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from contextvars import copy_context
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import msgspec

from tests.support.sdk import ScriptedSdk
from torture.fuzz_rig import MemoryFile, Target, checked_lines, promise
from wwspec_contracts.base import Contract
from wwspec_contracts.call_type import CallType
from wwspec_contracts.callbacks import CallbackCrypto, CallbackError, CallbackReceiver, read_xml
from wwspec_contracts.errors import DecodeError, InputError, LoaderError, OutputError, RegistryError
from wwspec_contracts.examples import console_example
from wwspec_contracts.files import ConsoleContract
from wwspec_contracts.matching import matches, mismatches
from wwspec_devtools.console_contracts.described import ConsoleContracts
from wwspec_devtools.emulator.standin.wwspec_standin import seal
from wwspec_devtools.emulator.standin.wwspec_standin.link import FileLink
from wwspec_devtools.testing.standin import load_standin
from wwspec_router.codecs.codec import InputCodec, OutputCodec, OutputPolicy
from wwspec_router.codecs.from_example import contract_of_file
from wwspec_router.config import SdkSource
from wwspec_router.envelope import Call, Reply
from wwspec_router.kernel.dispatch import Dispatcher
from wwspec_router.registry.file import parse_registry
from wwspec_router.registry.table import AbilityTable, build_table
from wwspec_router.sdk.vendor import VendorSdk
from wwspec_router.serving.calls import Exchange, PendingRequest
from wwspec_router.stores import open_store

__all__ = ["AES_KEY", "CUT", "KEY", "RECEIVER", "ROOT", "TOKEN", "Targets", "open_targets", "text_bytes", "texts"]

ROOT = Path(__file__).parents[1]
CUT = b"\xff"
"""Between the texts of one input; no UTF-8 holds it."""
KEY = bytes(range(seal.KEY_BYTES))
TOKEN, AES_KEY, RECEIVER = "callback-token", "a" * 42 + "A", "ww-receiver"

Targets = dict[str, Target]


def texts(data: bytes, count: int) -> list[str]:
    """Cut an input into `count` texts; absent ones are empty."""
    found = [part.decode("utf-8", "surrogateescape") for part in data.split(CUT, count - 1)]
    return found + [""] * (count - len(found))


def text_bytes(*parts: str) -> bytes:
    """Return the input that is cut into these texts."""
    return CUT.join(part.encode("utf-8", "surrogateescape").replace(CUT, b"?") for part in parts)


@contextmanager
def open_targets() -> Iterator[Targets]:
    """Build every target, by name; files and stores last as long as the block."""
    with TemporaryDirectory(prefix="wwspec-fuzz-") as name:
        folder = Path(name)
        (folder / "zone.key").write_bytes(KEY)
        for api in ("sync_msg", "spec_notify_app"):
            (folder / f"{api}.json").write_text('{"errcode":0,"errmsg":"ok","has_more":1,"added":[1]}')
        table = build_table(ROOT, ROOT / "abilities" / "registry.toml")
        sealed, kernel = _Sealed(table, folder), _Kernel(table)
        registry, example = MemoryFile("registry.toml"), MemoryFile("example.json")
        targets: Targets = {
            "decode": sealed.decode,
            "exchange": sealed.exchange,
            "dispatch": kernel.dispatch,
            "events": kernel.events,
            "input": _Inputs(table).check,
            "output": _Outputs(table).check,
            "registry": lambda data: check_registry(registry, data),
            "examples": lambda data: check_example(example, data),
            "callbacks": check_callback,
        }
        try:
            with checked_lines() as lines:
                yield {name: lines.around(target) for name, target in targets.items()}
        finally:
            sealed.store.close()
            kernel.store.close()


class _Kernel:
    """Calls and events with hostile fields, and a platform that answers anything."""

    def __init__(self, table: AbilityTable) -> None:
        self._sdk = ScriptedSdk()
        self.store = open_store("memory:")
        self._dispatcher = Dispatcher(table, self._sdk, self.store)
        self._contracts = ConsoleContracts(table)
        self._ids = list(self._contracts)

    def dispatch(self, data: bytes) -> None:
        """Every reply fits what the console has for the ability, or is an error reply."""
        ability_id, body, corpid, notify_id, job_info, numbers, self._sdk.reply = texts(data, 7)
        if ability_id[:1] == "#":
            ability_id = self._ids[whole(ability_id[1:]) % len(self._ids)]
        agentid, call_type, is_async = ([whole(each) for each in numbers.split(",")] + [1, 1, 0])[:3]
        self._sdk.invoked.clear()
        call = Call(
            corpid=corpid,
            agentid=agentid,
            call_type=call_type,
            ability_id=ability_id,
            data=body,
            notify_id=notify_id,
            is_async=is_async == 1,
            job_info=job_info,
        )
        answered_by_ability = call_type == CallType.APP and not call.is_async
        check_reply(self._dispatcher.dispatch(call), self._contracts.get(ability_id) if answered_by_ability else None)
        promise(len(self._sdk.invoked) <= 1, "one call led to several SDK calls")

    def events(self, data: bytes) -> None:
        """An accepted event was stored and notified; its owner gets it, and nobody else does."""
        body, corpid, self._sdk.reply = texts(data, 3)
        self._sdk.invoked.clear()
        event = Call(corpid=corpid, agentid=7, call_type=CallType.EVENT, data=body)
        accepted = check_reply(self._dispatcher.dispatch(event)).get("errcode") == 0
        notified = [json.loads(request)["notify_id"] for _, request in self._sdk.invoked]
        promise(bool(notified) or not accepted, "an event was accepted and the app not told")
        for notify_id in notified:
            promise(self.store.get(corpid, 7, notify_id) == body, "the app was told of an event that is not stored")
            fetched = {who: self._fetch(who, notify_id) for who in ((corpid, 7), (f"{corpid}x", 7), (corpid, 8))}
            check_reply(fetched.pop((corpid, 7)), self._contracts["get_callback_data"])
            promise(all("no event waits" in reply.text for reply in fetched.values()), "another one got the event")

    def _fetch(self, who: tuple[str, int], notify_id: str) -> Reply:
        call = Call(corpid=who[0], agentid=who[1], call_type=1, ability_id="get_callback_data", notify_id=notify_id)
        return self._dispatcher.dispatch(call)


ERROR_EXAMPLE = {"errcode": 0, "errmsg": "ok"}


def check_reply(reply: Reply, contract: ConsoleContract | None = None) -> dict[str, Any]:
    """Return the decoded reply, which fits the output contract; without one it is an error or a bare success."""
    value = json.loads(reply.text.encode().decode())
    example = ERROR_EXAMPLE if contract is None else contract.output
    misfits = [path for path, _ in mismatches(example, value)]
    promise(not misfits, f"the reply does not fit its contract at {misfits[:1]}")
    promise(isinstance(value, dict), "the reply is no JSON object")
    promise(reply.errcode in (0, value.get("errcode", 0)), "the reply's errcode is not the one in its text")
    return dict(value)


class _Sealed:
    """Requests as they travel: noise, or a genuine call that was altered on the way."""

    def __init__(self, table: AbilityTable, folder: Path) -> None:
        self.store = open_store("memory:")
        self._sdk = VendorSdk(load_standin(FileLink(str(folder))), SdkSource.EMULATOR)
        self._exchange = Exchange(self._sdk, Dispatcher(table, self._sdk, self.store))

    def decode(self, data: bytes) -> None:
        """A genuine call is read as it was sealed; everything else is refused."""
        headers, body, genuine = self._request(data)
        try:
            call = self._sdk.decode(headers, body)
        except DecodeError:
            promise(genuine is None, "a genuine call was refused")
            return
        promise(genuine is not None, "a call that nobody sealed was let in")
        if genuine is not None:
            same = (call.corpid, call.agentid, call.data) == (genuine.corpid, genuine.agentid, genuine.data)
            promise(same, "a call was read otherwise than it was sealed")

    def exchange(self, data: bytes) -> None:
        """Every request gets a sealed answer, under the exception header unless it is genuine."""
        headers, body, genuine = self._request(data)
        request = PendingRequest(headers, body.encode("utf-8", "surrogateescape"))
        answer = copy_context().run(self._exchange.answer, request)  # it marks the log lines of its thread
        pairs = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in answer.headers]
        reply = seal.open_reply(KEY, pairs, answer.body.decode())
        promise(reply.is_exception == (genuine is None), "the answer came under the wrong header")
        promise(isinstance(json.loads(reply.text), dict), "the answer is no JSON object")

    def _request(self, data: bytes) -> tuple[list[tuple[str, str]], str, seal.CallContent | None]:
        """Return headers, body, and the call that these are the seal of, if they are."""
        head, edit, corpid, numbers, ability_id, notify_id, text = texts(data, 7)
        if head:
            pairs = (line.partition(":") for line in head.split("\n"))
            return [(name, value) for name, _, value in pairs], edit, None
        agentid, call_type, is_async = ([whole(each) for each in numbers.split(",")] + [1, 1, 0])[:3]
        call = seal.CallContent(corpid, agentid, call_type, text, "request-1", 5, ability_id, notify_id, is_async == 1)
        try:
            sealed = seal.seal_call(KEY, call)
        except seal.SealError:  # a lone surrogate can't be sealed
            return [], text, None
        before = list(sealed.headers.items()), sealed.body
        after = edited(*before, edit)
        return *after, call if after == before else None


def edited(headers: list[tuple[str, str]], body: str, edit: str) -> tuple[list[tuple[str, str]], str]:
    """Return a request after one alteration: its first letter says which, its second where, the rest what."""
    kind, at, what = edit[:1], ord(edit[1:2] or "\0"), edit[2:]
    place, header = at * 7 % (len(body) + 1), at % len(headers)
    name = headers[header][0]
    match kind:
        case "b":
            return headers, body[:place] + what + body[place + len(what) :]
        case "t":
            return headers, body[:place]
        case "d":
            return [pair for pair in headers if pair[0] != name], body
        case "c":
            return [*headers, headers[header]], body
        case "v":
            return [(each, what if each == name else value) for each, value in headers], body
        case "n":
            return [*headers, (f"ww-{what}", "1")], body
        case _:
            return headers, body


class _Inputs:
    """What is let in by the contract of every request is let in by the platform too, and can be passed on.

    But for an empty array, which is passed on as an empty object.
    """

    def __init__(self, table: AbilityTable) -> None:
        types = [contract.request for contract in table.api_contracts.values()]
        codecs = [(type_, drop) for type_ in types for drop in (False, True)]
        self._codecs = [(InputCodec(type_, drop_empty=drop), console_example(type_)) for type_, drop in codecs]

    def check(self, data: bytes) -> None:
        name, text = texts(data, 2)
        codec, example = self._codecs[whole(name) % len(self._codecs)]
        try:
            passed = codec.forward(text)
        except InputError as error:
            promise(error.message.isascii() or "\n" not in error.message, "a refusal has several lines")
            return
        codec.decode_plain(text)
        for each in {passed} if json.loads(text) == [] else {text, passed}:
            misfits = [why for _, why in mismatches(example, json.loads(each)) if "fraction, got an integer" not in why]
            promise(not misfits, f"a request was let in that the platform refuses: {misfits[:1]}")
        promise(codec.forward(passed) == passed, "what is passed on changes when it is read again")


class _Outputs:
    """What comes out of the codec of any reply fits, and comes out the same a second time."""

    def __init__(self, table: AbilityTable) -> None:
        types: list[type[Contract]] = [contract.response for contract in table.api_contracts.values()]
        types += [each.event for each in table.events.values()]
        self._codecs = [
            (OutputCodec(type_, policy), OutputCodec(type_, OutputPolicy.STRICT), console_example(type_))
            for type_ in types
            for policy in (OutputPolicy.PRUNE, OutputPolicy.STRICT)
        ]

    def check(self, data: bytes) -> None:
        name, text = texts(data, 2)
        codec, strict, example = self._codecs[whole(name) % len(self._codecs)]
        self._check_fit(codec, strict, example, text)
        with suppress(ValueError, RecursionError):
            value = msgspec.json.decode(text)
            with suppress(OutputError):
                self._check_fit(strict, strict, example, strict.encode(value))

    @staticmethod
    def _check_fit(codec: OutputCodec, strict: OutputCodec, example: Any, text: str) -> None:
        try:
            fitting = codec.fit(text)
        except OutputError:
            return
        promise(codec.fit(fitting) == fitting, "pruning again changes the reply")
        promise(strict.fit(fitting) == fitting, "the reply that came out does not fit")
        promise(matches(example, json.loads(fitting)), "a reply was let out that the platform refuses")


def check_registry(path: MemoryFile, data: bytes) -> None:
    """A registry file is read or refused, and what is read keeps its bounds."""
    path.content = data
    try:
        registry, faults = parse_registry(path)
    except RegistryError as error:
        promise(bool(error.faults), "a registry was refused without a fault")
        return
    promise(all(fault.startswith(str(path)) for fault in faults), "a fault does not say where it stands")
    prefixes = [each for each in (registry.passthrough, registry.func) if each is not None]
    times = [registry.program.notify_ttl, registry.program.timeout, *(each.timeout for each in prefixes)]
    times += [each.timeout for each in registry.abilities.values()]
    promise(all(each is None or 0 < each <= 31_536_000 for each in times), "a time has no bound")
    promise(all(name.isprintable() and name for name in registry.abilities), "an ability ID is not printable")


def check_example(path: MemoryFile, data: bytes) -> None:
    """A console example is refused or becomes a contract, which takes all that the platform lets pass.

    But for integers of more than 64 bits.
    """
    text, other = data.split(CUT, 1) if CUT in data else (data, data)
    path.content = text
    try:
        contract = contract_of_file(path)
    except LoaderError:
        return
    example = msgspec.json.decode(text)
    again = console_example(contract)
    promise(matches(example, again), "the contract's own example does not fit the file")
    codec = InputCodec(contract)
    for each in (text, msgspec.json.encode(again), other):
        try:
            value = msgspec.json.decode(each)
        except (ValueError, RecursionError):
            continue
        if matches(example, value) and has_bounds(value):
            plain = msgspec.json.encode(value).decode()  # of a key that came twice, the platform may see either
            codec.decode(plain)
            OutputCodec(contract).fit(plain)


def check_callback(data: bytes) -> None:
    """A callback is opened when it is genuine, and refused otherwise."""
    timestamp, nonce, signature, encrypted, plain = texts(data, 5)
    crypto = CallbackCrypto(TOKEN, AES_KEY, RECEIVER)
    receiver = CallbackReceiver(crypto)
    with suppress(UnicodeEncodeError):  # the sender's affair
        encrypted = crypto.encrypt(plain) if plain else encrypted
        signature = signature or crypto.signature(timestamp, nonce, encrypted)
    query = {"timestamp": timestamp, "nonce": nonce, "msg_signature": signature, "echostr": encrypted}
    try:
        promise(receiver.answer_echo(query) == plain, "an echo was answered wrongly")
    except CallbackError:
        promise(not plain or signature != _signature(crypto, query), "a genuine echo was refused")
    with suppress(CallbackError):
        read_xml(plain)
    for body in (f"<xml><Encrypt><![CDATA[{encrypted}]]></Encrypt></xml>", encrypted):
        with suppress(CallbackError):
            fields = receiver.open(query, body).fields
            promise(fields == read_xml(plain, nested=True), "a callback was read wrongly")


def _signature(crypto: CallbackCrypto, query: dict[str, str]) -> str:
    try:
        return crypto.signature(query["timestamp"], query["nonce"], query["echostr"])
    except UnicodeEncodeError:
        return ""


def has_bounds(value: Any) -> bool:
    """Tell whether each integer of a decoded JSON value has 64 bits at most."""
    match value:
        case list():
            return all(map(has_bounds, value))
        case dict():
            return all(map(has_bounds, value.values()))
        case _:
            return not isinstance(value, int) or -(2**63) <= value < 2**63


def whole(text: str) -> int:
    """Read a whole number, 0 for anything else."""
    try:
        return int(text[:400])
    except ValueError:
        return 0
