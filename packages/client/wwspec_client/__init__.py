"""The enterprise app's side: calls of abilities and all other APIs of the zone, for threads and for an event loop.

Imports nothing of the program that runs in the zone.

Each name is imported at its first use: an app for threads needs nothing of the event loop's half, one of a single corp
nothing of suites.
"""

from typing import TYPE_CHECKING

from wwspec_contracts.support.lazy import lazily

if TYPE_CHECKING:
    from wwspec_client.asynchronous import AsyncZoneClient
    from wwspec_client.blocking import ZoneClient
    from wwspec_client.call_lines import LogHooks
    from wwspec_client.calls import TaskStatus
    from wwspec_client.cursors import (
        CursorError,
        CursorMovedError,
        CursorRefusedError,
        CursorStore,
        CursorStoreError,
        FileCursor,
        Position,
    )
    from wwspec_client.errors import (
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
    from wwspec_client.hooks import ClientAttempt, ClientCall, ClientHooks, ClientOutcome
    from wwspec_client.installations import Installation, InstallationStore, MemoryInstallationStore
    from wwspec_client.keys import Decryptor, KeyMissingError, KeyRing, KeyRingError
    from wwspec_client.message_pages import AsyncMessagePage, MessagePage
    from wwspec_client.messages import MessageGap, MessageGapError
    from wwspec_client.models import (
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
    from wwspec_client.notify.asynchronous import AsyncNotifyReceiver
    from wwspec_client.notify.blocking import NotifyReceiver
    from wwspec_client.notify.events import WecomEvent
    from wwspec_client.notify.intake import HttpAnswer
    from wwspec_client.notify.models import Key, Notification, NotifyEvent, Pending, Stage
    from wwspec_client.notify.opening import Callbacks
    from wwspec_client.notify.policy import NotifyPolicy
    from wwspec_client.notify.sqlite_store import SqlitePendingStore
    from wwspec_client.notify.stores import MemoryPendingStore, PendingStore
    from wwspec_client.options import RequestOptions
    from wwspec_client.raw import RawResponse
    from wwspec_client.raw_clients import AsyncRawZoneClient, RawZoneClient
    from wwspec_client.retries import RetryPolicy
    from wwspec_client.shared_tokens import StoredTokenProvider, TokenStore
    from wwspec_client.steps import Request, Step, Steps, ask
    from wwspec_client.suite.asynchronous import AsyncSuite
    from wwspec_client.suite.blocking import Suite
    from wwspec_client.suite.events import (
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
    from wwspec_client.suite.models import AuthAgent, AuthInfo, CorpInfo, Privilege
    from wwspec_client.tasks import AsyncTask, Task
    from wwspec_client.tokens import AppSecret, Fetch, SuiteApp, Token, TokenProvider
    from wwspec_client.viewer import UnopenedMessage, ViewerMessage, ViewerMessages, ViewerName
    from wwspec_client.webpage import PageConfig, PageSignature
    from wwspec_contracts.callbacks import Callback, CallbackError
    from wwspec_contracts.errcodes import ProgramErrcodes
    from wwspec_contracts.errors import ConfigurationError, StoreError, WWSpecError

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


if not TYPE_CHECKING:  # a type checker would take any name for one of this package

    def __dir__() -> list[str]:
        return __all__

    __getattr__ = lazily(
        __name__,
        {
            "wwspec_contracts.callbacks": "Callback CallbackError",
            "wwspec_client.asynchronous": "AsyncZoneClient",
            "wwspec_client.blocking": "ZoneClient",
            "wwspec_client.call_lines": "LogHooks",
            "wwspec_client.calls": "TaskStatus",
            "wwspec_client.cursors": (
                "CursorError CursorMovedError CursorRefusedError CursorStore CursorStoreError FileCursor Position"
            ),
            "wwspec_client.errors": (
                "BadAnswerError ContractMisfitError NoAnswerError NotInstalledError NotSentError PlatformError "
                "ProgramCrashError ProgramError ProgramInputError ProgramOverloadError ProgramRepeatError "
                "ProgramTimeoutError RepeatedCursorError ReplyTypeError SdkApiError StillRunningError "
                "TicketMissingError TransportError UnknownAbilityError ZoneClientError"
            ),
            "wwspec_client.hooks": "ClientAttempt ClientCall ClientHooks ClientOutcome",
            "wwspec_client.installations": "Installation InstallationStore MemoryInstallationStore",
            "wwspec_client.keys": "Decryptor KeyMissingError KeyRing KeyRingError",
            "wwspec_client.message_pages": "AsyncMessagePage MessagePage",
            "wwspec_client.messages": "MessageGap MessageGapError",
            "wwspec_client.models": (
                "AuthEdition AuthScope AuthUser AuthUsers CorpAuth DocAuth DocAuthUser DocAuthUsers Masking "
                "UploadedMedia UserInfo"
            ),
            "wwspec_client.notify.asynchronous": "AsyncNotifyReceiver",
            "wwspec_client.notify.blocking": "NotifyReceiver",
            "wwspec_client.notify.events": "WecomEvent",
            "wwspec_client.notify.intake": "HttpAnswer",
            "wwspec_client.notify.models": "Key Notification NotifyEvent Pending Stage",
            "wwspec_client.notify.opening": "Callbacks",
            "wwspec_client.notify.policy": "NotifyPolicy",
            "wwspec_client.notify.sqlite_store": "SqlitePendingStore",
            "wwspec_client.notify.stores": "MemoryPendingStore PendingStore",
            "wwspec_client.options": "RequestOptions",
            "wwspec_client.raw": "RawResponse",
            "wwspec_client.raw_clients": "AsyncRawZoneClient RawZoneClient",
            "wwspec_client.retries": "RetryPolicy",
            "wwspec_client.shared_tokens": "StoredTokenProvider TokenStore",
            "wwspec_client.steps": "Request Step Steps ask",
            "wwspec_client.suite.asynchronous": "AsyncSuite",
            "wwspec_client.suite.blocking": "Suite",
            "wwspec_client.suite.events": (
                "CancelAuth ChangeAuth CreateAuth DataPermission DataPermissionEnded DataPermissionExpiring "
                "DataPermissionGranted ResetPermanentCode SuiteEvent SuiteTicket"
            ),
            "wwspec_client.suite.models": "AuthAgent AuthInfo CorpInfo Privilege",
            "wwspec_client.tasks": "AsyncTask Task",
            "wwspec_client.tokens": "AppSecret Fetch SuiteApp Token TokenProvider",
            "wwspec_client.viewer": "UnopenedMessage ViewerMessage ViewerMessages ViewerName",
            "wwspec_client.webpage": "PageConfig PageSignature",
            "wwspec_contracts.errcodes": "ProgramErrcodes",
            "wwspec_contracts.errors": "ConfigurationError StoreError WWSpecError",
        },
    )
