"""Run `app --service`: the example of a provider's app, two processes on one database, dies again and again.

Three corps have the app, and everything around it goes wrong. Afterwards each message that is the app's by right must
be in its database once, under its own corp, and each callback that it has acknowledged must be handled.
"""

import random
import statistics
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing
from typing import Any

from torture.admins import Admins
from torture.callbacks import SuiteCallbacks
from torture.hazards import Hazards
from torture.program import until
from torture.progress import say
from torture.result import Findings
from torture.service_app import WORKERS, Database, ServiceApp, service_stage
from torture.service_judge import judge_callbacks, judge_messages, judge_tenants
from torture.tenants import Tenant
from wwspec_client import PlatformError, SdkApiError, ZoneClient
from wwspec_contracts import sync_msg
from wwspec_devtools.testing.app import client_of
from wwspec_devtools.testing.zone import ServedZone

__all__ = ["run"]

KILLS, QUICK_KILLS = 200, 6
MESSAGES, QUICK_MESSAGES = 30_000, 450
KINDS = ("one", "one", "one", "all")
"""What is killed: one of the processes that serve, or all of the app at once."""
MOMENTS = ("starting", "up", "writing", "writing")
"""When: while it starts, at any later time, or when it has just written a page."""
STARTING = (0.0, 1.5)
"""Seconds between a start and a death that does not wait for it."""
UP = (0.0, 1.5)
"""Seconds between the first page and a death, or the moment from which the next write is waited for."""
WRITTEN = (0.0, 0.004)
"""Seconds between a write and a death."""
WRITE_LIMIT = 10.0
"""Seconds that a write is waited for."""
JUMP = (1900.0, 8000.0)
"""Seconds by which WeCom's clock jumps: suite tickets, and perhaps tokens, are too old then."""
WITHOUT_END = 0.98
"""The part of the messages that is said while things go wrong; the others show that everything works afterwards."""
CATCH_UP = 300.0
"""Seconds within which the app must have everything, once nothing goes wrong any more."""
NO_CURSOR = 710611
"""What WeCom answers to the cursor of another corp."""
KNOWN = 30.0
"""Seconds within which the app must know of an installation that nothing disturbs."""


def run(seed: int, quick: bool, *, count: int | None = None, messages: int | None = None) -> Findings:
    """Kill the app 200 times while 30,000 messages are said in three corps.

    Args:
        seed: Makes the choices.
        quick: 6 kills and 450 messages instead.
        count: How many kills, whatever `quick` says.
        messages: How many messages, whatever `quick` says.
    """
    kills = count or (QUICK_KILLS if quick else KILLS)
    wanted = messages or (QUICK_MESSAGES if quick else MESSAGES)
    rng = random.Random(seed)  # noqa: S311 - the same seed, the same choices
    with ExitStack() as stack:
        zone, app, database = stack.enter_context(service_stage(seed))
        corps = zone.client.info()["corps"]
        tenants = [
            stack.enter_context(Tenant(zone.client.url, corpid, number, seed, wanted // len(corps)))
            for number, corpid in enumerate(corps)
        ]
        torture = _Torture(zone, app, database, tenants, rng)
        torture.begin()
        began = time.monotonic()
        for number in range(1, kills + 1):
            torture.kill(WITHOUT_END * number / kills)
            if number % 10 == 0 or number == kills:
                said = sum(len(tenant.sayer.said) for tenant in tenants)
                say(f"{number} of {kills} kills, {said} messages said, {database.count()} archived")
        killed = round(time.monotonic() - began, 1)
        caught_up = torture.end()
        return Findings(
            figures={"killing_s": killed, **torture.figures(), **caught_up},
            failures=[*torture.failures, *app.traceback()],
        )


class _Torture:
    """Everything that happens to the app.

    Args:
        zone: The platform with its program.
        app: The app.
        database: What it has stored.
        tenants: The corps.
        rng: Makes the choices.

    Attributes:
        failures: One line for each broken promise.
    """

    def __init__(
        self, zone: ServedZone, app: ServiceApp, database: Database, tenants: Sequence[Tenant], rng: random.Random
    ) -> None:
        self._zone = zone
        self._app = app
        self._database = database
        self._tenants = tenants
        self._rng = rng
        self._ahead = 0.0
        self._callbacks = SuiteCallbacks(zone.client)
        self._admins = Admins(tenants, self._knows, self._on_return, random.Random(rng.random()))  # noqa: S311
        more: dict[str, Callable[[], object]] = {
            "tickets late": self._let_tickets_be_late,
            "permission ended": self._admins.end_permission,
            "corp left": self._admins.leave,
        }
        self._hazards = Hazards(zone, None, random.Random(rng.random()), more)  # noqa: S311
        self._starts: list[float] = []
        self._kills: Counter[str] = Counter()
        self._forgotten: set[str] = set()
        self.failures: list[str] = []

    def begin(self) -> None:
        """Start the app, and let the corps install it."""
        self._start()
        self._zone.client.push_ticket()
        self._admins.install()
        if not until(lambda: all(map(self._knows, self._tenants)), KNOWN):
            raise RuntimeError(f"the app was installed and does not know it: {self._app.said()[-1000:]}")
        self._database.show_copies()

    def kill(self, part: float) -> None:
        """Let messages be said and something go wrong, and kill the app, or a part of it.

        Args:
            part: How large a part of all messages is said by the end.
        """
        for tenant in self._tenants:
            tenant.sayer.allow(part)
        if not self._app.lives():
            self._app.start()
        self._admins.turn()
        if not self._callbacks.knows_ticket(self._zone.client.info()["suite_ticket"]):
            self._zone.client.push_ticket()  # as WeCom does every ten minutes
        self._hazards.next()
        kind, moment = self._rng.choice(KINDS), self._rng.choice(MOMENTS)
        if moment == "starting":
            time.sleep(self._rng.uniform(*STARTING))
        else:
            self._start()
            time.sleep(self._rng.uniform(*UP))
        if moment == "writing":
            self._database.wait_written(WRITE_LIMIT)
            time.sleep(self._rng.uniform(*WRITTEN))
        if not self._app.lives():
            self.failures.append(f"the app ended by itself: {self._app.said()[-500:]}")
        if kind == "all" or not self._app.kill_worker(self._rng.random()):
            kind = "all"
            self._app.kill()
        self._kills[f"{kind}, {moment}"] += 1
        self._callbacks.read()

    def end(self) -> dict[str, Any]:
        """Let everything work again, wait until the app has all that is its by right, and judge; return figures."""
        self._hazards.end()
        if not self._app.lives():
            self._app.start()
        self._start()
        self._zone.client.push_ticket()
        while not (self._admins.end() or until(lambda: self._admins.end(), KNOWN)):
            self._admins.install_unknown()
        began, before = time.monotonic(), self._database.count()
        for tenant in self._tenants:
            tenant.sayer.allow(1.0)
        for tenant in self._tenants:
            tenant.sayer.wait_said(CATCH_UP)
        failures = [""]

        def complete() -> bool:
            self._callbacks.read()
            failures[:] = self._judge()
            return not failures

        until(complete, CATCH_UP, 0.5)
        self.failures += failures + self._judge_tenants()
        figures = {"archived_before": before, "caught_up_s": round(time.monotonic() - began, 1)}
        claims = {tenant.corpid: tenant.claim() for tenant in self._tenants}
        figures["said"] = sum(len(tenant.sayer.said) for tenant in self._tenants)
        for name in ("wanted", "allowed", "gone"):
            figures[name] = sum(len(getattr(claim, name)) for claim in claims.values())
        return {**figures, "archived": self._database.count(), "handled": len(self._app.handled())}

    def figures(self) -> dict[str, Any]:
        """Return what happened."""
        return {
            "kills": dict(sorted(self._kills.items())),
            "start_median_s": round(statistics.median(self._starts), 3),
            "start_longest_s": round(max(self._starts), 3),
            "hazards": dict(sorted(self._hazards.counts.items())),
            "admins": dict(sorted(self._admins.counts.items())),
            "callbacks": self._callbacks.figures(),
        }

    def _start(self) -> None:
        """Wait until the app is up with all its processes."""
        if not self._app.lives():
            self._app.start()
        self._starts.append(self._app.wait_up())
        until(lambda: len(self._app.workers()) >= WORKERS, KNOWN)

    def _knows(self, tenant: Tenant) -> bool:
        return bool(self._database.permanent_codes().get(tenant.corpid) == tenant.client.info()["permanent_code"])

    def _on_return(self, tenant: Tenant) -> None:
        self._callbacks.read()
        self._forgotten |= self._callbacks.of(tenant.corpid)

    def _let_tickets_be_late(self) -> None:
        """Let WeCom's clock jump, and let the callbacks with the new ticket be late."""
        self._zone.client.add_fault("callback", "late", "", self._rng.uniform(1.0, 6.0), 2)
        seconds = self._rng.uniform(*JUMP)
        self._zone.client.advance(seconds)
        self._ahead += seconds
        self._app.set_clock(self._ahead)

    def _judge(self) -> list[str]:
        secret_keys = {tenant.corpid: tenant.secret_key for tenant in self._tenants}
        claims = {tenant.corpid: tenant.claim() for tenant in self._tenants}
        return [
            *judge_messages(self._database.rows(), claims, lambda corpid, msgid: secret_keys[corpid](msgid)),
            *judge_callbacks(
                self._callbacks.acknowledged, self._app.handled(), self._database.callbacks(), self._forgotten
            ),
        ]

    def _judge_tenants(self) -> list[str]:
        return [
            *judge_tenants("access token", self._owners(self._database.tokens(), _owns_token)),
            *judge_tenants("cursor", self._owners(self._database.cursors(), _owns_cursor)),
        ]

    def _owners(self, found: dict[str, str], owns: Callable[[Tenant, str], bool]) -> dict[str, str]:
        """Return whose the things of corps are in truth; a corp without one is its own owner."""
        tenants = self._tenants
        return {
            corpid: next((each.corpid for each in tenants if owns(each, thing)), "")
            for corpid, thing in found.items()
            if thing
        }


def _owns_token(tenant: Tenant, token: str) -> bool:
    here = {"program_id": tenant.client.info()["program_id"], "base_url": tenant.client.url}
    with closing(ZoneClient(tokens=lambda: token, **here)) as client:
        try:
            found = client.call(sync_msg.Request(limit=1)).msg_list
        except PlatformError:
            return False
    return bool(found) and found[0].msgid in tenant.sayer.said


def _owns_cursor(tenant: Tenant, cursor: str) -> bool:
    with closing(client_of(tenant.client)) as client:
        try:
            client.call(sync_msg.Request(cursor=cursor, limit=1))
        except SdkApiError as error:
            return bool(error.errcode != NO_CURSOR)
    return True
