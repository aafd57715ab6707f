"""The threads on which jobs run. One that hangs stays behind, and another takes its place.

They know neither the journal nor reports: their owner says what is done with a job.
"""

import logging
import threading
from collections.abc import Callable
from queue import SimpleQueue
from time import monotonic

from wwspec_router.envelope import Deadline
from wwspec_router.errors import StoreError
from wwspec_router.logs import current_request, short
from wwspec_router.stacks import describe
from wwspec_router.stores.job import Job, Outcome
from wwspec_router.watchdog import Watchdog, Work

__all__ = ["JobThreads", "Run"]

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
        self.claimed = monotonic()
        self.deadline = Deadline()
        self.thread = 0
        """Ident of the thread that has it; 0 while it waits for one."""
        self.since = 0.0
        """When its stage began."""
        self.is_reporting = False
        self.is_gone = False
        """Whether the journal has lost the job; no other process knows of it then."""
        self.is_over = False
        """Whether its ability does not run, or runs no longer."""
        self._is_given_away = False
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
            return not self._is_given_away

    def give_away(self, *, reporting: bool) -> bool:
        """Let another run have the job; return False when this one has ended that stage, or the job has been given."""
        with self._lock:
            if self._is_given_away or self._has_ended or self.is_reporting is not reporting:
                return False
            self._is_given_away = True
            return True

    @property
    def is_given_away(self) -> bool:
        """Whether another run has the job."""
        return self._is_given_away

    @property
    def age(self) -> float:
        """Seconds since the job was accepted."""
        return self.job.age + monotonic() - self.claimed


class JobThreads:
    """Runs jobs on as many threads as are asked for.

    Args:
        size: How many; as many again may take the places of those that hang.
        hang_after: Seconds after which an ability that still runs is logged, and its thread replaced.
        report_within: The same for a report.
        handle: Called with each run, on a thread. What it raises is logged.
        on_end: Called, on its thread, when `handle` is through with a run.
    """

    def __init__(
        self,
        size: int,
        hang_after: float,
        report_within: float,
        handle: Callable[[Run], None],
        on_end: Callable[[Run], None],
    ) -> None:
        self._size = size
        self._hang_after = hang_after
        self._report_within = report_within
        self._handle = handle
        self._on_end = on_end
        self._queue: SimpleQueue[Run | None] = SimpleQueue()
        self._lock = threading.Lock()
        self._threads: dict[int, threading.Thread] = {}
        self._runs: dict[Run, None] = {}  # in the order in which they came
        self._lost: set[int] = set()
        self._watchdog = Watchdog(self._work_in_hand, self._replace)
        self._named = 0
        self._refused = False

    def start(self) -> None:
        """Start the threads."""
        for _ in range(self._size):
            self._start_thread()

    def submit(self, run: Run) -> None:
        """Let a thread take up a run."""
        with self._lock:
            self._runs[run] = None
        self._queue.put(run)

    def stop(self) -> None:
        """Let each thread end when it is through with what was submitted."""
        for _ in range(self._named):
            self._queue.put(None)

    def join(self, deadline: float) -> None:
        """Wait for the threads to end, until `deadline` at most, in seconds of `time.monotonic()`."""
        with self._lock:
            threads = list(self._threads.values())
        for thread in threads:
            thread.join(max(0.0, deadline - monotonic()))

    @property
    def free(self) -> int:
        """How many runs could begin at once."""
        with self._lock:
            return len(self._threads) - len(self._runs)

    @property
    def replaced(self) -> int:
        """Threads that hang, beside those that took their places."""
        return len(self._lost)

    @property
    def exhausted(self) -> bool:
        """Whether no thread is left that could take up a job ever again, and none can be added."""
        now = monotonic()
        with self._lock:
            if not self._threads or (len(self._lost) < self._size and not self._refused):
                return False
            return sum(self._is_hopeless(run, now) for run in self._runs) >= len(self._threads)

    def runs(self) -> list[Run]:
        """Return the runs that were submitted and are not over."""
        with self._lock:
            return list(self._runs)

    def hangs(self, run: Run) -> bool:
        """Return whether a stage takes longer than it should."""
        is_reporting, since = run.stage()
        return run.thread != 0 and monotonic() - since > self._limit(is_reporting)

    def replace_hanging(self) -> list[Run]:
        """Log what hangs, and start other threads in their places; return the runs whose threads were replaced."""
        self._watchdog.check()
        return [run for run in self.runs() if run.thread in self._lost and self.hangs(run)]

    def _limit(self, is_reporting: bool) -> float:
        return self._report_within if is_reporting else self._hang_after

    def _work_in_hand(self) -> list[Work]:
        """Return what the threads do that were not replaced."""
        with self._lock:
            threads = self._threads.copy()
            runs = [run for run in self._runs if run.thread in threads and run.thread not in self._lost]
        work = []
        for run in runs:
            is_reporting, since = run.stage()
            job, name = run.job, threads[run.thread].name
            what = f"{'the report of a job' if is_reporting else 'a job'} of {short(job.name, 64)}"
            work.append(Work(run.thread, name, since, self._limit(is_reporting), what, f"job-{short(job.job_id)}"))
        return work

    def _replace(self, work: Work) -> bool:
        replaced = len(self._lost) < self._size and self._try_to_start()
        if replaced:
            with self._lock:
                self._lost.add(work.ident)
        return replaced

    def _try_to_start(self) -> bool:
        try:
            self._start_thread()
        except RuntimeError:  # the system has no more of them
            self._refused = True
        else:
            self._refused = False
        return not self._refused

    def _start_thread(self) -> None:
        self._named += 1
        thread = threading.Thread(target=self._work, name=f"wwspec-job-{self._named}", daemon=True)
        with self._lock:
            thread.start()
            self._threads[thread.ident or 0] = thread

    def _is_hopeless(self, run: Run, now: float) -> bool:
        if not self.hangs(run):
            return False
        return run.is_given_away or run.is_reporting or run.deadline.remaining == 0 or self._is_endless(run, now)

    def _is_endless(self, run: Run, now: float) -> bool:
        return now - run.since > HOPELESS_AFTER * self._hang_after

    def _work(self) -> None:
        ident = threading.get_ident()
        while ident not in self._lost and (run := self._queue.get()) is not None:
            current_request.set(f"job-{short(run.job.job_id)}")
            run.begin(reporting=False)
            run.thread = ident
            try:
                self._handle(run)
            except StoreError as error:  # its lease will be over, and it is tried again
                log.error("job %s: %s", short(run.job.job_id), error)
            except BaseException as error:  # whatever it is, it must not end the thread
                log.error("job %s failed: %s", short(run.job.job_id), describe(error))
            finally:
                run.end()
                with self._lock:
                    del self._runs[run]
                self._on_end(run)
        with self._lock:
            self._lost.discard(ident)
            del self._threads[ident]
