"""What a job is, its texts as they are stored, and what a journal shows of its oldest jobs: no data of a tenant.

The job of an event or a notification is stored with its name as `ability_id`. As `job_info` the
former has its `notify`, the latter its scene and the age of its notify_id.
"""

from typing import Any

import msgspec

EVENT_JOB = "event:"
"""The beginning of the names of jobs that are about events; no ability ID begins with it."""
NOTIFY_JOB = "notify:"
"""The same of jobs that notify the app until it fetches their data."""

WAITING = "waiting"
"""No process has it, and it is due."""
POSTPONED = "postponed"
"""It was given back, and is due later."""
CLAIMED = "claimed"
"""A process has it; its ability did not begin yet."""
RUNNING = "running"
"""Its ability runs."""
REPORTING = "reporting"
"""Its ability has answered; only the report is missing."""
LEFT_BEHIND = "left behind"
"""A process had it until its lease ended. The next claim takes it."""


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """The answer of an ability: all that the report to the platform needs."""

    errcode: int
    result: str


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """What is not done yet: a call to report, an event that has a handler, or a notification that the app fetches."""

    job_id: str
    """Ours, unique, made by the caller of `add`."""
    corpid: str
    agentid: int
    ability_id: str = ""
    """What the call asks for; empty in the job of an event."""
    job_info: str = ""
    """The platform's id of the call, for the report of its outcome; empty in the job of an event."""
    event_type: str = ""
    """The type of the event; empty in the job of a call."""
    notify: str = ""
    """When the app is notified of the event: "now", "after" (the handler) or "never"; empty in the job of a call."""
    unfetched: str = ""
    """The event_type of the data, in the job of a notification: it ends when the app fetches them; empty in others."""
    scene: int = 0
    """The notify_scene of a notification."""
    id_made: int = 0
    """The age of the job, in seconds, when the notify_id of a notification was made."""
    data: str
    notify_id: str
    attempt: int = 0
    """How often its ability began to run; 0 in a new job."""
    claims: int = 0
    """How often it was claimed, this time included; 0 in a new job."""
    suspect: bool = False
    """Whether its ability began to run, and did not end: it may have killed its process."""
    begun: bool = False
    """Whether this claim noted that its ability begins to run; `attempt` does not count that."""
    age: float = 0.0
    """Seconds between its addition and this claim, by the journal's clock; 0.0 in a new job."""
    outcome: Outcome | None = None
    """The answer of the ability, when only the report is missing; None in a new job."""

    @property
    def name(self) -> str:
        """What it runs: the ability ID, or `event:` or `notify:` and the event's type."""
        if self.unfetched:
            return NOTIFY_JOB + self.unfetched
        return EVENT_JOB + self.event_type if self.event_type else self.ability_id

    @property
    def reference(self) -> str:
        """What the emulator knows it by."""
        return self.job_info or self.notify_id


class OldJob(msgspec.Struct, frozen=True, kw_only=True):
    """A job as `JobJournal.oldest_jobs` returns it."""

    name: str
    """See `Job.name`."""
    attempt: int
    """How often its ability began to run."""
    age: float
    """Seconds since it was added."""
    left: float
    """Seconds until another process may take it: until its lease ends, or it is due; 0.0 when that is past."""
    state: str
    """One of the names above."""


def claim_name(name: str) -> str:
    """Return the name by which such a job is claimed: one for all notifications, which every program repeats."""
    return NOTIFY_JOB if name.startswith(NOTIFY_JOB) else name


def stored_texts(job: Job) -> dict[str, str]:
    """Return the texts of a new job by the names under which they are stored."""
    return {
        "job_id": job.job_id,
        "corpid": job.corpid,
        "ability_id": job.name,
        "job_info": info_of(job),
        "data": job.data,
        "notify_id": job.notify_id,
    }


def info_of(job: Job) -> str:
    """Return what is stored as `job_info`."""
    if job.unfetched:
        return f"{job.scene} {job.id_made}"
    return job.notify if job.event_type else job.job_info


def fields_of(ability_id: str, job_info: str) -> dict[str, Any]:
    """Return the fields of a `Job` whose texts are stored under these two names."""
    if ability_id.startswith(NOTIFY_JOB):
        scene, id_made = map(int, job_info.split())
        return {"unfetched": ability_id.removeprefix(NOTIFY_JOB), "scene": scene, "id_made": id_made}
    if ability_id.startswith(EVENT_JOB):
        return {"event_type": ability_id.removeprefix(EVENT_JOB), "notify": job_info}
    return {"ability_id": ability_id, "job_info": job_info}


def old_job(
    name: str, attempt: int, added: float, due: float, now: float, owned: bool, running: bool, ended: bool
) -> OldJob:
    """Return what is shown of a job.

    Args:
        name: See `Job.name`.
        attempt: How often its ability began to run.
        added: When it was added.
        due: When its lease ends, or when it is due.
        now: In seconds of the journal's clock, as the times above.
        owned: Whether a process has it, or had it until its lease ended.
        running: Whether its ability runs.
        ended: Whether it has an outcome.
    """
    left = max(0.0, due - now)
    if not left:
        state = LEFT_BEHIND if owned else WAITING
    elif not owned:
        state = POSTPONED
    elif ended:
        state = REPORTING
    else:
        state = RUNNING if running else CLAIMED
    return OldJob(name=name, attempt=attempt, age=max(0.0, now - added), left=left, state=state)
