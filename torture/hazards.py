"""What goes wrong around an enterprise app, one thing at a time: tokens, the platform, callbacks, keys, the program."""

import random
import threading
from collections import Counter
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

from torture.archive import rotate_key
from wwspec_devtools.testing.zone import ServedZone

__all__ = ["Hazards"]

ROTATIONS = 4
"""Of the app's key, at most: new ones take a second to make."""
LATE = (0.5, 10.0)
"""Seconds by which a callback is late."""
DOWN = (0.5, 3.0)
"""Seconds for which the program is away."""
CALL, PULL = "sync_call_program", "sync_msg"


class Hazards:
    """Lets things go wrong, each kind about as often.

    Args:
        zone: Whose emulator and program.
        keys: The folder where the app finds its private keys; None for an app that makes its own.
        rng: Chooses what goes wrong, and how badly.
        more: What else goes wrong, by its name.

    Attributes:
        counts: How often each kind happened.
    """

    def __init__(
        self,
        zone: ServedZone,
        keys: Path | None,
        rng: random.Random,
        more: Mapping[str, Callable[[], object]] = {},
    ) -> None:
        self._zone = zone
        self._rng = rng
        self._kinds: dict[str, Callable[[], object]] = {
            "token expired": zone.client.expire_tokens,
            "token refused": lambda: self._fault("app", "errcode", CALL, 40014, 1),
            "45033 of WeCom": lambda: self._fault("app", "errcode", CALL, 45033, 3),
            "45033 of the SDK": lambda: self._fault("sdk", "errcode", PULL, 45033, 5),
            "connection cut": lambda: self._fault("app", "drop", CALL, 0, 2),
            "callbacks twice": lambda: self._fault("callback", "twice", "", 0, 30),
            "callbacks late": lambda: self._fault("callback", "late", "", rng.uniform(*LATE), 30),
            "callbacks lost": lambda: self._fault("callback", "never", "", 0, 60),
            "program down": self._let_program_die,
            **more,
        }
        if keys is not None:
            self._kinds["key rotated"] = partial(rotate_key, zone, keys)
        self._deck: list[str] = []
        self._program_is_back: threading.Thread | None = None
        self.counts: Counter[str] = Counter()

    def next(self) -> str:
        """Let the next thing go wrong, and return which."""
        if not self._deck:
            self._deck = self._rng.sample(list(self._kinds), len(self._kinds))
        kind = self._deck.pop()
        if kind == "key rotated" and self.counts[kind] == ROTATIONS:
            return self.next()
        self._kinds[kind]()
        self.counts[kind] += 1
        return kind

    def end(self) -> None:
        """Let everything work again."""
        self._zone.client.clear_faults()
        self._await_program()

    def _fault(self, on: str, effect: str, api: str, value: float, most: int) -> None:
        self._zone.client.add_fault(on, effect, api, value, self._rng.randint(1, most))

    def _let_program_die(self) -> None:
        self._await_program()
        self._zone.kill_program()
        self._program_is_back = threading.Timer(self._rng.uniform(*DOWN), self._zone.start_program)
        self._program_is_back.start()

    def _await_program(self) -> None:
        if self._program_is_back is not None:
            self._program_is_back.join()
