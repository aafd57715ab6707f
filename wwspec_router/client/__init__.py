"""The enterprise app's side: calls of abilities and all other APIs of the zone, for threads and for an event loop.

Imports nothing of the program that runs in the zone. Needs the extra `client`.
"""

from wwspec_router.host.extras import require

require("client", "wwspec_router.client")

from wwspec_router.callbacks import Callback, CallbackError  # noqa: E402 - after the check of the extra
from wwspec_router.client.asynchronous import AsyncZoneClient  # noqa: E402
from wwspec_router.client.blocking import ZoneClient  # noqa: E402
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
    NotInstalledError,
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
    TicketMissingError,
    TransportError,
    UnknownAbilityError,
    ZoneClientError,
)
from wwspec_router.client.hooks import ClientAttempt, ClientCall, ClientHooks, ClientOutcome  # noqa: E402
from wwspec_router.client.installations import (  # noqa: E402
    Installation,
    InstallationStore,
    MemoryInstallationStore,
)
from wwspec_router.client.keys import (  # noqa: E402
    Decryptor,
    KeyMissingError,
    KeyRing,
    KeyRingError,
)
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
from wwspec_router.client.notify.intake import HttpAnswer  # noqa: E402
from wwspec_router.client.notify.models import Key, Notification, NotifyEvent, Pending, Stage  # noqa: E402
from wwspec_router.client.notify.opening import Callbacks  # noqa: E402
from wwspec_router.client.notify.policy import NotifyPolicy  # noqa: E402
from wwspec_router.client.notify.sqlite_store import SqlitePendingStore  # noqa: E402
from wwspec_router.client.notify.stores import (  # noqa: E402
    MemoryPendingStore,
    PendingStore,
    SharedPendingStore,
)
from wwspec_router.client.options import RequestOptions  # noqa: E402
from wwspec_router.client.raw import RawResponse  # noqa: E402
from wwspec_router.client.raw_clients import AsyncRawZoneClient, RawZoneClient  # noqa: E402
from wwspec_router.client.retries import RetryPolicy  # noqa: E402
from wwspec_router.client.shared_tokens import StoredToken, StoredTokenProvider, TokenStore  # noqa: E402
from wwspec_router.client.steps import Request, Step, Steps, ask  # noqa: E402
from wwspec_router.client.suite.asynchronous import AsyncSuite  # noqa: E402
from wwspec_router.client.suite.blocking import Suite  # noqa: E402
from wwspec_router.client.suite.events import (  # noqa: E402
    CancelAuth,
    ChangeAuth,
    CreateAuth,
    DataPermission,
    DataPermissionEnded,
    DataPermissionExpiring,
    DataPermissionGranted,
    ResetPermanentCode,
    SuiteEvent,
    SuiteTicket,
)
from wwspec_router.client.suite.models import AuthAgent, AuthInfo, CorpInfo, Privilege  # noqa: E402
from wwspec_router.client.suite.tokens import SharedTokens  # noqa: E402
from wwspec_router.client.tasks import AsyncTask, Task  # noqa: E402
from wwspec_router.client.tokens import (  # noqa: E402
    AppSecret,
    Fetch,
    SharedTokenProvider,
    SuiteApp,
    Token,
    TokenProvider,
)
from wwspec_router.client.viewer import UnopenedMessage, ViewerMessage, ViewerMessages, ViewerName  # noqa: E402
from wwspec_router.client.webpage import PageConfig, PageSignature  # noqa: E402
from wwspec_router.errcodes import ProgramErrcodes  # noqa: E402

__all__ = [
    "AppSecret",
    "AsyncMessagePage",
    "AsyncNotifyReceiver",
    "AsyncRawZoneClient",
    "AsyncSuite",
    "AsyncTask",
    "AsyncZoneClient",
    "AuthAgent",
    "AuthEdition",
    "AuthInfo",
    "AuthScope",
    "AuthUser",
    "AuthUsers",
    "BadAnswerError",
    "Callback",
    "CallbackError",
    "Callbacks",
    "CancelAuth",
    "ChangeAuth",
    "ClientAttempt",
    "ClientCall",
    "ClientHooks",
    "ClientOutcome",
    "ContractMisfitError",
    "CorpAuth",
    "CorpInfo",
    "CreateAuth",
    "CursorError",
    "CursorMovedError",
    "CursorStore",
    "DataPermission",
    "DataPermissionEnded",
    "DataPermissionExpiring",
    "DataPermissionGranted",
    "DbCursor",
    "Decryptor",
    "DocAuth",
    "DocAuthUser",
    "DocAuthUsers",
    "Fetch",
    "FileCursor",
    "HttpAnswer",
    "Installation",
    "InstallationStore",
    "Key",
    "KeyMissingError",
    "KeyRing",
    "KeyRingError",
    "LogHooks",
    "Masking",
    "MemoryInstallationStore",
    "MemoryPendingStore",
    "MessageGap",
    "MessageGapError",
    "MessagePage",
    "NoAnswerError",
    "NotInstalledError",
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
    "Privilege",
    "ProgramCrashError",
    "ProgramErrcodes",
    "ProgramError",
    "ProgramInputError",
    "ProgramOverloadError",
    "ProgramRepeatError",
    "ProgramTimeoutError",
    "RawResponse",
    "RawZoneClient",
    "RepeatedCursorError",
    "ReplyTypeError",
    "Request",
    "RequestOptions",
    "ResetPermanentCode",
    "RetryPolicy",
    "SdkApiError",
    "SharedPendingStore",
    "SharedTokenProvider",
    "SharedTokens",
    "SqlitePendingStore",
    "Stage",
    "Step",
    "Steps",
    "StillRunningError",
    "StoredToken",
    "StoredTokenProvider",
    "Suite",
    "SuiteApp",
    "SuiteEvent",
    "SuiteTicket",
    "Task",
    "TaskStatus",
    "TicketMissingError",
    "Token",
    "TokenProvider",
    "TokenStore",
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
    "ask",
]
