"""The way to the program over HTTP: one pool of kept-alive connections for all threads."""

from collections.abc import Mapping

import httpx

from wwspec_contracts.support.certificates import trusted
from wwspec_devtools.emulator.state.world import (
    ChannelConnectError,
    ChannelLostError,
    ChannelTimeoutError,
    ProgramReply,
)

CONNECTIONS = 512
"""The most connections: more than the threads that call at the same time."""

_KEEPALIVE_SECONDS = 2.0
"""Less than common servers wait (5), so a server seldom closes a connection during a call."""


class HttpChannel:
    """Posts sealed calls to programs.

    Args:
        connect_timeout: Seconds.
        call_timeout: Seconds to wait for each read and write.
    """

    def __init__(self, connect_timeout: float, call_timeout: float) -> None:
        self._limit = call_timeout
        self._connect_limit = connect_timeout
        self._client = httpx.Client(
            verify=trusted(),
            trust_env=False,
            follow_redirects=False,
            limits=httpx.Limits(
                max_connections=CONNECTIONS,
                max_keepalive_connections=CONNECTIONS,
                keepalive_expiry=_KEEPALIVE_SECONDS,
            ),
        )

    def post(self, url: str, headers: Mapping[str, str], body: str, limit: float | None = None) -> ProgramReply:
        """Send one sealed call.

        Args:
            url: Where the program listens.
            headers: The headers of the seal.
            body: The sealed text.
            limit: Seconds to wait for each read and write; the channel's own when None.

        Raises:
            ChannelConnectError: No connection.
            ChannelTimeoutError: No reply in time.
            ChannelLostError: The connection was cut.
        """
        content_type = {"content-type": "text/plain; charset=utf-8"}
        try:
            response = self._client.post(
                url,
                headers={**content_type, **headers},
                content=body.encode(),
                timeout=httpx.Timeout(limit or self._limit, connect=self._connect_limit),
            )
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            raise ChannelConnectError(type(error).__name__) from None
        except (httpx.NetworkError, httpx.RemoteProtocolError) as error:
            raise ChannelLostError(type(error).__name__) from None
        except httpx.HTTPError as error:
            raise ChannelTimeoutError(type(error).__name__) from None
        return ProgramReply(response.status_code, response.headers.multi_items(), response.content)

    def close(self) -> None:
        """Close every connection."""
        self._client.close()
