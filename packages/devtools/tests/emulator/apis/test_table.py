from wwspec_devtools.emulator.apis.table import APIS
from wwspec_devtools.emulator.standin.wwspec_standin.names import SDK_APIS


def test_every_documented_api_is_modelled_and_no_other() -> None:
    assert len(SDK_APIS) == len(set(SDK_APIS)) == 43
    assert set(APIS) == set(SDK_APIS)
