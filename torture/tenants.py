"""The corps of a provider's app: what their people say, what their admins do, and which messages the app is to have.

Knows neither the app nor its database.
"""

import random
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple, Self

from torture.sayer import Sayer
from wwspec_devtools.emulator.http.client import EmulatorClient
from wwspec_devtools.emulator.state.keys import MessageKeys

__all__ = ["Claim", "Tenant"]

CHAT = "chat"
"""The data permission that ends and is renewed."""


class Claim(NamedTuple):
    """Which messages of a corp the app must have, may have, or must not have any more."""

    wanted: frozenset[str]
    """Said while the corp had the app, with the permission for chats."""
    allowed: frozenset[str]
    """Said without the permission, or before a cancellation that the app was not told of."""
    gone: frozenset[str]
    """Said before a cancellation that the app has acknowledged."""


class _Period(NamedTuple):
    begin: int
    """How many messages were said before it."""
    life: int
    """How often the corp had installed the app by then."""
    permitted: bool


class Tenant:
    """One corp. Its people talk on a thread of their own, from `with` to its end.

    Args:
        url: The emulator's.
        corpid: The corp.
        number: Which one of the emulator's corps, from 0.
        seed: Of the emulator.
        wanted: How many messages are said in all.

    Attributes:
        corpid: The corp.
        client: The controls of its app.
        sayer: Says the messages.
        has_app: Whether it has the app.
        permitted: Whether the app may have its chats.
    """

    def __init__(self, url: str, corpid: str, number: int, seed: int, wanted: int) -> None:
        self.corpid = corpid
        self.client = EmulatorClient(url, corp=corpid)
        rng = random.Random(f"{seed}:{number}")  # noqa: S311 - the same seed, the same choices
        self.sayer = Sayer(url, rng.randrange(2**32), wanted, corpid)
        self.has_app = self.permitted = True
        self._keys = MessageKeys(seed if number == 0 else f"{seed}:{corpid}")
        self._life = self._left = 0
        self._acknowledged: set[int] = set()
        self._periods = [_Period(0, 0, True)]

    def __enter__(self) -> Self:
        self.sayer.__enter__()
        return self

    def __exit__(self, *error: object) -> None:
        self.sayer.__exit__(*error)
        self.client.close()

    def secret_key(self, msgid: str) -> str:
        """Return the key of a message in clear, as this corp has it."""
        return self._keys.secret_key(msgid)

    def end_permission(self) -> None:
        """End the permission for chats."""
        with self._change():
            self.client.expire([CHAT])
            self.permitted = False

    def renew_permission(self) -> None:
        """Grant the permission for chats again."""
        with self._change():
            self.client.renew([CHAT])
            self.permitted = True

    def leave(self) -> None:
        """Cancel the authorisation of the app."""
        with self._change():
            self._left = int(self.client.info()["now"])
            self.client.cancel()
            self.has_app = self.permitted = False

    def join(self) -> None:
        """Install the app again, with all permissions."""
        if any(self._is_cancellation(each) for each in self.client.commands() if each["state"] == "delivered"):
            self._acknowledged.add(self._life)
        with self._change():
            self.client.authorize()
            self._life += 1
            self.has_app = self.permitted = True

    def claim(self) -> Claim:
        """Return which messages are the app's."""
        kinds: dict[str, set[str]] = {"wanted": set(), "allowed": set(), "gone": set()}
        ends = [period.begin for period in self._periods[1:]] + [len(self.sayer.said)]
        for period, end in zip(self._periods, ends, strict=True):
            kind = "wanted" if period.permitted and period.life == self._life else "allowed"
            kinds["gone" if period.life in self._acknowledged else kind].update(self.sayer.said[period.begin : end])
        return Claim(*(frozenset(kinds[kind]) for kind in Claim._fields))

    @contextmanager
    def _change(self) -> Iterator[None]:
        with self.sayer.silence() as said:
            yield
            self._periods.append(_Period(said, self._life, self.permitted))

    def _is_cancellation(self, command: dict[str, Any]) -> bool:
        """Return whether a command says that the corp has left, the last time that it did."""
        content = command["content"]
        named = content["InfoType"], content.get("AuthCorpId")
        return named == ("cancel_auth", self.corpid) and content["TimeStamp"] >= self._left
