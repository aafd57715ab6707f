"""`SuiteSettings`: what the environment says of a suite."""

import pytest

from tests.client.provider.stand import ENVIRONMENT, SETTINGS
from wwspec_client import ConfigurationError
from wwspec_client.provider import SuiteSettings


def test_each_field_has_a_variable_and_wecom_s_url_is_the_default() -> None:
    assert SETTINGS.suite_id == "emulator-suite"
    assert SETTINGS.base_url == "https://qyapi.weixin.qq.com"
    url = "http://127.0.0.1:8090"
    assert SuiteSettings.from_environment({**ENVIRONMENT, "WWSPEC_BASE_URL": url}).base_url == url


def test_all_missing_variables_are_named_at_once() -> None:
    some = {name: value for name, value in ENVIRONMENT.items() if name != "WWSPEC_PROGRAM_ID"}
    with pytest.raises(ConfigurationError, match="lacks WWSPEC_SUITE_ID, WWSPEC_PROGRAM_ID$"):
        SuiteSettings.from_environment({**some, "WWSPEC_SUITE_ID": ""})


def test_the_repr_shows_no_secret() -> None:
    for name in ("SUITE_SECRET", "COMMAND_TOKEN", "COMMAND_ENCODING_AES_KEY", "CALLBACK_TOKEN", "ENCODING_AES_KEY"):
        assert ENVIRONMENT[f"WWSPEC_{name}"] not in repr(SETTINGS)
