"""Ports that a zone and tests hold: only a server that is meant to open them can."""

import socket
import sys

import pytest

from tests.support.skips import only_where
from wwspec_devtools.testing.ports import held_ports


def test_a_held_port_is_taken_and_refuses_connections_until_a_server_opens_it() -> None:
    only_where(sys.platform == "linux", "two sockets can have one address")
    with held_ports(1) as [port]:
        for _ in range(2):
            with pytest.raises(ConnectionRefusedError):
                socket.create_connection(("127.0.0.1", port))
            with socket.create_server(("127.0.0.1", port)), socket.create_connection(("127.0.0.1", port)):
                pass
    with held_ports(2) as ports:
        assert len(set(ports)) == 2
        for port in ports:
            with socket.socket() as stranger, pytest.raises(OSError, match="in use"):
                stranger.bind(("127.0.0.1", port))
    with socket.socket() as anybody:
        anybody.bind(("127.0.0.1", ports[0]))
