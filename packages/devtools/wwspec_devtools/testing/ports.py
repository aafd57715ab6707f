"""Ports of this machine that nobody else opens meanwhile."""

import socket
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager


@contextmanager
def held_ports(count: int) -> Iterator[list[int]]:
    """Yield ports of 127.0.0.1 that the kernel chooses, and hold them until the end of the block.

    Each is bound to a socket that does not listen. Connections to it are refused, until a server with `SO_REUSEADDR`
    opens it; that server may end, and another may open it after it. The kernel gives it to nobody else, neither to a
    server that asks for any port nor to a connection.

    Only Linux lets two sockets share an address like this. On other systems the ports are only free at the start.

    Args:
        count: How many.
    """
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            each.bind(("127.0.0.1", 0))
        ports = [int(each.getsockname()[1]) for each in sockets]
        if sys.platform != "linux":
            stack.close()
        yield ports
