"""What must be true of a provider's app after everything has gone wrong around it.

Knows neither processes nor databases: it gets what was said, what was sent, and what is stored.
"""

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import NamedTuple

from torture.tenants import Claim

__all__ = ["Kept", "Row", "judge_callbacks", "judge_messages", "judge_tenants"]

EXPIRED = "710646"
"""Of a notification that waited for longer than its ten minutes, by WeCom's clock."""
USED = "40078"
"""Of an auth_code that was used by a process that died before it had stored the installation, or has expired."""


class Row(NamedTuple):
    """A message as the app has stored it."""

    corpid: str
    msgid: str
    secret_key: str | None


class Kept(NamedTuple):
    """A callback in the app's store."""

    stage: str
    reason: str


def judge_messages(
    rows: Sequence[Row], claims: Mapping[str, Claim], secret_key: Callable[[str, str], str]
) -> list[str]:
    """Return one line for each broken promise about messages.

    Args:
        rows: What is stored.
        claims: What the app must have, may have and must not have any more, by corpid.
        secret_key: Returns the key in clear of a corp's message.
    """
    failures = []
    owner = {msgid: corpid for corpid, claim in claims.items() for kind in claim for msgid in kind}
    times = Counter((row.corpid, row.msgid) for row in rows)
    for corpid, claim in sorted(claims.items()):
        if missing := [msgid for msgid in claim.wanted if not times[corpid, msgid]]:
            total = len(claim.wanted)
            failures.append(f"{len(missing)} of {total} messages of {corpid} are missing, such as {min(missing)}")
        if left := [msgid for msgid in claim.gone if times[corpid, msgid]]:
            failures.append(f"{len(left)} messages of before {corpid} removed the app are left, such as {min(left)}")
    if twice := [msgid for (_, msgid), count in times.items() if count > 1]:
        failures.append(f"{len(twice)} messages are there more than once, such as {min(twice)}")
    if unknown := [row.msgid for row in rows if row.msgid not in owner]:
        failures.append(f"{len(unknown)} messages were never said, such as {min(unknown)}")
    if mixed := [row.msgid for row in rows if owner.get(row.msgid, row.corpid) != row.corpid]:
        failures.append(f"{len(mixed)} messages are stored for another corp, such as {min(mixed)}")
    if wrong := [
        row.msgid for row in rows if row.secret_key != secret_key(owner.get(row.msgid, row.corpid), row.msgid)
    ]:
        failures.append(f"{len(wrong)} keys are not those of their message, such as that of {min(wrong)}")
    return failures


def judge_callbacks(
    acknowledged: Collection[str], handled: Collection[str], kept: Sequence[Kept], forgotten: Collection[str]
) -> list[str]:
    """Return one line for each broken promise about callbacks; those that wait still are some.

    Args:
        acknowledged: The names of what the app has answered with success.
        handled: The names of what it has handled.
        kept: What its store has.
        forgotten: The names of what was forgotten with its corp.
    """
    failures = []
    reasons = [each.reason for each in kept if each.stage == "failed" or (each.stage != "done" and USED in each.reason)]
    excused = sum(1 for reason in reasons if EXPIRED in reason or USED in reason)
    unhandled = sorted(set(acknowledged) - set(handled) - set(forgotten))
    if len(unhandled) > excused:
        failures.append(
            f"{len(unhandled)} callbacks were acknowledged and not handled, {excused} came too late for it, "
            f"such as {unhandled[0]}"
        )
    waiting = [each for each in kept if each.stage not in ("done", "failed") and USED not in each.reason]
    if waiting:
        failures.append(f"{len(waiting)} callbacks wait still, such as one that failed with: {waiting[0].reason[:200]}")
    if given_up := [reason for reason in reasons if EXPIRED not in reason and USED not in reason]:
        failures.append(f"{len(given_up)} callbacks were given up, such as one with: {given_up[0][:200]}")
    return failures


def judge_tenants(what: str, owners: Mapping[str, str]) -> list[str]:
    """Return one line for each corp that has something of another.

    Args:
        what: The name of what a corp has.
        owners: Whose it is in truth, by the corp that it is stored for; empty when nobody knows it.
    """
    return [f"the {what} of {corp} is that of {owner or 'nobody'}" for corp, owner in owners.items() if corp != owner]
