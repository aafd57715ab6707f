"""Which kind of app may call which API: each row of the table, by WeCom's page."""

import pytest

from tests.emulator.apis.conftest import EmulatedZone
from wwspec_devtools.emulator.apis.table import APIS as SDK_SIDE
from wwspec_devtools.emulator.appside.permissions import ROWS
from wwspec_devtools.emulator.appside.table import APIS as APP_SIDE
from wwspec_devtools.emulator.settings import APP_TYPES, AppType
from wwspec_devtools.emulator.state.authorisations import PERMISSIONS

KINDS = tuple(each for each in APP_TYPES if each)
CALLED = tuple(ROWS)
BARRED, MISSING, WITHDRAWN = 48002, 710726, 710641
MONTHS = 90 * 86400


class KindOfApp(EmulatedZone):
    """An emulator whose app is of one kind; its calls need nothing but the right to call."""

    def errcode(self, api: str) -> int:
        """Call an API with an empty request, and return the errcode. One of 48002 and 7107xx comes before all else."""
        if api in SDK_SIDE:
            return int(self(api)["errcode"])
        if api == "chatdata/upload_media":
            from wwspec_devtools.emulator.appside.uploads import Upload

            return int(self.platform.upload_media(self.token(), "other", Upload("a", b"123456"))["errcode"])
        if api in APP_SIDE and not api.startswith("service/"):
            return int(self.platform.app_call(api, {"access_token": self.token()}, b"{}")["errcode"])
        return int(self.platform.app_call(api, {}, b"{}")["errcode"])

    def token(self) -> str:
        with self.world.lock:
            return self.world.accounts.issue_token_of(self.world.app, self.world.clock.now(), self.world.ids)[0]


def misfits(zone: KindOfApp, errcode: int, allowed: tuple[str, ...]) -> str:
    """Return the APIs that an app gets an errcode from when their rows need what is allowed, or otherwise does not."""
    kind = zone.settings.app_type
    found = {api: zone.errcode(api) for api in CALLED}
    return "\n".join(
        f"{ROWS[api].page} {api} of {kind}: {code}"
        for api, code in found.items()
        if (code == errcode) is (ROWS[api].need(kind) in allowed)
    )


@pytest.mark.parametrize("kind", KINDS)
def test_an_api_answers_the_kinds_of_app_that_its_page_names(kind: AppType) -> None:
    others = tuple({row.need(kind) for row in ROWS.values()} - {"no"})
    assert misfits(KindOfApp(app_type=kind, messages=20), BARRED, others) == ""


@pytest.mark.parametrize("kind", [each for each in KINDS if each != "self"])
def test_an_api_refuses_an_app_without_data_permission_or_whose_ninety_days_are_over(kind: AppType) -> None:
    zone = KindOfApp(app_type=kind, messages=20)
    with zone.world.lock:
        zone.world.app.authorisation.grants = {}
    assert misfits(zone, MISSING, ("no", "free")) == ""
    zone = KindOfApp(app_type=kind, messages=20)
    zone.advance(MONTHS)
    assert misfits(zone, zone.settings.expired_errcode, ("no", "free")) == ""


def test_one_permission_is_enough_where_any_is_asked_for_and_others_stay_refused() -> None:
    zone = KindOfApp(app_type="external", messages=0)
    with zone.world.lock:
        zone.world.app.authorisation.grants.pop("chat")
    assert zone.errcode("chatdata/set_receive_callback") not in (MISSING, BARRED)
    assert zone.errcode("sync_msg") == MISSING


def test_every_modelled_api_has_a_row_but_those_that_give_tokens() -> None:
    free = {"gettoken", "service/get_suite_token", "service/get_pre_auth_code", "service/get_permanent_code"}
    free |= {"service/v2/get_permanent_code", "service/get_auth_info", "service/v2/get_auth_info"}
    assert {*SDK_SIDE, *APP_SIDE, "chatdata/upload_media"} - {*ROWS} == free
    assert set(PERMISSIONS) <= {need for row in ROWS.values() for need in row[1:]}
    assert all(row.page > 90000 for row in ROWS.values())


def test_without_a_kind_of_app_every_api_answers_for_ever() -> None:
    app = KindOfApp(messages=0)
    app.advance(10 * MONTHS)
    assert not {app.errcode(api) for api in CALLED} & {BARRED, MISSING, WITHDRAWN}
