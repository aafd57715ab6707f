"""No corp gets anything of another one, whatever corpids look like; a scripted WeCom says what it was asked."""

from typing import Any

import httpx
import msgspec
import pytest
from hypothesis import example, given, settings, strategies as st

from wwspec_client import NotInstalledError, Suite
from wwspec_client.stores import Installation, MemoryInstallationStore
from wwspec_client.suite.core import token_name
from wwspec_contracts.errors import StoreError

OF_THE_SUITE = "the suite's"
ODD = ["ww1", "WW1", "ww1 ", "ww/1", "ww%2F1", "../ww1", "企业", "ww1\n", '"', "", "a,b"]


class Wecom(httpx.BaseTransport):
    """Gives a token that names the corp and its code, and answers with the token that a call came with."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        name = request.url.path.rpartition("/")[2]
        self.asked.append(name)
        if name == "get_suite_token":
            return _answer(**{"suite_access_token": OF_THE_SUITE}, expires_in=7200)
        if name == "get_corp_token":
            body = msgspec.json.decode(request.read())
            assert request.url.params["suite_access_token"] == OF_THE_SUITE
            return _answer(access_token=_token(body["auth_corpid"], body["permanent_code"]), expires_in=7200)
        if name == "get_pre_auth_code":
            return _answer(pre_auth_code="pre")
        return _answer(errmsg=request.url.params["access_token"], log_level=1)


def _answer(**fields: Any) -> httpx.Response:
    return httpx.Response(200, json={"errcode": 0, **fields})


def _token(corpid: str, code: str) -> str:
    return f"{corpid.encode().hex()}-{code}"


def _suite(store: Any, wecom: Wecom, **options: Any) -> Suite:
    store.save_ticket("suite", "ticket", 1.0)
    return Suite("suite", "secret", installations=store, program_id="p", transport=wecom, **options)


@settings(max_examples=25)
@given(st.lists(st.one_of(st.sampled_from(ODD), st.text(max_size=8)).filter(bool), unique=True, max_size=8))
def test_each_corp_is_called_with_its_own_token(corpids: list[str]) -> None:
    store, wecom = MemoryInstallationStore(), Wecom()
    with _suite(store, wecom, clients=3) as suite:
        for number, corpid in enumerate(corpids):
            with pytest.raises(NotInstalledError) as caught:
                suite.corp(corpid).access_token()
            assert caught.value.corpid == corpid
            assert "\n" not in str(caught.value)
            store.replace(None, Installation(suite_id="suite", corpid=corpid, permanent_code=f"code-{number}"))
            store.replace(None, Installation(suite_id="other", corpid=corpid, permanent_code="of another app"))
        for _ in range(2):
            for number, corpid in enumerate(corpids):
                assert suite.corp(corpid).access_token() == _token(corpid, f"code-{number}")
    assert wecom.asked.count("get_suite_token") == min(1, len(corpids))


@example([("a", "b/c"), ("a/b", "c")])
@given(st.lists(st.tuples(st.text(max_size=4), st.text(max_size=4)), unique=True, max_size=6))
def test_no_two_tokens_have_the_same_name(owners: list[tuple[str, str]]) -> None:
    assert len({token_name(*each) for each in owners}) == len(owners)


class MixesUp(MemoryInstallationStore):
    """Compares corpids as a database does that does not tell capital from small letters."""

    def find(self, suite_id: str, corpid: str) -> Installation | None:
        return super().find(suite_id, corpid.lower())


def test_the_installation_of_another_corp_is_never_used() -> None:
    store, wecom = MixesUp(), Wecom()
    store.replace(None, Installation(suite_id="suite", corpid="ww1", permanent_code="code"))
    with _suite(store, wecom) as suite:
        assert suite.corp("ww1").access_token()
        with pytest.raises(StoreError, match="another corp"):
            suite.corp("WW1").access_token()
    assert wecom.asked == ["get_suite_token", "get_corp_token"]


def test_no_repr_and_no_error_has_a_code() -> None:
    installation = Installation(suite_id="suite", corpid="ww1", permanent_code="TOPSECRET", code_digest="TOPSECRET")
    assert "ww1" in repr(installation)
    assert "TOPSECRET" not in repr(installation)


def test_the_install_link_is_that_of_wecom() -> None:
    with _suite(MemoryInstallationStore(), Wecom()) as suite:
        link = suite.install_url("https://provider.example/done?a=b", state="s")
    assert link == (
        "https://open.work.weixin.qq.com/3rdapp/install?suite_id=suite&pre_auth_code=pre"
        "&redirect_uri=https%3A%2F%2Fprovider.example%2Fdone%3Fa%3Db&state=s"
    )


@pytest.mark.parametrize(
    ("code", "answer", "said"),
    [
        ("code", {"permanent_code": ["TOPSECRET"], "auth_corp_info": {"corpid": "ww1"}}, "as documented"),
        ("TOPSECRET", {"errcode": 40078, "errmsg": "bad: TOPSECRET"}, "bad"),
    ],
)
def test_no_error_of_an_installation_repeats_a_code(code: str, answer: dict[str, Any], said: str) -> None:
    class Wrong(Wecom):
        def handle_request(self, request: httpx.Request) -> httpx.Response:
            is_asked = request.url.path.endswith("get_permanent_code")
            return _answer(**answer) if is_asked else super().handle_request(request)

    with _suite(MemoryInstallationStore(), Wrong()) as suite, pytest.raises(Exception, match=said) as caught:
        suite.install(code)
    assert "TOPSECRET" not in f"{caught.value} {vars(caught.value)}"
