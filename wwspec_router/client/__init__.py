"""The enterprise app's side: calls of abilities and all other APIs of the zone, for threads and for an event loop.

Imports nothing of the program that runs in the zone. Needs the extra `client`.
"""

from wwspec_router.host.extras import require

require("client", "wwspec_router.client")

from wwspec_router.callbacks import Callback  # noqa: E402 - after the check of the extra
from wwspec_router.client.asynchronous import AsyncTask, AsyncZoneClient  # noqa: E402
from wwspec_router.client.blocking import Task, ZoneClient  # noqa: E402
from wwspec_router.client.call_lines import LogHooks  # noqa: E402
from wwspec_router.client.calls import TaskStatus  # noqa: E402
from wwspec_router.client.cursors import (  # noqa: E402
    CursorError,
    CursorMovedError,
    CursorStore,
    FileCursor,
    Position,
)
from wwspec_router.client.databases import DbCursor  # noqa: E402
from wwspec_router.client.errors import (  # noqa: E402
    BadAnswerError,
    ContractMisfitError,
    NoAnswerError,
    NotSentError,
    PlatformError,
    ProgramCrashError,
    ProgramError,
    ProgramInputError,
    ProgramOverloadError,
    ProgramRepeatError,
    ProgramTimeoutError,
    RepeatedCursorError,
    ReplyTypeError,
    SdkApiError,
    StillRunningError,
    TransportError,
    UnknownAbilityError,
    ZoneClientError,
)
from wwspec_router.client.hooks import ClientAttempt, ClientCall, ClientHooks, ClientOutcome  # noqa: E402
from wwspec_router.client.keys import KeyMissingError, KeyRing, KeyRingError  # noqa: E402
from wwspec_router.client.message_pages import AsyncMessagePage, MessagePage  # noqa: E402
from wwspec_router.client.messages import MessageGap, MessageGapError  # noqa: E402
from wwspec_router.client.models import (  # noqa: E402
    AuthEdition,
    AuthScope,
    AuthUser,
    AuthUsers,
    CorpAuth,
    DocAuth,
    DocAuthUser,
    DocAuthUsers,
    Masking,
    UploadedMedia,
    UserInfo,
)
from wwspec_router.client.notify.asynchronous import AsyncNotifyReceiver  # noqa: E402
from wwspec_router.client.notify.blocking import NotifyReceiver  # noqa: E402
from wwspec_router.client.notify.events import WecomEvent  # noqa: E402
from wwspec_router.client.notify.models import Notification, NotifyEvent, Pending  # noqa: E402
from wwspec_router.client.notify.policy import NotifyPolicy  # noqa: E402
from wwspec_router.client.notify.stores import MemoryPendingStore, PendingStore, SqlitePendingStore  # noqa: E402
from wwspec_router.client.retries import RetryPolicy  # noqa: E402
from wwspec_router.client.tokens import AppSecret, SuiteApp, Token, TokenProvider  # noqa: E402
from wwspec_router.client.viewer import UnopenedMessage, ViewerMessage, ViewerMessages, ViewerName  # noqa: E402
from wwspec_router.client.webpage import PageConfig, PageSignature  # noqa: E402
from wwspec_router.errcodes import ProgramErrcodes  # noqa: E402

__all__ = [
    "AppSecret",
    "AsyncMessagePage",
    "AsyncNotifyReceiver",
    "AsyncTask",
    "AsyncZoneClient",
    "AuthEdition",
    "AuthScope",
    "AuthUser",
    "AuthUsers",
    "BadAnswerError",
    "Callback",
    "ClientAttempt",
    "ClientCall",
    "ClientHooks",
    "ClientOutcome",
    "ContractMisfitError",
    "CorpAuth",
    "CursorError",
    "CursorMovedError",
    "CursorStore",
    "DbCursor",
    "DocAuth",
    "DocAuthUser",
    "DocAuthUsers",
    "FileCursor",
    "KeyMissingError",
    "KeyRing",
    "KeyRingError",
    "LogHooks",
    "Masking",
    "MemoryPendingStore",
    "MessageGap",
    "MessageGapError",
    "MessagePage",
    "NoAnswerError",
    "NotSentError",
    "Notification",
    "NotifyEvent",
    "NotifyPolicy",
    "NotifyReceiver",
    "PageConfig",
    "PageSignature",
    "Pending",
    "PendingStore",
    "PlatformError",
    "Position",
    "ProgramCrashError",
    "ProgramErrcodes",
    "ProgramError",
    "ProgramInputError",
    "ProgramOverloadError",
    "ProgramRepeatError",
    "ProgramTimeoutError",
    "RepeatedCursorError",
    "ReplyTypeError",
    "RetryPolicy",
    "SdkApiError",
    "SqlitePendingStore",
    "StillRunningError",
    "SuiteApp",
    "Task",
    "TaskStatus",
    "Token",
    "TokenProvider",
    "TransportError",
    "UnknownAbilityError",
    "UnopenedMessage",
    "UploadedMedia",
    "UserInfo",
    "ViewerMessage",
    "ViewerMessages",
    "ViewerName",
    "WecomEvent",
    "ZoneClient",
    "ZoneClientError",
]
