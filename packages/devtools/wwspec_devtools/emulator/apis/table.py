"""The function of each SDK API: the tables of all groups in one."""

from collections.abc import Callable

from wwspec_devtools.emulator.answers import Answer
from wwspec_devtools.emulator.apis import (
    analyses,
    consent,
    exports,
    general_models,
    groups,
    jobs,
    knowledge,
    masking,
    message_search,
    messages,
    notify,
    own_tasks,
    rules,
    searches,
)
from wwspec_devtools.emulator.state.world import Caller, World

ApiFunction = Callable[[World, Caller, bytes], Answer]
"""Takes the state, the caller and the request's JSON; raises `RefusedError`."""

APIS: dict[str, ApiFunction] = {
    **analyses.APIS,
    **consent.APIS,
    **exports.APIS,
    **general_models.APIS,
    **groups.APIS,
    **jobs.APIS,
    **knowledge.APIS,
    **masking.APIS,
    **message_search.APIS,
    **messages.APIS,
    **notify.APIS,
    **own_tasks.APIS,
    **rules.APIS,
    **searches.APIS,
}
