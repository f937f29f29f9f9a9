"""Keeps the identity of a running gateway: the clock floor on the card, and the next certificate when it is due.

The certificate is fetched by a process of its own (kanhu.gateway.enrol), so that what it needs leaves memory again.
"""

import asyncio
import logging
import sys
from pathlib import Path

from kanhu.contract import Clock, ClockState
from kanhu.gateway.errors import IdentityUnusable
from kanhu.gateway.identity import RENEW_AFTER_MS, Identity, earliest_ms, read_identity, save_floor

_LOOK_S = 3600.0
"""Also how often the floor is written: 24 small writes a day harm no card."""
_ASK_AGAIN_S = 86_400.0

_log = logging.getLogger(__name__)


async def keep_identity(folder: Path, *, gateway: str, clock: Clock) -> None:
    """Look every hour, until cancelled; ask at most once a day."""
    asked_ns: int | None = None
    while True:
        await asyncio.to_thread(save_floor, folder, clock=clock)
        waited = asked_ns is None or clock.mono_ns() - asked_ns >= _ASK_AGAIN_S * 1e9
        if waited and await asyncio.to_thread(_due, folder, clock):
            asked_ns = clock.mono_ns()
            await _renew(folder, gateway)
        await clock.sleep(_LOOK_S)


def due(identity: Identity, *, now_ms: int, clock: ClockState) -> bool:
    """Whether to ask for the next certificate; a clock that nobody set may be behind, so then the county is asked."""
    return clock is not ClockState.SYNCED or now_ms >= identity.about.issued_ms + RENEW_AFTER_MS


def _due(folder: Path, clock: Clock) -> bool:
    try:
        identity = read_identity(folder)
    except IdentityUnusable:  # told by the uplink and the doctor
        return False
    now_ms = earliest_ms(folder, clock=clock, identity=identity)
    return due(identity, now_ms=now_ms, clock=clock.state())


async def _renew(folder: Path, gateway: str) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "kanhu.gateway.enrol", str(folder), gateway,
        stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip  # a command line reads as a line
    try:
        _, said = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
    if process.returncode:
        _log.info("no new certificate: %s", said.decode(errors="replace").strip()[-500:])
    else:
        _log.info("a new certificate was given")
