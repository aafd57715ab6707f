"""What a suite does when WeCom calls the command URL, and how it forgets a corp."""

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, Protocol, cast

from wwspec_client.errors import NotInstalledError
from wwspec_client.installations import Installation
from wwspec_client.steps import Steps, ask
from wwspec_client.suite.core import SuiteCore
from wwspec_client.suite.events import (
    PERMISSION_LASTS,
    CancelAuth,
    ChangeAuth,
    CreateAuth,
    DataPermission,
    DataPermissionEnded,
    ResetPermanentCode,
    SuiteEvent,
    SuiteTicket,
    read_event,
)
from wwspec_contracts.callbacks import Callback
from wwspec_contracts.errors import ConfigurationError
from wwspec_contracts.support.printable import printable

_CLOCKS = 10.0
"""Seconds that the clock of a machine may differ from WeCom's, in the order of a cancellation and an installation."""

_log = logging.getLogger("wwspec_client.suite")


class _Forgetting(Protocol):
    def forget(self, corpid: str, /) -> object: ...


Forgets = _Forgetting | Callable[[str], object]
"""An object with `forget(corpid)`, such as a store, or a function of the app's."""


class Commands:
    """Handles events of the command URL.

    Args:
        core: The suite.
        forgets: What else is deleted of a corp.
        on_event: Called with each event; may be None.
        drop: Drops the client of a corp.

    Raises:
        ConfigurationError: One of `forgets` can't be called.
    """

    def __init__(
        self,
        core: SuiteCore,
        forgets: Sequence[Forgets],
        on_event: Callable[[SuiteEvent], Any] | None,
        drop: Callable[[str], None],
    ) -> None:
        self._core = core
        self._records = core.records
        if not isinstance(forgets, Iterable):
            raise ConfigurationError(f"forgets is a list, such as [store], not {type(forgets).__name__}")
        self._forgets = [_function_of(each) for each in forgets]
        self._on_event = on_event
        self._drop = drop

    def handle(self, callback: Callback) -> Steps[None]:
        """Do what a callback asks for, and then let the app do its part.

        Raises:
            Exception: Something failed, so that all of it is to be done again.
        """
        event = yield from self._do_part(read_event(callback, self._core.suite_id))
        if event is not None and self._on_event is not None:
            yield from ask(partial(self._on_event, event))

    def forget(self, corpid: str) -> Steps[None]:
        """Delete all that is stored of a corp; a permanent_code that has come since an attempt began is kept."""

        def decide(found: Installation | None) -> Steps[Installation | None]:
            yield from ()
            return self._records.marked(found, corpid, keep_code=found is not None and found.forgetting)

        self._core.drop_unsaved(corpid)
        yield from self._records.decide(corpid, decide)
        yield from self._delete(corpid)

    def reconcile(self, corpid: str = "") -> Steps[Sequence[str]]:
        """Forget the corps, or one, that have removed the app according to two answers of WeCom's; return them.

        Raises:
            Exception: The first error; all other corps have been asked.
        """
        gone: list[str] = []
        failures: list[Exception] = []
        for each in [corpid] if corpid else (yield from self._records.corps()):
            try:
                if (yield from self.is_gone(each)):
                    gone.append(each)
            except Exception as error:
                failures.append(error)
        if failures:
            raise failures[0]
        return gone

    def is_gone(self, corpid: str) -> Steps[bool]:
        """Ask WeCom whether a corp still has the app; forget it when it hasn't, and return whether that was done.

        What a crash has interrupted goes on.
        """

        def decide(found: Installation | None) -> Steps[Installation | None]:
            if found is None or not found.is_ready:
                return found
            asked = yield from self._core.ask_anew(found)
            return asked or self._records.marked(found, corpid, keep_code=False)

        found = yield from self._records.decide(corpid, decide)
        if found is None or not (found.forgetting and found.refused_at):
            return False
        yield from self._delete(corpid)
        self._core.report_gone(corpid)
        return True

    def _delete(self, corpid: str) -> Steps[None]:
        """Delete all that is stored of a corp whose installation is marked.

        The installation is removed last: after a crash, the next attempt goes on from there, and a corp that installs
        the app again meanwhile keeps its new permanent_code.
        """
        self._drop(corpid)
        failures: list[Exception] = []
        for forget in (self._core.forget_token, *self._forgets):
            try:
                yield from ask(partial(forget, corpid))
            except Exception as error:
                failures.append(error)
        if failures:
            raise failures[0]
        yield from self._records.unmark(corpid)

    def _do_part(self, event: SuiteEvent) -> Steps[SuiteEvent | None]:
        """Return the event for the app; None when it is not to see it."""
        match event:
            case SuiteTicket():
                yield from self._core.save_ticket(event.ticket, event.time.timestamp())
            case CreateAuth() | ResetPermanentCode():
                found = yield from self._core.install(event.auth_code)
                yield from self._records.ready(found.corpid)
                return replace(event, corpid=found.corpid)
            case ChangeAuth():
                if (yield from self._core.refresh(event.corpid)) is None:
                    _log.warning("change_auth of corp %s, which has no installation", printable(event.corpid))
            case CancelAuth():
                return (yield from self._cancel(event))
            case DataPermission(is_chat=True):
                yield from self._note_permission(event)
        return event

    def _note_permission(self, event: DataPermission) -> Steps[None]:
        """Store when a permission ends: events may come in any order."""
        until = event.until.timestamp()
        ends = isinstance(event, DataPermissionEnded)

        def change(stored: Installation) -> Mapping[str, Any]:
            if not ends:
                return {"data_until": max(stored.data_until, until)}
            renewed = stored.data_until > until + PERMISSION_LASTS.total_seconds()
            return {} if renewed else {"data_until": until}

        if (yield from self._records.change(event.corpid, change)) is None:
            raise NotInstalledError(event.corpid)

    def _cancel(self, event: CancelAuth) -> Steps[CancelAuth | None]:
        """Forget a corp, unless it has installed the app again after the cancellation; return None then."""
        corpid = event.corpid

        def decide(found: Installation | None) -> Steps[Installation | None]:
            is_back = found is not None and (yield from self._is_back(found, event.time.timestamp()))
            if is_back and found is not None and not found.forgetting:
                return found
            return self._records.marked(found, corpid, keep_code=is_back)

        yield from self._core.store_unsaved(corpid)
        found = yield from self._records.decide(corpid, decide)
        if found is not None and not found.forgetting:
            _log.warning("a late cancel_auth of corp %s, which has the app again", printable(corpid))
            return None
        yield from self._delete(corpid)
        return event

    def _is_back(self, found: Installation, cancelled: float) -> Steps[bool]:
        """Return whether an installation is of after a cancellation; WeCom is asked when the times do not say."""
        if not found.permanent_code or cancelled >= found.installed_at + _CLOCKS:
            return False
        return (yield from self._core.ask_auth_info(found)) is not None


def _function_of(each: Forgets) -> Callable[[str], object]:
    forget: Callable[[str], object] | None = getattr(each, "forget", None)
    if forget is None and not callable(each):
        raise ConfigurationError(f"forgets has functions, and objects with forget(corpid), not {type(each).__name__}")
    return forget or cast(Callable[[str], object], each)
