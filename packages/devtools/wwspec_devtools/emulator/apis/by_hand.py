"""SDK APIs that a test answers by hand: with a reply that it has set, or by a function in a server of its own."""

import logging
import urllib.error
import urllib.request

from wwspec_contracts.decoding import decode_json
from wwspec_contracts.errors import JsonError
from wwspec_devtools.direct import direct
from wwspec_devtools.emulator.answers import Answer
from wwspec_devtools.emulator.state.faults import Fault, ReturnCodeError

SECONDS = 25.0
"""To wait for the reply of a server: less than the stand-in waits for that of the emulator."""
FAILED = -10001
"""The return code of the SDK when the server gives no reply."""

_log = logging.getLogger(__name__)


def answer_by_hand(fault: Fault, api: str, body: bytes) -> Answer:
    """Return the reply to a call of an SDK API.

    Args:
        fault: The answer that is set.
        api: The API's name.
        body: The request's JSON.

    Raises:
        ReturnCodeError: The server can't be reached, or its reply is no JSON object.
    """
    if not fault.url:
        reply: Answer = fault.reply
        return reply
    request = urllib.request.Request(fault.url, body, {"content-type": "application/json"})  # noqa: S310 - loopback
    try:
        with direct().open(request, timeout=SECONDS) as response:
            return decode_json(response.read(), dict)
    except (OSError, JsonError) as error:
        if isinstance(error, urllib.error.HTTPError):  # which is the response
            error.close()
        _log.warning("%s: no reply to %s by hand: %s", fault.id, api, error)
        raise ReturnCodeError(FAILED) from None
