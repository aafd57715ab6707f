"""Runs around all own code: writes a line for each run, and refuses calls of corps that are suspended."""

import logging
from collections.abc import Iterator

from wwspec_router import AbilityError, Run

log = logging.getLogger(__name__)


def around(run: Run) -> Iterator[None]:
    """Refuse, or let the code run and write who ran what, and how it ended.

    Code on an event is not refused: that would be a failure, which is repeated. It returns for such a corp by itself.
    """
    if run.ability_id and run.corpid in run.settings.suspended:
        raise AbilityError("this corp is suspended", errcode=9100)
    try:
        yield
    finally:
        what = run.ability_id or run.event_type
        log.info("%s of %s/%d, run %d: %d", what, run.corpid, run.agentid, run.attempt, run.errcode)
