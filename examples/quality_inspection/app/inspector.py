"""The app's side: keeps tickets in SQLite, and asks for reports. README.md says how to start it."""

import os
import sqlite3
from datetime import UTC, datetime
from threading import Thread
from wsgiref.simple_server import make_server

from program import Finding, Progress, Report, ReportRequest, WatchRequest
from wwspec_client import NotifyEvent, NotifyReceiver, ZoneClient
from wwspec_client.stores import PendingStore, SqlitePendingStore
from wwspec_contracts.base import Contract

NAMES = ("CORPID", "CORPSECRET", "PROGRAM_ID", "CALLBACK_TOKEN", "ENCODING_AES_KEY")  # WWSPEC_CORPID and so on
WECOM = "https://qyapi.weixin.qq.com"
KINDS: dict[str, type[Contract]] = {"finding": Finding, "progress": Progress}


class Inspector:
    """Asks the program, and knows what it has told."""

    def __init__(self, client: ZoneClient, database: str) -> None:
        self._client = client
        self._db = sqlite3.connect(database, check_same_thread=False, isolation_level=None)
        self._db.execute("CREATE TABLE IF NOT EXISTS tickets (msgid TEXT PRIMARY KEY, employee TEXT, ticket TEXT)")
        self.progress: dict[str, float] = {}

    def receiver(self, corpid: str, token: str, key: str, store: PendingStore | None = None) -> NotifyReceiver:
        """Return the app's callback URL, a WSGI application."""
        return NotifyReceiver(
            self._client, self.on_event, token=token, encoding_aes_key=key, receive_id=corpid, kinds=KINDS, store=store
        )

    def on_event(self, event: NotifyEvent) -> None:
        """Keep a ticket. It may come twice, and two machines may find the same message: the msgid tells."""
        match event.data:
            case Finding(hits=hits):
                rows = [(hit.msgid, hit.employee, event.notify_id) for hit in hits]
                self._db.executemany("INSERT OR IGNORE INTO tickets VALUES (?, ?, ?)", rows)
            case Progress(report_id=report_id, done=done, total=total):  # in any order
                self.progress[report_id] = max(done / total, self.progress.get(report_id, 0.0))

    def watch(self, name: str) -> None:
        """Begin to inspect; a repeat does nothing."""
        self._client.call("watch", WatchRequest(name=name), retry_unsafe=True)

    def report(self, report_id: str) -> Report:
        """Return a report; meanwhile `progress` says how far it is."""
        return self._client.submit("report", ReportRequest(report_id=report_id), reply=Report).result(timeout=600.0)

    def tickets(self) -> list[tuple[str, str]]:
        """Return the msgid and the employee of each finding."""
        return self._db.execute("SELECT msgid, employee FROM tickets").fetchall()


def main() -> None:
    """Serve the callback URL, begin to inspect, and print a report."""
    corpid, secret, program_id, token, key = (os.environ[f"WWSPEC_{each}"] for each in NAMES)
    store = SqlitePendingStore("notifications.db")
    with ZoneClient(corpid, secret, program_id=program_id, base_url=os.environ.get("WWSPEC_BASE_URL", WECOM)) as client:
        inspector = Inspector(client, "tickets.db")
        with inspector.receiver(corpid, token, key, store) as receiver, make_server("", 8000, receiver) as server:
            thread = Thread(target=server.serve_forever)
            thread.start()
            inspector.watch("forbidden words")
            print(inspector.report(f"{datetime.now(UTC):%F}"), inspector.tickets(), flush=True)
            thread.join()


if __name__ == "__main__":
    main()
