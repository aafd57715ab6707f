"""Calls that run once: a repeat gets the kept reply, or waits while the first call runs.

Two calls are the same when they have the same corp, app, ability, and value of the key that the registry file names.
Only hashes of these are stored. Routes of other abilities never come here. This module knows neither handlers nor the
content of replies.
"""

import json
import secrets
from collections.abc import Callable
from functools import partial
from hashlib import sha256
from threading import BoundedSemaphore, Event
from time import monotonic
from typing import Any

from wwspec_contracts.backoff import Backoff
from wwspec_contracts.errors import (
    CallError,
    CrashError,
    FirstCallRunningError,
    InputError,
    NotStoredError,
    PostponedError,
    RepeatedError,
    StoreError,
)
from wwspec_contracts.support.stacks import is_a
from wwspec_router.codecs.codec import errcode_of
from wwspec_router.envelope import Call, Deadline, Function
from wwspec_router.handlers.run import JobRun
from wwspec_router.kernel.claim_renewal import LEASE, ClaimRenewer
from wwspec_router.registry.request_paths import OnceRule, Path, path_text
from wwspec_router.stores.once import KeptReply, OnceClaim, OnceEntry, OnceStore, corp_hash

WAIT = 10.0
"""Longest time that a repeat waits if its ability has no timeout, in seconds."""
MOST_WAITING = 32
"""Most repeats that wait in one process. More are refused at once: they must not occupy every thread."""
_PAUSES = Backoff(first=0.02, longest=1.0, growth=1.5)
"""Between two checks of a call that runs in another process."""
_EARLY = 0.05
"""Seconds before the deadline at which a wait ends, so that the app gets the refusal and not a timeout."""


class Once:
    """Lets calls run once.

    Args:
        store: Keeps replies; may be shared with other processes.
        errcode: Returns the errcode of an error.
        lease: Seconds without a sign of life from its process after which a call may run again.
    """

    def __init__(self, store: OnceStore, errcode: Callable[[CallError], int], lease: float = LEASE) -> None:
        self._store = store
        self._errcode = errcode
        self._lease = lease
        self.claims = ClaimRenewer(store, lease)
        """The claims of running calls."""
        self._waiting = BoundedSemaphore(MOST_WAITING)

    def guarded(self, rule: OnceRule, decode: Callable[[str], Any], function: Function) -> Function:
        """Return a function that gives the answers of `function` but runs it only once for each key.

        Args:
            rule: What makes two calls the same, and how long a reply is kept.
            decode: Checks a request and returns it as plain dicts and lists.
            function: Answers a call. A reply that comes after the deadline is kept as well, so being late is no error.
        """

        def answer_once(call: Call, text: str, deadline: Deadline) -> str:
            request = decode(text)
            deadline.check()
            claim = _claim_of(rule, call, request)
            try:
                self.claims.start()
                kept = self._claim_or_wait(claim, call, deadline, path_text(rule.key))
            except StoreError as error:
                raise CallError("the claim of the call could not be stored", detail=str(error)) from error
            if kept is not None and kept.errcode:
                raise RepeatedError(kept.text, errcode=kept.errcode)
            if kept is not None:
                return kept.text
            self.claims.add(claim)
            if deadline.remaining == 0:  # it waited too long; nothing has run, so nothing is kept
                self.claims.release(claim)
                deadline.check()
            reply = self._run(rule, claim, call.run, partial(function, call, text, deadline))
            deadline.check()
            return reply

        return answer_once

    def _run(self, rule: OnceRule, claim: OnceClaim, run: JobRun | None, function: Callable[[], str]) -> str:
        """Run the call that holds its key; keep its reply, or free the key when it failed or stored nothing."""
        try:
            reply = function()
        except BaseException as error:  # a handler may raise anything
            if rule.keep_errors and not is_a(error, NotStoredError) and not is_a(error, PostponedError):
                self.claims.keep(claim, self._failure(error), rule.ttl)
            else:
                self.claims.release(claim)
            raise
        is_wanted = rule.keep_errors or errcode_of(reply) == 0

        def end(stored: bool) -> None:
            if is_wanted and stored:
                self.claims.keep(claim, KeptReply(text=reply), rule.ttl)
            else:
                self.claims.release(claim)

        if run is not None and run.kept is not None:
            run.on_end(end)  # a reply that is kept keeps the job from running again, and then its changes would be lost
        else:
            end(True)
        return reply

    def _failure(self, error: BaseException) -> KeptReply:
        known = error if is_a(error, CallError) else CrashError()
        text = known.message.encode("utf-8", "backslashreplace").decode()
        return KeptReply(text=text, errcode=self._errcode(known))

    def _claim_or_wait(self, claim: OnceClaim, call: Call, deadline: Deadline, path: str) -> KeptReply | None:
        """Claim the key; return the reply that was kept under it, or None when this call is the one to run.

        Raises:
            InputError: The key came with another request before.
            FirstCallRunningError: The call that has the key did not end in time.
            StoreError: The store failed.
        """
        entry = self._claim(claim, call, path)
        if entry is not None and entry.reply is None:
            entry = self._wait_for_other(entry.token, deadline, lambda: self._claim(claim, call, path))
        return None if entry is None else entry.reply

    def _wait_for_other(
        self, token: str, deadline: Deadline, claim: Callable[[], OnceEntry | None]
    ) -> OnceEntry | None:
        """Claim again and again until no other call runs; return the result of the last claim."""
        if not self._waiting.acquire(blocking=False):
            raise FirstCallRunningError(detail=f"{MOST_WAITING} repeats are waiting")
        try:
            until = monotonic() + WAIT if deadline.at is None else deadline.at - _EARLY
            pauses = iter(_PAUSES)
            while (left := until - monotonic()) > 0:
                here = self.claims.ended(token)
                if here is None:
                    Event().wait(min(next(pauses), left))
                elif not here.wait(left):
                    break
                entry = claim()
                if entry is None or entry.reply is not None:
                    return entry
                token = entry.token
        finally:
            self._waiting.release()
        raise FirstCallRunningError()

    def _claim(self, claim: OnceClaim, call: Call, path: str) -> OnceEntry | None:
        """Claim the key; return what another call stored under it, or None when this claim has it."""
        entry = self._store.claim_once(claim, self._lease)
        if entry is not None and entry.reply is None and call.attempt > 1 and _job(entry.token) == _job(claim.token):
            self._store.release_once(claim.key, entry.token)  # of an earlier attempt at this job, which was cut off
            entry = self._store.claim_once(claim, self._lease)
        if entry is not None and entry.request != claim.request:
            raise InputError(path, "this key came with another request before; a new request needs a key of its own")
        return entry


def _claim_of(rule: OnceRule, call: Call, request: Any) -> OnceClaim:
    """Return the claim of a call that runs once.

    Raises:
        InputError: The request has no value under the key.
    """
    try:
        whole = _canonical(request)
    except RecursionError:
        raise InputError("$", "nested too deeply") from None
    value: Any = whole
    for name in rule.key:
        value = value.get(name) if isinstance(value, dict) else None
    if rule.key and value in (None, ""):
        raise InputError(path_text(rule.key), "missing value, by which the ability recognises a repeated call")
    key = _hash([call.corpid, call.agentid, call.ability_id, value])
    for path in rule.ignore:
        _remove(whole, path)
    if not rule.key:
        key = _hash([call.corpid, call.agentid, call.ability_id, whole])
    job = sha256(call.job_info.encode("utf-8", "surrogatepass")).hexdigest()[:32] if call.is_async else ""
    token = (job or secrets.token_hex(16)) + secrets.token_hex(16)
    return OnceClaim(key=key, token=token, request=_hash(whole), corp=corp_hash(call.corpid))


def _job(token: str) -> str:
    """Return the part of a claim's token that is the same for all attempts at one job."""
    return token[:32]


def _canonical(value: Any) -> Any:
    """Return a JSON value in which equal numbers have the same text."""
    match value:
        case dict():
            return {key: _canonical(each) for key, each in value.items()}
        case list():
            return [_canonical(each) for each in value]
        case float() if value.is_integer():
            return int(value)
        case _:
            return value


def _hash(value: Any) -> str:
    text = json.dumps(value, sort_keys=True, separators=(",", ":"))  # in ASCII, whatever the strings hold
    return sha256(text.encode()).hexdigest()


def _remove(value: Any, path: Path) -> None:
    for name in path[:-1]:
        value = value.get(name) if isinstance(value, dict) else None
    if isinstance(value, dict):
        value.pop(path[-1], None)
