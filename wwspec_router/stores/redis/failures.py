"""Turns an error of the package `redis` into one line with the fix.

The text of such an error may hold sent data or a password, so only known codes of it are repeated.
"""

import re
from collections.abc import Mapping
from typing import Any

from wwspec_router.stores.redis.url import NO_CLUSTER, Target

NOT_DONE = frozenset({"READONLY", "MASTERDOWN", "LOADING"})
"""Codes with which a server refuses a command before it does anything; another server may accept it."""

_FIXES: Mapping[str, str] = {
    "WRONGPASS": "the server asks for a password, or refused the user or password; check the store's URL",
    "NOPERM": "this user may not run a command that is needed, or not on the keys of this prefix; widen its ACL",
    "OOM": "the server's memory is full; raise its maxmemory or lower the store's bounds",
    "READONLY": "this is a replica; name the primary server in the store's URL, or write redis+sentinel://",
    "MISCONF": "the server can't save to its disk and takes no writes; see its log",
    "NOREPLICAS": "the server has fewer replicas than its min-replicas-to-write and takes no writes; start them",
    "LOADING": "the server is still loading its data; try again in a moment",
    **dict.fromkeys(("MOVED", "ASK", "TRYAGAIN", "CROSSSLOT", "CLUSTERDOWN"), NO_CLUSTER),
    "CERTIFICATE_VERIFY_FAILED": "the server's certificate is not trusted, or is another host's; see ssl_ca_certs",
    "CERTIFICATE_REQUIRED": "the server asks for a certificate of its client; see ssl_certfile and ssl_keyfile",
    "WRONG_VERSION_NUMBER": "the server does not speak TLS on this port; check the port, or the URL's scheme",
    "SSL": "TLS failed; check what ssl_ca_certs, ssl_certfile and ssl_keyfile name",
    "PROTOCOL": "what answers is no Redis server; check the address",
    "WRONGTYPE": "another program uses the same keys; give each a name or a ?prefix= of its own",
}
_SENTINELS: Mapping[str, str] = {
    "READONLY": "the primary has become a replica; a failover is under way",
    "MASTERDOWN": "the primary is down; a failover is under way",
    "UNBLOCKED": "the primary became a replica before its replicas had this; it may be lost",
    "NOPRIMARY": "the sentinels name no primary that is up; a failover may be under way",
}
"""The fixes with sentinels, where they differ."""
_ALIASES = {
    "AuthenticationError": "WRONGPASS",
    "AuthenticationWrongNumberOfArgsError": "WRONGPASS",
    "BusyLoadingError": "LOADING",
    "NoPermissionError": "NOPERM",
    "OutOfMemoryError": "OOM",
    "ReadOnlyError": "READONLY",
    "InvalidResponse": "PROTOCOL",
    "MovedError": "MOVED",
    "AskError": "ASK",
    "TryAgainError": "TRYAGAIN",
    "ClusterDownError": "CLUSTERDOWN",
    "MasterDownError": "MASTERDOWN",
    "ClusterCrossSlotError": "CROSSSLOT",
    "MasterNotFoundError": "NOPRIMARY",
    "NOAUTH": "WRONGPASS",
    "ACL": "NOPERM",
    "X509": "SSL",
    "PEM": "SSL",
    "SSLError": "SSL",
    "TLSV13_ALERT_CERTIFICATE_REQUIRED": "CERTIFICATE_REQUIRED",
}
"""Error classes of the package, which removes codes from the text, and other names of the same codes."""


def error_code(error: Exception) -> str | None:
    """Return the known code of an error of Redis or of TLS, if any."""
    if type(error.__context__).__name__ == "ReadOnlyError":  # with sentinels the package replaces the error
        return "READONLY"
    words = [type(error).__name__, *re.findall(r"\b[A-Z][A-Z0-9_]{2,}\b", str(error)[:300])]
    codes = [_ALIASES.get(each, each) for each in words]
    return next((each for each in codes if each != "SSL" and (each in _FIXES or each in _SENTINELS)), None) or (
        "SSL" if "SSL" in codes else None
    )


def describe(package: Any, target: Target, error: Exception, timeout: float) -> str:
    """Return what went wrong and the fix.

    Args:
        package: The package `redis`.
        target: What the store's URL says.
        error: What the package or the system raised.
        timeout: Seconds for which an answer was waited for.
    """
    if isinstance(error, package.TimeoutError):
        hint = "; check its address, and that this port speaks TLS" if "connecting" in str(error) and target.tls else ""
        return f"the server did not answer within {timeout:g} seconds{hint}"
    code = error_code(error)
    fixes = {**_FIXES, **_SENTINELS} if target.primary else _FIXES
    if code is not None and code in fixes:
        return f"{fixes[code]} ({code})"
    if isinstance(error, package.ConnectionError | OSError):
        own = ", and whether it asks for a certificate of its client (ssl_certfile)"
        hint = own if target.tls and "ssl_certfile" not in target.options else ""
        return f"the server can't be reached, or closed the connection; check that it runs, and its address{hint}"
    return f"Redis failed ({type(error).__name__})"
