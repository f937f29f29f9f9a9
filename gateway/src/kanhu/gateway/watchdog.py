"""Tells systemd that the gateway lives, by systemd's notify protocol (sd_notify(3)): one datagram a word.

A beat leaves only where the event loop came by, the outbox's thread answered it, and the supervisor owes nobody a
restart. So whatever hangs, the beats stay away, and systemd starts the process again; nothing accepted is lost by that.
"""

import asyncio
import logging
import os
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from kanhu.contract import Clock
from kanhu.gateway.committer import Committer
from kanhu.gateway.supervisor import Supervisor

_BEATS_IN_PATIENCE = 4
"""systemd asks for two; with four a commit may take three quarters of its patience and nobody is killed."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ServiceManager:
    """Who started this process and wants to hear of it; by default nobody."""

    address: str | None = None
    """A unix datagram socket; one that begins with @ is abstract."""
    patience_s: float | None = None
    """Silence for so long and the process is killed; None: nobody counts."""

    @classmethod
    def named_in(cls, environment: Mapping[str, str]) -> Self:
        """As systemd hands it over."""
        microseconds = environment.get("WATCHDOG_USEC", "")
        for_us = environment.get("WATCHDOG_PID", str(os.getpid())) == str(os.getpid())
        counts = for_us and microseconds.isdecimal() and int(microseconds) > 0
        return cls(environment.get("NOTIFY_SOCKET") or None, int(microseconds) / 1e6 if counts else None)

    def tell(self, word: str) -> None:
        """Send one word, such as READY=1; never waits.

        Raises:
            OSError: nobody listens there, or does not keep up.
        """
        if self.address is None:
            return
        place = f"\0{self.address[1:]}" if self.address.startswith("@") else self.address
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
            sender.setblocking(False)
            sender.sendto(word.encode(), place)


async def beat(manager: ServiceManager, committer: Committer, supervisor: Supervisor, *, clock: Clock) -> None:
    """Say that the gateway is ready, then that it lives, until cancelled.

    Raises:
        OSError: the service manager cannot be told.
    """
    await committer.call(_answers)
    manager.tell("READY=1")
    if manager.patience_s is None:
        await asyncio.Event().wait()  # nobody counts beats
        return
    while True:
        await committer.call(_answers)
        stuck = supervisor.stuck()
        if stuck:
            _log.error("no beat for the watchdog: %s should have been started again long ago", ", ".join(stuck))
        else:
            manager.tell("WATCHDOG=1")
        await clock.sleep(manager.patience_s / _BEATS_IN_PATIENCE)


def _answers(_outbox: object) -> None:
    """Run in the outbox's thread, behind whatever it is doing."""
