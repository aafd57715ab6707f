"""What the package of the app's client promises to have, and what it does without."""

import inspect
import re
from dataclasses import is_dataclass

import msgspec
import pytest

import wwspec_router.client as client
from tests.support.apps import python

PUBLIC = """
AppSecret AsyncMessagePage AsyncNotifyReceiver AsyncTask AsyncZoneClient AuthEdition AuthScope AuthUser AuthUsers
BadAnswerError Callback ClientAttempt ClientCall ClientHooks ClientOutcome ContractMisfitError CorpAuth CursorError
CursorMovedError CursorStore DbCursor DocAuth DocAuthUser DocAuthUsers FileCursor KeyMissingError KeyRing KeyRingError
LogHooks Masking MemoryPendingStore MessageGap MessageGapError MessagePage NoAnswerError NotSentError Notification
NotifyEvent NotifyPolicy NotifyReceiver PageConfig PageSignature Pending PendingStore PlatformError Position
ProgramCrashError ProgramErrcodes ProgramError ProgramInputError ProgramOverloadError ProgramRepeatError
ProgramTimeoutError RepeatedCursorError ReplyTypeError RetryPolicy SdkApiError SqlitePendingStore StillRunningError
SuiteApp Task TaskStatus Token TokenProvider TransportError UnknownAbilityError UnopenedMessage UploadedMedia UserInfo
ViewerMessage ViewerMessages ViewerName WecomEvent ZoneClient ZoneClientError
""".split()


def test_the_public_names_are_these() -> None:
    assert sorted(client.__all__) == PUBLIC
    for name in PUBLIC:
        assert hasattr(client, name)


def test_what_the_client_returns_can_not_be_changed() -> None:
    structs = {name: kind for name, kind in vars(client).items() if name in PUBLIC and isinstance(kind, type)}
    for name, kind in structs.items():
        if issubclass(kind, msgspec.Struct):
            assert kind.__struct_config__.frozen, name
        elif is_dataclass(kind):
            assert getattr(kind, "__dataclass_params__").frozen, name  # noqa: B009 - no type checker knows it


ANSWERS = (
    client.AuthUser,
    client.AuthUsers,
    client.DocAuthUser,
    client.DocAuthUsers,
    client.Masking,
    client.AuthScope,
    client.AuthEdition,
    client.CorpAuth,
    client.DocAuth,
    client.UploadedMedia,
)


@pytest.mark.parametrize("model", [*ANSWERS, client.Notification, client.NotifyEvent, client.Pending])
def test_what_wecom_may_add_to_is_made_by_name(model: type) -> None:
    assert {each.kind for each in inspect.signature(model).parameters.values()} == {inspect.Parameter.KEYWORD_ONLY}


@pytest.mark.parametrize("answer", ANSWERS)
def test_what_wecom_leaves_out_of_an_answer_reads_as_zero(answer: type[msgspec.Struct]) -> None:
    text = msgspec.json.encode(msgspec.json.decode(b'{"media_id":""}', type=answer)).decode()
    assert set(re.findall(r":([^{,}]+)", text)) <= {"0", '""', "false", "[]"}


def test_both_clients_have_the_same_methods_with_the_same_arguments() -> None:
    methods = {name for name in vars(client.ZoneClient) if not name.startswith("_")} - {"close"}
    assert methods == {name for name in vars(client.AsyncZoneClient) if not name.startswith("_")} - {"aclose"}
    for name in methods:
        one, other = getattr(client.ZoneClient, name), getattr(client.AsyncZoneClient, name)
        assert inspect.signature(one).parameters == inspect.signature(other).parameters, name


def test_help_shows_a_method_as_an_app_calls_it() -> None:
    assert str(inspect.signature(client.ZoneClient.check_debug_mode)) == "(self, /, *, program_id: str = '') -> bool"
    assert inspect.signature(client.AsyncZoneClient.get_corp_auth_info).return_annotation is client.CorpAuth
    assert client.ZoneClient.set_log_level.__name__ == "set_log_level"


def test_an_app_loads_nothing_of_the_program_the_emulator_or_the_server() -> None:
    loaded = python(
        "import sys, wwspec_router.client\n"
        "print(*sorted({'.'.join(name.split('.')[:2]) for name in sys.modules if name.startswith('wwspec_router.')}))\n"
        "print(*sorted({'uvicorn', 'starlette', 'Crypto'} & set(sys.modules)))"
    ).splitlines()
    assert set(loaded[0].split()) == {
        f"wwspec_router.{name}"
        for name in (
            "backoff",
            "callbacks",
            "client",
            "contracts",
            "errcodes",
            "errors",
            "host",
            "logs",
            "pool",
            "wecom",
        )
    }
    assert loaded[1] == ""


def test_without_its_extra_the_import_says_how_to_install_it() -> None:
    said = python(
        "import sys; sys.modules['httpx'] = None\n"
        "from wwspec_router.errors import ExtraMissingError\n"
        "try:\n    import wwspec_router.client\nexcept ExtraMissingError as error:\n    print(error)"
    )
    assert said.strip() == (
        "wwspec_router.client needs the extra client (httpx not found): pip install 'wwspec-router[client]'"
    )
