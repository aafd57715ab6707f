"""What the program itself keeps in its store, under no corp: the name of the store, and which corps were forgotten."""

import logging
import secrets

from wwspec_contracts.errors import KeptConflictError, StoreFullError
from wwspec_router.stores.base import Forgotten, Store
from wwspec_router.stores.kept import KeptKey, KeptStore, KeptWrite
from wwspec_router.stores.once import corp_hash

log = logging.getLogger(__name__)

FORGOTTEN_FOR = 86_400.0
"""Seconds for which it is known that a corp was forgotten, so that no run of its jobs reports anything: a day, the time
for which a job's report is tried."""

_INSTANCE = KeptKey(corpid="", agentid=0, space="program", name="instance")


def instance_name(store: KeptStore) -> str:
    """Return the name of the program's instance: that of its store, the same for all processes that share it.

    It is random, and stays the same for the life of the store.

    Raises:
        StoreError: The store failed.
    """
    while (value := store.read_kept(_INSTANCE)) is None:
        name = secrets.token_hex(4)
        try:
            store.write_kept([KeptWrite(key=_INSTANCE, text=name, version=secrets.token_hex(8), expected=None)])
        except KeptConflictError:  # another process was first
            continue
        return name
    return value.text


def forget(store: Store, corpid: str) -> Forgotten:
    """Remove all that is stored for a corp, and let no run of its jobs report anything; see `Store.forget`.

    Raises:
        StoreError: The store failed; a part may be left.
    """
    _mark_forgotten(store, corpid)
    forgotten = store.forget(corpid)
    _mark_forgotten(store, corpid)  # if there was no room for it before
    return forgotten


def was_forgotten(store: KeptStore, corpid: str) -> bool:
    """Return whether a corp was forgotten within the last day.

    Raises:
        StoreError: The store failed.
    """
    return store.read_kept(_forgotten(corpid)) is not None


def _mark_forgotten(store: KeptStore, corpid: str) -> None:
    write = KeptWrite(key=_forgotten(corpid), text="", version=secrets.token_hex(8), ttl=FORGOTTEN_FOR)
    try:
        store.write_kept([write])
    except StoreFullError as error:
        log.warning("a job that runs may still report its outcome, though its corp was forgotten: %s", error)


def _forgotten(corpid: str) -> KeptKey:
    return KeptKey(corpid="", agentid=0, space="forgotten", name=corp_hash(corpid))
