"""Asynchronous calls of the program: a call with a job_info, and later its result by an SDK API [99812, 99847].

It keeps the jobs and their states; `programs` calls the program. Plain state: the caller holds the emulator's lock.
"""

import random
from collections.abc import Callable
from sys import getsizeof

import msgspec

from wwspec_contracts.files import ConsoleContract
from wwspec_devtools.emulator.answers import RefusedError
from wwspec_devtools.emulator.bounded import MIB, BoundedDict

KEPT_JOBS = 10_000
KEPT_BYTES = 64 * MIB
"""The most bytes of all results. The oldest jobs are dropped with their results."""

_JOB_BYTES = 512
"""Bytes of a job without its result."""

OnResult = Callable[[int, str], None]
"""Gets the errcode and the result that the program reported; called once, without a lock."""


class Job(msgspec.Struct, kw_only=True):
    """One asynchronous call."""

    jobid: str
    job_info: str
    corpid: str
    agentid: int
    """0 when the call carries no app."""
    contract: ConsoleContract | None
    """The ability's contract when the call began."""
    on_result: OnResult | None
    """None for a job whose result the app fetches."""
    machine: int = 0
    """The machine that has it, among several; 0 for any."""
    reported: bool = False
    errcode: int = 0
    result: str = ""


class Jobs:
    """The asynchronous calls of all corps.

    Args:
        rng: Makes the ids.
    """

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self.jobs = BoundedDict[str, Job](KEPT_BYTES, KEPT_JOBS, self._forget_info)
        """By jobid."""
        self._by_info: dict[str, Job] = {}

    def start(self, corpid: str, agentid: int, contract: ConsoleContract | None, on_result: OnResult | None) -> Job:
        """Return a new job."""
        job = Job(
            jobid=f"job_{self._rng.getrandbits(160):040x}",
            job_info=f"info_{self._rng.getrandbits(256):064x}",
            corpid=corpid,
            agentid=agentid,
            contract=contract,
            on_result=on_result,
        )
        self._by_info[job.job_info] = job
        self.jobs.put(job.jobid, job, _JOB_BYTES)
        return job

    def forget(self, job: Job) -> None:
        """Forget a job."""
        self.jobs.remove(job.jobid)
        self._forget_info(job.jobid, job)

    def report(self, job: Job, errcode: int, result: str) -> None:
        """Store the program's report on a job."""
        job.reported, job.errcode, job.result = True, errcode, result
        self.jobs.resize(job.jobid, _JOB_BYTES + getsizeof(result))

    def of_app(self, jobid: str, corpid: str, agentid: int) -> Job:
        """Return a job whose result the app fetches.

        Raises:
            RefusedError: 40088.
        """
        job = self.jobs.get(jobid)
        if job is None or (job.corpid, job.agentid) != (corpid, agentid) or job.on_result is not None:
            raise RefusedError(40088, "jobid")
        return job

    def in_progress(self, job_info: str, corpid: str, agentid: int) -> Job:
        """Return the job that a program reports on.

        Raises:
            RefusedError: 790017 or 790010.
        """
        job = self._by_info.get(job_info)
        if job is None or (job.corpid, job.agentid) != (corpid, agentid):
            raise RefusedError(790017, "it is not the get_job_info of an asynchronous call of this app")
        if job.reported:
            raise RefusedError(790010, "its result was reported already")
        return job

    def _forget_info(self, jobid: str, job: Job) -> None:
        self._by_info.pop(job.job_info, None)
