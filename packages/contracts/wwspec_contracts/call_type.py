"""Who calls a program: the one value of a call that the program, its app and the emulator share."""

from enum import IntEnum


class CallType(IntEnum):
    """Who calls the program [100057]."""

    APP = 1
    """The enterprise app, through `sync_call_program` or `async_program_task`."""
    EVENT = 2
    """WeCom itself, with an event."""
