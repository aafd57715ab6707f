"""Which apps may show messages, by kind and by what the corp grants [100076, 101439, 101458]."""

import pytest

from tests.emulator.conftest import StartEmulator
from wwspec_devtools.emulator.answers import RefusedError
from wwspec_devtools.emulator.page.content import check_right
from wwspec_devtools.emulator.settings import APP_TYPES, AppType
from wwspec_devtools.emulator.state.authorisations import PERMISSION_SECONDS
from wwspec_devtools.emulator.state.world import World


def refusal(world: World) -> int:
    try:
        check_right(world, world.app)
    except RefusedError as error:
        return error.errcode
    return 0


@pytest.mark.parametrize("app_type", APP_TYPES)
def test_each_kind_of_app_but_the_external_one_shows_messages(start: StartEmulator, app_type: AppType) -> None:
    world = start(app_type=app_type).platform.world
    assert refusal(world) == (48002 if app_type == "external" else 0)


@pytest.mark.parametrize("app_type", ["custom", "third"])
def test_an_app_shows_nothing_once_its_data_permission_has_ended(start: StartEmulator, app_type: AppType) -> None:
    emulator = start(app_type=app_type, expired_errcode=710641)
    emulator.platform.advance(PERMISSION_SECONDS)
    assert refusal(emulator.platform.world) == 710641
    emulator.platform.world.app.authorisation.grants = {}
    assert refusal(emulator.platform.world) == 710726


def test_an_app_shows_nothing_after_a_cancelled_authorisation(start: StartEmulator) -> None:
    world = start(app_type="third").platform.world
    world.app.authorisation.is_installed = False
    assert refusal(world) == 48004
