"""The threads on which jobs run. One that hangs stays behind, and another takes its place.

They know neither the journal nor reports: their owner says what is done with a job.
"""

import logging
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from math import inf
from time import monotonic

import msgspec

from wwspec_contracts.errors import StoreError
from wwspec_contracts.support.printable import short
from wwspec_contracts.support.stacks import FramesOf, describe, traceback_at
from wwspec_contracts.support.watchdog import Watchdog, Work
from wwspec_router.envelope import MARGIN, NO_DEADLINE
from wwspec_router.handlers.run import JobRun
from wwspec_router.logs.formats import current_request
from wwspec_router.logs.lines import about
from wwspec_router.logs.traceparent import current_traceparent
from wwspec_router.stores.job import Job, Outcome
from wwspec_router.stores.kept import KeptWrite
from wwspec_router.threads import Pace, ThreadPool

log = logging.getLogger(__name__)

HOPELESS_AFTER = 10
"""How many times `hang_after` an ability without a timeout may run before its thread counts as lost."""


class Run:
    """A job that this process has claimed.

    It has two stages: the ability runs, and the outcome is reported. While one of them hangs, the job can be given to
    another run.

    Args:
        job: As it was claimed.
        outcome: What is to be reported of it, though its ability has not answered.
    """

    def __init__(self, job: Job, outcome: Outcome | None = None) -> None:
        self.job = job
        self.outcome = outcome
        self.work: JobRun | None = None
        """What its code reads and writes; None before it runs, and when it does not."""
        self.writes: Sequence[KeptWrite] = ()
        """What is stored with its outcome."""
        self.claimed = monotonic()
        self.deadline = NO_DEADLINE
        self.since = 0.0
        """When its stage began; 0.0 while it waits for a thread."""
        self.error = ""
        """The class of the error that its ability ended with in this process, or what else failed."""
        self.is_reporting = False
        self.is_gone = False
        """Whether the journal has lost the job; no other process knows of it then."""
        self.is_retried = False
        """Whether the job failed before, and its ability runs anew."""
        self.is_over = False
        """Whether its ability does not run, or runs no longer."""
        self.is_given_away = False
        """Whether another run has the job."""
        self.is_given_back = False
        """Whether the journal has the job again, so that it may be claimed before this run has ended."""
        self._has_ended = False
        self._lock = threading.Lock()

    def begin(self, *, reporting: bool) -> None:
        """Begin a stage."""
        with self._lock:
            self.is_reporting = reporting
            self._has_ended = False
            self.since = monotonic()

    def stage(self) -> tuple[bool, float]:
        """Return whether the outcome is being reported, and when this stage began."""
        with self._lock:
            return self.is_reporting, self.since

    def end(self) -> bool:
        """End a stage; return False when the job was given to another run meanwhile."""
        with self._lock:
            self._has_ended = True
            self.is_over = True
            return not self.is_given_away

    def give_away(self, *, reporting: bool) -> bool:
        """Let another run have the job; return False when this one has ended that stage, or the job has been given."""
        with self._lock:
            if self.is_given_away or self._has_ended or self.is_reporting is not reporting:
                return False
            self.is_given_away = True
        self.end_work(stored=False)
        return True

    def end_work(self, *, stored: bool) -> None:
        """End what its code holds: leases and claims.

        Args:
            stored: Whether its outcome, and what it wrote, is stored.
        """
        if self.work is not None:
            self.work.end(stored=stored)

    @property
    def age(self) -> float:
        """Seconds since the job was accepted."""
        return self.job.age + monotonic() - self.claimed


class JobThreads(msgspec.Struct, eq=False, dict=True):
    """Runs jobs on as many threads as are asked for. Used by one thread, apart from `replaced` and `exhausted`."""

    size: int
    """How many; as many again may take the places of those that hang."""
    hang_after: float
    """Seconds after which an ability that still runs is logged, and its thread replaced."""
    report_within: float
    """The same for a report."""
    handle: Callable[[Run], None]
    """Called with each run, on a thread. What it raises is logged."""
    wake: Callable[[], None]
    """Called, on any thread, when `ended` has runs to return."""
    number_of: Callable[[str], int]
    """Returns the number that log lines have of the job with this reference; 0 for one by the job's ID."""
    frames_of: FramesOf
    """Returns where the code is that a thread runs or waits for, given its ident."""

    def __post_init__(self) -> None:
        self._pool: ThreadPool[Run] = ThreadPool(self.size, "wwspec-job", self._work, self.wake, Pace())
        self._runs: dict[Run, None] = {}  # in the order in which they came
        self._watchdog = Watchdog(
            self._running_work, lambda work: self._pool.lose(work.ident) and self._fill(), about=about
        )

    def start(self) -> None:
        """Start the threads.

        Raises:
            RuntimeError: The system starts no thread.
        """
        self._pool.start(self._pool.size)

    def submit(self, run: Run) -> None:
        """Let a thread take up a run."""
        self._runs[run] = None
        self._pool.jobs.append(run)
        self._pool.call_next()

    def ended(self) -> list[Run]:
        """Return the runs that have ended since this was called before."""
        self._pool.is_waking = False  # before the first pop, as `Worker.run` relies on
        ended = []
        while self._pool.done:
            run, _, _ = self._pool.done.popleft()
            del self._runs[run]
            ended.append(run)
        return ended

    def end(self) -> None:
        """End the threads, and wait for them; after the last run has ended, or hangs and was given away."""
        self._pool.end(threading.TIMEOUT_MAX / 2)

    @property
    def free(self) -> int:
        """How many runs could begin at once."""
        return len(self._pool.workers) + len(self._pool.lost) - len(self._runs)

    @property
    def replaced(self) -> int:
        """Threads that hang, beside those that took their places."""
        return len(self._pool.lost)

    @property
    def exhausted(self) -> bool:
        """Whether no thread is left that could take up a job ever again, and none can be added.

        Each hangs for good: its report takes too long, the timeout of its ability is over, or, without a timeout, it
        runs for ten times `hang_after`.
        """
        threads = [*self._pool.workers, *self._pool.lost]
        return self._pool.is_full and all(self._is_hopeless(each.job) for each in threads)

    def runs(self) -> list[Run]:
        """Return the runs that were submitted and not returned by `ended`."""
        return list(self._runs)

    def hangs(self, run: Run) -> bool:
        """Return whether a stage takes longer than it should."""
        is_reporting, since = run.stage()
        return since != 0.0 and monotonic() - since > self._limit(is_reporting)

    def late(self) -> list[Run]:
        """Note where the code of each run is whose time is over; return those of which no line says so yet."""
        late = [
            run for run in self._runs if not (run.is_reporting or run.deadline.is_logged) and run.deadline.is_over()
        ]
        for run in late:
            if run.deadline.place is None and (ident := self._pool.ident_of(run)) is not None:
                run.deadline.place = traceback_at(self.frames_of(ident))
        return [run for run in late if run.deadline.is_over(MARGIN)]

    def until_late(self) -> float:
        """Return for how many seconds `late` finds nothing new; beyond the margin, if it has to look twice."""
        now = monotonic()
        deadlines = (run.deadline for run in self._runs if not run.is_reporting and not run.deadline.is_logged)
        ends = (each.at + (MARGIN if each.place else 0.0) - now for each in deadlines if each.at is not None)
        return max(0.0, min(ends, default=inf))

    def replace_hanging(self) -> list[Run]:
        """Log what hangs, and start other threads in their places; return the runs whose threads were replaced."""
        self._watchdog.check()
        self._fill()
        return [run for each in self._pool.lost.copy() if (run := each.job) is not None and self.hangs(run)]

    def _fill(self) -> bool:
        """Start threads in the places of those that were replaced; return False when the system has no more of them."""
        with suppress(RuntimeError, MemoryError):
            self.start()
        return not self._pool.has_failed_to_start

    def _limit(self, is_reporting: bool) -> float:
        return self.report_within if is_reporting else self.hang_after

    def _running_work(self) -> list[Work]:
        """Return what the threads do that were not replaced."""
        work = []
        for ident, name, begun, run in self._pool.busy():
            is_reporting, since = run.stage()
            job = run.job
            what = f"{'the report of a job' if is_reporting else 'a job'} of {short(job.name, 64)}"
            limit = self._limit(is_reporting)
            work.append(Work(ident, name, since or begun, limit, what, self.request(job)))
        return work

    def _is_hopeless(self, run: Run | None) -> bool:
        if run is None or not self.hangs(run):
            return False
        is_endless = monotonic() - run.since > HOPELESS_AFTER * self.hang_after
        return run.is_given_away or run.is_reporting or run.deadline.remaining == 0 or is_endless

    def request(self, job: Job) -> int | str:
        """Return what ties log lines to a job."""
        return self.number_of(job.reference) or f"job-{short(job.job_id)}"

    def _work(self, run: Run) -> None:
        current_request.set(self.request(run.job))
        current_traceparent.set("")
        run.begin(reporting=False)
        try:
            self.handle(run)
        except StoreError as error:  # its lease will be over, and it is tried again
            log.error("job %s: %s", short(run.job.job_id), error)
        except BaseException as error:  # it ends no thread, whatever it is
            log.error("job %s failed: %s", short(run.job.job_id), describe(error))
        finally:
            run.end()
