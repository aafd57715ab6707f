"""The enterprise app's side: calls of abilities and all other APIs of the zone, for threads and for an event loop.

Imports nothing of the program that runs in the zone.

Each name is imported at its first use: an app for threads needs nothing of the event loop's half, one of a single corp
nothing of suites.

`wwspec_client.stores` has what an app can implement itself, `wwspec_client.models` what calls return. The modules
`viewer`, `hooks`, `call_lines` and `raw_clients` have names of their own, and so have `archive`, `sql` and `telemetry`,
which need an extra.
"""

from typing import TYPE_CHECKING

from wwspec_contracts.support.lazy import lazily

if TYPE_CHECKING:
    from wwspec_client.asynchronous import AsyncZoneClient
    from wwspec_client.blocking import ZoneClient
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
    from wwspec_client.keys import KeyMissingError, KeyRing, KeyRingError
    from wwspec_client.message_pages import AsyncMessagePage, MessagePage
    from wwspec_client.messages import MessageGapError
    from wwspec_client.notify.asynchronous import AsyncNotifyReceiver
    from wwspec_client.notify.blocking import NotifyReceiver
    from wwspec_client.notify.events import WecomEvent
    from wwspec_client.notify.models import Notification, NotifyEvent
    from wwspec_client.notify.opening import Callbacks
    from wwspec_client.notify.policy import NotifyPolicy
    from wwspec_client.options import RequestOptions
    from wwspec_client.retries import RetryPolicy
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
    from wwspec_client.tasks import AsyncTask, Task
    from wwspec_client.tokens import AppSecret, SuiteApp
    from wwspec_contracts.callbacks import Callback, CallbackError
    from wwspec_contracts.errcodes import ProgramErrcodes
    from wwspec_contracts.errors import ConfigurationError, WWSpecError

__all__ = [
    "AppSecret",
    "AsyncMessagePage",
    "AsyncNotifyReceiver",
    "AsyncSuite",
    "AsyncTask",
    "AsyncZoneClient",
    "BadAnswerError",
    "Callback",
    "CallbackError",
    "Callbacks",
    "CancelAuth",
    "ChangeAuth",
    "ConfigurationError",
    "ContractMisfitError",
    "CreateAuth",
    "DataPermission",
    "DataPermissionEnded",
    "DataPermissionExpiring",
    "DataPermissionGranted",
    "KeyMissingError",
    "KeyRing",
    "KeyRingError",
    "MessageGapError",
    "MessagePage",
    "NoAnswerError",
    "NotInstalledError",
    "NotSentError",
    "Notification",
    "NotifyEvent",
    "NotifyPolicy",
    "NotifyReceiver",
    "PlatformError",
    "ProgramCrashError",
    "ProgramErrcodes",
    "ProgramError",
    "ProgramInputError",
    "ProgramOverloadError",
    "ProgramRepeatError",
    "ProgramTimeoutError",
    "RepeatedCursorError",
    "ReplyTypeError",
    "RequestOptions",
    "ResetPermanentCode",
    "RetryPolicy",
    "SdkApiError",
    "StillRunningError",
    "Suite",
    "SuiteApp",
    "SuiteEvent",
    "SuiteTicket",
    "Task",
    "TicketMissingError",
    "TransportError",
    "UnknownAbilityError",
    "WWSpecError",
    "WecomEvent",
    "ZoneClient",
    "ZoneClientError",
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
            "wwspec_client.errors": (
                "BadAnswerError ContractMisfitError NoAnswerError NotInstalledError NotSentError "
                "PlatformError ProgramCrashError ProgramError ProgramInputError ProgramOverloadError "
                "ProgramRepeatError ProgramTimeoutError RepeatedCursorError ReplyTypeError SdkApiError "
                "StillRunningError TicketMissingError TransportError UnknownAbilityError ZoneClientError"
            ),
            "wwspec_client.keys": "KeyMissingError KeyRing KeyRingError",
            "wwspec_client.message_pages": "AsyncMessagePage MessagePage",
            "wwspec_client.messages": "MessageGapError",
            "wwspec_client.notify.asynchronous": "AsyncNotifyReceiver",
            "wwspec_client.notify.blocking": "NotifyReceiver",
            "wwspec_client.notify.events": "WecomEvent",
            "wwspec_client.notify.models": "Notification NotifyEvent",
            "wwspec_client.notify.opening": "Callbacks",
            "wwspec_client.notify.policy": "NotifyPolicy",
            "wwspec_client.options": "RequestOptions",
            "wwspec_client.retries": "RetryPolicy",
            "wwspec_client.suite.asynchronous": "AsyncSuite",
            "wwspec_client.suite.blocking": "Suite",
            "wwspec_client.suite.events": (
                "CancelAuth ChangeAuth CreateAuth DataPermission DataPermissionEnded DataPermissionExpiring "
                "DataPermissionGranted ResetPermanentCode SuiteEvent SuiteTicket"
            ),
            "wwspec_client.tasks": "AsyncTask Task",
            "wwspec_client.tokens": "AppSecret SuiteApp",
            "wwspec_contracts.errcodes": "ProgramErrcodes",
            "wwspec_contracts.errors": "ConfigurationError WWSpecError",
        },
    )
