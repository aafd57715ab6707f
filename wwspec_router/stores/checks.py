"""Checks that every backend does before it touches its storage, so that all of them refuse the same input.

It knows no backend. Its errors never repeat an id or a text.
"""

import math
import re
from collections.abc import Sequence

from wwspec_contracts.errors import StoreError, StoreFullError
from wwspec_router.stores.capacity import StoreLimits
from wwspec_router.stores.failed import Failure
from wwspec_router.stores.job import Job, Outcome, stored_texts
from wwspec_router.stores.kept import LARGEST_VALUE, KeptKey, KeptWrite
from wwspec_router.stores.once import KeptReply, OnceClaim

_MIN_INTEGER, _MAX_INTEGER = -(2**63), 2**63 - 1
_is_hash = re.compile("[0-9a-f]{1,128}").fullmatch


Key = tuple[str, int, str]
"""The key of an entry: corpid, agentid, notify_id."""


def storable_key(corpid: str, agentid: int, notify_id: str) -> Key:
    """Return the three parts as one key.

    Raises:
        StoreError: An id is not valid Unicode, or `agentid` has more than 64 bits.
    """
    if not (corpid.isascii() and notify_id.isascii()):  # as they always are
        encoded("corpid", corpid)
        encoded("notify_id", notify_id)
    _check_bits("agentid", agentid)
    return corpid, agentid, notify_id


def encoded(name: str, value: str) -> bytes:
    """Return `value` in UTF-8.

    Args:
        name: What the error calls it.
        value: The string.

    Raises:
        StoreError: It holds a lone surrogate.
    """
    try:
        return value.encode()
    except UnicodeEncodeError:
        pass  # raised below, outside of this handler, because a UnicodeEncodeError carries the whole string
    raise StoreError(f"{name} holds a lone surrogate, which is not valid Unicode, and can't be stored")


def new_job_size(job: Job) -> int:
    """Return how many bytes the texts of a new job hold.

    Raises:
        StoreError: A text is not valid Unicode, `agentid` has more than 64 bits, or the job is not a new one.
    """
    _check_bits("agentid", job.agentid)
    if job.attempt or job.claims or job.suspect or job.outcome is not None:
        raise StoreError("a job that is added has no attempt, claim or outcome yet")
    return sum(len(encoded(name, text)) for name, text in stored_texts(job).items())


def storable_outcome(outcome: Outcome) -> tuple[int, str]:
    """Return the two parts of an outcome.

    Raises:
        StoreError: `errcode` has more than 64 bits, or `result` is not valid Unicode.
    """
    _check_bits("errcode", outcome.errcode)
    encoded("result", outcome.result)
    return outcome.errcode, outcome.result


def storable_step(name: str, text: str) -> None:
    """Check the result of a part of a job.

    Raises:
        StoreError: A text is not valid Unicode.
    """
    encoded("name", name)
    encoded("text", text)


def storable_failure(failure: Failure) -> None:
    """Check why a job is set aside.

    Raises:
        StoreError: `errcode` has more than 64 bits, or `error` is not valid Unicode.
    """
    _check_bits("errcode", failure.errcode)
    encoded("error", failure.error)


def storable_hashes(**hashes: str) -> None:
    """Check the hashes of a call that runs once.

    Raises:
        StoreError: One is not made of 1 to 128 lower-case hexadecimal digits.
    """
    for name, value in hashes.items():
        if not _is_hash(value):
            raise StoreError(f"{name} must be 1 to 128 lower-case hexadecimal digits")


def storable_claim(claim: OnceClaim) -> None:
    """Check a claim.

    Raises:
        StoreError: One of its hashes is not a hash.
    """
    storable_hashes(key=claim.key, token=claim.token, request=claim.request, corp=claim.corp)


def kept_size(reply: KeptReply) -> int:
    """Return how many bytes a reply holds.

    Raises:
        StoreError: `errcode` has more than 64 bits, or `text` is not valid Unicode.
    """
    _check_bits("errcode", reply.errcode)
    return len(encoded("text", reply.text))


def storable_kept(key: KeptKey) -> None:
    """Check the key of a kept value.

    Raises:
        StoreError: A part is not valid Unicode, or `agentid` has more than 64 bits.
    """
    for name in ("corpid", "space", "name"):
        encoded(name, getattr(key, name))
    _check_bits("agentid", key.agentid)


def storable_writes(writes: Sequence[KeptWrite]) -> None:
    """Check changes of kept values.

    Raises:
        StoreError: A key, text or ttl can't be stored, a text is too long, or two changes have one key.
    """
    for write in writes:
        storable_kept(write.key)
        encoded("version", write.version)
        if write.text is not None and len(encoded("text", write.text)) > LARGEST_VALUE:
            raise StoreError(f"a kept value has at most {LARGEST_VALUE} bytes of JSON")
        for name in write.counts or ():
            encoded("name", name)
        if write.ttl is not None:
            positive("ttl", write.ttl)
    if len({write.key for write in writes}) < len(writes):
        raise StoreError("two changes of one kept value can't be made at once")


def no_counts() -> StoreError:
    """Return the error of a write that adds to a value of another form."""
    return StoreError("counts can be added only to a kept value that is an object of whole numbers")


def kept_value_size(write: KeptWrite) -> int:
    """Return how many bytes count for the value that a storable write makes; 0 when it removes one."""
    return 0 if write.text is None else len(write.key.name.encode()) + len(write.text.encode())


def positive(name: str, seconds: float) -> float:
    """Return a `ttl` or a `lease`.

    Raises:
        StoreError: It is not a positive, finite number of seconds.
    """
    if not 0 < seconds < math.inf:
        raise StoreError(f"{name} must be a positive, finite number of seconds, got {seconds!r}")
    return seconds


def not_negative(name: str, seconds: float) -> float:
    """Return a `delay`.

    Raises:
        StoreError: It is negative or not finite.
    """
    if not 0 <= seconds < math.inf:
        raise StoreError(f"{name} must be a finite number of seconds from 0, got {seconds!r}")
    return seconds


def full(limits: StoreLimits) -> StoreFullError:
    """Return the error of a put that would exceed a bound."""
    return StoreFullError(
        f"the notify store is full: its bounds are {limits.max_rows} rows and {limits.max_bytes} bytes; "
        "shorten notify_ttl: each event is kept until it is over, also one that was fetched"
    )


def full_of_jobs(limits: StoreLimits) -> StoreFullError:
    """Return the error of an add that would exceed a bound."""
    return StoreFullError(
        f"the journal of jobs is full: its bounds are {limits.max_jobs} jobs and {limits.max_job_bytes} bytes; "
        "run more jobs at once, send fewer, or raise the bounds"
    )


def full_of_replies(limits: StoreLimits) -> StoreFullError:
    """Return the error of a claim that would exceed a bound."""
    return StoreFullError(
        f"the store of calls that run once is full: its bounds are {limits.max_once} calls and "
        f"{limits.max_once_bytes} bytes; shorten the ttl of [abilities.<ability ID>.once], or raise the bounds"
    )


def full_of_kept(limits: StoreLimits) -> StoreFullError:
    """Return the error of a write that would exceed a bound."""
    return StoreFullError(
        f"the store of kept values is full: its bounds are {limits.max_kept_bytes} bytes, and "
        f"{limits.max_kept_bytes_of_corp} bytes for each corp; keep less, give values an expiry, or delete old ones"
    )


def known_job() -> StoreError:
    """Return the error of an add whose job_id is taken."""
    return StoreError("there is a job of this job_id already; each job needs one of its own")


def closed() -> StoreError:
    """Return the error of a call after close."""
    return StoreError("the store is closed")


def _check_bits(name: str, value: int) -> None:
    if not _MIN_INTEGER <= value <= _MAX_INTEGER:
        raise StoreError(f"{name} has more than 64 bits and can't be stored")
