"""`SuiteSettings`: what the environment says of a suite."""

import pytest

from tests.client.provider.stand import ENVIRONMENT, SETTINGS
from wwspec_client import ConfigurationError
from wwspec_client.provider import SuiteSettings


def test_settings_are_variables_all_missing_ones_are_named_and_no_secret_is_shown() -> None:
    assert SETTINGS.suite_id == "emulator-suite"
    assert SETTINGS.base_url == "https://qyapi.weixin.qq.com"
    url = "http://127.0.0.1:8090"
    assert SuiteSettings.from_environment({**ENVIRONMENT, "WWSPEC_BASE_URL": url}).base_url == url
    some = {name: value for name, value in ENVIRONMENT.items() if name != "WWSPEC_PROGRAM_ID"}
    with pytest.raises(ConfigurationError, match="lacks WWSPEC_SUITE_ID, WWSPEC_PROGRAM_ID$"):
        SuiteSettings.from_environment({**some, "WWSPEC_SUITE_ID": ""})
    for name in ("SUITE_SECRET", "COMMAND_TOKEN", "COMMAND_ENCODING_AES_KEY", "CALLBACK_TOKEN", "ENCODING_AES_KEY"):
        assert ENVIRONMENT[f"WWSPEC_{name}"] not in repr(SETTINGS)
