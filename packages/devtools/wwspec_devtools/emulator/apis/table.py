"""The function of each SDK API: that of its name in one of the modules here."""

from collections.abc import Callable
from functools import wraps
from types import ModuleType
from typing import Any

from wwspec_devtools.emulator.answers import Answer, asked
from wwspec_devtools.emulator.apis import (
    analyses,
    chats,
    exports,
    general_models,
    knowledge,
    masking,
    message_search,
    messages,
    notify,
    own_tasks,
    rules,
    searches,
)
from wwspec_devtools.emulator.standin.wwspec_standin.names import SDK_APIS
from wwspec_devtools.emulator.state.world import Caller, World

_WITHOUT_LOCK = (
    *("sync_msg", "get_msg_list_by_page_id", "get_hit_msg_list"),
    *("create_program_task", "create_model_task"),
)
"""The APIs that take the emulator's lock themselves, since keys of messages and calls of a program take long."""

ApiFunction = Callable[[World, Caller, bytes], Answer]
"""Takes the state, the caller and the request's JSON; raises `RefusedError`."""

_MODULES: tuple[ModuleType, ...] = (
    *(analyses, chats, exports, general_models, knowledge, masking),
    *(message_search, messages, notify, own_tasks, rules, searches),
)


def _with_app(function: Callable[..., Answer]) -> ApiFunction:
    """Return the function of an API as an `ApiFunction`: it gets the calling app, and a request of the type it names.

    The emulator's lock is held meanwhile, unless the API is one of `_WITHOUT_LOCK`.
    """
    kind: Any = function.__annotations__.get("request")
    if kind is None:  # it needs more of the caller than the app
        return function

    @wraps(function)
    def answer(world: World, caller: Caller, body: bytes) -> Answer:
        request = asked(kind, body)
        with world.lock:
            app = world.caller_app(caller)
            if function.__name__ not in _WITHOUT_LOCK:
                return function(world, app, request)
        return function(world, app, request)

    return answer


APIS: dict[str, ApiFunction] = {
    name: _with_app(getattr(module, name)) for name in SDK_APIS for module in _MODULES if hasattr(module, name)
}
