"""Whether this machine lets one process hold so many connections; raises the soft limit where it may."""

import resource
from pathlib import Path

from kanhu.firmware_sim.errors import FleetRefused

__all__ = ["make_room"]

_SPARE = 200
"""Files that a program and a broker hold besides one socket for each gateway."""
_PORT_RANGE = Path("/proc/sys/net/ipv4/ip_local_port_range")


def make_room(gateways: int) -> None:
    """Raise this process's limit of open files, which its children inherit.

    Raises:
        FleetRefused: the hard limit, or the range of local ports, is too narrow.
    """
    needed = gateways + _SPARE
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < needed:
        raise FleetRefused(
            f"{gateways} gateways need {needed} open files, and this user may have {hard}: run at most "
            f"{max(0, hard - _SPARE)} gateways, or raise the limit (LimitNOFILE= in systemd, /etc/security/limits.conf)"
        )
    ports = _local_ports()
    if ports is not None and needed > ports:
        raise FleetRefused(
            f"{gateways} gateways need {needed} local ports, and there are {ports}: run at most "
            f"{max(0, ports - _SPARE)} gateways, or widen net.ipv4.ip_local_port_range (sysctl)"
        )
    if soft != resource.RLIM_INFINITY and soft < needed:
        resource.setrlimit(resource.RLIMIT_NOFILE, (needed, hard))


def _local_ports() -> int | None:
    try:
        first, last = _PORT_RANGE.read_text(encoding="ascii").split()
    except (OSError, ValueError):  # another kernel: the connections will tell
        return None
    return int(last) - int(first) + 1
