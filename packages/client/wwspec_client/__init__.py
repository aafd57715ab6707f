"""The enterprise app's side: calls of abilities and all other APIs of the zone, for threads and for an event loop.

Imports nothing of the program that runs in the zone.

Each name is imported at its first use: an app for threads needs nothing of the event loop's half, one of a single corp
nothing of suites.

`wwspec_client.stores` has what an app can implement itself, `wwspec_client.models` what calls return. The modules
`viewer`, `hooks`, `call_lines`, `raw_clients` and `testing` have names of their own, and so have `archive`, `provider`,
`sql` and `telemetry`, which need an extra.
"""

from typing import TYPE_CHECKING

from wwspec_contracts.support.lazy import lazily

if TYPE_CHECKING:
    from wwspec_client.asynchronous import AsyncZoneClient as AsyncZoneClient
    from wwspec_client.blocking import ZoneClient as ZoneClient
    from wwspec_client.errors import (
        BadAnswerError as BadAnswerError,
        ContractMisfitError as ContractMisfitError,
        NoAnswerError as NoAnswerError,
        NotInstalledError as NotInstalledError,
        NotSentError as NotSentError,
        PlatformError as PlatformError,
        ProgramCrashError as ProgramCrashError,
        ProgramError as ProgramError,
        ProgramInputError as ProgramInputError,
        ProgramOverloadError as ProgramOverloadError,
        ProgramRepeatError as ProgramRepeatError,
        ProgramTimeoutError as ProgramTimeoutError,
        RepeatedCursorError as RepeatedCursorError,
        ReplyTypeError as ReplyTypeError,
        SdkApiError as SdkApiError,
        StillRunningError as StillRunningError,
        TicketMissingError as TicketMissingError,
        TransportError as TransportError,
        UnknownAbilityError as UnknownAbilityError,
        ZoneClientError as ZoneClientError,
    )
    from wwspec_client.keys import KeyMissingError as KeyMissingError, KeyRing as KeyRing, KeyRingError as KeyRingError
    from wwspec_client.message_pages import AsyncMessagePage as AsyncMessagePage, MessagePage as MessagePage
    from wwspec_client.messages import MessageGapError as MessageGapError
    from wwspec_client.notify.asynchronous import AsyncNotifyReceiver as AsyncNotifyReceiver
    from wwspec_client.notify.blocking import NotifyReceiver as NotifyReceiver
    from wwspec_client.notify.events import WecomEvent as WecomEvent
    from wwspec_client.notify.intake import Callbacks as Callbacks
    from wwspec_client.notify.models import Notification as Notification, NotifyEvent as NotifyEvent
    from wwspec_client.notify.policy import NotifyPolicy as NotifyPolicy
    from wwspec_client.options import RequestOptions as RequestOptions
    from wwspec_client.retries import RetryPolicy as RetryPolicy
    from wwspec_client.suite.asynchronous import AsyncSuite as AsyncSuite
    from wwspec_client.suite.blocking import Suite as Suite
    from wwspec_client.suite.events import (
        CancelAuth as CancelAuth,
        ChangeAuth as ChangeAuth,
        CreateAuth as CreateAuth,
        DataPermission as DataPermission,
        DataPermissionEnded as DataPermissionEnded,
        DataPermissionExpiring as DataPermissionExpiring,
        DataPermissionGranted as DataPermissionGranted,
        ResetPermanentCode as ResetPermanentCode,
        SuiteEvent as SuiteEvent,
        SuiteTicket as SuiteTicket,
    )
    from wwspec_client.tasks import AsyncTask as AsyncTask, Task as Task
    from wwspec_client.tokens import AppSecret as AppSecret, SuiteApp as SuiteApp
    from wwspec_contracts.callbacks import Callback as Callback, CallbackError as CallbackError
    from wwspec_contracts.errcodes import ProgramErrcodes as ProgramErrcodes
    from wwspec_contracts.errors import ConfigurationError as ConfigurationError, WWSpecError as WWSpecError

if not TYPE_CHECKING:  # a type checker would take any name for one of this package
    _HOMES = {
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
        "wwspec_client.notify.intake": "Callbacks",
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
    }
    __all__ = sorted(name for names in _HOMES.values() for name in names.split())
    __getattr__ = lazily(__name__, _HOMES)

    def __dir__() -> list[str]:
        return __all__
