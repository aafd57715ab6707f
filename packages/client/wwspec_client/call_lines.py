"""Log lines of a client's requests: of an app that logs them, and of `WWSPEC_LOG` without any set-up in the app."""

import logging
import os
from collections.abc import Iterable

from wwspec_client.hooks import ClientAttempt, ClientCall, ClientHooks, ClientOutcome, Hooks
from wwspec_contracts.errors import ConfigurationError

__all__ = ["LogHooks"]

VARIABLE = "WWSPEC_LOG"
LOGGER = "wwspec_client"

log: logging.Logger = logging.getLogger(LOGGER)

_LEVELS = {"debug": logging.DEBUG, "info": logging.INFO}
_LINE = "%(asctime)s %(levelname)s %(name)s %(message)s"


class LogHooks(ClientHooks):
    """Logs the requests of a client with the logger `wwspec_client`; see `WWSPEC_LOG`.

    DEBUG has each attempt, INFO each call, and each attempt after which there is another one. A line has what was
    called, how it ended, how long it took and WeCom's number of the request; never a token, a secret or a body.
    """

    def before_attempt(self, attempt: ClientAttempt) -> None:
        """Log that an attempt is sent.

        Args:
            attempt: The attempt.
        """
        log.debug("%s attempt %d", _name(attempt.call), attempt.number)

    def after_attempt(self, attempt: ClientAttempt, outcome: ClientOutcome) -> None:
        """Log how an attempt ended.

        Args:
            attempt: The attempt.
            outcome: How it ended.
        """
        level = logging.DEBUG if outcome.pause is None else logging.INFO
        if log.isEnabledFor(level):
            again = "" if outcome.pause is None else f" next_attempt_in={outcome.pause:.3g}s"
            log.log(level, "%s attempt %d %s%s", _name(attempt.call), attempt.number, _ending(outcome), again)

    def after_call(self, call: ClientCall, outcome: ClientOutcome) -> None:
        """Log how a call ended.

        Args:
            call: The request.
            outcome: How it ended.
        """
        if log.isEnabledFor(logging.INFO):
            log.info("%s %s", _name(call), _ending(outcome))


def hooks_of(hooks: Iterable[ClientHooks]) -> Hooks:
    """Return the hooks of a client, with those that `WWSPEC_LOG` asks for.

    Args:
        hooks: Those that the app gives.

    Raises:
        ConfigurationError: They are no list of hooks.
    """
    if not isinstance(hooks, Iterable):
        raise ConfigurationError(f"hooks is a list, such as [LogHooks()], not {type(hooks).__name__}")
    given = tuple(hooks)
    if (value := os.environ.get(VARIABLE, "")) and _listens(value) and not any(type(e) is LogHooks for e in given):
        given = (*given, LogHooks())
    return Hooks(given)


def _listens(value: str) -> bool:
    """Let the lines of a level come to standard error, unless the app has handlers of its own."""
    level = _LEVELS.get(value.strip().lower())
    if level is None:
        log.warning("%s is debug or info, not %r: no requests are logged", VARIABLE, value)
        return False
    log.setLevel(level)
    if not log.handlers:
        handler = logging.StreamHandler()
        handler.setFormatter(logging.Formatter(_LINE))
        handler.addFilter(lambda record: not logging.getLogger().handlers)  # its lines would come twice
        log.addHandler(handler)
    return True


def _name(call: ClientCall) -> str:
    of = (call.ability_id, f"program_id={call.program_id}" if call.program_id else "")
    return " ".join(filter(None, (call.api, *of, f"corpid={call.corpid}" if call.corpid else "")))


def _ending(outcome: ClientOutcome) -> str:
    facts = {
        "status": outcome.status,
        "errcode": outcome.errcode,
        "error": outcome.error_type,
        "request_id": outcome.request_id,
    }
    shown = (f"{name}={value}" for name, value in facts.items() if value)
    return " ".join(("failed" if outcome.error_type else "ok", f"ms={outcome.seconds * 1000:.1f}", *shown))
