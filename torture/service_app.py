"""The example of a provider's app as processes that are killed, and what is in its database.

Knows neither when it is killed nor what else goes wrong.
"""

import json
import os
import secrets
import signal
import tempfile
from collections.abc import Collection, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from tests.support.postgres_server import local_postgres
from torture.app_process import AppProcess
from torture.program import ROOT, children, until
from torture.service_judge import Kept, Row
from torture.service_notes import CLOCK, HANDLED
from wwspec_devtools.testing.ports import held_ports
from wwspec_devtools.testing.zone import ServedZone, Zone

__all__ = ["CORPS", "Database", "ServiceApp", "service_stage"]

EXAMPLE = ROOT / "examples" / "archive_service"
CORPS = 3
WORKERS = 2
"""Processes of the app beside the one that starts them."""
_GONE = 20.0
"""Seconds within which killed processes are gone."""
_WRITE_POLL = 0.0005
"""Seconds between two looks at what is written."""


class ServiceApp(AppProcess):
    """The example, as its README starts it, with two processes.

    Args:
        folder: For its log and its notes.
        port: Where it listens.
        settings: Environment variables that name the suite, WeCom and the database.
    """

    def __init__(self, folder: Path, port: int, settings: Mapping[str, str]) -> None:
        self._folder = folder
        served = "torture.recorded_service:create_app"
        own = {"TORTURE_FOLDER": str(folder)}
        super().__init__(EXAMPLE, served, folder, port, {**settings, **own}, ["--workers", str(WORKERS)])

    def workers(self) -> list[int]:
        """Return the process ids of those that serve."""
        return [] if self.process is None else [pid for pid in children(self.process.pid) if _serves(pid)]

    def kill_worker(self, chosen: float) -> bool:
        """End one of the processes that serve as a crash does; return False when there is none.

        Args:
            chosen: Which one, from 0 to 1.
        """
        workers = self.workers()
        if not workers:
            return False
        with suppress(ProcessLookupError):
            os.kill(workers[int(chosen * len(workers)) % len(workers)], signal.SIGKILL)
        return True

    def kill(self) -> None:
        """End all of its processes as a crash of the machine does; nothing happens when they have ended."""
        if self.process is None:
            return
        group = self.process.pid
        with suppress(ProcessLookupError):
            os.killpg(group, signal.SIGKILL)
        self.process.wait()
        until(lambda: not _lives(group), _GONE)
        self.process = None

    def set_clock(self, ahead: float) -> None:
        """Let its clock be so many seconds ahead of this machine's, as that of the emulator is."""
        new = self._folder / f"{CLOCK}.new"
        new.write_text(str(ahead))
        new.rename(self._folder / CLOCK)

    def handled(self) -> set[str]:
        """Return the callbacks that it has handled: notify_ids, and names of commands."""
        file = self._folder / HANDLED
        return set(file.read_text().splitlines()) if file.exists() else set()


class Database:
    """What the app has stored, read by its side.

    Args:
        url: Of SQLAlchemy.
    """

    def __init__(self, url: str) -> None:
        self._engine = sa.create_engine(url)

    def close(self) -> None:
        """Close the connections."""
        self._engine.dispose()

    def show_copies(self) -> None:
        """Take the primary key of messages away: one that comes twice is then two rows, and no error."""
        with self._engine.begin() as connection:
            connection.execute(sa.text("ALTER TABLE messages DROP CONSTRAINT messages_pkey"))

    @contextmanager
    def key_lost(self, corpid: str) -> Iterator[None]:
        """Hide the private keys of a corp from the app.

        Args:
            corpid: The corp.
        """
        self._move_keys(corpid, 1)
        try:
            yield
        finally:
            self._move_keys(corpid, -1)

    def rows(self) -> list[Row]:
        """Return the messages."""
        return [Row(*each) for each in self._query("SELECT corpid, msgid, secret_key FROM messages")]

    def count(self) -> int:
        """Return how many messages there are."""
        return int(self._query("SELECT count(*) FROM messages")[0][0])

    def has_one(self, corpid: str, msgids: Collection[str]) -> bool:
        """Return whether one of these messages is there for a corp."""
        found = "SELECT 1 FROM messages WHERE corpid = :corpid AND msgid = ANY(:msgids) LIMIT 1"
        return bool(self._query(found, corpid=corpid, msgids=list(msgids)))

    def permanent_codes(self) -> dict[str, str]:
        """Return the permanent_code of each corp that has the app, as far as the app knows."""
        return dict(self._query("SELECT corpid, permanent_code FROM wwspec_installations WHERE NOT forgetting"))

    def tokens(self) -> dict[str, str]:
        """Return the access token of each corp."""
        names = dict(self._query("SELECT name, value FROM wwspec_tokens"))
        return {name[1]: value for text, value in names.items() if len(name := json.loads(text)) > 1}

    def cursors(self) -> dict[str, str]:
        """Return where the pull of each corp is."""
        found = self._query("SELECT name, next_cursor FROM wwspec_cursors")
        return {name.rpartition(":")[2]: cursor for name, cursor in found}

    def callbacks(self) -> list[Kept]:
        """Return the callbacks of both URLs."""
        return [Kept(*each) for each in self._query("SELECT stage, reason FROM wwspec_pending")]

    def places(self) -> object:
        """Return what changes whenever a page is written."""
        return self._query("SELECT sum(pages) FROM wwspec_cursors")

    def wait_written(self, seconds: float) -> None:
        """Wait until a page is written, for so many seconds at most."""
        before = self.places()
        until(lambda: self.places() != before, seconds, _WRITE_POLL)

    def _move_keys(self, corpid: str, versions: int) -> None:
        move = sa.text("UPDATE wwspec_keys SET version = version + :versions WHERE corpid = :corpid")
        with self._engine.begin() as connection:
            connection.execute(move, {"corpid": corpid, "versions": versions})

    def _query(self, sql: str, **values: Any) -> list[Any]:
        with self._engine.connect() as connection:
            return list(connection.execute(sa.text(sql), values))


@contextmanager
def service_stage(seed: int) -> Iterator[tuple[ServedZone, ServiceApp, Database]]:
    """Yield a platform with three corps and a program, the app, and its database; end what is left of them.

    Args:
        seed: Of the platform.
    """
    with ExitStack() as stack:
        url = stack.enter_context(local_postgres())
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="wwspec-torture-")))
        [port] = stack.enter_context(held_ports(1))
        names = ("callback-token", "encoding-aes-key", "command-token", "command-encoding-aes-key")
        values = {name: secrets.token_hex(21) + "A" for name in names}
        emulate = ["--seed", str(seed), "--messages", "0", "--corps", str(CORPS), "--app-type", "third"]
        for name, value in values.items():
            (folder / name).write_text(value)
            emulate += [f"--{name}-file", str(folder / name)]
        emulate += ["--callback-url", f"http://127.0.0.1:{port}/wecom/callback"]
        emulate += ["--command-url", f"http://127.0.0.1:{port}/wecom/commands"]
        zone = stack.enter_context(Zone.serve(ROOT, emulate=emulate))
        info = zone.client.info()
        settings = {
            **{f"WWSPEC_{name.upper().replace('-', '_')}": value for name, value in values.items()},
            "WWSPEC_BASE_URL": zone.client.url,
            "WWSPEC_SUITE_ID": info["suite_id"],
            "WWSPEC_SUITE_SECRET": info["suite_secret"],
            "WWSPEC_PROVIDER_CORPID": "wwprovider00000001",
            "WWSPEC_PROGRAM_ID": info["program_id"],
            "DATABASE_URL": url,
        }
        app = ServiceApp(folder, port, settings)
        stack.callback(app.kill)
        database = Database(url)
        stack.callback(database.close)
        yield zone, app, database


def _serves(pid: int) -> bool:
    try:
        return b"spawn_main" in Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False


def _lives(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True
