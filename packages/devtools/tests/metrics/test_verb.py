"""`wwspec metrics` as it is run: beside a served program, scraped over HTTP, ended by SIGTERM."""

from contextlib import closing
from pathlib import Path

import httpx
import pytest
from click.testing import CliRunner
from prometheus_client.openmetrics.parser import text_string_to_metric_families as read_openmetrics
from prometheus_client.parser import text_string_to_metric_families as read_text

from tests.support.apps import ROOT
from tests.support.waiting import DEADLINE, wait_until
from tests.support.zones import app_of, running_child, serve_zone
from wwspec_router.cli.main import main

CALLS = ("wwspec_calls_total", "invoke_sync_msg")


def values(url: str) -> dict[tuple[str, str], float]:
    """Scrape as Prometheus does; return each sample by its name and ability."""
    answer = httpx.get(f"{url}/metrics", headers={"Accept": "application/openmetrics-text;version=1.0.0"})
    assert answer.headers["content-type"].startswith("application/openmetrics-text; version=1.0.0")
    samples = [each for family in read_openmetrics(answer.text) for each in family.samples]
    return {(each.name, each.labels.get("ability", "")): each.value for each in samples}


@pytest.mark.slow  # starts the program twice: 3 s of a processor
def test_prometheus_sees_calls_a_restart_and_a_program_that_is_gone(tmp_path: Path) -> None:
    arguments = ["metrics", "--listen", "127.0.0.1:0", "--ability", "figures", "--interval", "1"]
    with (
        serve_zone(ROOT, ROOT / "tests/serving/registry.toml") as zone,
        running_child(arguments, app := app_of(zone), output=tmp_path / "metrics.log") as exporter,
    ):
        url = exporter.announced_url()
        wait_until(lambda: values(url)["wwspec_up", ""] == 1)
        for _ in range(3):
            zone.call("invoke_sync_msg", {"limit": 1})
        wait_until(lambda: values(url).get(CALLS) == 3)
        zone.stop_program()
        wait_until(lambda: values(url)["wwspec_up", ""] == 0)
        assert values(url)[CALLS] == 3
        zone.start_program()
        zone.call("invoke_sync_msg", {"limit": 1})
        wait_until(lambda: values(url)[CALLS] == 4)
        assert values(url)["wwspec_restarts_total", ""] == 1
        plain = httpx.get(f"{url}/metrics", headers={"Accept": "text/plain"})
        assert plain.headers["content-type"].startswith("text/plain")
        assert {"wwspec_up", "wwspec_calls"} <= {family.name for family in read_text(plain.text)}
        assert "/metrics" in httpx.get(url).text
        assert httpx.get(f"{url}/other").status_code == 404
        exporter.process.terminate()
        assert exporter.process.wait(DEADLINE) == 0
    said = (tmp_path / "metrics.log").read_text()
    assert "Traceback" not in said
    assert app["WWSPEC_CORPSECRET"] not in said
    assert said.count("the program's figures can't be had: ") == 1


def test_an_exporter_whose_poll_hangs_ends_at_once(tmp_path: Path) -> None:
    import socket

    with closing(socket.create_server(("127.0.0.1", 0))) as silent:
        where = {"WWSPEC_BASE_URL": f"http://127.0.0.1:{silent.getsockname()[1]}", "WWSPEC_CORPID": "c"}
        secrets = {"WWSPEC_CORPSECRET": "s", "WWSPEC_PROGRAM_ID": "p"}
        arguments = ["metrics", "--listen", "127.0.0.1:0"]
        with running_child(arguments, {**where, **secrets}, output=tmp_path / "log") as exporter:
            url = exporter.announced_url()
            accepted, _ = silent.accept()
            with closing(accepted):
                assert values(url)["wwspec_up", ""] == 0
                exporter.process.terminate()
                assert exporter.process.wait(DEADLINE) == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--listen", "0.0.0.0:9464"), "--listen 0.0.0.0: other machines could reach it; add --allow-remote"),
        (("--listen", "9464"), "must be HOST:PORT, such as 127.0.0.1:9464, not '9464'"),
        (("--listen", "localhost:99999"), "must be HOST:PORT"),
        (("--listen", "http://127.0.0.1:9464"), "must be HOST:PORT"),
        (("--listen", "127.0.0.1:0"), "WWSPEC_CORPID"),
    ],
)
def test_wrong_usage_names_the_fix(arguments: tuple[str, ...], said: str) -> None:
    done = CliRunner().invoke(main, ["metrics", *arguments], env={"WWSPEC_CORPID": "", "WWSPEC_CORPSECRET": ""})
    assert done.exit_code == 2, done.output
    assert said in done.stderr
