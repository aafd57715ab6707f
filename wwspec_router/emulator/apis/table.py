"""Which function answers which SDK API: the tables of all groups in one."""

from collections.abc import Callable

from wwspec_router.emulator.answers import Answer
from wwspec_router.emulator.apis import groups, jobs, messages, notify
from wwspec_router.emulator.world import Caller, World

ApiFunction = Callable[[World, Caller, bytes], Answer]
"""Takes the state, the caller and the request's JSON; raises `RefusedError`."""

APIS: dict[str, ApiFunction] = {
    **groups.APIS,
    **jobs.APIS,
    **messages.APIS,
    **notify.APIS,
}
