"""What a job is, and its texts as they are stored.

The stored names are those of the first release. So nothing is converted, and programs of two releases can share a store
during a rollout. The job of an event is stored with its name as `ability_id`, and with `notify` as `job_info`.
"""

import msgspec

EVENT_JOB = "event:"
"""The beginning of the names of jobs that are about events; no ability ID begins with it."""


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """The answer of an ability: all that the report to the platform needs."""

    errcode: int
    result: str


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """An asynchronous call that was accepted and is not reported yet, or an event that has a handler."""

    job_id: str
    """Ours, unique, made by the caller of `add`."""
    corpid: str
    agentid: int
    ability_id: str = ""
    """What the call asks for; empty in the job of an event."""
    job_info: str = ""
    """The platform's id of the call, for the report of its outcome; empty in the job of an event."""
    event_type: str = ""
    """Of the event; empty in the job of a call."""
    notify: str = ""
    """When the app is notified of the event: "now", "after" (the handler) or "never"; empty in the job of a call."""
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
        """What it runs: the ability ID, or `event:` and the event's type."""
        return EVENT_JOB + self.event_type if self.event_type else self.ability_id

    @property
    def reference(self) -> str:
        """What the emulator knows it by."""
        return self.job_info or self.notify_id


def stored_texts(job: Job) -> dict[str, str]:
    """Return the texts of a new job by the names under which they are stored."""
    return {
        "job_id": job.job_id,
        "corpid": job.corpid,
        "ability_id": job.name,
        "job_info": job.notify if job.event_type else job.job_info,
        "data": job.data,
        "notify_id": job.notify_id,
    }


def fields_of(ability_id: str, job_info: str) -> dict[str, str]:
    """Return the fields of a `Job` whose texts are stored under these two names."""
    if ability_id.startswith(EVENT_JOB):
        return {"event_type": ability_id.removeprefix(EVENT_JOB), "notify": job_info}
    return {"ability_id": ability_id, "job_info": job_info}
