"""People who say one thing after the other in the emulator, as many as they are allowed to at the moment."""

import random
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any, Self

from wwspec_devtools.emulator.http.client import EmulatorClient

__all__ = ["Sayer"]

LONGEST_PAUSE = 0.02
"""Seconds between two messages, at most."""
BURST = 0.05
"""How many of the messages are followed by others without a pause."""


class Sayer:
    """Says messages on a thread of its own, from `with` to its end.

    Args:
        url: The emulator's.
        seed: Chooses who says something, to whom, and when.
        wanted: How many messages, when all are allowed.
        corp: Whose people they are, in an emulator with several corps; empty for the first one.

    Attributes:
        said: The msgids.
        groups: Where something was said: chatids.
    """

    def __init__(self, url: str, seed: int, wanted: int, corp: str = "") -> None:
        self._url = url
        self._corp = corp
        self._rng = random.Random(seed)  # noqa: S311 - the same seed, the same choices
        self._wanted = wanted
        self._allowed = 0
        self._changed = threading.Condition()
        self._saying = threading.Lock()
        self._ending = False
        self._thread = threading.Thread(target=self._run, name="sayer")
        self.said: list[str] = []
        self.groups: set[str] = set()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        with self._changed:
            self._ending = True
            self._changed.notify_all()
        self._thread.join()

    def allow(self, part: float) -> None:
        """Allow so large a part of all messages, from 0 to 1, to be said by now."""
        with self._changed:
            self._allowed = round(self._wanted * part)
            self._changed.notify_all()

    def wait_said(self, seconds: float) -> bool:
        """Wait until all that are allowed are said, for so many seconds at most; return whether they are."""
        with self._changed:
            return self._changed.wait_for(lambda: len(self.said) >= self._allowed, seconds)

    @contextmanager
    def silence(self) -> Iterator[int]:
        """Let nobody say anything within the block; yield how many messages there are."""
        with self._saying:
            yield len(self.said)

    def _run(self) -> None:
        with closing(EmulatorClient(self._url, corp=self._corp)) as client:
            info = client.info()
            while self._may_go_on():
                with self._saying:
                    self._say(client, info)
                if self._rng.random() > BURST:
                    with self._changed:
                        self._changed.wait_for(lambda: self._ending, self._rng.uniform(0, LONGEST_PAUSE))

    def _may_go_on(self) -> bool:
        with self._changed:
            self._changed.wait_for(lambda: self._ending or len(self.said) < self._allowed)
            return not self._ending

    def _say(self, client: EmulatorClient, info: dict[str, Any]) -> None:
        if self._rng.random() < 0.5:
            chatid = self._rng.choice(sorted(info["groups"]))
            sender = self._rng.choice(info["groups"][chatid]["members"])
            msgid = client.say(sender, "in a group", group=chatid)
            self.groups.add(chatid)
        else:
            employee, customer = (
                self._rng.choice(sorted(info["employees"])),
                self._rng.choice(sorted(info["customers"])),
            )
            msgid = client.say(employee, "to one", to=[customer])
        with self._changed:
            self.said.append(msgid)
            self._changed.notify_all()
