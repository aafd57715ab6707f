"""Tells the platform what came of an asynchronous call, and finds out whether that was heard [99847].

It knows neither the journal, nor when a report is sent again, nor how abilities answer.
"""

import logging
from enum import Enum

import msgspec

from wwspec_router.logs import describe, short
from wwspec_router.sdk.base import Sdk
from wwspec_router.stores.base import Job, Outcome

__all__ = ["MISFIT", "REPORT_API", "Reporter", "Verdict"]

log = logging.getLogger(__name__)

REPORT_API = "program_async_job_call_back"

MISFIT = 790014
"""The result does not match the output contract [99847]."""
_REFUSED_RESULTS = {790013: "it is not JSON", MISFIT: "it does not match the output contract"}
_STAND_INS = (
    Outcome(errcode=MISFIT, result='{"errcode":790014,"errmsg":"the result did not match the output contract"}'),
    Outcome(errcode=MISFIT, result="{}"),
)
"""What is reported in the place of a refused result: an error, then an object that fits every object's contract."""
_OVER = 790010
"""The job is not in progress: it was reported before, or the platform waits no longer."""
_UNKNOWN = 790017
"""The platform does not know the job_info."""


class Verdict(Enum):
    """What the platform made of a report."""

    DONE = "done"
    """It was heard, or nobody waits for it."""
    UNHEARD = "unheard"
    """It did not get through, or was refused for the moment."""
    HOPELESS = "hopeless"
    """It was refused, and so would be every other."""


class _Report(msgspec.Struct):
    """The request of `program_async_job_call_back` [99847]."""

    errcode: int
    result: str


class _Heard(msgspec.Struct):
    """What matters of the platform's answer."""

    errcode: int = 0


class Reporter:
    """Reports outcomes.

    Args:
        sdk: Carries the reports.
    """

    def __init__(self, sdk: Sdk) -> None:
        self._sdk = sdk

    def tell(self, job: Job, outcome: Outcome) -> Verdict:
        """Report an outcome once; one that the platform refuses is replaced by an error. Blocks. Never raises."""
        errcode = self._send(job, outcome)
        for stand_in in _STAND_INS:
            if errcode not in _REFUSED_RESULTS:
                break
            why = _REFUSED_RESULTS[errcode]
            log.error("job %s of %s: result refused (%d), %s", short(job.job_id), _ability(job), errcode, why)
            errcode = self._send(job, stand_in)
        return self._verdict(job, errcode)

    def _verdict(self, job: Job, errcode: int | None) -> Verdict:
        if errcode == 0:
            return Verdict.DONE
        if errcode == _OVER:
            log.warning("job %s: the platform waits for it no longer (%d)", short(job.job_id), errcode)
            return Verdict.DONE
        if errcode == _UNKNOWN:
            log.error("job %s given up: the platform does not know its job_info (%d)", short(job.job_id), errcode)
            return Verdict.HOPELESS
        if errcode in _REFUSED_RESULTS:
            log.error("job %s of %s given up: not even {} was taken (%d)", short(job.job_id), _ability(job), errcode)
            return Verdict.HOPELESS
        why = "it did not get through" if errcode is None else f"refused with {errcode}"
        log.warning("job %s not reported, %s; it will be tried again", short(job.job_id), why)
        return Verdict.UNHEARD

    def _send(self, job: Job, outcome: Outcome) -> int | None:
        """Send a report; return the platform's errcode, or None when it did not get through."""
        try:
            report = msgspec.json.encode(_Report(outcome.errcode, outcome.result)).decode()
            client = self._sdk.client(job.corpid, job.agentid, job.ability_id, job.job_info)
            return msgspec.json.decode(client.invoke(REPORT_API, report), type=_Heard).errcode
        except BaseException as error:  # whatever it was, the platform has not said that it heard
            log.debug("job %s: %s", short(job.job_id), describe(error))
            return None


def _ability(job: Job) -> str:
    return short(job.ability_id, 64)
