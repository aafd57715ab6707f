"""Calls and events that come while the program starts wait for it; those of a program with a fault are refused."""

import socket
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Event

import pytest

from tests.support.emulator import Emulator, SealedProgram, free_socket, url_of
from tests.support.waiting import DEADLINE, wait_until
from wwspec_contracts.files import ConsoleContract
from wwspec_devtools.emulator.http.client import EmulatorClient, EmulatorError
from wwspec_devtools.emulator.state import starts
from wwspec_devtools.testing.app import App
from wwspec_devtools.testing.zone import CallRefusedError

ECHO = ConsoleContract(input={"a": 1}, output={"a": 1, "errcode": 0})
FAULT = "fault in abilities/shop.py:3: SyntaxError: invalid syntax"


@pytest.fixture
def emulator(zone: tuple[Emulator, SealedProgram]) -> Iterator[Emulator]:
    yield zone[0]
    zone[0].platform.end_start("")


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor() as pool:
        yield pool


def begun(emulator: Emulator, name: str) -> bool:
    """Return whether an exchange of this name is under way."""
    entries = emulator.platform.world.traffic.kept_entries()
    return any(entry.name == name and entry.duration is None for entry in entries)


@pytest.mark.parametrize("api", ["sync_call_program", "async_program_task"])
def test_a_call_waits_for_the_contracts_and_the_port_of_a_program_that_starts(
    emulator: Emulator, client: EmulatorClient, pool: ThreadPoolExecutor, api: str
) -> None:
    url = client.info()["program_url"]
    with free_socket() as closed:
        client.register({"other": ECHO})
        client.point_to(url_of(closed))
        client.begin_start()
        call = pool.submit(emulator.call_program, '{"a": 1}', api=api)
        wait_until(lambda: begun(emulator, api))
        client.register({"echo": ECHO})
        client.point_to(url)
        assert not call.done()
        client.end_start()
        assert call.result(DEADLINE)["errcode"] == 0


def test_an_event_waits_too(emulator: Emulator, client: EmulatorClient, pool: ThreadPoolExecutor) -> None:
    emulator.receive_events()
    client.begin_start()
    fired = pool.submit(client.fire, "hit_keyword")
    wait_until(lambda: begun(emulator, "hit_keyword"))
    assert not fired.done()
    client.end_start()
    assert fired.result(DEADLINE)["errcode"] == 0


@contextmanager
def first_call_to(emulator: Emulator, elsewhere: Callable[[Callable[[str], object]], object]) -> Iterator[list[str]]:
    """Let a start begin when the first call comes, and that call go elsewhere; yield the URLs that are called."""
    channel, posted = emulator.platform.world.channel, list[str]()

    class Closing:
        """The way to a program that ends when the first call comes."""

        def post(self, url: str, *rest: object) -> object:
            if posted:
                return channel.post(url, *rest)  # type: ignore[arg-type]
            emulator.platform.begin_start()
            posted.append(url)
            return elsewhere(lambda other: channel.post(other, *rest))  # type: ignore[arg-type]

    emulator.platform.world.channel = Closing()  # type: ignore[assignment]
    try:
        yield posted
    finally:
        emulator.platform.world.channel = channel


@pytest.mark.parametrize("closes", ["port", "connection"])
def test_a_call_that_found_the_port_or_its_connection_closed_unread_waits_when_a_start_has_begun(
    emulator: Emulator, client: EmulatorClient, pool: ThreadPoolExecutor, closes: str
) -> None:
    """The call was let through just before the program ended, or came when it closed an idle connection."""
    ended = Event()  # the start: a call may notice later that the port was closed

    def closed_port(post: Callable[[str], object]) -> object:
        assert ended.wait(DEADLINE)
        with free_socket() as closed:
            return post(url_of(closed))

    def closed_connection(post: Callable[[str], object]) -> object:
        with socket.create_server(("127.0.0.1", 0)) as ending:
            pool.submit(lambda: ending.accept()[0].close())
            return post(url_of(ending))

    with first_call_to(emulator, closed_port if closes == "port" else closed_connection) as posted:
        call = pool.submit(emulator.call_program)
        wait_until(lambda: len(posted) == 1)
        client.end_start()
        ended.set()
        assert call.result(DEADLINE)["errcode"] == 0


def test_a_call_waits_no_longer_than_the_limit(
    emulator: Emulator, client: EmulatorClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(starts, "HOLD_SECONDS", 0.01)
    client.begin_start()
    answer = emulator.call_program()
    assert answer["errcode"] == 710674
    assert answer["errmsg"].endswith("not started: the program still starts after 0.01 seconds")


def test_a_program_with_a_fault_refuses_calls_at_once_with_the_fault(
    emulator: Emulator, client: EmulatorClient
) -> None:
    emulator.receive_events()
    client.begin_start()
    client.end_start(FAULT)
    answer = App(client).call("echo")
    assert (answer.errcode, answer.refused_by, answer.hint) == (710674, "platform", "")
    assert answer.errmsg.endswith(f"not started: {FAULT}")
    with pytest.raises(CallRefusedError, match="710674: .*not started: fault in abilities"):
        App(client).submit("echo")
    with pytest.raises(EmulatorError, match="not started: fault in abilities/shop.py:3"):
        client.fire("hit_keyword")
    client.reset()
    assert App(client).call("echo").errcode == 710674, "a reset of the emulator starts no program"
    client.begin_start()
    client.end_start()
    assert App(client).call("echo").errcode == 0
