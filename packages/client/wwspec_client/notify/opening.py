"""Opens callbacks by hand, for an app whose own framework answers them."""

import time
from collections.abc import Callable, Collection, Mapping
from urllib.parse import parse_qsl

from wwspec_client.notify.intake import check_time
from wwspec_client.notify.policy import NotifyPolicy
from wwspec_contracts.callbacks import Callback, CallbackCrypto, CallbackError, CallbackReceiver, read_xml
from wwspec_contracts.errors import ConfigurationError


class Callbacks:
    """Opens what comes to the app's callback URL: checks signature, time and receiver, and decrypts. Without I/O.

    For events of a program use a `NotifyReceiver`, which also keeps and repeats them: its `handle_request` works in any
    framework, too. Threads may share one.

    Args:
        token: The callback's Token.
        encoding_aes_key: The callback's EncodingAESKey, 43 characters.
        receive_id: For whom callbacks are encrypted: the corpid, or the suite's ID. One text, several, or a function
            that returns whether an ID is the app's.
        replay_window: Seconds that a callback's timestamp may be off.
        clock: Returns Unix time in seconds.

    Raises:
        ConfigurationError: An argument is missing, or the EncodingAESKey is malformed.

    Examples:
        A function of a web framework, with the query and the body of its request:

        >>> from wwspec_client import CallbackError, Callbacks
        >>> callbacks = Callbacks(
        ...     token="callback-token",
        ...     encoding_aes_key="abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG",
        ...     receive_id="ww0123456789abcdef",
        ... )
        >>> def post(query: str, body: bytes) -> tuple[int, str]:
        ...     try:
        ...         callback = callbacks.open(query, body)
        ...     except CallbackError:
        ...         return 403, ""
        ...     return 200, callback.fields.get("Event", "")
        >>> post("msg_signature=made-up&timestamp=1&nonce=1", b"<xml><Encrypt>AA==</Encrypt></xml>")
        (403, '')
    """

    def __init__(
        self,
        *,
        token: str,
        encoding_aes_key: str,
        receive_id: str | Collection[str] | Callable[[str], bool],
        replay_window: float = NotifyPolicy().replay_window,
        clock: Callable[[], float] = time.time,
    ) -> None:
        if not token or not receive_id:
            raise ConfigurationError("Callbacks needs token=, encoding_aes_key= and receive_id=, as the app has them")
        self._callbacks = CallbackReceiver(CallbackCrypto(token, encoding_aes_key, ""))
        self._receive_id = receive_id
        self._replay_window = replay_window
        self._clock = clock

    def echo(self, query: str | Mapping[str, str]) -> str:
        """Return the text to answer to the GET with which WeCom verifies the URL.

        Args:
            query: The URL's query, as text or decoded.

        Raises:
            CallbackError: It is not genuine.
        """
        parameters = _decoded(query)
        return self._opened(parameters, parameters.get("echostr", ""))[0]

    def open(self, query: str | Mapping[str, str], body: bytes | str) -> Callback:
        """Return the callback of a POST. WeCom repeats one that is not answered with 200 within 5 seconds.

        Args:
            query: The URL's query, as text or decoded.
            body: The whole body.

        Raises:
            CallbackError: It is not genuine.
        """
        envelope = read_xml(body if isinstance(body, str) else body.decode(errors="replace"))
        text, receive_id = self._opened(_decoded(query), envelope.get("Encrypt", ""))
        return Callback(read_xml(text, nested=True), text, receive_id, envelope)

    def _opened(self, query: Mapping[str, str], sealed: str) -> tuple[str, str]:
        check_time(query, self._clock(), self._replay_window)
        text, receive_id = self._callbacks.unseal(query, sealed)
        own = self._receive_id
        if not (own(receive_id) if callable(own) else receive_id in ((own,) if isinstance(own, str) else own)):
            raise CallbackError("the callback is for another receiver")
        return text, receive_id


def _decoded(query: str | Mapping[str, str]) -> Mapping[str, str]:
    return dict(parse_qsl(query, keep_blank_values=True, errors="replace")) if isinstance(query, str) else query
