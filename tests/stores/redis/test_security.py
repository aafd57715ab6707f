"""TLS, certificates of clients, and users that may do only what docs/en/operation/stores.md lists."""

import re
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

import pytest
import trustme

from tests.stores.suites.failed_jobs import claim_of
from tests.stores.suites.job_samples import ids, job
from tests.stores.suites.kept_values import text_of, write
from tests.stores.suites.rig import refused
from tests.support.apps import ROOT, write_files
from tests.support.redis_sentinels import LATE, local_sentinels
from tests.support.redis_server import local_redis
from tests.support.zones import forked_child
from wwspec_contracts.errors import ConfigurationError, StoreError
from wwspec_devtools.testing.ports import held_ports
from wwspec_router.stores import Store, StoreLimits, open_store, risks_of
from wwspec_router.stores.base import Demand, Forgotten
from wwspec_router.stores.failed import Failure
from wwspec_router.stores.job import Outcome
from wwspec_router.stores.once import KeptReply, corp_hash


class Certificates(NamedTuple):
    """Files of one certificate authority."""

    server: tuple[str, ...]
    """Options of a server; it takes clients with a certificate only."""
    authority: str
    """What the URL of a client says of the server's certificate."""
    client: str
    """And of the client's own."""


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    folder = tmp_path_factory.mktemp("certificates")
    authority = trustme.CA()
    authority.cert_pem.write_to_path(folder / "ca.pem")
    for name in ("server", "client"):
        issued = authority.issue_cert("127.0.0.1")
        issued.private_key_pem.write_to_path(folder / f"{name}.key")
        issued.cert_chain_pems[0].write_to_path(folder / f"{name}.pem")
    server = ("--tls-cert-file", folder / "server.pem", "--tls-key-file", folder / "server.key")
    return Certificates(
        server=(*map(str, server), "--tls-ca-cert-file", str(folder / "ca.pem")),
        authority=f"ssl_ca_certs={folder / 'ca.pem'}",
        client=f"ssl_certfile={folder / 'client.pem'}&ssl_keyfile={folder / 'client.key'}",
    )


def rules() -> list[str]:
    page = (ROOT / "docs" / "en" / "operation" / "stores.md").read_text()
    found = re.search(r"`(\+ping [^`]*)`", page)
    assert found
    return found[1].split()


def test_a_server_is_reached_over_tls_when_each_proves_itself(tmp_path: Path, certificates: Certificates) -> None:
    with held_ports(1) as [port], local_redis(tmp_path, port=port, tls=certificates.server):
        place, trusting = f"127.0.0.1:{port}", f"?{certificates.authority}&{certificates.client}"
        with closing(open_store(f"rediss://{place}/3{trusting}")) as store:
            store.put("corp", 1, "id", "text", 100)
            assert store.get("corp", 1, "id") == "text"
        for url, fix in (
            (f"rediss://{place}/3", "certificate is not trusted.*ssl_ca_certs"),
            (f"rediss://localhost:{port}/3{trusting}", "another host's; see ssl_ca_certs"),
            (f"rediss://{place}/3?{certificates.authority}", r"a certificate of its client.*ssl_certfile"),
            (f"redis://{place}/3", "can't be reached, or closed the connection"),
        ):
            with refused(fix):
                open_store(url)


def test_no_tls_and_a_file_that_is_no_certificate_are_one_line_each(tmp_path: Path, certificates: Certificates) -> None:
    (tmp_path / "no.pem").write_text("secret")
    with held_ports(1) as [port], local_redis(tmp_path, port=port):
        with pytest.raises(
            StoreError, match="did not answer within 2 seconds; check its address, and that this port speaks TLS"
        ):
            open_store(f"rediss://127.0.0.1:{port}/0?{certificates.authority}")
        with refused("check what ssl_ca_certs, ssl_certfile and ssl_keyfile name"):
            open_store(f"rediss://127.0.0.1:{port}/0?ssl_ca_certs={tmp_path / 'no.pem'}")
        with pytest.raises(ConfigurationError, match="ssl_ca_certs names no file"):
            open_store(f"rediss://127.0.0.1:{port}/0?ssl_ca_certs={tmp_path / 'missing.pem'}")


def exercise(store: Store) -> None:
    store.check()
    store.put("corp", 1, "id", "text", 100)
    assert store.get("corp", 1, "id") == "text"
    assert store.figures().rows == 1
    store.add(job("a"))
    assert ids(store.claim("one", 1, 100, Demand(known=frozenset({"ability"})))) == ["a"]
    assert store.begin("one", "a")
    store.excuse("one", ["a"])
    assert store.renew("one", ["a"], 100) == {"a"}
    assert store.keep_outcome("one", "a", Outcome(errcode=0, result=""))
    assert store.postpone("one", "a", 0)
    assert ids(store.claim("one", 1, 100)) == ["a"]
    assert store.job_figures().claimed == 1
    assert store.finish("one", "a")
    assert not store.has_job("a")
    store.add(job("b"), [write("1", ttl=100)])
    store.claim("one", 1, 100)
    assert store.keep_step("one", "b", "fetch", "1")
    assert store.steps("b") == {"fetch": "1"}
    assert store.set_aside("one", "b", Failure(error="KeyError"))
    assert store.retry("corp", 1000002, "b")
    store.claim("one", 1, 100)
    assert store.set_aside("one", "b", Failure(error="KeyError"))
    assert [each.job_id for each in store.failed_jobs("corp", 1000002, 9)] == ["b"]
    assert store.drop("corp", 1000002, "b")
    assert text_of(store) == "1"
    claim = claim_of("a1", "1", corp_hash("corp"))
    assert store.claim_once(claim, 100) is None
    assert store.renew_once([claim], 100)
    assert store.keep_once(claim, KeptReply(text="reply"), 100)
    store.release_once(claim.key, claim.token)
    assert store.forget("corp") == Forgotten(events=1, jobs=0, kept=1, replies=1)


def test_a_user_who_may_do_only_what_the_docs_list_can_use_it(tmp_path: Path) -> None:
    with local_redis(tmp_path) as server:
        server.run("ACL", "SETUSER", "program", "on", ">secret", "~{zone-program}:*", *rules())
        url = f"unix://program:secret@{server.path}"
        with closing(open_store(url, StoreLimits())) as store:
            exercise(store)
            assert risks_of(store) == ()
            server.run("ACL", "SETUSER", "program", "-get")
            with pytest.raises(StoreError, match="NOPERM"):
                store.get("corp", 1, "id")
            server.run("ACL", "SETUSER", "program", "-zscan")
            with pytest.raises(StoreError, match="NOPERM"):
                store.forget("corp")
            for each in ("set", "incrby", "decrby", "del", "pexpireat", "hset", "hincrby", "hdel", "zadd", "zrem"):
                assert f"+{each}" in rules()
                server.run("ACL", "SETUSER", "program", f"-{each}")
                with pytest.raises(StoreError, match="NOPERM"):
                    store.check()
                server.run("ACL", "SETUSER", "program", f"+{each}")
            store.check()
        server.run("ACL", "SETUSER", "program", "+get")
        with pytest.raises(StoreError, match=r"keys of this prefix.*NOPERM"):
            open_store(url, program="other")


def test_a_user_who_may_not_ask_for_settings_gets_one_line_that_says_so(tmp_path: Path) -> None:
    with local_redis(tmp_path) as server:
        for lacking, reason in (
            (("-config",), "CONFIG GET not allowed, so appendfsync and min-replicas-to-write are not checked"),
            (("-config", "-info"), "INFO and CONFIG GET not allowed, so its settings are not checked"),
        ):
            server.run("ACL", "SETUSER", "program", "reset", "on", ">secret", "~*", *rules(), *lacking)
            with closing(open_store(f"unix://program:secret@{server.path}")) as store:
                exercise(store)
                [line] = risks_of(store)
            assert reason in line


@pytest.mark.slow  # five processes with TLS take seconds to know each other
def test_sentinels_and_their_servers_have_tls_and_own_users(tmp_path: Path, certificates: Certificates) -> None:
    user = ("--user", "program", "on", ">secret", "~{zone-program}:*", *rules())
    lines = ["user watcher on >hidden +sentinel|masters"]
    with local_sentinels(tmp_path, *user, tls=certificates.server, lines=lines, down_after=LATE) as group:
        query = f"wait=1&{certificates.authority}&{certificates.client}"
        own = "sentinel_username=watcher&sentinel_password=hidden"
        url = group.url.replace("redis+sentinel://", "rediss+sentinel://program:secret@")
        with closing(open_store(f"{url}?{query}&{own}")) as store:
            exercise(store)
        wrong = url.replace("program:secret", "program:other")
        with pytest.raises(StoreError, match=r"refused the user or password; check the store's URL \(WRONGPASS\)"):
            open_store(f"{wrong}?{query}&{own}")
        with pytest.raises(StoreError, match=r"no sentinel can be asked: .*see sentinel_username.*\(WRONGPASS\)"):
            open_store(f"{url}?{query}&{own}wrong")
        with pytest.raises(StoreError, match="no sentinel can be asked: TLS.*ssl_ca_certs") as caught:
            open_store(f"{url}?{own}")
        for each in ("secret", "hidden"):
            assert each not in str(caught.value)
        assert caught.value.__cause__ is caught.value.__context__ is None


@pytest.mark.slow  # starts seven processes
def test_the_line_that_names_the_store_shows_no_password_of_a_sentinel(tmp_path: Path) -> None:
    write_files(tmp_path, {"app/abilities/registry.toml": '[passthrough]\nprefix = "invoke_"\n'})
    with local_sentinels(tmp_path, lines=["user watcher on >hid@den +sentinel|masters"], down_after=LATE) as group:
        url = f"{group.url}?sentinel_username=watcher&sentinel_password=hid@den"
        serve = ["serve", "--sdk", "emulator", "--app", str(tmp_path / "app"), "--port", "0"]
        program = forked_child(serve, {"WWSPEC_STORE": url}, output=tmp_path / "log")
        try:
            program.announced_url()
        finally:
            program.stop()
    log = (tmp_path / "log").read_text()
    assert f"store {group.url}" in log
    assert "den" not in log.partition("store ")[2]
