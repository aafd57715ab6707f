"""Modules named `wwspecapisdk` that tests write: each loads in a process of its own; the adapter is tried on one."""

import json
import shutil
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any
from unittest.mock import Mock

import pytest

from tests.support.apps import ROOT, python, python_anew, write_files
from tests.support.tables import for_each
from wwspec_contracts.errors import DecodeError, SdkCallError, SdkUnavailableError
from wwspec_devtools.emulator.settings import STANDIN_DIRECTORY
from wwspec_router.envelope import Call
from wwspec_router.sdk.base import SealedReply
from wwspec_router.sdk.vendor import RETURN_CODES, VendorSdk

LOAD = """
import sys
from pathlib import Path
from wwspec_contracts.errors import SdkUnavailableError
from wwspec_router.config import SdkSource
from wwspec_router.sdk.vendor import load_sdk

try:
    sdk = load_sdk(SdkSource(sys.argv[1]), Path("/nowhere"))
except SdkUnavailableError as error:
    print(error)
else:
    print("loaded", sdk.source, "|", sdk.description)
"""

MODULE = """
import json

class WWToSpecHTTPReqDecoder:
    def __init__(self, headers, post_data):
        if post_data == "broken":
            raise RuntimeError("a-secret")
        self._call = json.loads(post_data)
    def get_corpid(self): return self._call["corpid"]
    def get_agentid(self): return self._call.get("agentid", 0)
    def get_call_type(self): return self._call["call_type"]
    def get_data(self): return self._call.get("data")
    def _only_app(self, name):
        if self._call["call_type"] != 1:
            raise RuntimeError(name + " is documented for calls of the app only")
        return self._call.get(name)
    def get_is_async(self): return self._only_app("is_async")
    def get_ability_id(self): return self._only_app("ability_id")
    def get_notify_id(self): return self._only_app("notify_id")
    def get_job_info(self):
        if not self._call.get("is_async"):
            raise RuntimeError("get_job_info is documented for asynchronous calls only")
        return self._call["job_info"]

class WWToSpecHTTPRspConstructor:
    def __init__(self, text): self._text = text
    def get_normal_header(self): return {"ww-kind": "normal"}
    def get_exception_header(self): return {"ww-kind": "exception"}
    def get_encoded_body(self): return "sealed " + self._text

class SdkError(Exception):
    def __init__(self, code, *args):
        super().__init__(*args)
        self.code = code

class ChatDataSDK:
    made = 0
    def __init__(self, *identity):
        ChatDataSDK.made += 1
        self._identity = identity
    def sync_msg(self, request): return json.dumps([*self._identity, request])
    def bytes_reply(self, request): return b"{}"
    def none_reply(self, request): return None
    def in_args(self, request): raise RuntimeError(int(request), "oops")
    def in_attribute(self, request): raise SdkError(int(request), "oops")
    def in_text(self, request): raise RuntimeError("invoke failed: ret=" + request + ".")
    def unknown(self, request): raise RuntimeError("a-secret", request)

number = 0
def spec_gen_notify_id():
    global number
    number += 1
    return "id-" + str(number)

def spec_open_debug_mode(debug_token, access_token):
    if debug_token == "raise":
        raise RuntimeError("a-secret")
    return {"true": True, "false": False, "none": None}[debug_token]
"""


def loaded(source: str, *path: Path, program: str = LOAD) -> str:
    """Return what is printed where the vendor's module is looked for in these folders, before the rest of sys.path."""
    return python(program, source, path=path).rstrip("\n")


def test_an_absent_vendor_module_is_reported_with_both_fixes() -> None:
    assert loaded("vendor") == (
        "the vendor SDK wwspecapisdk is neither in /nowhere/sdk nor on sys.path: put wwspecapisdk.so there "
        "(where to get it: WeCom document 100057), or start with --sdk emulator for development"
    )


def test_the_vendor_s_module_is_looked_for_in_the_application_before_sys_path(tmp_path: Path) -> None:
    write_files(tmp_path, {"app/sdk/wwspecapisdk.py": MODULE, "elsewhere/wwspecapisdk.py": "raise OSError"})
    program = LOAD.replace('"/nowhere"', "sys.argv[2]")
    assert python(program, "vendor", tmp_path / "app", path=(tmp_path / "elsewhere",)).rstrip("\n") == (
        f"loaded vendor | wwspecapisdk from {tmp_path}/app/sdk/wwspecapisdk.py"
    )
    assert "the emulator's stand-in" in python(program, "emulator", tmp_path / "app"), "it is in sdk/ for the image"


def test_the_vendor_s_module_is_loaded_from_where_it_lies_and_an_empty_folder_of_its_name_is_none(
    tmp_path: Path,
) -> None:
    (tmp_path / "wwspecapisdk").mkdir()
    assert "is neither in /nowhere/sdk nor on sys.path" in loaded("vendor", tmp_path)
    write_files(tmp_path, {"wwspecapisdk.py": MODULE})
    assert loaded("vendor", tmp_path) == f"loaded vendor | wwspecapisdk from {tmp_path}/wwspecapisdk.py"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("raise ImportError('libfoo.so.1: cannot open')", "libfoo.so.1: cannot open"),
        ("raise RuntimeError('license')", "license"),
        ("raise OSError", "OSError"),
        ("import nowhere", "No module named 'nowhere'"),
        ("x = = 1", "invalid syntax (wwspecapisdk.py, line 1)"),
    ],
)
def test_a_module_that_raises_on_import_is_unavailable(tmp_path: Path, text: str, reason: str) -> None:
    write_files(tmp_path, {"wwspecapisdk.py": text})
    assert loaded("vendor", tmp_path) == (
        f"wwspecapisdk does not load ({reason}): check that the file is complete and was built for this Python "
        "and machine (WeCom document 100057)"
    )


def test_a_missing_crypto_package_is_told_with_what_to_install(tmp_path: Path) -> None:
    hide = "import sys\nsys.modules['Crypto'] = None\n"  # as if pycryptodome were not installed
    write_files(tmp_path, {"wwspecapisdk.py": "from Crypto.Cipher import AES"})
    shown = python_anew(hide + LOAD, "vendor", path=[tmp_path]).rstrip("\n")
    assert shown.startswith("wwspecapisdk does not load (")
    assert shown.endswith("): pip install 'wwspec-router[zone]'")


@pytest.mark.parametrize("content", [b"", b"not a library", b"\x7fELF" + bytes(100)], ids=["empty", "text", "torn"])
def test_a_broken_library_is_unavailable(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "wwspecapisdk.so").write_bytes(content)
    shown = loaded("vendor", tmp_path)
    if sys.version_info[:2] == (3, 12):
        assert shown.startswith("wwspecapisdk does not load (")
        assert shown.endswith(
            ": check that the file is complete and was built for this Python and machine (WeCom document 100057)"
        )
    else:
        assert "loads on CPython 3.12" in shown


@pytest.mark.parametrize("version", [(3, 11), (3, 13), (3, 6)])
def test_the_library_is_refused_on_a_python_that_it_is_not_made_for(tmp_path: Path, version: tuple[int, int]) -> None:
    (tmp_path / "wwspecapisdk.so").write_bytes(b"")
    pretend = (
        "import collections, sys\nfrom wwspec_router.sdk import vendor\n"
        "Version = collections.namedtuple('Version', 'major minor micro')\n"
        f"sys.version_info = Version{(*version, 0)}\n"
    )
    shown = loaded("vendor", tmp_path, program=pretend + LOAD)
    if version == (3, 6):
        assert shown.startswith("wwspecapisdk does not load (")
    else:
        assert shown == (
            f"wwspecapisdk.so loads on CPython 3.12 (and 3.6) only, and this is {version[0]}.{version[1]}: "
            "start the program with Python 3.12 (WeCom document 100057)"
        )


def test_another_module_of_that_name_is_not_taken_for_the_sdk(tmp_path: Path) -> None:
    write_files(tmp_path, {"wwspecapisdk.py": "class ChatDataSDK: pass"})
    shown = loaded("vendor", tmp_path)
    assert shown.startswith(f"wwspecapisdk from {tmp_path}/wwspecapisdk.py is not the SDK")
    assert "WWToSpecHTTPReqDecoder, WWToSpecHTTPRspConstructor, spec_gen_notify_id" in shown


def test_the_stand_in_never_serves_in_the_vendor_s_place(tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(STANDIN_DIRECTORY)
    copy = shutil.copytree(STANDIN_DIRECTORY, tmp_path / "sdk")
    for place in (STANDIN_DIRECTORY, link, copy):
        assert loaded("vendor", place).startswith(
            "only the emulator's stand-in is on sys.path, and it must not serve production: "
        )


def test_without_a_package_that_has_a_stand_in_the_emulator_s_sdk_says_what_to_install() -> None:
    without = "import sys\nsys.path[:] = [each for each in sys.path if 'site-packages' not in each]\n"
    assert loaded("emulator", program=without + LOAD) == (
        "--sdk emulator needs wwspec-devtools, which is not installed: install its wheel, or packages/devtools of the "
        "clone, of the same version"
    )


def test_the_vendor_s_module_is_not_used_when_the_emulator_is_asked_for(tmp_path: Path) -> None:
    write_files(tmp_path, {"wwspecapisdk.py": MODULE})
    assert loaded("emulator", tmp_path) == (
        f"--sdk emulator was asked for, but wwspecapisdk.py is on sys.path at {tmp_path}: "
        "remove the vendor SDK from PYTHONPATH for development, or start with --sdk vendor"
    )


def test_a_module_that_was_made_by_hand_is_not_the_vendor_s() -> None:
    by_hand = "import sys, types\nsys.modules['wwspecapisdk'] = types.ModuleType('wwspecapisdk')\n"
    assert "is neither in /nowhere/sdk nor on sys.path" in loaded("vendor", program=by_hand + LOAD)


@pytest.mark.parametrize("path", [(), (STANDIN_DIRECTORY,)], ids=["not on sys.path", "on sys.path"])
def test_the_emulator_s_stand_in_says_what_it_is(path: tuple[Path, ...]) -> None:
    again = LOAD + "load_sdk(SdkSource.EMULATOR, Path('/nowhere'))\n"
    assert loaded("emulator", *path, program=again) == (
        "loaded emulator | the emulator's stand-in for wwspecapisdk: for development only"
    )


def test_a_stand_in_that_can_not_find_its_emulator_is_unavailable() -> None:
    shown = python(LOAD, "emulator", env={"WWSPEC_EMULATOR_URL": "http://example.com:80"})
    assert shown.startswith("wwspecapisdk does not load (WWSPEC_EMULATOR_URL is ")


@pytest.fixture
def sdk() -> VendorSdk:
    module = ModuleType("wwspecapisdk")
    exec(MODULE, module.__dict__)  # noqa: S102 - the text above
    return VendorSdk(module)


def test_a_call_is_read_with_the_getters_of_its_type_only(sdk: VendorSdk) -> None:
    calls: list[dict[str, Any]] = [
        {"corpid": "c", "agentid": 7, "call_type": 1, "data": "{}", "ability_id": "a", "notify_id": "n"},
        {"corpid": "c", "agentid": 7, "call_type": 1, "is_async": True, "job_info": "job"},
        {"corpid": "c", "call_type": 2, "data": "{}"},
    ]
    for call in calls:
        assert sdk.decode([("ww-a", "1")], json.dumps(call)) == Call(**{"agentid": 0, "data": "", **call})


def test_whatever_the_decoder_raises_is_a_decode_error_without_its_text(sdk: VendorSdk) -> None:
    for body, kind in {
        "broken": "RuntimeError",
        "{}": "KeyError",
        "[]": "TypeError",
        '{"corpid":"c"}': "KeyError",
        '{"call_type":"x"}': "ValueError",
        '{"call_type":null}': "TypeError",
    }.items():
        with pytest.raises(DecodeError) as caught:
            sdk.decode([], body)
        message = "the request could not be verified or decrypted"
        assert (caught.value.message, caught.value.detail, caught.value.errcode) == (message, kind, None)


def test_replies_are_sealed_under_the_normal_or_the_exception_header(sdk: VendorSdk) -> None:
    assert sdk.encode("a") == SealedReply({"ww-kind": "normal"}, "sealed a")
    assert sdk.encode_refusal("b") == SealedReply({"ww-kind": "exception"}, "sealed b")


def test_a_client_is_made_at_the_first_call_and_used_again(sdk: VendorSdk) -> None:
    client = sdk.client("corp", 7, "ability", "job")
    assert sdk._chatdata.made == 0
    replies = [json.loads(client.invoke("sync_msg", request)) for request in ("1", "2")]
    assert sdk._chatdata.made == 1
    assert replies == [["corp", 7, "ability", "job", "1"], ["corp", 7, "ability", "job", "2"]]


def test_a_documented_return_code_is_found_wherever_the_sdk_puts_it(sdk: VendorSdk) -> None:
    assert len(RETURN_CODES) == 8
    for code, meaning in RETURN_CODES.items():
        for api in ("in_args", "in_attribute", "in_text"):
            with pytest.raises(SdkCallError, match=str(code)) as caught:
                sdk.client("corp", 7, "", "").invoke(api, str(code))
            assert (caught.value.return_code, caught.value.detail, caught.value.api) == (code, meaning, api)


@for_each(
    [
        ("nope", "1", "the SDK call failed (-10006)", -10006, "this SDK has no method of that name"),
        ("bytes_reply", "1", "the SDK call failed", None, "the SDK returned bytes, not str"),
        ("none_reply", "1", "the SDK call failed", None, "the SDK returned NoneType, not str"),
        ("unknown", "-10007000", "the SDK call failed", None, "RuntimeError"),
        ("unknown", "1-10001", "the SDK call failed", None, "RuntimeError"),
    ]
)
def test_a_call_that_fails_otherwise_is_told_without_the_sdk_s_words(
    api: str, request_: str, message: str, code: int | None, detail: str, sdk: VendorSdk
) -> None:
    with pytest.raises(SdkCallError) as caught:
        sdk.client("corp", 7, "", "").invoke(api, request_)
    assert (caught.value.message, caught.value.return_code) == (f"{api}: {message}", code)
    assert caught.value.detail == detail


def test_each_notify_id_is_the_sdk_s_own(sdk: VendorSdk) -> None:
    assert [sdk.new_notify_id() for _ in range(2)] == ["id-1", "id-2"]


@for_each([None, "", b"id", RuntimeError("ret -10001")])
def test_an_sdk_that_makes_no_notify_id_fails_the_call(notify_id: object, sdk: VendorSdk) -> None:
    fails = isinstance(notify_id, RuntimeError)
    sdk._module.spec_gen_notify_id = Mock(side_effect=[notify_id])
    with pytest.raises(SdkCallError) as caught:
        sdk.new_notify_id()
    expected = (-10001, "RuntimeError") if fails else (None, "the SDK returned no notify_id")
    assert (caught.value.api, caught.value.return_code, caught.value.detail) == ("spec_gen_notify_id", *expected)


def test_debug_mode_is_refused_when_the_sdk_says_so(sdk: VendorSdk) -> None:
    for accepted in ("true", "none"):
        sdk.open_debug_mode(accepted, "access")
    fix = "get a fresh debug_token from the admin page (valid 3 days) and a valid access_token (WeCom document 100083)"
    for refused, said in {"false": "the SDK refused", "raise": "the SDK could not open"}.items():
        with pytest.raises(SdkUnavailableError) as caught:
            sdk.open_debug_mode(refused, "access")
        reason = " (RuntimeError)" if refused == "raise" else ""
        assert str(caught.value) == f"{said} debug mode{reason}: {fix}"


REFUSALS = """
import json, sys
from pathlib import Path
from wwspec_router.kernel.dispatch import Dispatcher
from wwspec_devtools.emulator.standin.wwspec_standin import seal
from wwspec_contracts.errors import OverloadedError
from wwspec_router.serving.calls import Exchange, PendingRequest
from wwspec_router.config import SdkSource
from wwspec_router.sdk.vendor import load_sdk
from wwspec_router.stores import open_store
from wwspec_router.registry.table import build_table

root, key = Path(sys.argv[1]), Path(sys.argv[2], "zone.key").read_bytes()
sdk = load_sdk(SdkSource.EMULATOR, Path("/nowhere"))
store = open_store("memory:")
exchange = Exchange(sdk, Dispatcher(build_table(root, root / "abilities" / "registry.toml"), sdk, store))

def answer(key, ability_id, request_id):
    sealed = seal.seal_call(key, seal.CallContent("corp", 7, 1, "{}", request_id, 5, ability_id))
    return exchange.answer(PendingRequest(list(sealed.headers.items()), sealed.body.encode()))

def leaks(reply):
    return [name.decode() for name, value in reply.headers if b"another" in value]

answer(bytes(32), "chat_digest", "of-another")
assert leaks(answer(key, "chat_digest", "of-another"))
garbled = PendingRequest([], b"\\xff")
leaked = []
for refuse in (exchange.answer, lambda request: exchange.refuse(request, OverloadedError("busy"))):
    answer(key, "chat_digest", "of-another")
    leaked.append(leaks(refuse(garbled)))
print(json.dumps(leaked))
store.close()
"""


def test_the_request_id_of_one_request_does_not_go_out_with_the_refusal_of_another(tmp_path: Path) -> None:
    key = {"zone.key": "k" * 32, "sync_msg.json": '{"errcode":0,"errmsg":"ok","msg_list":[],"has_more":0}'}
    write_files(tmp_path, key)
    printed = python(REFUSALS, ROOT, tmp_path, env={"WWSPEC_EMULATOR_URL": f"local:{tmp_path}"})
    assert "a request was not decoded: LinkError" in printed
    assert "[[], []]" in printed.splitlines()


@for_each(
    [
        ({}, ""),
        ({"__version__": "1.2.3"}, "1.2.3"),
        ({"VERSION": "1.2.3"}, "1.2.3"),
        ({"version": lambda: "1.2.3"}, ""),
        ({"__version__": (1, 2), "VERSION": "1.2"}, "1.2"),
        ({"__version__": "1\n2" * 40}, "1\\n2" * 10 + "1\\n…"),
    ]
)
def test_the_version_is_the_first_text_that_the_module_says_of_it(attributes: dict[str, Any], version: str) -> None:
    names = ("WWToSpecHTTPReqDecoder", "WWToSpecHTTPRspConstructor", "ChatDataSDK")
    assert VendorSdk(SimpleNamespace(**dict.fromkeys(names), **attributes)).version == version
