"""The notifications that the app of a zone gets: waits for one of a kind, and fetches its payload as the app does.

With it: what the application's registry file says of abilities and notifications.
"""

from pathlib import Path
from time import monotonic
from typing import Any

import msgspec

from wwspec_contracts.base import Contract
from wwspec_contracts.errors import ConfigurationError, RegistryError, WWSpecError, did_you_mean
from wwspec_devtools.emulator.events.types import EVENT_TYPES
from wwspec_devtools.emulator.http.client import EmulatorClient
from wwspec_devtools.testing.answer import Answer
from wwspec_devtools.testing.app import App
from wwspec_router.handlers.marks import mark_of
from wwspec_router.registry.file import Registry, parse_registry


class ZoneTimeoutError(WWSpecError):
    """What a test waits for has not happened in time."""


class Notifications:
    """Waits for notifications of a kind; each is returned once, the oldest first.

    Args:
        client: Of the emulator.
        app: Fetches payloads.
        registry: The registry file of the application.
    """

    def __init__(self, client: EmulatorClient, app: App, registry: Path) -> None:
        self._client = client
        self._app = app
        self._registry = registry
        self._last = 0
        self._resets = 0
        self._fetched: list[dict[str, Any]] = []
        """Payloads that no test has asked for."""
        self._refused: list[str] = []
        """Why payloads could not be fetched."""

    def next(self, kind: str | type[Contract], seconds: float) -> Any:
        """Return the payload of the next notification of a kind.

        Args:
            kind: Its name, for the whole reply as plain JSON; or the type of the payload, which is returned.
            seconds: How long to wait for it.

        Raises:
            ConfigurationError: No notification has that kind, or the registry file has faults.
            ZoneTimeoutError: It has not come by then.
        """
        registry = _read(self._registry)
        name = _name_of(kind, registry)
        ability_id = _ability_id(registry)
        until = monotonic() + seconds
        if self._resets != self._client.resets:
            self._last, self._resets, self._fetched, self._refused = 0, self._client.resets, [], []
        while (found := next((each for each in self._fetched if each.get("event_type") == name), None)) is None:
            left = until - monotonic()
            if not self._fetch(ability_id, max(0.0, left)) and left <= 0:
                raise ZoneTimeoutError(f"no notification of {name} within {seconds:g} s; {self._came()}")
        self._fetched.remove(found)
        if isinstance(kind, str):
            return found
        own = found[name] if name in registry.notifications or mark_of(kind) else {**found}
        own.pop(f"{name}_result", None)  # of the code on an event; its contract does not list it
        raw = msgspec.json.encode(own).decode()
        return Answer(f"notification {name}", 0, "ok", None, raw, reply_type=kind).reply

    def _fetch(self, ability_id: str, seconds: float) -> bool:
        """Fetch the payloads of new notifications; return whether there were some."""
        new, self._last = self._client.notifications_after(self._last, seconds)
        for each in new:
            answer = self._app.call(ability_id, None, each["notify_id"])
            if answer.refused_by is None:
                self._fetched.append(answer.reply)
            else:
                self._refused.append(answer.refusal)
        return bool(new)

    def _came(self) -> str:
        came = [*(str(each.get("event_type")) for each in self._fetched), *self._refused]
        return f"there came: {', '.join(came)}" if came else "there came none"


def _read(path: Path) -> Registry:
    """Return what a registry file declares.

    Raises:
        RegistryError: It has faults.
    """
    registry, faults = parse_registry(path)
    if faults:
        raise RegistryError(faults)
    return registry


def ability_id_of(api: str, registry: Path) -> str:
    """Return the ability ID that calls an SDK API: its name behind the prefix of `[passthrough]`, or its own row.

    Args:
        api: The API's name.
        registry: The registry file of the application.

    Raises:
        ConfigurationError: No ability calls the API, or several do.
    """
    read = _read(registry)
    passthrough = read.passthrough
    if passthrough is not None and (passthrough.apis == "*" or api in passthrough.apis):
        return f"{passthrough.prefix}{api}"
    rows = [ability_id for ability_id, row in read.abilities.items() if row.api == api]
    if len(rows) == 1:
        return rows[0]
    found = f"{', '.join(rows)} all call" if rows else "no ability calls"
    raise ConfigurationError(
        f"{registry}: {found} SDK API {api}: name the ability, as in call(ABILITY, request, reply=Response)"
    )


def _name_of(kind: str | type[Contract], registry: Registry) -> str:
    """Return the name of a kind of notification."""
    if isinstance(kind, str):
        known = (*EVENT_TYPES, *registry.events, *registry.notifications)
        if kind not in known and not registry.program.modules:  # whose marks are not known here
            meant = did_you_mean(kind, known, f"there are {', '.join(known)}")
            raise ConfigurationError(f"{registry.path}: no notification is of kind {kind}; {meant}")
        return kind
    target = f"{kind.__module__}:{kind.__qualname__}"
    for name, row in registry.notifications.items():
        if row.contract == target:
            return name
    mark = mark_of(kind)
    if mark is not None and mark.marked is kind:
        return mark.keys[0]
    if kind.__name__ == "Event":
        return kind.__module__.rpartition(".")[2]
    raise ConfigurationError(
        f'{registry.path}: no row [notifications.<kind>] has contract = "{target}", and it has no mark @notification '
        "and is no event of WeCom"
    )


def _ability_id(registry: Registry) -> str:
    """Return the ability by which the app fetches what it is notified of."""
    for ability_id, row in registry.abilities.items():
        if row.kind == "callback_data":
            return ability_id
    raise ConfigurationError(f'{registry.path}: no ability has kind = "callback_data", by which the app fetches events')
