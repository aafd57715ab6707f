"""What a journal shows of its oldest jobs: their state, and no data of a tenant."""

import msgspec

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
