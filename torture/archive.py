"""The example of an enterprise app as a process that is killed, and what its database must hold at the end.

Knows neither when it is killed nor what else goes wrong.
"""

import os
import secrets
import signal
import sqlite3
import tempfile
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path

from Crypto.PublicKey import RSA

from torture.app_process import AppProcess
from torture.program import ROOT, until
from wwspec_devtools.testing.ports import held_ports
from wwspec_devtools.testing.zone import ServedZone, Zone

__all__ = [
    "HANDLED",
    "ANNOUNCED",
    "ArchiveApp",
    "archive_stage",
    "archived",
    "handled",
    "judge",
    "judge_notifications",
    "judge_announced",
    "rotate_key",
]

EXAMPLE = ROOT / "examples" / "archive_app"
HANDLED = "handled.txt"
"""Where the misbehaving app notes what it has handled, beside its databases."""
ANNOUNCED = "announced.txt"
"""Where it notes the numbers that it was told, as soon as it has them."""
_ANNOUNCING = """
[abilities.announce]
handler = "torture.handlers:announce"

[notifications.announced]
contract = "torture.handlers:Announced"
"""
"""Follows the reference program's registry file, so that the program tells the app numbers."""
_FORKED_KEPT = 3
"""Lives of the app whose forked processes meet the next one."""
_WRITE_POLL = 0.0002
"""Seconds between two looks at what is written."""
_WRITTEN = "SELECT max(rowid) FROM messages"


class ArchiveApp(AppProcess):
    """The example, as its README starts it: a command, and environment variables.

    Args:
        folder: For its database, its keys and its log.
        port: Where it listens.
        settings: Environment variables that name the app and WeCom.
        misbehaves: Whether its handler of events does all that one should not; see `torture.misbehaving`.
    """

    def __init__(self, folder: Path, port: int, settings: Mapping[str, str], *, misbehaves: bool = False) -> None:
        self.database = folder / "archive" / "archive.db"
        self.keys = folder / "keys"
        self.keys.mkdir()
        own = {"ARCHIVE_FOLDER": str(self.database.parent), "WWSPEC_KEYS": str(self.keys)}
        served = "torture.misbehaving:create_app" if misbehaves else "app:create_app"
        super().__init__(EXAMPLE, served, folder, port, {**settings, **own})
        self._left: list[int] = []

    def wait_written(self, seconds: float) -> None:
        """Wait until messages are written, for so many seconds at most."""
        with _opened(self.database) as connection:
            before = _written(connection)
            until(lambda: _written(connection) != before, seconds, _WRITE_POLL)

    def kill(self) -> None:
        """End it as a crash does, but not what it has forked; nothing happens when it has ended."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self._left.append(self.process.pid)
            self.process = None
            self._end_left(keep=_FORKED_KEPT)

    def close(self) -> None:
        """End it, and what it has forked."""
        self.kill()
        self._end_left()

    def _end_left(self, keep: int = 0) -> None:
        while len(self._left) > keep:
            with suppress(ProcessLookupError):
                os.killpg(self._left.pop(0), signal.SIGKILL)


def _written(connection: sqlite3.Connection) -> object:
    try:
        return connection.execute(_WRITTEN).fetchone()
    except sqlite3.OperationalError:  # the app has never started
        return None


@contextmanager
def archive_stage(seed: int, *, misbehaves: bool = False, machines: int = 1) -> Iterator[tuple[ServedZone, ArchiveApp]]:
    """Yield a platform with a program, and the app that it notifies; end what is left of them.

    Args:
        seed: Of the platform.
        misbehaves: See `ArchiveApp`.
        machines: How many machines the program runs on.
    """
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="wwspec-torture-")))
        token, key = secrets.token_hex(16), secrets.token_hex(21) + "A"
        (folder / "token").write_text(token)
        (folder / "aes-key").write_text(key)
        registry = folder / "registry.toml"
        registry.write_text((ROOT / "abilities" / "registry.toml").read_text("utf-8") + _ANNOUNCING, "utf-8")
        [port] = stack.enter_context(held_ports(1))
        emulate = ["--seed", str(seed), "--messages", "0", "--callback-url", f"http://127.0.0.1:{port}/callback"]
        emulate += ["--callback-token-file", str(folder / "token"), "--encoding-aes-key-file", str(folder / "aes-key")]
        zone = stack.enter_context(Zone.serve(ROOT, registry, emulate=emulate, machines=machines))
        info = zone.client.info()
        app = ArchiveApp(
            folder,
            port,
            {
                "WWSPEC_BASE_URL": zone.client.url,
                "WWSPEC_CORPID": info["corpid"],
                "WWSPEC_CORPSECRET": info["secret"],
                "WWSPEC_PROGRAM_ID": info["program_id"],
                "WWSPEC_CALLBACK_TOKEN": token,
                "WWSPEC_ENCODING_AES_KEY": key,
            },
            misbehaves=misbehaves,
        )
        stack.callback(app.close)
        yield zone, app


def rotate_key(zone: ServedZone, keys: Path) -> None:
    """Make a new private key, give it to the app, and let WeCom seal with its public key from now on.

    Args:
        zone: Whose emulator.
        keys: The folder where the app finds its private keys: `key-1.pem`, `key-2.pem` and so on.
    """
    version = 1 + sum(1 for _ in keys.glob("key-*.pem"))
    key = RSA.generate(2048)
    new = keys / "new"
    new.write_bytes(key.export_key())
    new.rename(keys / f"key-{version}.pem")
    with closing(zone.app_client()) as client:
        client.set_public_key(key.public_key().export_key().decode(), version)


@contextmanager
def _opened(database: Path) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(database, timeout=30)) as connection, connection:
        yield connection


def archived(database: Path) -> int:
    """Return how many messages are in the database."""
    with _opened(database) as connection:
        return int(connection.execute("SELECT count(*) FROM messages").fetchone()[0])


def handled(folder: Path) -> dict[str, int]:
    """Return how many notifications the app has handled, given up, or has still to handle, by stage.

    Args:
        folder: Of the app's databases.
    """
    with _opened(folder / "notifications.db") as connection:
        return dict(connection.execute("SELECT stage, count(*) FROM wwspec_notifications GROUP BY stage"))


def judge_notifications(folder: Path, delivered: Collection[str]) -> list[str]:
    """Return one line for each broken promise about notifications; those that wait still are some.

    Args:
        folder: Of the app's databases.
        delivered: The notify_ids that the app has answered with 200.
    """
    with _opened(folder / "notifications.db") as connection:
        stages = dict(connection.execute("SELECT notify_id, stage FROM wwspec_notifications"))
    file = folder / HANDLED
    seen = set(file.read_text().split()) if file.exists() else set()
    failures = []
    if lost := set(delivered) - set(stages):
        failures.append(f"{len(lost)} notifications were acknowledged and are not there, such as {min(lost)}")
    if waiting := [each for each, stage in stages.items() if stage not in ("done", "failed")]:
        failures.append(f"{len(waiting)} notifications are neither handled nor given up, such as {min(waiting)}")
    if unhandled := [each for each, stage in stages.items() if stage == "done" and each not in seen]:
        failures.append(f"{len(unhandled)} notifications count as handled and are not, such as {min(unhandled)}")
    return failures


def judge_announced(folder: Path, announced: Collection[int]) -> list[str]:
    """Return a line when the app lacks numbers that it was told, under whichever notify_id they came.

    Args:
        folder: Of the app's databases.
        announced: The numbers of the calls that the program has answered.
    """
    file = folder / ANNOUNCED
    received = set(map(int, file.read_text().split())) if file.exists() else set()
    if lost := set(announced) - received:
        return [f"{len(lost)} of {len(announced)} that the absent app was told are lost, such as number {min(lost)}"]
    return []


def judge(
    database: Path,
    said: Collection[str],
    secret_key: Callable[[str], str],
    groups: Mapping[str, Collection[str]],
) -> list[str]:
    """Return one line for each broken promise.

    Args:
        database: Of the app.
        said: The msgids of all messages.
        secret_key: Returns the key of a message in clear.
        groups: Those that messages were said in and whose members WeCom gives: chatid -> their ids.
    """
    failures = []
    with _opened(database) as connection:
        rows = connection.execute("SELECT msgid, secret_key FROM messages").fetchall()
        members = connection.execute("SELECT chatid, memberid FROM members").fetchall()
        sound = connection.execute("PRAGMA integrity_check").fetchone()[0]
    kept = [msgid for msgid, _ in rows]
    if missing := set(said) - set(kept):
        failures.append(f"{len(missing)} of {len(said)} messages are missing, such as {min(missing)}")
    if unknown := set(kept) - set(said):
        failures.append(f"{len(unknown)} messages were never said, such as {min(unknown)}")
    if repeated := len(kept) - len(set(kept)):
        failures.append(f"{repeated} messages are there more than once")
    if wrong := [msgid for msgid, opened in rows if opened != secret_key(msgid)]:
        failures.append(f"{len(wrong)} keys are not opened, such as that of {min(wrong)}")
    for chatid, ids in sorted(groups.items()):
        if {memberid for group, memberid in members if group == chatid} != set(ids):
            failures.append(f"the members of group {chatid} are not those in WeCom")
    if sound != "ok":
        failures.append(f"PRAGMA integrity_check: {sound}")
    return failures
