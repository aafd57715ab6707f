"""One exchange with the program: seal, send, open, and name what went wrong as the app sees it [100042].

Holds no lock: the program may take its time, and calls the platform back meanwhile.
"""

import logging

from wwspec_router.emulator import seal
from wwspec_router.emulator.accounts import Program
from wwspec_router.emulator.answers import RefusedError
from wwspec_router.emulator.world import ChannelConnectError, ChannelTimeoutError, World

_log = logging.getLogger(__name__)

_OK = 200


def ask_program(world: World, program: Program, call: seal.CallContent) -> str:
    """Send one call and return the text of the program's reply.

    Raises:
        RefusedError: 710674, 710675, 710676 or 710677.
    """
    sealed = seal.seal_call(world.zone_key, call)
    try:
        reply = world.channel.post(program.url, sealed.headers, sealed.body)
    except ChannelConnectError as error:
        raise RefusedError(710674, str(error)) from None
    except ChannelTimeoutError as error:
        raise RefusedError(710675, str(error)) from None
    if reply.status != _OK:
        raise RefusedError(710676, f"http status {reply.status}")
    try:
        opened = seal.open_reply(world.zone_key, reply.headers, reply.body.decode())
    except UnicodeDecodeError:
        raise RefusedError(710677, "the body is not UTF-8") from None
    except seal.SealError as error:
        raise RefusedError(710677, str(error)) from None
    if opened.is_exception:
        raise RefusedError(710677, "the exception header: the program could not decode the call")
    if opened.request_id != call.request_id:
        _log.warning(
            "request %s was answered from a thread that last decoded %s: decode and reply on one thread",
            call.request_id,
            opened.request_id or "nothing",
        )
    return opened.text
