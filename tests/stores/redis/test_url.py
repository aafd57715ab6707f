"""The URLs of a Redis store: what is read, and that a refusal says what is wrong without repeating it."""

import pytest
from hypothesis import given, strategies as st

from tests.stores.suites.rig import refused
from tests.support.tables import for_each
from wwspec_contracts.errors import ConfigurationError
from wwspec_router.config import may_hold_password
from wwspec_router.stores import open_store
from wwspec_router.stores.redis.url import parse_url


def test_sentinels_are_read_with_the_primary_the_database_and_credentials_of_both() -> None:
    target = parse_url(
        "redis+sentinel://user:p%40ss@one,two:1000,[::1]:2000/my%20primary"
        "?db=3&sentinel_username=watcher&sentinel_password=p%26ss&prefix=name&wait=2&wait_timeout=0.5"
    )
    assert target.addresses == (("one", 26379), ("two", 1000), ("::1", 2000))
    assert target.primary == "my primary"
    assert target.options == {"username": "user", "password": "p@ss", "db": 3}
    assert target.sentinel_options == {"username": "watcher", "password": "p&ss"}
    assert (target.prefix, target.replicas, target.wait, target.tls) == ("name", 2, 0.5, False)


@pytest.mark.parametrize("scheme", ["redis+cluster", "rediss+cluster"])
def test_a_cluster_is_refused_with_what_to_use_and_without_the_url(scheme: str) -> None:
    with refused(r"a Redis cluster is not supported; .*redis\+sentinel://", ConfigurationError):
        open_store(f"{scheme}://user:secret@one:7000,two?wait=1")


@for_each(
    [
        ("redis:", "it has no host"),
        ("redis://", "it has no host"),
        ("redis:///0", "it has no host"),
        ("redis://:secret@/0", "it has no host"),
        ("redis://secret:port/0", "a port must be a number"),
        ("redis://secret:99999/0", "a port must be a number"),
        ("redis://secret/one", "the database must be a number"),
        ("redis://secret/-1", "the database must be a number"),
        ("redis://secret/0/1", "the database must be a number"),
        ("redis://secret,secret/0", "a single server has one host"),
        ("redis://secret/0?socket_timeout=100", r"does not take \(.*it takes prefix, wait, wait_timeout\)"),
        ("redis://secret/0?wiat=1", r"does not take \(did you mean wait\? it takes"),
        ("redis://secret/0?decode_responses=yes", "a parameter that redis:// does not take"),
        ("redis://secret/0?db=1", "a parameter that redis:// does not take"),
        ("redis://:sec?ret@host/0", "a port must be a number|its parts do not fit|no host"),
        ("redis://secret/0#secret", "a parameter that redis:// does not take"),
        ("redis://[secret/0", "its parts do not fit"),
        ("redis://host/0?wait=secret", "wait must be a number from 0 to 100"),
        ("redis://host/0?wait=101", "wait must be a number from 0 to 100"),
        ("redis://host/0?wait_timeout=2", "wait_timeout must be from 0.001 to 1.5 seconds"),
        ("redis://host/0?wait_timeout=0", "wait_timeout must be from 0.001 to 1.5 seconds"),
        ("redis://host/0?wait=1&wait=1", "it has a parameter twice"),
        ("rediss://secret/0?ssl_cert_reqs=none", "it takes prefix, ssl_ca_certs, ssl_certfile, ssl_keyfile, wait"),
        ("rediss://host/0?ssl_certfile=secret", "ssl_certfile names no file"),
        ("redis+sentinel://secret:26379", "its path must be the name that the sentinels have for the primary"),
        ("redis+sentinel://secret:26379/", "its path must be the name that the sentinels have for the primary"),
        ("redis+sentinel://secret/main/0", "its path must be the name that the sentinels have for the primary"),
        ("redis+sentinel://secret,/main", "it has no host"),
        ("redis+sentinel://host/main?db=secret", "the database must be a number"),
        ("redis+sentinel://host/main?ssl_ca_certs=secret", r"a parameter that redis\+sentinel:// does not take"),
        ("unix:secret.sock", "it names no socket"),
        ("unix://", "it names no socket"),
        ("unix:///", "it names no socket"),
        ("unix://secret/path.sock", "a socket has no host"),
        ("unix:///secret.sock?db=one", "the database must be a number"),
        ("unix:///secret.sock?db=1&db=2", "it has a parameter twice"),
        ("unix:///secret.sock?path=/other", "a parameter that unix:// does not take"),
    ]
)
def test_url_that_cannot_be_read_is_refused_with_the_reason_and_the_forms_and_without_it(url: str, reason: str) -> None:
    with pytest.raises(ConfigurationError, match="redis://.*sentinel://.*rediss://.*unix://") as caught:
        open_store(url)
    assert caught.match(reason)
    assert "secret" not in str(caught.value)
    assert "\n" not in str(caught.value)
    assert caught.value.__cause__ is caught.value.__context__ is None


@given(
    scheme=st.sampled_from(["redis", "rediss", "redis+sentinel", "rediss+sentinel", "unix"]),
    rest=st.text(st.sampled_from(":/@?&=#,[]%{}ab1.*\n "), max_size=30),
)
def test_any_text_is_read_or_refused_in_one_line(scheme: str, rest: str) -> None:
    try:
        target = parse_url(f"{scheme}:{rest}")
    except ConfigurationError as error:
        assert "\n" not in str(error)
    else:
        assert target.addresses or target.place.startswith("/")


@pytest.mark.parametrize("scheme", ["redis", "rediss", "redis+sentinel", "rediss+sentinel"])
def test_a_url_with_a_password_is_a_secret_with_every_scheme(scheme: str) -> None:
    assert may_hold_password(f"{scheme}://user:secret@host/name")
    assert may_hold_password(f"{scheme}://host/name?sentinel_password=secret")
    assert not may_hold_password(f"{scheme}://host/name?wait=1")
