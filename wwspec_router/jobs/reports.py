"""Reports the outcome of an asynchronous call to the platform, and reads whether the platform accepted it [99847].

It knows neither the journal, nor when a report is sent again, nor how abilities answer.
"""

import logging
from collections.abc import Iterator, Mapping
from enum import Enum
from typing import NamedTuple

import msgspec

from wwspec_contracts.errcodes import ERRCODES, TOKEN_CODES
from wwspec_contracts.support.printable import short
from wwspec_contracts.support.stacks import describe
from wwspec_router.sdk.base import Sdk
from wwspec_router.stores.job import Job, Outcome

log = logging.getLogger(__name__)

REPORT_API = "program_async_job_call_back"

PATIENCE = 10
"""After so many claims of a job, which takes some three minutes of reports, an errcode that is not in the table counts
as a refusal of its result. So no result is lost when an unknown errcode means "not now", and the app does not wait for
ever when it means "never"."""


class Verdict(Enum):
    """What came of a report."""

    DONE = "done"
    """The platform accepted it, or does not wait for it."""
    FAILED = "failed"
    """It did not get through, or was refused for the moment: it can be sent again."""
    HOPELESS = "hopeless"
    """It was refused, and every further report would be refused too."""


class Refusal(NamedTuple):
    """What an errcode of the platform says about a report."""

    verdict: Verdict | None
    """What came of the report; None when its result is refused for good, and an error may be accepted in its place."""
    reason: str


_TEMPORARY = (-1, *TOKEN_CODES, 45009, 45033, 45036, 48001, 48002, 710641, 710645, 710671, 710673, 790020, 790021)
_RESULT = (40058, 40063, 40206, 45029, 710639, 790013, 790014, 790022)
_VERDICTS: dict[int, Verdict | None] = {
    **dict.fromkeys(_TEMPORARY, Verdict.FAILED),
    **dict.fromkeys(_RESULT, None),
    790010: Verdict.DONE,  # it was reported before, or the platform waits for it no longer
    790017: Verdict.HOPELESS,  # the platform does not know the job
}
REFUSALS: Mapping[int, Refusal] = {code: Refusal(verdict, ERRCODES[code].cause) for code, verdict in _VERDICTS.items()}
"""What a refusal of a report means, by errcode; the errcodes that the API documents."""


class _ReportAnswer(msgspec.Struct):
    """The part of the platform's answer that is read."""

    errcode: int = 0


_decode_answer = msgspec.json.Decoder(_ReportAnswer).decode


def report(sdk: Sdk, job: Job, outcome: Outcome) -> Verdict:
    """Report the outcome of a job; in place of a result that the platform refuses for good, an error. Never raises."""
    errcode = _send(sdk, job, outcome)
    refusal = _refusal(job, errcode)
    if errcode is None or refusal.verdict is not None:
        return _log_verdict(job, errcode, refusal)
    name = short(job.ability_id, 64)
    log.error("job %s of %s: result refused (%d), %s", short(job.job_id), name, errcode, refusal.reason)
    for replacement in _replacements(errcode, refusal.reason):
        errcode = _send(sdk, job, replacement)
        refusal = _refusal(job, errcode)
        if refusal.verdict is not None:
            return _log_verdict(job, errcode, refusal)
    log.error("job %s of %s given up: not even {} was accepted (%d)", short(job.job_id), name, errcode)
    return Verdict.HOPELESS


def _log_verdict(job: Job, errcode: int | None, refusal: Refusal) -> Verdict:
    """Return what came of a report of which the result was not refused, and log what went wrong."""
    if errcode == 0:
        return Verdict.DONE
    why = refusal.reason if errcode is None else f"{refusal.reason} ({errcode})"
    if refusal.verdict is Verdict.DONE:
        log.warning("job %s: %s", short(job.job_id), why)
    elif refusal.verdict is Verdict.HOPELESS:
        log.error("job %s given up: %s", short(job.job_id), why)
    else:
        log.warning("job %s not reported, %s; it will be tried again", short(job.job_id), why)
    return refusal.verdict or Verdict.FAILED


def _send(sdk: Sdk, job: Job, outcome: Outcome) -> int | None:
    """Send a report; return the platform's errcode, or None when it did not get through."""
    try:
        report = msgspec.json.encode({"errcode": outcome.errcode, "result": outcome.result}).decode()
        client = sdk.client(job.corpid, job.agentid, job.ability_id, job.job_info)
        return _decode_answer(client.invoke(REPORT_API, report)).errcode
    except BaseException as error:  # after any error the platform has not accepted the report
        log.debug("job %s: %s", short(job.job_id), describe(error))
        return None


def _refusal(job: Job, errcode: int | None) -> Refusal:
    """Return the refusal that an errcode means; without an errcode, or for 0, a temporary one."""
    if errcode is None:
        return Refusal(Verdict.FAILED, "it did not get through")
    unknown = None if job.claims >= PATIENCE and errcode else Verdict.FAILED
    return REFUSALS.get(errcode, Refusal(unknown, "refused for an unknown reason"))


def _replacements(errcode: int, reason: str) -> Iterator[Outcome]:
    """Yield what is reported in place of a refused result: an error, then an object that fits every contract."""
    error = {"errcode": errcode, "errmsg": f"the platform refused the result: {reason}"}
    yield Outcome(errcode=errcode, result=msgspec.json.encode(error).decode())
    yield Outcome(errcode=errcode, result="{}")
