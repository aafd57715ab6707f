"""What an app can keep in a place of its own: interfaces to implement, and the stores that need no database.

Stores in a database are in `wwspec_client.sql`.
"""

from wwspec_client.cursors import (
    CursorError as CursorError,
    CursorMovedError as CursorMovedError,
    CursorRefusedError as CursorRefusedError,
    CursorStore as CursorStore,
    CursorStoreError as CursorStoreError,
    FileCursor as FileCursor,
    Position as Position,
)
from wwspec_client.installations import (
    Installation as Installation,
    InstallationStore as InstallationStore,
    MemoryInstallationStore as MemoryInstallationStore,
)
from wwspec_client.keys import Decryptor as Decryptor
from wwspec_client.notify.models import Key as Key, Pending as Pending, Stage as Stage
from wwspec_client.notify.sqlite_store import SqlitePendingStore as SqlitePendingStore
from wwspec_client.notify.stores import MemoryPendingStore as MemoryPendingStore, PendingStore as PendingStore
from wwspec_client.shared_tokens import StoredTokenProvider as StoredTokenProvider, TokenStore as TokenStore
from wwspec_client.steps import Request as Request, Step as Step, Steps as Steps, ask as ask
from wwspec_client.tokens import Fetch as Fetch, Token as Token, TokenProvider as TokenProvider
from wwspec_contracts.errors import StoreError as StoreError
