"""Asynchronous calls: accepted into a durable journal, run apart from synchronous ones, reported until heard.

A job is answered "accepted" only when the journal has it. It is run at least once: a job whose process died is begun
again by whoever finds it, and a handler sees in `ctx.attempt` that it is not the first time. What the ability answered
is kept before it is reported, so a report that fails is sent again without running the ability again.

It knows neither HTTP nor how abilities answer: the kernel runs a call, the SDK carries the report.
"""

import logging
import random
import secrets
import threading
from collections.abc import Callable
from queue import SimpleQueue
from time import monotonic

import msgspec

from wwspec_router.envelope import Call, CallType, Reply
from wwspec_router.errors import CallError, SdkCallError, StoreError
from wwspec_router.logs import current_request, describe, describe_thread, short
from wwspec_router.sdk.base import Sdk
from wwspec_router.stores.base import Job, JobJournal, Outcome

__all__ = ["Jobs"]

log = logging.getLogger(__name__)

REPORT_API = "program_async_job_call_back"

LEASE = 10.0
"""Seconds for which a claimed job belongs to its process without a sign of life."""
POLL = 1.0
"""Seconds between two looks for jobs that other processes left behind."""
MAX_ATTEMPTS = 30
"""Attempts after which a job whose report is not heard is given up: at the longest delay, half an hour."""
MAX_DELAY = 60.0
"""Longest pause between two attempts, in seconds."""

_ACCEPTED = '{"errcode":0,"errmsg":"ok"}'

MISFIT = 790014
"""The result does not match the output contract [99847]."""
_MISFIT_RESULT = '{"errcode":790014,"errmsg":"the result did not match the output contract"}'
FINAL = {
    790010: "the platform no longer waits for it",
    790013: "the result is not JSON",
    790017: "the platform does not know its job_info",
}
"""Refusals that another attempt can't change [99847]."""


class _Report(msgspec.Struct):
    """The request of `program_async_job_call_back` [99847]."""

    errcode: int
    result: str


class _Heard(msgspec.Struct):
    """What matters of the platform's answer."""

    errcode: int = 0


class Jobs:
    """The jobs of one process.

    Args:
        journal: Keeps them; may be shared with other processes.
        sdk: Reports them.
        threads: Jobs that run at once, apart from synchronous calls.
        hang_after: Seconds after which a job that still runs is reported, and its thread replaced.
    """

    def __init__(self, journal: JobJournal, sdk: Sdk, threads: int, hang_after: float = 60.0) -> None:
        self._journal = journal
        self._sdk = sdk
        self._owner = secrets.token_hex(8)
        self._size = threads
        self._run: Callable[[Call], Reply] = _not_started
        self._claimed: SimpleQueue[Job | None] = SimpleQueue()
        self._running: set[str] = set()
        self._hang_after = hang_after
        self._begun: dict[int, float] = {}
        self._lost: set[int] = set()
        self._named = 0
        self._changed = threading.Condition()
        self._look = False
        self._stopping = False
        self._threads: list[threading.Thread] = []

    def accept(self, call: Call) -> str:
        """Put an asynchronous call into the journal and return the reply's text; durable when this returns.

        Raises:
            CallError: It could not be stored.
        """
        job = Job(
            job_id=secrets.token_hex(16),
            corpid=call.corpid,
            agentid=call.agentid,
            ability_id=call.ability_id,
            job_info=call.job_info,
            data=call.data,
            notify_id=call.notify_id,
        )
        try:
            self._journal.add(job)
        except StoreError as error:
            raise CallError("the job could not be stored", detail=str(error)) from error
        log.debug("job %s of %s accepted", short(job.job_id), short(call.ability_id, 64))
        self._wake()
        return _ACCEPTED

    def start(self, run: Callable[[Call], Reply]) -> None:
        """Begin to work, also on what an earlier process left behind.

        Args:
            run: Answers one call; never raises.
        """
        self._run = run
        for _ in range(self._size):
            self._start_thread()
        keeper = threading.Thread(target=self._keep, name="wwspec-job-keeper", daemon=True)
        self._threads.append(keeper)
        keeper.start()

    def stop(self, grace: float) -> int:
        """Begin no further job, wait up to `grace` seconds for those that run, and return how many are left.

        What is left stays in the journal; another process, or the next start, takes it up when its lease is over.
        """
        with self._changed:
            self._stopping = True
            self._changed.notify()
        for _ in self._threads:
            self._claimed.put(None)
        deadline = monotonic() + grace
        for thread in self._threads:
            thread.join(max(0.0, deadline - monotonic()))
        return len(self._running)

    @property
    def running(self) -> int:
        """Jobs that this process has in hand."""
        return len(self._running)

    @property
    def replaced(self) -> int:
        """Threads that hang in a job, beside those that took their places."""
        return len(self._lost)

    def _start_thread(self) -> None:
        self._named += 1
        thread = threading.Thread(target=self._work, name=f"wwspec-job-{self._named}", daemon=True)
        self._threads.append(thread)
        thread.start()

    def _wake(self) -> None:
        with self._changed:
            self._look = True
            self._changed.notify()

    def _keep(self) -> None:
        """Claim jobs as threads become free, and renew the leases of those in hand: a thread of its own."""
        renewed = monotonic()
        while not (self._stopping and not self._running):
            with self._changed:
                if not self._look:
                    self._changed.wait(POLL)
                self._look = False
            try:
                if self._running and monotonic() - renewed > LEASE / 3:
                    renewed = monotonic()
                    self._journal.renew(self._owner, list(self._running), LEASE)
                self._replace_hanging()
                free = self._size + len(self._lost) - len(self._running)
                if free > 0 and not self._stopping:
                    self._claim(free)
            except StoreError as error:
                log.error("the journal of jobs failed: %s", error)

    def _replace_hanging(self) -> None:
        """Report threads that have run one job for long, and start others in their places, once for each."""
        now = monotonic()
        for ident, since in list(self._begun.items()):
            if now - since > self._hang_after and ident not in self._lost and len(self._lost) < self._size:
                self._lost.add(ident)
                log.error("a job has been running for %.0f s; it is at %s", now - since, describe_thread(ident))
                self._start_thread()

    def _claim(self, limit: int) -> None:
        for job in self._journal.claim(self._owner, limit, LEASE):
            if job.job_id not in self._running:  # else its lease was over while it ran here: it runs on
                self._running.add(job.job_id)
                self._claimed.put(job)

    def _work(self) -> None:
        ident = threading.get_ident()
        while ident not in self._lost and (job := self._claimed.get()) is not None:
            current_request.set(f"job-{short(job.job_id)}")
            self._begun[ident] = monotonic()
            try:
                if self._stopping:  # claimed, but not begun: it is free at once for who comes next
                    self._journal.postpone(self._owner, job.job_id, 0.0)
                else:
                    self._handle(job)
            except StoreError as error:  # its lease will be over, and it is tried again
                log.error("job %s: %s", short(job.job_id), error)
            except Exception as error:
                log.error("job %s failed: %s", short(job.job_id), describe(error))
            finally:
                del self._begun[ident]
                self._running.discard(job.job_id)
                self._wake()
        self._lost.discard(ident)

    def _handle(self, job: Job) -> None:
        outcome = job.outcome
        if outcome is None:
            call = Call(
                corpid=job.corpid,
                agentid=job.agentid,
                call_type=CallType.APP,
                ability_id=job.ability_id,
                data=job.data,
                notify_id=job.notify_id,
                is_async=True,
                job_info=job.job_info,
                attempt=job.attempt,
            )
            reply = self._run(call)
            outcome = Outcome(errcode=reply.errcode, result=reply.text)
            if not self._journal.keep_outcome(self._owner, job.job_id, outcome):
                log.warning("job %s was taken over by another process", short(job.job_id))
                return
        self._report(job, outcome)

    def _report(self, job: Job, outcome: Outcome) -> None:
        errcode = self._send(job, outcome)
        if errcode == MISFIT:
            errcode = self._send(job, Outcome(errcode=MISFIT, result=_MISFIT_RESULT))
            log.error("job %s of %s: result refused (%d)", short(job.job_id), short(job.ability_id, 64), MISFIT)
            if errcode == MISFIT:  # not even an error fits: there is nothing that the app could be told
                errcode = 790013
        if errcode == 0:
            self._journal.finish(self._owner, job.job_id)
        elif errcode in FINAL:
            log.error("job %s given up: %s (%d)", short(job.job_id), FINAL[errcode], errcode)
            self._journal.finish(self._owner, job.job_id)
        elif job.attempt >= MAX_ATTEMPTS:
            log.error("job %s given up after %d attempts", short(job.job_id), job.attempt)
            self._journal.finish(self._owner, job.job_id)
        else:
            delay = min(MAX_DELAY, 0.5 * 2.0 ** min(job.attempt, 10)) * random.uniform(0.5, 1.0)  # noqa: S311
            log.warning("job %s not reported (%s); again in %.1f s", short(job.job_id), errcode, delay)
            self._journal.postpone(self._owner, job.job_id, delay)

    def _send(self, job: Job, outcome: Outcome) -> int | None:
        """Report an outcome; return the platform's errcode, or None when the report did not get through."""
        report = msgspec.json.encode(_Report(outcome.errcode, outcome.result)).decode()
        client = self._sdk.client(job.corpid, job.agentid, job.ability_id, job.job_info)
        try:
            return msgspec.json.decode(client.invoke(REPORT_API, report), type=_Heard).errcode
        except (SdkCallError, msgspec.DecodeError, RecursionError, ValueError) as error:
            log.debug("job %s: %s", short(job.job_id), describe(error))
            return None


def _not_started(call: Call) -> Reply:
    raise RuntimeError("the jobs were not started")
