"""`wwspec dev`: what it takes, watches, holds and prints, whose ports it leaves alone, and how it ends."""

import json
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.cli.conftest import Ports, Run
from tests.support.apps import write_files
from tests.support.emulator import Response, http_server
from tests.support.processes import alive, children
from tests.support.skips import only_where
from tests.support.tables import for_each
from tests.support.waiting import DEADLINE, wait_until
from tests.support.zones import forked_child
from wwspec_contracts.errors import ConfigurationError
from wwspec_contracts.source_text import MADE_BY
from wwspec_devtools.child import ChildError
from wwspec_devtools.cli.dev_program import Start as PreparedStart
from wwspec_devtools.cli.watching import changes
from wwspec_devtools.emulator.http.client import EmulatorClient
from wwspec_devtools.testing.app import App
from wwspec_devtools.testing.ports import held_ports
from wwspec_router.cli.environment import read_env_file

GREETING = """
import os
import words
from wwspec_router import Contract, Output, ability

class Asked(Contract):
    times: int = 1

class Reply(Output):
    text: str = ""

@ability
def greet(request: Asked) -> Reply:
    return Reply(text=words.WORD * request.times + os.environ.get("SHOP_MARK", ""))
"""
FILES = {
    "abilities/registry.toml": '[abilities.greet]\nhandler = "abilities.greeting:greet"\n',
    "abilities/greeting.py": GREETING,
    "words.py": 'WORD = "hello"\n',
    ".env": "# a comment\nexport SHOP_MARK='!'\n",
}


class Dev:
    """A running `wwspec dev`, in a process group of its own, as a shell starts it.

    Port and store of the program are options, or those of the folder's settings file where it has one.
    """

    def __init__(
        self,
        folder: Path,
        ports: Ports,
        *options: str,
        environment: dict[str, str] | None = None,
        has_settings: bool = False,
    ) -> None:
        self.folder = folder
        self.port, self.emulator_port = ports
        self.output = folder.parent / f"dev-{self.port}.log"
        where = ["--emulator-port", self.emulator_port] if has_settings else [*self.ports, "--store", "memory:"]
        arguments = ["--app", str(folder), *where, *options]
        with self.output.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "wwspec_router", "dev", *arguments],
                stdout=output,
                stderr=output,
                env={**os.environ, **(environment or {})},
                start_new_session=True,
            )

    @property
    def ports(self) -> list[str]:
        return ["--port", self.port, "--emulator-port", self.emulator_port]

    @property
    def log(self) -> str:
        return self.output.read_text()

    def wait_for(self, text: str, times: int = 1) -> None:
        wait_until(lambda: self.log.count(text) >= times or self.process.poll() is not None)
        assert self.log.count(text) >= times, self.log

    @property
    def client(self) -> EmulatorClient:
        return EmulatorClient(f"http://127.0.0.1:{self.emulator_port}")

    def interrupt(self) -> int:
        """Press Ctrl-C: every process of the terminal gets the signal."""
        os.killpg(self.process.pid, signal.SIGINT)
        return self.process.wait(DEADLINE)


Start = Callable[..., Dev]


@pytest.fixture
def start() -> Iterator[Start]:
    started: list[Dev] = []
    with ExitStack() as stack:

        def start(folder: Path, *options: str, environment: dict[str, str] | None = None) -> Dev:
            port, emulator_port = map(str, stack.enter_context(held_ports(2)))
            started.append(Dev(folder, (port, emulator_port), *options, environment=environment))
            return started[-1]

        yield start
        for each in started:
            if each.process.poll() is None:
                each.interrupt()


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    return write_files(tmp_path / "shop", FILES)


def greeting(client: EmulatorClient) -> str:
    """Return what `greet` answers; nothing while the program is down."""
    result = App(client).call("greet")
    return str(result.reply["text"]) if result.errcode == 0 else ""


@pytest.mark.slow  # starts several processes, and the program three times
def test_dev_restarts_for_helpers_new_folders_and_the_env_file(start: Start, shop: Path) -> None:
    dev = start(shop)
    dev.wait_for("watching")
    with dev.client as client:
        assert greeting(client) == "hello!"
        (shop / "words.py").write_text("from kept.words import WORD\n")
        (shop / "kept").mkdir()
        (shop / "kept" / "words.py").write_text('WORD = "good day"\n')
        wait_until(lambda: greeting(client) == "good day!")
        (shop / "kept" / "words.py").write_text('WORD = "bye"\n')
        wait_until(lambda: greeting(client) == "bye!")
        assert re.search(r"kept/words\.py(, words\.py)? changed: restarting the program", dev.log)
        (shop / ".env").write_text("SHOP_MARK=?\n")
        wait_until(lambda: greeting(client) == "bye?")
        (shop / ".env").write_text("SHOP_MARK\n")
        dev.wait_for(f"{shop / '.env'}:1: is no KEY=VALUE")
        dev.wait_for("fix the fault")
    assert "wwspec-dev-" not in dev.log
    assert "Traceback" not in dev.log


HELD_UP = """
import sys
from pathlib import Path
from threading import Event

WORD = "good day"
if sys.argv[1] == "serve":
    Path("VAR/read").touch()
    while not Path("VAR/go").exists():
        Event().wait(0.005)
"""


@pytest.mark.slow  # starts several processes, and the program five times
def test_while_the_program_restarts_no_call_is_refused_and_no_change_is_lost(start: Start, shop: Path) -> None:
    """The program has read the file before it changes again at last."""
    dev = start(shop)
    dev.wait_for("watching")
    answers: list[str] = []
    with dev.client as client:
        for word in ("good day", "bye"):
            (shop / "words.py").write_text(f"WORD = {word!r}\n")
            while f"{word}!" not in answers:
                answers.append(App(client).call("greet").reply["text"])  # raises for a call that was refused
    dev.wait_for("the program is up again", 2)
    assert set(answers) == {"hello!", "good day!", "bye!"} or set(answers) == {"good day!", "bye!"}
    var = shop / "var"
    var.mkdir(exist_ok=True)
    (shop / "words.py").write_text(HELD_UP.replace("VAR", str(var)))
    wait_until((var / "read").exists)
    (shop / "words.py").write_text('WORD = "welcome"\n')
    (var / "go").touch()
    with dev.client as client:
        wait_until(lambda: greeting(client) == "welcome!")


@pytest.mark.slow  # starts several processes, and the program twice
def test_a_registry_file_takes_over_from_a_program_of_one_file(start: Start, tmp_path: Path, run: Run) -> None:
    mark = "from wwspec_router import Contract, Output, ability\n@ability\ndef hello(request: Contract) -> Output:\n"
    dev = start(write_files(tmp_path / "shop", {"program.py": f"{mark}    return Output()\n"}))
    dev.wait_for("Ctrl-C ends it")
    assert run("call", "hello", "--url", dev.client.url).returncode == 0
    rows = "[program]\nmodules = ['program']\n[abilities.again]\nhandler = 'program:hello'\n"
    write_files(dev.folder, {"abilities/registry.toml": rows})
    dev.wait_for("the program is up again")
    assert [run("call", each, "--url", dev.client.url).returncode for each in ("hello", "again")] == [0, 0]


@pytest.mark.slow  # starts several processes, and the program twice
def test_the_next_program_is_there_before_a_file_changes_and_ends_with_dev(start: Start, shop: Path) -> None:
    """It answers with the new code all the same."""
    only_where(Path("/proc/self/task").exists(), "/proc")
    (shop / "words.py").write_text("import os\nWORD = f'old {os.getppid()}'\n")
    dev = start(shop)
    dev.wait_for("watching")
    of_program_and_emulator = 2
    with dev.client as client:
        wait_until(lambda: len(children(dev.process.pid)) == of_program_and_emulator + 2)
        before = children(dev.process.pid)
        (shop / "words.py").write_text("import os\nWORD = f'new {os.getppid()}'\n")
        wait_until(lambda: greeting(client).startswith("new"))
        assert int(greeting(client).removeprefix("new ").removesuffix("!")) in before
    wait_until(lambda: len(children(dev.process.pid)) == of_program_and_emulator + 2)
    held = children(dev.process.pid)
    assert dev.interrupt() == 0
    assert not any(map(alive, held))
    assert "Traceback" not in dev.log


FAULTS = [
    (
        "abilities/greeting.py",
        "import words\n\ndef greet(:\n",
        r"abilities/greeting\.py:3: SyntaxError: invalid syntax",
    ),
    ("words.py", "WORD = hello\n", r"words\.py:1: NameError: name 'hello' is not defined"),
    (
        "abilities/registry.toml",
        '\n[abilities.greet]\nhandler = "abilities.greeting:great"\n',
        r"\S*registry\.toml:2: \[abilities\.greet\]: .*has no attribute great",
    ),
]
"""Files with a fault, in the order in which a start meets them, and where the fault is."""


@pytest.mark.slow  # starts four programs
def test_calls_of_a_program_that_could_not_start_say_where_the_fault_is(start: Start, shop: Path, run: Run) -> None:
    write_files(shop, {name: text for name, text, _ in FAULTS})
    dev = start(shop, environment={"WWSPEC_LANG": "zh"})
    for number, (name, _, where) in enumerate(FAULTS, 1):
        dev.wait_for("fix the fault", number)
        for _ in range(2):
            refused = run("call", "greet", cwd=shop)
            assert (refused.returncode, refused.stdout) == (1, "")
            assert re.search(f"not started: fault in {where}", refused.stderr), refused.stderr
            assert "start it with" not in refused.stderr
        write_files(shop, {name: FILES[name]})
    dev.wait_for("wwspec zone traffic --url")
    with dev.client as client:
        assert greeting(client) == "hello!"
    (shop / "words.py").write_text(FILES["words.py"] + "# a change\n")
    dev.wait_for("the program is up again")
    assert (dev.log.count("In another terminal"), dev.log.count(f"   1 ability of {shop}\n")) == (1, 1)
    assert dev.log.count("fix the fault") == len(FAULTS)
    assert "错误" not in dev.log, "the head of a child's message"


@pytest.mark.slow  # starts several processes
def test_a_second_dev_beside_the_first_harms_nothing(start: Start, shop: Path, run: Run) -> None:
    first = start(shop)
    first.wait_for("watching")
    before = first.log
    with first.client as client:
        info = client.info()
        for verb in ("dev", "demo"):
            second = run(verb, "--app", str(shop), *first.ports)
            assert (second.returncode, second.stdout) == (1, "")
            program, emulator = second.stderr.splitlines()
            taken, of = "is taken, so nothing was started", rf"as process {first.process.pid} in .* \(wwspec dev --app "
            fix = "; end it, or choose another port, such as"
            assert re.fullmatch(
                rf"Error: port {first.port} {taken}: a zone program listens there, {of}.*\){fix} --port \d+", program
            )
            assert re.fullmatch(
                rf"port {first.emulator_port} {taken}: an emulator .* {of}.*\){fix} --emulator-port \d+", emulator
            )
        assert greeting(client) == "hello!"
        assert {**client.info(), "now": 0, "kept": 0} == {**info, "now": 0, "kept": 0}
    assert "watching" in first.log[: len(before)]
    assert "restarting" not in first.log


@pytest.mark.slow  # starts several processes
def test_dev_prints_lines_that_work_and_shows_every_call(start: Start, shop: Path) -> None:
    registry = f"[abilities.status]\nkind = 'status'\n{FILES['abilities/registry.toml']}"
    asked = GREETING.replace("    times", "    chatid: str\n    note: str = ''\n    times")
    write_files(shop, {"abilities/registry.toml": registry, "abilities/greeting.py": asked})
    write_files(shop, {"scene.toml": "[emulator]\nmessages = 3\nclock_start = 1000\ncall_timeout = 7\n"})
    dev = start(shop, "--scene", str(shop / "scene.toml"))
    dev.wait_for("watching")
    assert "\x1b" not in dev.log, "colours are for terminals"
    lines = [line.strip() for line in dev.log.splitlines() if line.startswith("  ")]
    call, fire, zone, curl = (each for each in lines if each.startswith(("wwspec ", "curl ")))
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    for line in (call, fire, zone, f"{curl} -sS"):
        done = subprocess.run(["/bin/bash", "-c", line], capture_output=True, text=True, env=environment, check=False)
        assert done.returncode == 0, (line, done.stderr)
    assert re.search(r"""greet '{"chatid":"wr\w+","times":1}'$""", call)
    dev.wait_for("call   greet                     ok ", 2)
    dev.wait_for("event  conversation_new_message  ok ")
    with dev.client as client:
        assert client.info()["now"] == 1000
        assert App(client).call("greet", '{"times":"x"}').errcode == 790016
        number = client.last_number()
        assert App(client).client.submit("greet", {"chatid": ""}).jobid in dev.log
    refused = f"WARN   #{number:<8}  call   greet                     errcode 790016  the platform refused it: input $"
    dev.wait_for(refused)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dev]:
    """A `wwspec dev` for several tests, with a settings file; `greet` fails when it shall greet once."""
    fails = GREETING.replace("return", "print('times', request.times)\n    1 / (request.times - 1)\n    return")
    with held_ports(2) as (port, emulator_port):
        settings = f'[serve]\nhost = "192.0.2.1"\nport = {port}\ndebug-token-file = "none"\n[dev]\nstore = "memory:"\n'
        own = {"abilities/greeting.py": fails, "requests/greet.twice.json": '{"times": 2}', "wwspec.toml": settings}
        folder = write_files(tmp_path_factory.mktemp("dev") / "shop", {**FILES, **own})
        dev = Dev(folder, (str(port), str(emulator_port)), has_settings=True)
        try:
            dev.wait_for("watching")
            yield dev
        finally:
            code = dev.interrupt()
    assert code == 0
    assert not (folder / "var" / "dev.json").exists()


def test_dev_takes_from_its_settings_file_what_development_needs(running: Dev) -> None:
    """Neither the address nor the debug credential of production."""
    with running.client as client:
        assert App(client).call("greet", '{"times": 2}').reply["text"] == "hellohello!"
    assert f"http://127.0.0.1:{running.port}" in running.log
    assert "memory" in running.log


def test_why_a_call_failed_is_shown_in_the_folder_of_dev_without_its_url(running: Dev, run: Run) -> None:
    refused = run("call", "greet", cwd=running.folder)
    assert (refused.returncode, json.loads(refused.stdout)["errcode"]) == (1, 710660)
    [app, call] = json.loads(run("zone", "traffic", "--failed", cwd=running.folder).stdout)
    assert (app["kind"], call["kind"]) == ("app", "call")

    def shown() -> str:
        return run("zone", "show", str(app["number"]), "--all", cwd=running.folder).stdout

    wait_until(lambda: "ZeroDivisionError" in shown())  # the program tells of it in the background
    lines = [line.strip() for line in shown().splitlines()]
    at = lines.index("ZeroDivisionError: division by zero")
    assert lines[at + 1].endswith("abilities/greeting.py:15 greet     1 / (request.times - 1)")
    assert any(line.endswith("stdout    times 1") for line in lines)


def test_a_stranger_on_a_port_is_named_and_left_alone(shop: Path, run: Run, ports: Ports) -> None:
    asked: list[str] = []

    def answer(path: str) -> Response:
        asked.append(path)
        return 404, {}, b""

    with http_server(lambda *_: (404, {}, b""), answer) as stranger:
        port = stranger.rpartition(":")[2]
        done = run("dev", "--app", str(shop), "--port", ports[0], "--emulator-port", port)
    assert (done.returncode, done.stdout) == (1, "")
    [line] = done.stderr.splitlines()
    kind = "something other than a zone program or an emulator listens there"
    assert line.startswith(f"Error: port {port} is taken, so nothing was started: {kind}, as process {os.getpid()} in ")
    assert re.search(r"such as --emulator-port \d+$", line)
    assert asked == ["/emulator/info", "/healthz"]


@for_each(
    [
        (
            "dev --port 18099 --emulator-port 18099",
            1,
            "--port and --emulator-port are the same port: give each its own",
        ),
        ("dev --debug --machines 2", 2, "--debug is for one machine: leave --machines out"),
        (
            "serve --debug --port 0",
            1,
            "--debug goes with --sdk emulator: without time limits no program may answer WeCom",
        ),
    ]
)
def test_options_that_do_not_go_together_are_refused(line: str, code: int, said: str, shop: Path, run: Run) -> None:
    done = run(*line.split(), "--app", str(shop))
    assert (done.returncode, done.stdout, done.stderr.splitlines()[-1]) == (code, "", f"Error: {said}")


SETTINGS = """
[serve]
threads = 5
request-log = true
[dev]
threads = 6
scene = "played/scene.toml"
machines = 2
corps = 2
"""


@pytest.mark.slow  # starts several processes
def test_dev_has_what_its_settings_file_and_its_scene_say_and_an_option_or_a_variable_before_them(
    start: Start, shop: Path
) -> None:
    registry = f"[abilities.status]\nkind = 'status'\n{FILES['abilities/registry.toml']}"
    scene = "[emulator]\nseed = 7\napp_type = 'third'\ncorps = 4\nmachines = 3\n"
    own = {"abilities/registry.toml": registry, "wwspec.toml": SETTINGS, "played/scene.toml": scene}
    write_files(shop, own)
    dev = start(shop, "--machines", "1", environment={"WWSPEC_EMULATOR_CORPS": "3"})
    dev.wait_for("watching")
    assert "of 6 threads" in dev.log
    assert "set the app's public key first: wwspec keys new" in dev.log
    with dev.client as client:
        info = client.info()
        machines = client.machines.states()
    assert (info["seed"], info["app_type"], len(info["corps"]), len(machines)) == (7, "third", 3, 1)
    assert info["folder"] == str(shop)


def test_changes_are_those_of_source_and_not_of_what_programs_write(tmp_path: Path) -> None:
    write_files(tmp_path, {"a.py": "1", "var/b.py": "1", ".venv/c.py": "1", "__pycache__/d.py": "1", "e.db": "1"})
    (tmp_path / "f" / "g").mkdir(parents=True)
    written = {"var/b.py": "22", ".venv/c.py": "22", "e.db": "22", "requests/greet.saved.json": "{}"}
    watched = changes(tmp_path, tmp_path / "registry.toml")
    threading.Timer(0.0, lambda: write_files(tmp_path, written)).start()
    threading.Timer(0.3, lambda: write_files(tmp_path, {"f/g/h.toml": "1"})).start()
    assert next(watched) == [tmp_path / "f" / "g" / "h.toml"]


UNUSED = {
    "tests": {"tests/test_greet.py": "1", "abilities/tests/data.json": "1"},
    "tests beside code": {"abilities/test_greet.py": "1", "conftest.py": "1"},
    "app": {"app/report.py": "1", "app/settings/local.toml": "1"},
    "app with its module": {"company/shop.py": f'"""Abilities.\n\n{MADE_BY}.\n"""\n', "company/report.py": "1"},
    "contracts": {"console/greet.input.json": "{}", "console/greet.output.json": "{}"},
    "gitignore": {"exports/today.json": "{}", "notes.local.toml": "1", "abilities/generated/names.py": "1"},
}


@pytest.mark.parametrize("unused", UNUSED.values(), ids=UNUSED)
def test_what_is_not_of_the_program_restarts_nothing(tmp_path: Path, unused: dict[str, str]) -> None:
    write_files(tmp_path, {".gitignore": "/exports/\n*.local.toml\ngenerated\n.env\n", "a.py": "1"})
    watched = changes(tmp_path, tmp_path / "abilities" / "registry.toml")
    write_files(tmp_path, unused)
    write_files(tmp_path, {"a.py": "22"})
    assert next(watched) == [tmp_path / "a.py"]


USED = {
    "variables": {".env": "A=1"},
    "package named app": {"app/__init__.py": "", "app/models.py": "1"},
    "package below another": {"abilities/app/models.py": "1"},
    "module that quotes it": {"abilities/header.py": f'"""Says\n\n  {MADE_BY}."""\n'},
    "named by a row": {"console/greet.input.json": "{}"},
    "kept by gitignore": {"exports/kept.json": "{}"},
}


@pytest.mark.parametrize("used", USED.values(), ids=USED)
def test_what_only_looks_like_it_restarts_the_program(tmp_path: Path, used: dict[str, str]) -> None:
    row = '[abilities.greet]\nhandler = "abilities.greeting:greet"\ninput = "console/greet.input.json"\n'
    write_files(tmp_path, {".gitignore": "/exports/*\n!kept.json\n.env\n", "abilities/registry.toml": row})
    watched = changes(tmp_path, tmp_path / "abilities" / "registry.toml")
    write_files(tmp_path, used)
    assert next(watched) == sorted(tmp_path / name for name in used)


@for_each(
    [
        ("A=1\nB = two words \n", {"A": "1", "B": "two words"}),
        ("export A='x y'\nB=\"$A\"\n", {"A": "x y", "B": "$A"}),
        ("\ufeffA=1\r\n#B=2\n\nC=\n", {"A": "1", "C": ""}),
        ("A=a=b#c\n", {"A": "a=b#c"}),
    ],
)
def test_an_env_file_is_read_as_it_is(text: str, variables: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / ".env").write_text(text)
    assert read_env_file(tmp_path / ".env") == variables


@pytest.mark.parametrize("line", ["SECRET", "1A=2", "a b=3", "A=\0"])
def test_a_line_that_is_none_is_named_by_its_number_only(tmp_path: Path, line: str) -> None:
    (tmp_path / ".env").write_text(f"A=1\n{line}\n")
    with pytest.raises(ConfigurationError, match=r"\.env:2: is no KEY=VALUE") as caught:
        read_env_file(tmp_path / ".env")
    assert line not in str(caught.value)


def test_a_child_that_ended_is_not_taken_for_the_stranger_that_answers(shop: Path) -> None:
    with http_server(lambda *_: (404, {}, b""), lambda _: (200, {}, b"")) as stranger:
        port = stranger.rpartition(":")[2]
        child = forked_child(["serve", "--sdk", "emulator", "--app", str(shop), "--port", port])
        child.process.wait(DEADLINE)
        with pytest.raises(ChildError, match="exit code 1"):
            child.wait_ready(f"{stranger}/healthz")


def test_a_package_that_is_installed_meanwhile_makes_it_another_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    packages = tmp_path / "site-packages"
    packages.mkdir()
    monkeypatch.syspath_prepend(packages)
    before = PreparedStart.of(["--version"], {"A": "1"}, ("this",))
    assert PreparedStart.of(["--version"], {"A": "1"}, ("this",)) == before
    assert PreparedStart.of(["--version"], {"A": "2"}, ("this",)) != before
    os.utime(packages, ns=(1, 1))
    assert PreparedStart.of(["--version"], {"A": "1"}, ("this",)) != before
