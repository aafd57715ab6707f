"""Tells the platform what came of an asynchronous call, and finds out whether that was heard [99847].

It knows neither the journal, nor when a report is sent again, nor how abilities answer.
"""

import logging
from collections.abc import Iterator, Mapping
from enum import Enum
from typing import NamedTuple

import msgspec

from wwspec_router.logs import short
from wwspec_router.sdk.base import Sdk
from wwspec_router.stacks import describe
from wwspec_router.stores.base import Job, Outcome

__all__ = ["PATIENCE", "REFUSALS", "REPORT_API", "Kind", "Refusal", "Reporter", "Verdict"]

log = logging.getLogger(__name__)

REPORT_API = "program_async_job_call_back"

PATIENCE = 10
"""How often a job is claimed before a refusal that is not in the table counts as one of its result: some three minutes
of reports. So an unknown word for "not now" costs no result, and one for "never" does not leave the app waiting."""


class Kind(Enum):
    """What is refused."""

    NOW = "now"
    """The moment, or a right that is missing: the same report may be taken later."""
    RESULT = "result"
    """This result, for good: an error may be taken in its place."""
    OVER = "over"
    """A job that is over: it was reported before, or the platform waits no longer."""
    JOB = "job"
    """The job itself: the platform does not know it."""


class Refusal(NamedTuple):
    """What an errcode of the platform says of a report."""

    kind: Kind
    reason: str


REFUSALS: Mapping[int, Refusal] = {
    -1: Refusal(Kind.NOW, "the platform is busy"),
    40014: Refusal(Kind.NOW, "the access_token of debug mode is not valid"),
    42001: Refusal(Kind.NOW, "the access_token of debug mode has expired"),
    45009: Refusal(Kind.NOW, "too many calls in this time"),
    45033: Refusal(Kind.NOW, "too many calls at once"),
    45036: Refusal(Kind.NOW, "too much data in this time"),
    48001: Refusal(Kind.NOW, "the API is not authorised"),
    48002: Refusal(Kind.NOW, "the app has no right to call the API"),
    710641: Refusal(Kind.NOW, "the app has no right to use the zone"),
    710645: Refusal(Kind.NOW, "the program is missing or in an abnormal state"),
    710671: Refusal(Kind.NOW, "the credential of debug mode has expired"),
    710673: Refusal(Kind.NOW, "the program is not in debug mode"),
    790020: Refusal(Kind.NOW, "the program is not linked with the app"),
    790021: Refusal(Kind.NOW, "the program is not deployed normally"),
    40058: Refusal(Kind.RESULT, "it is not a legal parameter"),
    40063: Refusal(Kind.RESULT, "it is empty"),
    40206: Refusal(Kind.RESULT, "it is too large"),
    45029: Refusal(Kind.RESULT, "it is too large"),
    710639: Refusal(Kind.RESULT, "it holds improper content"),
    790013: Refusal(Kind.RESULT, "it is not JSON"),
    790014: Refusal(Kind.RESULT, "it does not match the output contract"),
    790022: Refusal(Kind.RESULT, "it holds improper content"),
    790010: Refusal(Kind.OVER, "the platform waits for it no longer"),
    790017: Refusal(Kind.JOB, "the platform does not know its job_info"),
}
"""What the errcodes mean that a report may be refused with, by its list of errcodes."""


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


class _Error(msgspec.Struct):
    """The result that is reported in the place of one that was refused."""

    errcode: int
    errmsg: str


class Reporter:
    """Reports outcomes.

    Args:
        sdk: Carries the reports.
    """

    def __init__(self, sdk: Sdk) -> None:
        self._sdk = sdk

    def tell(self, job: Job, outcome: Outcome) -> Verdict:
        """Report an outcome once; one that the platform refuses for good is replaced by an error. Blocks.

        Never raises.
        """
        errcode = self._send(job, outcome)
        refusal = _refusal(job, errcode)
        if errcode is None or refusal.kind is not Kind.RESULT:
            return self._verdict(job, errcode, refusal)
        log.error("job %s of %s: result refused (%d), %s", short(job.job_id), _ability(job), errcode, refusal.reason)
        for instead in _instead_of_result(errcode, refusal.reason):
            errcode = self._send(job, instead)
            refusal = _refusal(job, errcode)
            if errcode is None or refusal.kind is not Kind.RESULT:
                return self._verdict(job, errcode, refusal)
        log.error("job %s of %s given up: not even {} was taken (%d)", short(job.job_id), _ability(job), errcode)
        return Verdict.HOPELESS

    def _verdict(self, job: Job, errcode: int | None, refusal: Refusal) -> Verdict:
        """Return what became of the last report that was sent, and log it unless it was heard."""
        if errcode == 0:
            return Verdict.DONE
        if refusal.kind is Kind.OVER:
            log.warning("job %s: %s (%d)", short(job.job_id), refusal.reason, errcode)
            return Verdict.DONE
        if refusal.kind is Kind.JOB:
            log.error("job %s given up: %s (%d)", short(job.job_id), refusal.reason, errcode)
            return Verdict.HOPELESS
        why = refusal.reason if errcode is None else f"{refusal.reason} ({errcode})"
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


def _refusal(job: Job, errcode: int | None) -> Refusal:
    """Return what an answer says; of none, and of 0, that the moment is to blame."""
    if errcode is None:
        return Refusal(Kind.NOW, "it did not get through")
    unknown = Refusal(Kind.RESULT if job.claims >= PATIENCE and errcode else Kind.NOW, "refused for an unknown reason")
    return REFUSALS.get(errcode, unknown)


def _instead_of_result(errcode: int, reason: str) -> Iterator[Outcome]:
    """Give what is reported in the place of a refused result: an error, then an object that fits every contract."""
    error = _Error(errcode, f"the platform refused the result: {reason}")
    yield Outcome(errcode=errcode, result=msgspec.json.encode(error).decode())
    yield Outcome(errcode=errcode, result="{}")


def _ability(job: Job) -> str:
    return short(job.ability_id, 64)
