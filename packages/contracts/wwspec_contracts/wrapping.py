"""Contracts around stored events and the Python demo's protocol.

The reply that merges all events, the requests that ask for one, and requests wrapped as the Python demo does.
"""

from typing import Annotated, Any, ClassVar, Literal

import msgspec
from msgspec import Meta

from wwspec_contracts.base import UNSET, Contract, Output, UnsetType, max_bytes
from wwspec_contracts.errors import LoaderError

DO_ASYNC_JOB = "do_async_job"
"""The Python demo's name for fetching a stored event."""


class CallbackDataRequest(Contract):
    """Asks for the event that is stored under the notify_id of the call itself."""

    notify_id: ClassVar[str] = ""


class AsyncJobRequest(Contract):
    """Asks for the same as the Python demo does; a notify_id of the call itself goes before this one [100249]."""

    notify_id: Annotated[str, max_bytes(128), Meta(examples=["NOTIFYID"])] = ""


def merged_events(events: dict[str, type[Contract]], added: dict[str, type[Contract]]) -> type[Output]:
    """Return the output contract of `get_callback_data`: the keys of every event, and those of an error reply.

    Args:
        events: The contract of each event by event_type, those of the application last.
        added: Keys that no event has, and their contracts: results of event handlers, and notifications.

    Raises:
        LoaderError: Two events give one key different types.
    """
    fields: dict[str, Any] = {"event_type": str, "timestamp": int}
    for event_type, contract in events.items():
        for field in msgspec.structs.fields(contract):
            name = field.encode_name
            if name == "event_type":
                continue
            if fields.setdefault(name, field.type) != field.type:
                raise LoaderError(
                    f"schemas/events/{event_type}.py: {name} has another type than in another event; "
                    "the platform lets a key have one type only"
                )
    fields |= added
    optional = [(name, type_ | UnsetType, UNSET) for name, type_ in fields.items()]
    # For mypy the result is a plain Struct, whatever the bases are.
    return msgspec.defstruct("CallbackData", optional, bases=(Output,), kw_only=True)  # type: ignore[return-value]


def func_input(name: str, request: type) -> type:
    """Return the contract of `{"input": {"func": name, "func_req": request}}`."""
    title = name.title().replace("_", "")
    fields: list[Any] = [("func", Literal[name]), ("func_req", request | UnsetType, UNSET)]
    inner = msgspec.defstruct(f"{title}Call", fields, bases=(Contract,), kw_only=True)
    return msgspec.defstruct(f"{title}Input", [("input", inner)], bases=(Contract,), kw_only=True)


def func_example(name: str, request: Any) -> Any:
    """Return the console example of what `func_input` returns, from that of the request."""
    return {"input": {"func": name, "func_req": request}}
