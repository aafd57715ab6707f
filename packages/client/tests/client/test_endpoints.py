"""The other APIs of the app's side, against the emulator."""

import io
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest

from scripts.reference.public import ENDPOINTS
from tests.client.conftest import QUICK
from tests.client.scripted import Script, answer, async_client_of, client_of
from tests.support.rsa_keys import new_rsa_key
from tests.support.tables import for_each
from wwspec_client import AsyncZoneClient, KeyRing, PlatformError, RepeatedCursorError, ReplyTypeError, ZoneClient
from wwspec_client.models import AuthUser, CorpAuth, DocAuth, Masking
from wwspec_contracts import sync_msg
from wwspec_devtools.emulator.appside import table, uploads
from wwspec_devtools.testing.stores.rig import together
from wwspec_devtools.testing.zone import Zone

CALLS = {"chatdata/sync_call_program", "chatdata/async_program_task", "chatdata/async_program_result"}
"""What `call`, `submit` and `task` are made of."""
TOKENS = {"gettoken", "service/get_suite_token", "service/get_corp_token"}
"""What the client calls by itself."""
SHARED = {"ticket/get", "service/auth/getuserinfo3rd"}
"""The second API of a method."""
NO_METHODS = {
    "auth/getuserdetail",
    "service/get_pre_auth_code",
    "service/get_permanent_code",
    "service/v2/get_permanent_code",
    "service/get_auth_info",
    "service/v2/get_auth_info",
}
"""What the emulator has besides: an app calls the first with `access_token()`, and `Suite` calls the others."""


def test_every_api_of_the_apps_side_is_a_method_of_both_clients() -> None:
    assert {*ENDPOINTS, *CALLS, *TOKENS, *SHARED, *NO_METHODS} == {*table.APIS, uploads.API}
    for client in (ZoneClient, AsyncZoneClient):
        for endpoint in ENDPOINTS.values():
            assert getattr(client, endpoint.__name__).__doc__ == endpoint.__doc__


def test_all_members_of_a_list_are_iterated(zone: Zone, app: ZoneClient) -> None:
    members = app.auth_users(limit=7)

    def asked() -> list[str]:
        names = [each["name"] for each in zone.client.traffic(kind="app")]
        return [name for name in names if "auth_user_list" in name]

    assert (next(members), len(asked())) == (AuthUser(userid="zhangwei", edition_list=[3]), 1)
    userids = ["zhangwei", *(member.userid for member in members)]
    assert (len(set(userids)), len(asked())) == (20, 3)
    assert [member.userid for member in app.doc_auth_users(limit=3)] == userids
    assert [member.userid for member in app.auth_users()] == userids
    with pytest.raises(PlatformError, match="710611"):
        app.get_auth_user_list(cursor="none of this API")


async def test_members_are_iterated_on_an_event_loop_and_a_repeated_cursor_ends_it() -> None:
    pages = [
        answer(auth_user_list=[{"userid": "a"}, {"userid": "b"}], next_cursor="2", has_more=True),
        answer(auth_user_list=[], next_cursor="3", has_more=True),
        answer(auth_user_list=[{"userid": "c"}], next_cursor="", has_more=False),
    ]
    looped = [pages[0], pages[0], pages[2]]
    async with async_client_of(*pages) as client:
        assert [member.userid async for member in client.auth_users(limit=2)] == ["a", "b", "c"]
    async with async_client_of(*looped) as client:
        with pytest.raises(RepeatedCursorError, match="docdata/get_auth_user_list"):
            assert [member async for member in client.doc_auth_users()] == []


def test_authorisations_are_typed(app: ZoneClient) -> None:
    chats, documents = app.get_corp_auth_info(), app.get_doc_auth_info()
    assert isinstance(chats, CorpAuth)
    assert chats.auth_edition_list[0].auth_scope.department_id_list == [1]
    assert chats.auth_edition_list[0].msg_duration_days == 180
    assert isinstance(documents, DocAuth)
    assert documents.status == 1


def test_the_settings_of_app_and_program_are_read_and_set(app: ZoneClient, zone: Zone) -> None:
    assert app.get_hide_sensitiveinfo_config("zhangwei") == Masking()
    app.set_hide_sensitiveinfo_config("zhangwei", Masking(hide_mobile=True))
    assert app.get_hide_sensitiveinfo_config("zhangwei") == Masking(hide_mobile=True)
    app.set_log_level(3)
    assert app.get_log_level() == 3
    with pytest.raises(PlatformError, match="790020.*link the program with the app"):
        app.get_log_level(program_id="another")
    assert app.check_debug_mode() is False
    with pytest.raises(PlatformError, match="710673"):  # the program has not called spec_open_debug_mode
        app.open_debug_mode(zone.client.info()["debug_token"])
    app.close_debug_mode()
    app.set_receive_callback()
    assert zone.client.info()["receives_events"] is True


def test_processes_that_start_at_the_same_moment_all_ensure_the_key(zone: Zone, stack: ExitStack) -> None:
    ring = KeyRing({1: new_rsa_key().export_key().decode(), 4: new_rsa_key(2048).export_key().decode()})
    clients = [stack.enter_context(zone.app_client(retries=QUICK)) for _ in range(6)]
    for _ in range(3):
        together(lambda number: clients[number].ensure_public_key(ring), 6)
    message = clients[0].call(sync_msg.Request(limit=1)).msg_list[0]
    assert len(ring.open(message.service_encrypt_info)) == 32


def test_a_key_that_wecom_has_already_is_known_by_a_message_when_its_version_is_refused(
    zone: Zone, app: ZoneClient
) -> None:
    ring = KeyRing({2: new_rsa_key().export_key().decode()})
    app.ensure_public_key(ring)
    zone.client.add_fault("app", "errcode", "set_public_key", 40212)
    app.ensure_public_key(ring)


def test_a_refused_version_is_an_error_when_no_message_shows_that_the_key_is_the_rings(
    zone: Zone, app: ZoneClient
) -> None:
    mine, others = new_rsa_key(2048), new_rsa_key(2048)
    other = KeyRing({5: others.export_key().decode()})
    app.ensure_public_key(other)
    for version in (4, 5):  # an older one than WeCom has, and another key of the same version
        with pytest.raises(PlatformError, match=f"40212.*version {version} or a later one, and no message shows"):
            app.ensure_public_key(KeyRing({version: mine.export_key().decode()}))
    zone.client.add_fault("app", "errcode", "set_public_key", 40212)
    both = KeyRing({5: others.export_key().decode(), 6: mine.export_key().decode()})
    with pytest.raises(PlatformError, match="40212"):
        app.ensure_public_key(both)  # it opens messages, but of an older version than the one to be set
    zone.client.add_fault("app", "errcode", "sync_call_program", 48002)
    with zone.app_client(retries=QUICK, program_id="") as client, pytest.raises(PlatformError, match="40212"):
        client.ensure_public_key(other)  # nothing shows it, since no program is asked
    with pytest.raises(PlatformError, match="40212"):
        app.ensure_public_key(other)  # nor when the program can't be asked


def test_another_refusal_of_the_key_is_raised_as_it_is(zone: Zone, app: ZoneClient) -> None:
    zone.client.add_fault("app", "errcode", "set_public_key", 48002)
    with pytest.raises(PlatformError, check=lambda error: error.errcode == 48002 and "no message" not in error.hint):
        app.ensure_public_key(KeyRing({1: new_rsa_key().export_key().decode()}))


@for_each([True, 1, "1", "true"])
def test_flags_and_times_are_read_in_each_spelling_of_wecoms_pages(flag: object) -> None:
    with client_of(answer(auth_user_list=[], next_cursor="c", has_more=flag, added_later=1)) as client:
        assert client.get_auth_user_list().has_more is True


def test_an_answer_may_lack_fields_but_one_of_a_wrong_type_says_where() -> None:
    with client_of(answer(auth_user_list=[{"userid": "a"}], next_cursor="c")) as client:
        for members in (client.auth_users(), client.doc_auth_users()):
            assert [member.userid for member in members] == ["a"]
    with client_of(answer(auth_user_list=[{"userid": 5}])) as client:
        with pytest.raises(ReplyTypeError, match=r"AuthUsers: .*\$\.auth_user_list\[0\]\.userid"):
            client.get_auth_user_list()


def test_a_file_is_uploaded_in_pieces_with_its_progress(zone: Zone, app: ZoneClient, tmp_path: Path) -> None:
    file = tmp_path / "录音.amr"
    file.write_bytes(b"x" * 200_000)
    seen: list[tuple[int, int]] = []
    before = zone.client.info()["now"]
    media = app.upload_media(file, progress=lambda sent, size: seen.append((sent, size)))
    assert media.media_id
    assert before <= media.created_at <= zone.client.info()["now"]
    assert seen == [(65_536, 200_000), (131_072, 200_000), (196_608, 200_000), (200_000, 200_000)]


def test_an_upload_that_fails_begins_anew_where_the_file_was(zone: Zone, app: ZoneClient) -> None:
    content = io.BytesIO(b"a header, then a body")
    content.seek(10)
    zone.client.add_fault("app", "errcode", "upload_media", -1, count=2)
    seen: list[tuple[int, int]] = []
    app.upload_media(content, name="body.txt", progress=lambda sent, size: seen.append((sent, size)))
    assert seen == [(11, 11)] * 3
    assert not content.closed


def test_a_large_file_is_never_whole_in_memory(tmp_path: Path) -> None:
    file = tmp_path / "large"
    with file.open("wb") as made:
        made.truncate(50 * 1024 * 1024)
    largest = 0

    class Reader(Script):
        def handle_request(self, request: httpx.Request) -> httpx.Response:
            nonlocal largest
            if request.url.path.endswith("upload_media"):
                assert isinstance(request.stream, httpx.SyncByteStream)
                largest = max(map(len, request.stream))
                return answer(media_id="m", created_at="1380000000")
            return super().handle_request(request)

    with client_of(transport=Reader([answer()])) as client:
        assert client.upload_media(file).created_at == 1_380_000_000
    assert largest <= 64 * 1024
