"""TCP ports for servers that are started for a while and stopped again."""

import secrets
import socket
from pathlib import Path

__all__ = ["free_port"]

_GIVEN = Path("/proc/sys/net/ipv4/ip_local_port_range")
_LOWEST = 10_000  # below it servers of the machine are at home


def free_port() -> int:
    """A TCP port of 127.0.0.1 that nobody listens on at this moment.

    It lies below the ports that the kernel gives to outgoing connections, where there is room: one of those may take
    a port at any moment between this answer and the listening.
    """
    room = int(_GIVEN.read_text(encoding="ascii").split()[0]) - _LOWEST
    while True:
        port = _LOWEST + secrets.randbelow(room) if room > _LOWEST else 0
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue  # somebody listens there
            return int(probe.getsockname()[1])
