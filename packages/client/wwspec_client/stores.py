"""What an app can keep in a place of its own: interfaces to implement, and the stores that need no database.

Stores in a database are in `wwspec_client.sql`.
"""

from wwspec_client.cursors import (
    CursorError,
    CursorMovedError,
    CursorRefusedError,
    CursorStore,
    CursorStoreError,
    FileCursor,
    Position,
)
from wwspec_client.installations import Installation, InstallationStore, MemoryInstallationStore
from wwspec_client.keys import Decryptor
from wwspec_client.notify.models import Key, Pending, Stage
from wwspec_client.notify.sqlite_store import SqlitePendingStore
from wwspec_client.notify.stores import MemoryPendingStore, PendingStore
from wwspec_client.shared_tokens import StoredTokenProvider, TokenStore
from wwspec_client.steps import Request, Step, Steps, ask
from wwspec_client.tokens import Fetch, Token, TokenProvider
from wwspec_contracts.errors import StoreError

__all__ = [
    "CursorError",
    "CursorMovedError",
    "CursorRefusedError",
    "CursorStore",
    "CursorStoreError",
    "Decryptor",
    "Fetch",
    "FileCursor",
    "Installation",
    "InstallationStore",
    "Key",
    "MemoryInstallationStore",
    "MemoryPendingStore",
    "Pending",
    "PendingStore",
    "Position",
    "Request",
    "Stage",
    "SqlitePendingStore",
    "Step",
    "Steps",
    "StoreError",
    "StoredTokenProvider",
    "Token",
    "TokenProvider",
    "TokenStore",
    "ask",
]
