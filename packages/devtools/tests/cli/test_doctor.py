"""`wwspec doctor` as a person uses it: one line for each thing, its fix, and the exit code."""

import os
import platform
import re
import socket
import sqlite3
import sys
from contextlib import closing
from pathlib import Path

import pytest

from tests.cli.conftest import Ports, Run
from tests.support.apps import ROOT, write_files
from tests.support.elf import library
from tests.support.pages import blocks_of_page
from tests.support.redis_server import local_redis
from tests.support.skips import only_where
from tests.support.tables import for_each
from wwspec_devtools.testing.zone import Zone
from wwspec_router.findings import GROUP
from wwspec_router.process.elf import MACHINES

REGISTRY = '[abilities.get_group_chat]\napi = "get_group_chat"\n'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An application with all that its image needs, but the SDK."""
    image = dict.fromkeys(("Dockerfile", ".dockerignore", "run.sh"), "")
    return write_files(tmp_path, {"abilities/registry.toml": REGISTRY, **image})


class Doctor:
    """Calls `wwspec doctor` with two free ports, and finds its lines by topic."""

    def __init__(self, run: Run, folder: Path, ports: Ports) -> None:
        self._run, self._folder = run, folder
        self.port, self.emulator_port = ports

    def __call__(self, *arguments: str) -> tuple[int, dict[str, str]]:
        emulator = {"WWSPEC_EMULATOR_PORT": self.emulator_port}
        done = self._run("doctor", "--port", self.port, *arguments, cwd=self._folder, environment=emulator)
        assert done.stderr == ""
        lines = {}
        for line in done.stdout.splitlines():
            state, topic, text = line.split(maxsplit=2)
            if topic in ("extra", "port"):  # of which there are several
                name, text = text.split(maxsplit=1)
                topic = f"{topic} {name.rstrip(',')}"
            lines[topic] = f"{state} {text}"
        return done.returncode, lines


@pytest.fixture
def doctor(run: Run, folder: Path, ports: Ports) -> Doctor:
    return Doctor(run, folder, ports)


def test_a_folder_without_a_fault_lacks_the_sdk_only_and_stays_as_it_is(doctor: Doctor, folder: Path) -> None:
    before = sorted(folder.rglob("*"))
    code, lines = doctor()
    wrong = {topic for topic, line in lines.items() if not line.startswith("ok ")}
    assert code == 0
    assert wrong - {"Python"} == {"SDK"}  # Python: the vendor's SDK loads on 3.12 alone
    assert lines["SDK"] == (f"prod no wwspecapisdk.so: put the vendor's into {folder / 'sdk'} (WeCom document 100057)")
    assert lines["registry"] == f"ok {folder / 'abilities/registry.toml'}: 1 ability"
    assert lines["store"] == f"ok {folder / 'var/notify.db'} is made at the first start"
    assert sorted(folder.rglob("*")) == before


def test_what_checks_contracts_is_told(run: Run, folder: Path) -> None:
    started_anew = {"WWSPEC_PURE": "1", "PYTHONUTF8": "1"}
    done = run("doctor", cwd=folder, environment=started_anew)
    assert "ok    checks    contracts are checked by msgspec alone (WWSPEC_PURE is set)" in done.stdout.splitlines()


def test_a_faulty_registry_file_shows_its_first_fault_and_how_many_follow(doctor: Doctor, folder: Path) -> None:
    write_files(folder, {"abilities/registry.toml": '[abilities.a]\napi = "no_api"\n[abilities.b]\napi = "no_api"\n'})
    code, lines = doctor()
    assert code == 1
    assert lines["registry"].startswith("fix ")
    assert lines["registry"].endswith("(and 1 more: wwspec check)")


def test_a_port_that_something_else_has_is_named_with_its_option(doctor: Doctor) -> None:
    with socket.create_server(("127.0.0.1", int(doctor.emulator_port))) as other:
        code, lines = doctor()
        other.setblocking(False)
        other.accept()[0].close()
        with pytest.raises(BlockingIOError):  # what is silent for a second is not asked again
            other.accept()
    assert code == 1
    assert lines[f"port {doctor.port}"] == "ok is free for a zone program"
    line = lines[f"port {doctor.emulator_port}"]
    assert line.startswith(
        "fix is taken: something other than a zone program or an emulator listens there, as process "
    )
    assert line.endswith("; end it, or choose another --emulator-port or WWSPEC_EMULATOR_PORT")


def test_a_running_emulator_is_a_fault_on_the_port_of_the_program_alone(run: Run, folder: Path, zone: Zone) -> None:
    port = zone.client.url.rpartition(":")[2]
    done = run("doctor", "--port", port, cwd=folder)
    assert done.returncode == 1
    assert f"fix   port      {port} is taken: an emulator listens there, whose program is at " in done.stdout
    done = run("doctor", cwd=folder, environment={"WWSPEC_EMULATOR_PORT": port})
    assert f"ok    port      {port} has an emulator already" in done.stdout.splitlines()


def test_a_port_of_the_emulator_that_is_no_number_is_a_fault(run: Run, folder: Path) -> None:
    done = run("doctor", cwd=folder, environment={"WWSPEC_EMULATOR_PORT": "many"})
    text = "emulator: WWSPEC_EMULATOR_PORT: must be a whole number from 1 to 65535, not 'many'"
    assert f"fix   check     {text}" in done.stdout.splitlines()


def test_checks_of_other_packages_run_and_their_errors_are_findings(run: Run, folder: Path, tmp_path: Path) -> None:
    page = ROOT / "docs" / "en" / "program" / "testing.md"
    [checks] = [block for block in blocks_of_page(page) if block.text.startswith("# checks/")]
    site = checks.write(tmp_path / "site").parent
    declared = re.findall(r"`(\w+) = \"(shop_checks:\w+)\"`", page.read_text("utf-8"))
    points = [f"{name} = {value}" for name, value in declared]
    assert points
    points += ["quick = shop_checks:State", "torn = shop_checks:no_such"]
    metadata = {
        "METADATA": "Metadata-Version: 2.1\nName: shop-checks\nVersion: 1.0\n",
        "entry_points.txt": "\n".join([f"[{GROUP}]", *points]),
    }
    write_files(site / "shop_checks-1.0.dist-info", metadata)
    places = [str(site), str(site), *filter(None, [os.environ.get("PYTHONPATH")])]  # there twice, and seen once
    path = {"PYTHONPATH": os.pathsep.join(places), "PYTHONUTF8": "1"}
    done = run("doctor", cwd=folder, environment=path)
    lines = done.stdout.splitlines()
    assert done.returncode == 1
    assert f"prod  rules     no {folder / 'abilities/rules.txt'}: copy the one of the team" in lines
    assert any(line.startswith("ok    image ") for line in lines)
    quick, torn = (line for line in lines if line.startswith("fix   check "))
    assert quick.startswith("fix   check     the check quick of shop_checks (shop_checks:State) ends with ValueError: ")
    assert torn.startswith(
        "fix   check     the check torn of shop_checks (shop_checks:no_such) ends with AttributeError: "
    )
    assert torn.endswith("; correct or uninstall that package")


def test_what_the_image_would_lack_is_told_and_fails_only_for_production_which_needs_nothing_of_developers(
    doctor: Doctor, folder: Path
) -> None:
    write_files(folder, {".dockerignore": "*\n"})
    code, lines = doctor()
    text = "prod .dockerignore:1: `*` keeps abilities/registry.toml out of the image (the registry file); "
    assert (code, lines["image"]) == (0, f"{text}add a line !abilities at its end")
    code, lines = doctor("--production")
    assert code == 1
    assert [topic for topic in lines if topic.startswith(("extra", "port"))] == ["extra zone", f"port {doctor.port}"]


def test_in_an_image_nothing_is_asked_of_what_it_was_built_from(doctor: Doctor, folder: Path) -> None:
    for name in ("Dockerfile", ".dockerignore"):
        (folder / name).unlink()
    assert doctor()[1]["image"] == f"ok {folder} is the folder of an image, or a copy of it"


NO_LIBRARY = r"fix .*wwspecapisdk\.so is no library for Linux: copy the vendor's file again, whole"


@for_each(
    [
        (b"", 1, NO_LIBRARY),
        (b"not a library" * 9, 1, NO_LIBRARY),
        (b"\x7fELF", 1, NO_LIBRARY),
        (library(machine=0x28), 0, "prod .*is for Linux on arm, this is.*"),
    ]
)
def test_a_file_that_is_no_library_is_a_fault_and_one_for_another_processor_is_told_with_both(
    content: bytes, exit_code: int, line: str, doctor: Doctor, folder: Path
) -> None:
    (folder / "sdk").mkdir(exist_ok=True)
    (folder / "sdk/wwspecapisdk.so").write_bytes(content)
    code, lines = doctor()
    assert code == exit_code
    assert re.fullmatch(line, lines["SDK"]), lines["SDK"]


def test_a_library_that_does_not_load_is_a_fault_in_one_line(doctor: Doctor, folder: Path) -> None:
    only_where(sys.platform == "linux", "a library for Linux is loaded")
    machine = {name: number for number, name in MACHINES.items()}[platform.machine()]
    (folder / "sdk").mkdir()
    (folder / "sdk/wwspecapisdk.so").write_bytes(library(machine=machine)[:64])
    code, lines = doctor()
    assert code == 1
    assert lines["SDK"].startswith("fix wwspecapisdk")
    assert "WeCom document 100057" in lines["SDK"]


def test_a_file_that_another_process_keeps_locked_is_a_fault(doctor: Doctor, folder: Path) -> None:
    file = folder / "notify.db"
    with closing(sqlite3.connect(file)) as other:
        other.execute("CREATE TABLE t (x)")
        other.execute("BEGIN EXCLUSIVE")
        code, lines = doctor("--store", "sqlite:notify.db")
    assert code == 1
    assert lines["store"].startswith(f"fix {file} can't be written (database is locked)")


def test_a_store_that_does_not_answer_is_a_fault_and_one_in_memory_is_for_development(doctor: Doctor) -> None:
    code, lines = doctor("--store", f"redis://127.0.0.1:{doctor.port}/0")
    assert code == 1
    assert lines["store"].startswith("fix ")
    code, lines = doctor("--store", "memory:")
    assert code == 0
    assert lines["store"] == "prod memory: forgets all events at a restart: take sqlite: or redis:"


def test_what_a_redis_server_may_lose_is_for_production(doctor: Doctor, tmp_path: Path) -> None:
    with local_redis(tmp_path, "--appendonly", "no") as redis:
        code, lines = doctor("--store", redis.url)
    assert code == 0
    assert lines["store"].startswith("prod unix takes writes; it keeps no append-only file")
    assert lines["store"].endswith(": set appendonly yes")


def test_debug_mode_and_missing_files_of_the_image_are_told(
    doctor: Doctor, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "Dockerfile").unlink()
    (folder / "requirements.txt").write_text("./wheels/a-1.0-py3-none-any.whl[zone]\n", "utf-8")
    monkeypatch.setenv("WWSPEC_DEBUG_TOKEN", "s3cret")
    monkeypatch.setenv("WWSPEC_ACCESS_TOKEN", "s3cret")
    code, lines = doctor()
    assert code == 0
    assert lines["image"].startswith(f"prod {folder} lacks Dockerfile, wheels/a-1.0-py3-none-any.whl: ")
    assert lines["debug"].startswith("prod a debug token is set (WWSPEC_DEBUG_TOKEN): ")
    assert "s3cret" not in str(lines)


def test_the_access_token_of_debug_mode_is_tried(doctor: Doctor, zone: Zone, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WWSPEC_DEBUG_TOKEN", "s3cret")
    monkeypatch.setenv("WWSPEC_CORPSECRET", zone.client.info()["secret"])
    code, lines = doctor("--api-url", zone.client.url, "--corpid", zone.client.info()["corpid"])
    assert code == 0
    assert re.fullmatch(r"ok the access token is valid for \d+ s more, and renewed by .*", lines["token"])
    monkeypatch.setenv("WWSPEC_CORPSECRET", "s3cret")
    code, lines = doctor("--api-url", zone.client.url, "--corpid", zone.client.info()["corpid"])
    assert code == 1
    assert lines["token"].startswith(
        "fix gettoken was refused with 40001: invalid credential; the secret is not that of the app: "
    )
    assert "s3cret" not in str(lines)


def test_debug_mode_without_a_way_to_its_access_token_is_a_fault(
    doctor: Doctor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WWSPEC_DEBUG_TOKEN", "s3cret")
    code, lines = doctor("--corpid", "a-corp")
    assert code == 1
    assert lines["settings"].startswith("fix WWSPEC_DEBUG_TOKEN and WWSPEC_ACCESS_TOKEN go together; or set WWSPEC_CO")
