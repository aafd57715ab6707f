"""Run `app`: the example of an enterprise app dies with SIGKILL again and again, while everything around it goes wrong.

Its handler of events does all that one should not, too. Afterwards each message that was said must be in its database
once, with its key opened, and each notification that it has acknowledged must be handled, or listed as failed. At last
the app is away while the program tells it something by itself, all of which it must have got when it is back.
"""

import random
import statistics
import time
from collections import Counter
from collections.abc import Collection
from contextlib import closing
from typing import Any

from torture.archive import (
    ArchiveApp,
    archive_stage,
    archived,
    handled,
    judge,
    judge_announced,
    judge_notifications,
    rotate_key,
)
from torture.away import Away
from torture.callbacks import Callbacks
from torture.hazards import Hazards
from torture.program import until
from torture.progress import say
from torture.result import Findings
from torture.sayer import Sayer
from wwspec_client import SdkApiError
from wwspec_contracts import get_group_chat
from wwspec_devtools.emulator.state.keys import MessageKeys
from wwspec_devtools.testing.zone import ServedZone

__all__ = ["run"]

KILLS, QUICK_KILLS = 100, 5
MESSAGES, QUICK_MESSAGES = 10_000, 300
MOMENTS = ("starting", "up", "writing", "writing")
"""When the app is killed: before it may have listened, at any later time, or when it has just written messages."""
STARTING = (0.0, 1.0)
"""Seconds between its start and its death, when it is killed while it starts."""
UP = (0.0, 2.5)
"""Seconds between its first page and its death, or the moment from which its next write is waited for."""
WRITTEN = (0.0, 0.002)
"""Seconds between a write and its death."""
WRITE_LIMIT = 2.0
"""Seconds that a write is waited for."""
BETWEEN = (0.0, 0.5)
"""Seconds between its death and its next start."""
AWAY, QUICK_AWAY = 150.0, 12.0
"""Seconds for which the app is away while it is told something."""
STALLED = 400.0
"""Seconds without any progress after which a notification counts as lost. Within AWAY the pauses after which the app is
told again have grown to 160 s, and it may miss one more. How long all takes says nothing: thousands of events may wait
for handlers that fail and hang, on a machine that does something else besides."""
POLL = 1.0
"""Seconds between two checks of what the app has."""
CATCH_UP = 180.0
"""Seconds within which the app must have everything, once nothing goes wrong any more: it pulls each minute without a
notification, and WeCom's limit on such pulls may delay that by another."""


def run(seed: int, quick: bool, *, count: int | None = None, messages: int | None = None) -> Findings:
    """Kill the app 100 times while 10,000 messages are said.

    Args:
        seed: Makes the choices.
        quick: 5 kills and 300 messages instead.
        count: How many kills, whatever `quick` says.
        messages: How many messages, whatever `quick` says.
    """
    kills = count or (QUICK_KILLS if quick else KILLS)
    wanted = messages or (QUICK_MESSAGES if quick else MESSAGES)
    rng = random.Random(seed)  # noqa: S311 - the same seed, the same choices
    with (
        archive_stage(seed, misbehaves=True) as (zone, app),
        Sayer(zone.client.url, rng.randrange(2**32), wanted) as sayer,
    ):
        hazards = Hazards(zone, app.keys, random.Random(rng.random()))  # noqa: S311
        rotate_key(zone, app.keys)
        killing = _Killing(app, hazards, sayer, rng)
        callbacks = Callbacks(zone.client)
        began = time.monotonic()
        for number in range(1, kills + 1):
            killing.next(number / kills)
            callbacks.read()
            if number % 10 == 0 or number == kills:
                say(f"{number} of {kills} kills, {len(sayer.said)} messages said, {archived(app.database)} archived")
        killed = round(time.monotonic() - began, 1)
        hazards.end()
        away = Away(zone, rng)
        away.call_program(QUICK_AWAY if quick else AWAY)
        caught_up, failures = _wait_handled(zone, app, hazards, sayer, MessageKeys(seed))
        failures += _wait_notified(app, callbacks, away.announced)
        figures = {
            "killing_s": killed,
            **killing.figures(),
            **caught_up,
            "hazards": dict(sorted(hazards.counts.items())),
            "callbacks": callbacks.figures(),
            "notifications_handled": handled(app.database.parent),
            "notified_while_away": len(away.announced),
        }
        return Findings(figures=figures, failures=[*killing.failures, *failures, *app.traceback()])


class _Killing:
    """Starts the app and kills it.

    Args:
        app: Which one.
        hazards: What goes wrong besides.
        sayer: Says messages meanwhile.
        rng: Chooses the moments.

    Attributes:
        failures: One line for each broken promise.
    """

    def __init__(self, app: ArchiveApp, hazards: Hazards, sayer: Sayer, rng: random.Random) -> None:
        self._app = app
        self._hazards = hazards
        self._sayer = sayer
        self._rng = rng
        self._starts: list[float] = []
        self._moments: Counter[str] = Counter()
        self.failures: list[str] = []

    def next(self, part: float) -> None:
        """Start the app, let messages be said and something go wrong, and kill it.

        Args:
            part: How large a part of all messages is said by the end.
        """
        self._sayer.allow(part)
        self._app.start()
        self._hazards.next()
        moment = self._rng.choice(MOMENTS) if self._starts else "up"
        self._moments[moment] += 1
        if moment == "starting":
            time.sleep(self._rng.uniform(*STARTING))
        else:
            self._starts.append(self._app.wait_up())
            time.sleep(self._rng.uniform(*UP))
        if moment == "writing":
            self._app.wait_written(WRITE_LIMIT)
            time.sleep(self._rng.uniform(*WRITTEN))
        if not self._app.lives():
            self.failures.append(f"the app ended by itself: {self._app.said()[-500:]}")
        self._app.kill()
        time.sleep(self._rng.uniform(*BETWEEN))

    def figures(self) -> dict[str, Any]:
        """Return how often the app was killed, and how long it took to be there again."""
        return {
            "kills": dict(sorted(self._moments.items())),
            "start_median_s": round(statistics.median(self._starts), 3),
            "start_longest_s": round(max(self._starts), 3),
        }


def _wait_handled(
    zone: ServedZone, app: ArchiveApp, hazards: Hazards, sayer: Sayer, keys: MessageKeys
) -> tuple[dict[str, Any], list[str]]:
    """Let everything work again, wait until the app has all that was said, and return figures and broken promises."""
    began, said, before = time.monotonic(), len(sayer.said), archived(app.database)
    app.start()
    hazards.end()
    spoken = said
    while not sayer.wait_said(CATCH_UP):
        if len(sayer.said) == spoken:
            raise RuntimeError(f"for {CATCH_UP:g} seconds nobody has said anything after {spoken} messages")
        spoken = len(sayer.said)
    groups, failures = _groups(zone, sayer), [""]

    def complete() -> bool:
        failures[:] = judge(app.database, sayer.said, keys.secret_key, groups)
        return not failures

    until(complete, CATCH_UP, 0.2)
    figures = {
        "said_while_killing": said,
        "archived_while_killing": before,
        "said": len(sayer.said),
        "archived": archived(app.database),
        "groups": len(groups),
        "caught_up_s": round(time.monotonic() - began, 1),
    }
    return figures, failures


def _wait_notified(app: ArchiveApp, callbacks: Callbacks, announced: Collection[int]) -> list[str]:
    """Wait until the app has all that it was told and no notification waits, and return the broken promises."""
    folder, changed, before = app.database.parent, time.monotonic(), None
    while True:
        callbacks.read()
        if not app.lives():
            return [f"the app ended by itself: {app.said()[-500:]}"]
        lost, unhandled = judge_announced(folder, announced), judge_notifications(folder, callbacks.delivered)
        stages = handled(folder)
        if (now := (stages.get("done"), stages.get("failed"), lost)) != before:
            changed, before = time.monotonic(), now
        if not (lost or unhandled) or time.monotonic() - changed > STALLED:
            return [*lost, *unhandled]
        time.sleep(POLL)


def _groups(zone: ServedZone, sayer: Sayer) -> dict[str, list[str]]:
    """Return the members of the groups that something was said in, where the platform gives them."""
    known: dict[str, list[str]] = {}
    with closing(zone.app_client()) as client:
        for chatid in sorted(sayer.groups):
            try:
                group = client.call(get_group_chat.Request(chatid=chatid))
            except SdkApiError:
                continue  # 710624: it is not an internal group
            known[chatid] = [member.memberid for member in group.members]
    return known
