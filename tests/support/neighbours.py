"""Ports one after the other, for a program on several machines."""

import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from wwspec_devtools.testing.ports import held_ports


@contextmanager
def held_neighbours(count: int) -> Iterator[int]:
    """Yield the first of so many ports that follow one another, and hold them as `held_ports` does."""
    while True:
        with ExitStack() as stack:
            [first] = stack.enter_context(held_ports(1))
            try:
                for port in range(first + 1, first + count):
                    bound = stack.enter_context(socket.socket())
                    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                    bound.bind(("127.0.0.1", port))
            except OSError:  # somebody has it: other ports
                continue
            yield first
            return
