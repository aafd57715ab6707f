"""The enterprise app's side: calls of abilities and all other APIs of the zone, for threads and for an event loop.

Imports nothing of the program that runs in the zone. Needs the extra `client`.

Each name is imported at its first use: an app for threads needs nothing of the event loop's half, one of a single corp
nothing of suites.
"""

from typing import TYPE_CHECKING

from wwspec_router.host.extras import require
from wwspec_router.host.lazy import lazily

if TYPE_CHECKING:
    from wwspec_router.callbacks import Callback, CallbackError
    from wwspec_router.client.asynchronous import AsyncZoneClient
    from wwspec_router.client.blocking import ZoneClient
    from wwspec_router.client.call_lines import LogHooks
    from wwspec_router.client.calls import TaskStatus
    from wwspec_router.client.cursors import (
        CursorError,
        CursorMovedError,
        CursorRefusedError,
        CursorStore,
        CursorStoreError,
        FileCursor,
        Position,
    )
    from wwspec_router.client.errors import (
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
    from wwspec_router.client.hooks import ClientAttempt, ClientCall, ClientHooks, ClientOutcome
    from wwspec_router.client.installations import Installation, InstallationStore, MemoryInstallationStore
    from wwspec_router.client.keys import Decryptor, KeyMissingError, KeyRing, KeyRingError
    from wwspec_router.client.message_pages import AsyncMessagePage, MessagePage
    from wwspec_router.client.messages import MessageGap, MessageGapError
    from wwspec_router.client.models import (
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
    from wwspec_router.client.notify.asynchronous import AsyncNotifyReceiver
    from wwspec_router.client.notify.blocking import NotifyReceiver
    from wwspec_router.client.notify.events import WecomEvent
    from wwspec_router.client.notify.intake import HttpAnswer
    from wwspec_router.client.notify.models import Key, Notification, NotifyEvent, Pending, Stage
    from wwspec_router.client.notify.opening import Callbacks
    from wwspec_router.client.notify.policy import NotifyPolicy
    from wwspec_router.client.notify.sqlite_store import SqlitePendingStore
    from wwspec_router.client.notify.stores import MemoryPendingStore, PendingStore
    from wwspec_router.client.options import RequestOptions
    from wwspec_router.client.raw import RawResponse
    from wwspec_router.client.raw_clients import AsyncRawZoneClient, RawZoneClient
    from wwspec_router.client.retries import RetryPolicy
    from wwspec_router.client.shared_tokens import StoredTokenProvider, TokenStore
    from wwspec_router.client.steps import Request, Step, Steps, ask
    from wwspec_router.client.suite.asynchronous import AsyncSuite
    from wwspec_router.client.suite.blocking import Suite
    from wwspec_router.client.suite.events import (
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
    from wwspec_router.client.suite.models import AuthAgent, AuthInfo, CorpInfo, Privilege
    from wwspec_router.client.tasks import AsyncTask, Task
    from wwspec_router.client.tokens import AppSecret, Fetch, SuiteApp, Token, TokenProvider
    from wwspec_router.client.viewer import UnopenedMessage, ViewerMessage, ViewerMessages, ViewerName
    from wwspec_router.client.webpage import PageConfig, PageSignature
    from wwspec_router.errcodes import ProgramErrcodes
    from wwspec_router.errors import ConfigurationError, StoreError, WWSpecError

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
    "ConfigurationError",
    "ContractMisfitError",
    "CorpAuth",
    "CorpInfo",
    "CreateAuth",
    "CursorError",
    "CursorMovedError",
    "CursorRefusedError",
    "CursorStore",
    "CursorStoreError",
    "DataPermission",
    "DataPermissionEnded",
    "DataPermissionExpiring",
    "DataPermissionGranted",
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
    "SqlitePendingStore",
    "Stage",
    "Step",
    "Steps",
    "StillRunningError",
    "StoreError",
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
    "WWSpecError",
    "WecomEvent",
    "ZoneClient",
    "ZoneClientError",
    "ask",
]

require("client", __name__)

if not TYPE_CHECKING:  # a type checker would take any name for one of this package

    def __dir__() -> list[str]:
        return __all__

    __getattr__ = lazily(
        __name__,
        {
            "wwspec_router.callbacks": "Callback CallbackError",
            "wwspec_router.client.asynchronous": "AsyncZoneClient",
            "wwspec_router.client.blocking": "ZoneClient",
            "wwspec_router.client.call_lines": "LogHooks",
            "wwspec_router.client.calls": "TaskStatus",
            "wwspec_router.client.cursors": (
                "CursorError CursorMovedError CursorRefusedError CursorStore CursorStoreError FileCursor Position"
            ),
            "wwspec_router.client.errors": (
                "BadAnswerError ContractMisfitError NoAnswerError NotInstalledError NotSentError PlatformError "
                "ProgramCrashError ProgramError ProgramInputError ProgramOverloadError ProgramRepeatError "
                "ProgramTimeoutError RepeatedCursorError ReplyTypeError SdkApiError StillRunningError "
                "TicketMissingError TransportError UnknownAbilityError ZoneClientError"
            ),
            "wwspec_router.client.hooks": "ClientAttempt ClientCall ClientHooks ClientOutcome",
            "wwspec_router.client.installations": "Installation InstallationStore MemoryInstallationStore",
            "wwspec_router.client.keys": "Decryptor KeyMissingError KeyRing KeyRingError",
            "wwspec_router.client.message_pages": "AsyncMessagePage MessagePage",
            "wwspec_router.client.messages": "MessageGap MessageGapError",
            "wwspec_router.client.models": (
                "AuthEdition AuthScope AuthUser AuthUsers CorpAuth DocAuth DocAuthUser DocAuthUsers Masking "
                "UploadedMedia UserInfo"
            ),
            "wwspec_router.client.notify.asynchronous": "AsyncNotifyReceiver",
            "wwspec_router.client.notify.blocking": "NotifyReceiver",
            "wwspec_router.client.notify.events": "WecomEvent",
            "wwspec_router.client.notify.intake": "HttpAnswer",
            "wwspec_router.client.notify.models": "Key Notification NotifyEvent Pending Stage",
            "wwspec_router.client.notify.opening": "Callbacks",
            "wwspec_router.client.notify.policy": "NotifyPolicy",
            "wwspec_router.client.notify.sqlite_store": "SqlitePendingStore",
            "wwspec_router.client.notify.stores": "MemoryPendingStore PendingStore",
            "wwspec_router.client.options": "RequestOptions",
            "wwspec_router.client.raw": "RawResponse",
            "wwspec_router.client.raw_clients": "AsyncRawZoneClient RawZoneClient",
            "wwspec_router.client.retries": "RetryPolicy",
            "wwspec_router.client.shared_tokens": "StoredTokenProvider TokenStore",
            "wwspec_router.client.steps": "Request Step Steps ask",
            "wwspec_router.client.suite.asynchronous": "AsyncSuite",
            "wwspec_router.client.suite.blocking": "Suite",
            "wwspec_router.client.suite.events": (
                "CancelAuth ChangeAuth CreateAuth DataPermission DataPermissionEnded DataPermissionExpiring "
                "DataPermissionGranted ResetPermanentCode SuiteEvent SuiteTicket"
            ),
            "wwspec_router.client.suite.models": "AuthAgent AuthInfo CorpInfo Privilege",
            "wwspec_router.client.tasks": "AsyncTask Task",
            "wwspec_router.client.tokens": "AppSecret Fetch SuiteApp Token TokenProvider",
            "wwspec_router.client.viewer": "UnopenedMessage ViewerMessage ViewerMessages ViewerName",
            "wwspec_router.client.webpage": "PageConfig PageSignature",
            "wwspec_router.errcodes": "ProgramErrcodes",
            "wwspec_router.errors": "ConfigurationError StoreError WWSpecError",
        },
    )
