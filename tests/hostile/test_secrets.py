"""Nothing secret reaches a log line or another tenant: marked secrets go in, and are looked for, everywhere."""

import base64
import json
import os
import secrets
import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from functools import partial
from itertools import cycle
from pathlib import Path
from time import monotonic
from typing import Any

import httpx
import pytest

from tests.hostile.conftest import LIMIT, hostile_app, sent_raw
from tests.hostile.indiscreet_sdk import TRACED
from tests.support.apps import ROOT
from tests.support.command import wwspec
from tests.support.forks import start_forked
from tests.support.processes import command_lines
from tests.support.redis_server import LocalRedis, local_redis
from tests.support.waiting import wait_until
from wwspec_devtools.child import Child, StartProcess, new_interpreter
from wwspec_devtools.emulator.standin.wwspec_standin import seal

OWNER, OTHER, FAILING = ("ww-owner", 7), ("ww-other", 9), ("ww-owner", 13)
HANDLERS = """
[abilities.fail]
handler = "abilities.telling:fail"
[abilities.fail_later]
handler = "abilities.telling:fail_later"
[abilities.slow]
handler = "abilities.telling:fail"
timeout = 0.2
[abilities.slow_later]
handler = "abilities.telling:fail_later"
timeout = 0.2
[abilities.quick_limit]
api = "sync_msg"
timeout = 0.2
[abilities.strict]
api = "sync_msg"
output_policy = "strict"
"""


class Marks:
    """Secrets that can be found again. All begin alike with the 12 characters that may be shown of an id."""

    SHOWN = "secretsecret"
    WINDOW = 8

    def __init__(self) -> None:
        self._tails: dict[str, str] = {}

    def new(self, what: str) -> str:
        tail = secrets.token_hex(12)
        self._tails[tail] = what
        return self.SHOWN + tail

    def found(self, text: str, *, but: str = "") -> set[str]:
        """Return the kinds of all secrets that a text holds whole or in part, in plain, hex or base64."""
        return {what for tail, what in self._tails.items() if what != but and any(each in text for each in forms(tail))}

    def __len__(self) -> int:
        return len(self._tails)


def forms(tail: str) -> Iterator[str]:
    """Yield what betrays a secret; log lines may be cut once, so that one of its pieces is whole."""
    for start in range(0, len(tail), Marks.WINDOW):
        yield tail[start : start + Marks.WINDOW]
    yield tail.encode().hex()
    yield from (base64.b64encode(tail.encode()[shift:]).decode().rstrip("=")[:-2] for shift in range(3))


class MarkedProgram:
    """A served program over an SDK that quotes everything, and all that went in and came out."""

    def __init__(
        self, folder: Path, store: str, marks: Marks, *options: str, start_process: StartProcess = start_forked
    ) -> None:
        self.marks = marks
        key = marks.new("zone key")[-seal.KEY_BYTES :].encode()
        self.key = key
        (folder / "zone").mkdir()
        (folder / "zone" / "zone.key").write_bytes(key)
        (folder / "sdk").mkdir()
        shutil.copy(ROOT / "tests" / "hostile" / "indiscreet_sdk.py", folder / "sdk" / "wwspecapisdk.py")
        app = hostile_app(folder / "app")
        shutil.copy(ROOT / "tests" / "hostile" / "telling.py", app / "abilities")
        with (app / "abilities" / "registry.toml").open("a") as registry:
            registry.write(HANDLERS)
        self._output = folder / "output"
        self.process = Child(
            ["serve", "--app", str(app), "--port", "0", "--log-level", "DEBUG", *options]
            + ["--threads", "1", "--queue", "4", "--job-threads", "2"],
            {
                "PYTHONPATH": f"{folder / 'sdk'}:{ROOT}",
                "WWSPEC_EMULATOR_URL": f"local:{folder / 'zone'}",
                "WWSPEC_STORE": store,
                "WWSPEC_DEBUG_TOKEN": marks.new("debug token"),
                "WWSPEC_ACCESS_TOKEN": marks.new("access token"),
            },
            output=self._output,
            start_process=start_process,
        )
        self.url = self.process.announced_url()
        self.port = int(self.url.rpartition(":")[2])
        self.process.wait_ready(f"{self.url}/healthz")
        self.replies: list[str] = []
        """All that people got who own no secret."""
        self.server: LocalRedis | None = None
        self._http = httpx.Client(trust_env=False, timeout=LIMIT)

    def stop(self) -> None:
        self._http.close()
        self.process.stop()

    @property
    def log(self) -> str:
        return self._output.read_text(errors="replace")

    def log_of(self, work: Callable[[], object]) -> str:
        """Return what is logged of some work, and maybe more: the id of a request that follows ends it."""
        begin, name = len(self.log), f"end{secrets.token_hex(4)}"
        work()
        self.call(OWNER, "good", {}, request_id=name)
        wait_until(lambda: self.log.count(name) >= 2)  # each line is in the own log and in that of the SDK
        return self.log[begin:]

    def call(
        self, who: tuple[str, int], ability_id: str, data: Any, statuses: tuple[int, ...] = (200,), **call: Any
    ) -> Any:
        """Send a sealed call and return the decoded reply, which everybody but the owner is told."""
        text = data if isinstance(data, str) else json.dumps(data)
        request = {"call_type": 1, "request_id": "request", "timestamp": 1, "ability_id": ability_id, **call}
        sealed = seal.seal_call(self.key, seal.CallContent(corpid=who[0], agentid=who[1], data=text, **request))
        with httpx.Client(trust_env=False, timeout=LIMIT) as client:
            response = client.post(f"{self.url}/", headers=sealed.headers, content=sealed.body)
        assert response.status_code in statuses, (ability_id, response.text)
        if response.status_code == 503:
            return {"errmsg": response.text}
        reply = seal.open_reply(self.key, response.headers.multi_items(), response.text)
        if who == OTHER:
            self.replies.append(reply.text)
        return json.loads(reply.text)

    def raw(self, **request: Any) -> None:
        """Send a request that is no call; what comes back reaches its sender only."""
        response = self._http.request(**{"method": "POST", "url": f"{self.url}/", **request})
        text = response.text
        if "ww-kind" in response.headers:
            text = seal.open_reply(self.key, response.headers.multi_items(), text).text
        self.replies += [text, str(response.headers)]


def send_everything(program: MarkedProgram) -> None:
    """Let secrets in by every door: each path of success and of failure."""
    new = program.marks.new
    for name in ("good", "fail", "fail under a number", "misfit", "group", "chain", "exit", "else", "ask"):
        for ability_id in ("fail", "fail_later"):
            program.call(OWNER, ability_id, {"name": name, "secret": new(f"request of {ability_id}, {name}")})
    for name in ("ok", "raise", "code", "exit", "garbage", "misfit", "refuse"):
        for ability_id in ("invoke_sync_msg", "strict", "chat_digest", "fail", "fail_later"):
            secret = f"{name}:{new(f'SDK call of {ability_id}, {name}')}"
            wish = {"name": "ask", "secret": secret} if ability_id.startswith("fail") else {"cursor": secret}
            program.call(OWNER, ability_id, wish)
        wrapped = {"func": "sync_msg", "func_req": {"cursor": f"{name}:{new(f'SDK call of func, {name}')}"}}
        program.call(OWNER, "python_demo", {"input": wrapped})
    send_bad_requests(program)
    send_events(program)
    send_jobs(program)
    send_without_a_seal(program)
    send_when_there_is_no_time(program)


def send_bad_requests(program: MarkedProgram) -> None:
    new = program.marks.new
    for ability_id in ("invoke_sync_msg", "chat_digest", "fail", "fail_later", "python_demo", "get_callback_data"):
        program.call(OWNER, ability_id, {new("unknown key"): 1})
        program.call(OWNER, ability_id, {"limit": new("wrong type"), "name": 1, "input": new("wrong type")})
        program.call(OWNER, ability_id, f'{{"cursor":"{new("cut off")}')
    program.call(OWNER, "python_demo", {"input": {"func": "sync_msg", "func_req": {new("unknown key"): 1}}})
    program.call((new("corpid"), 7), "no such ability", {"a": new("request of no ability")}, notify_id=new("notify_id"))
    program.call((new("corpid"), 7), "invoke_sync_msg", {"a": new("request")}, call_type=5, job_info=new("job_info"))


def send_events(program: MarkedProgram) -> None:
    new = program.marks.new
    for who in (OWNER, FAILING, (OWNER[0], 2**63)):
        event = {"event_type": "hit_keyword", "timestamp": 5, "hit_keyword": {"token": new("event")}, "x": new("event")}
        program.call(who, "", event, call_type=2)
        program.call(who, "", f'{{"event_type":7,"x":"{new("event that is none")}"}}', call_type=2)
        notify_id = new("notify_id")
        for asking in (who, OTHER):
            program.call(asking, "get_callback_data", {}, notify_id=notify_id)


def send_jobs(program: MarkedProgram) -> None:
    new = program.marks.new
    for who in (OWNER, FAILING):
        for name in ("good", "else", "misfit"):
            wish = {"name": name, "secret": new(f"request of a job, {name}")}
            program.call(who, "fail", wish, is_async=True, job_info=new("job_info"))
        cursor = f"misfit {new('result of a job')}"
        program.call(who, "invoke_sync_msg", {"cursor": cursor}, is_async=True, job_info=new("job_info"))
    program.call((OWNER[0], 2**63), "fail", {"name": new("job not stored")}, is_async=True, job_info=new("job_info"))


def send_without_a_seal(program: MarkedProgram) -> None:
    new = program.marks.new
    headers = {"ww-signature": new("header"), "authorization": f"Bearer {new('header')}"}
    program.raw(content=new("body"), headers=headers)
    program.raw(content=new("body").encode("utf-16"), headers={"cookie": new("header")})
    for url in (f"/?token={new('query')}", f"/{new('path')}", f"/healthz?{new('query')}"):
        program.raw(url=f"{program.url}{url}", content=new("body"))
        program.raw(url=f"{program.url}{url}", method="GET", headers={"x-token": new("header")})
    program.raw(method="PUT", content=new("body"))
    for text in (
        f"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 99999999\r\nx-token: {new('header')}\r\n\r\n{new('body')}",
        f"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: x\r\nx-token: {new('header')}\r\n\r\n{new('body')}",
        f"POST /?token={new('query')} HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n{new('chunk')}",
        f"POST / HTTP/1.1\r\nhost: x\r\n{new('header')}\r\n\r\n",
        f"{new('method')} / HTTP/1.1\r\n\r\n",
        new("no HTTP"),
    ):
        program.replies.append(sent_raw(program.port, text.encode()).decode("latin-1"))


def send_when_there_is_no_time(program: MarkedProgram) -> None:
    new = program.marks.new
    for ability_id in ("slow", "slow_later"):
        program.call(OWNER, ability_id, {"name": "slow", "secret": new(f"request of {ability_id}")})
    program.call(OWNER, "quick_limit", {"cursor": f"slow:{new('request over its time')}"})
    wishes = [{"name": "slow", "secret": new("request at overload")} for _ in range(9)]
    either = (200, 503)  # the second for a refusal that could not be sealed within 80 ms
    with ThreadPoolExecutor(9) as pool:
        message = list(pool.map(lambda wish: program.call(OWNER, "fail", wish, either)["errmsg"], wishes))
    assert any("overloaded" in text for text in message), f"nothing was refused for overload: {message}"


@pytest.fixture(params=["text", pytest.param("json", marks=pytest.mark.slow)], scope="module")  # nearly the same
def program(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[MarkedProgram]:
    """A program at level DEBUG: text over a Redis store with a password, or JSON over an SQLite file."""
    marks, folder = Marks(), tmp_path_factory.mktemp("marked")
    with ExitStack() as stack:
        if request.param == "text":
            password = f"an@{marks.new('password of the store')}"
            server = stack.enter_context(local_redis(folder, "--requirepass", password, "--appendonly", "no"))
            program = MarkedProgram(folder, f"unix://:{password}@{server.path}", marks, "--request-log")
            program.server = server
        else:
            program = MarkedProgram(folder, f"sqlite:{folder / 'notify.db'}", marks, "--log-json", "--request-log")
        stack.callback(program.stop)
        yield program


def test_what_a_handler_left_running_fails_without_telling(program: MarkedProgram) -> None:
    faults = []

    def call_both(wish: dict[str, str]) -> None:
        for ability_id in ("fail", "fail_later"):
            program.call(OWNER, ability_id, wish)

    for name in ("task", "callback", "thread", "drop", "warning"):
        wish = {"name": name, "secret": program.marks.new("what a handler left running")}
        log = program.log_of(partial(call_both, wish))
        if ("UserWarning at telling.py" if name == "warning" else "ValueError") not in log:
            faults.append(f"no line was logged of {name}")
        if found := program.marks.found(log):
            faults.append(f"{name}: {found}")
    assert not faults, "\n".join(faults)


def test_a_reply_that_can_not_be_sealed_is_no_answer_ends_no_program_and_does_not_flood_the_log(
    program: MarkedProgram,
) -> None:
    """Row 5: an app can cause one with every call of an ability that repeats what it was sent."""
    secret = f"unsealable {program.marks.new('a reply that is not sealed')}"

    def call() -> None:
        for ability_id in ("fail", "fail_later", "fail", *["fail"] * 20):
            with pytest.raises(AssertionError, match="no reply"):
                program.call(OWNER, ability_id, {"name": "good", "secret": secret})
        assert program.call(OWNER, "fail", {"name": "good", "secret": "x"})["text"] == "x"

    start = monotonic()
    log = program.log_of(call)
    lines = log.count("no reply could be sealed") / 2  # each is in the own log and in that of the SDK
    assert 1 <= lines <= 2 + monotonic() - start, "more than one line a second"
    assert "SystemExit at" in log
    assert program.marks.found(log) == set()


def test_no_secret_reaches_a_log_line_or_another_tenant(program: MarkedProgram) -> None:
    """The last test of the program, which it stops."""
    send_everything(program)
    if program.server is not None:
        program.server.kill()
        send_events(program)
        send_jobs(program)
    program.stop()
    log = program.log
    assert len(program.marks) > 140
    assert program.marks.found(log) == set()
    assert program.marks.found("\n".join(program.replies)) == set()
    assert len(program.replies) > 20
    assert "Traceback" not in log
    assert TRACED not in log
    for said in (
        *("InputError", "OutputError", "SdkCallError", "NotifyNotFoundError", "HandlerTimeoutError", "ValueError at"),
        *("AbilityNotFoundError", "event refused", "SystemExit at", "job", "DBG", "INFO", "ERR"),
        *("refused, ApiError 710611", "refused, AbilityError", "refused, AbilityError 777"),
    ):
        assert said in log, f"no line was logged of {said}"


STORES = [
    "redis://user:{0}@127.0.0.1:1/0",
    "redis://:{0}@127.0.0.1:1",
    "redis://user:a@{0}@127.0.0.1:1/0",
    "redis://127.0.0.1:1/0?password={0}",
    "rediss://user:{0}@127.0.0.1:1/0",
    "unix://user:{0}@/no/such.sock",
    "redis+sentinel://user:{0}@127.0.0.1:1/main?sentinel_password=x@{0}",
    "redis+cluster://user:{0}@127.0.0.1:1,127.0.0.1:2",
    "redsi://user:{0}@127.0.0.1:1/0",
    "redis://user:{0}@127.0.0.1:x/0",
    "redis:{0}",
]


def test_a_store_that_can_not_be_opened_is_told_without_its_password(tmp_path: Path) -> None:
    """Every other one is told in JSON: no format sees more of the error than its text."""
    faults = []
    app = hostile_app(tmp_path / "app")
    for url, option in zip(STORES, cycle(["--log-json", "--log-level=DEBUG"]), strict=False):
        marks = Marks()
        environment = {**os.environ, "WWSPEC_STORE": url.format(marks.new("password of the store"))}
        serve = ("serve", "--sdk", "emulator", "--app", app, "--port", "0", option)
        done = wwspec(tmp_path, *serve, environment=environment)
        said = done.stdout + done.stderr
        if done.returncode <= 0 or not said.strip() or "Traceback" in said or marks.found(said):
            faults.append(f"{url}: exit code {done.returncode}, {said}")
    assert not faults, "\n".join(faults)


def test_no_command_line_of_a_program_shows_a_secret(tmp_path: Path) -> None:
    marks = Marks()
    password = marks.new("password of the store")
    with ExitStack() as stack:
        server = stack.enter_context(local_redis(tmp_path, "--requirepass", password, "--appendonly", "no"))
        store, two = f"unix://:{password}@{server.path}", ("--workers", "2")
        program = MarkedProgram(tmp_path, store, marks, *two, start_process=new_interpreter)
        stack.callback(program.stop)
        lines = command_lines(program.process.process.pid)
    assert f"store {server.path}" in program.log
    assert len(lines) >= 3, "the program and two workers"
    assert marks.found("\n".join(lines)) == set()


def test_the_search_finds_a_secret_in_every_form_that_it_knows() -> None:
    marks = Marks()
    secret = marks.new("x")
    encoded = (secret.encode().hex(), base64.b64encode(b"..." + secret.encode()).decode())
    for text in (secret, secret[12:20], secret[-8:], *encoded):
        assert marks.found(f"a line with {text} in it") == {"x"}
    assert marks.found(f"a line with {secret[:12]}… in it") == set()
