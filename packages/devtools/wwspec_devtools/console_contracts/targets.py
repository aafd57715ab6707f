"""What answers the abilities of a program, in a few words, and what the functions of one are asked with."""

from wwspec_contracts.wrapping import func_input
from wwspec_router.handlers.ability import Handler
from wwspec_router.handlers.events import EventHandler
from wwspec_router.registry.events import EventTarget
from wwspec_router.registry.targets import ApiTarget, CallbackTarget, FuncTarget, HandlerTarget, ProgramTarget, Target

_OF_PROGRAM = {
    "status": "figures of the program",
    "jobs": "jobs that failed for good",
    "forget": "removal of all that is stored for a corp",
}


def describe_target(target: Target) -> str:
    """Return what answers an ability."""
    match target:
        case ApiTarget(api=api):
            return f"SDK API {api}"
        case HandlerTarget(handler=handler):
            return _describe_handler(handler)
        case CallbackTarget():
            return "stored event by notify_id"
        case ProgramTarget(kind=kind):
            return _OF_PROGRAM[kind]
        case FuncTarget(functions=functions):
            names = sorted(functions)
            return f"input.func {names[0]}" if len(names) == 1 else f"input.func, {len(names)} functions"


def describe_event(target: EventTarget) -> str:
    """Return which code runs on an event, and when the app is told of it."""
    when = {"now": "told now", "after": "told after it", "never": "never told"}[target.row.notify]
    return f"{_describe_handler(target.handler)}; the app is {when}"


def wrapped_requests(target: FuncTarget) -> dict[str, type]:
    """Return the wrapped request of each function, for console examples."""
    return {name: func_input(name, each.input.type) for name, each in target.functions.items()}


def _describe_handler(handler: Handler | EventHandler) -> str:
    return f"handler {handler.function.__module__}:{handler.function.__qualname__}"
