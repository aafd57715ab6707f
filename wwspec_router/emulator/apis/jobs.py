"""The SDK API by which a program reports an asynchronous result: `program_async_job_call_back` [99847].

The emulator starts no asynchronous jobs yet, so no job_info is a legal one.
"""

from wwspec_router.emulator.answers import Answer, RefusedError
from wwspec_router.emulator.world import Caller, World


def program_async_job_call_back(world: World, caller: Caller, body: bytes) -> Answer:
    """Refuse: nobody was given a job_info."""
    raise RefusedError(790017, "the emulator has started no such job")


APIS = {"program_async_job_call_back": program_async_job_call_back}
