"""The fault matrix: what is done to the way between a gateway and its county, row by row.

Each row acts on a `Way`: the relay between them, the far end, and the gateway's process.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Protocol

from kanhu.harness.faults.proxy import LinkProxy
from kanhu.harness.faults.schedule import Kind

__all__ = ["LOSS_SHARE", "ROWS", "Row", "Way", "quick"]

LOSS_SHARE = 0.2
_RESET_EVERY_S = 5.0
_BROKER_DOWN_S = 5.0
_GATEWAY_DOWN_S = 3.0
_KILL_EVERY_S = 20.0
_QUICK_SILENCE_S = {"silent-90": 20.0, "silent-240": 45.0}
_QUICK_S = 20.0


class Way(Protocol):
    """What a row can break."""

    proxy: LinkProxy

    async def lose(self) -> None:
        """Let the packets themselves be lost, or what comes nearest here."""

    async def lose_no_more(self) -> None:
        """The opposite."""

    async def kill_far_end(self) -> None:
        """The broker dies and forgets all."""

    async def start_far_end(self) -> None:
        """It comes back, knowing nothing."""

    async def kill_county(self) -> None:
        """The broker goes on and acknowledges; nobody listens behind it."""

    async def start_county(self) -> None:
        """It listens again, and knows what it had stored."""

    async def kill_gateway(self) -> None:
        """SIGKILL."""

    async def start_gateway(self) -> None:
        """With the folder it had."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row: `break_way` returns when the way is as it was."""

    name: str
    title: str
    lasts_s: float
    break_way: Callable[[Way, float], Awaitable[None]]
    loses_packets: bool = False
    needs_receipts: bool = False
    """Only where broker and store are two programs: what a broker acknowledges is then not yet stored."""


async def _silence(way: Way, lasts_s: float) -> None:
    """Connections stand and carry nothing; at the end they are dead, as after a network gave the path to others."""
    condition = await way.proxy.impose(Kind.SILENT)
    try:
        await asyncio.sleep(lasts_s)
    finally:
        way.proxy.cut()
        await way.proxy.lift(condition)


async def _reset(way: Way, lasts_s: float) -> None:
    for _ in range(max(1, round(lasts_s / _RESET_EVERY_S))):
        way.proxy.cut()
        await asyncio.sleep(_RESET_EVERY_S)


async def _refuse(way: Way, lasts_s: float) -> None:
    condition = await way.proxy.impose(Kind.REFUSE)
    try:
        await asyncio.sleep(lasts_s)
    finally:
        await way.proxy.lift(condition)


async def _lose(way: Way, lasts_s: float) -> None:
    await way.lose()
    try:
        await asyncio.sleep(lasts_s)
    finally:
        await way.lose_no_more()


async def _kill_far_end(way: Way, lasts_s: float) -> None:
    for _ in range(max(1, round(lasts_s / _KILL_EVERY_S))):
        await way.kill_far_end()
        await asyncio.sleep(_BROKER_DOWN_S)
        await way.start_far_end()
        await asyncio.sleep(_KILL_EVERY_S - _BROKER_DOWN_S)


async def _county_away(way: Way, lasts_s: float) -> None:
    await way.kill_county()
    try:
        await asyncio.sleep(lasts_s)
    finally:
        await way.start_county()


async def _kill_gateway(way: Way, lasts_s: float) -> None:
    for _ in range(max(1, round(lasts_s / _KILL_EVERY_S))):
        await way.kill_gateway()
        await asyncio.sleep(_GATEWAY_DOWN_S)
        await way.start_gateway()
        await asyncio.sleep(_KILL_EVERY_S - _GATEWAY_DOWN_S)


async def _kill_offline(way: Way, lasts_s: float) -> None:
    """A power cut in a village: the link goes first, and comes back last."""
    condition = await way.proxy.impose(Kind.REFUSE)
    try:
        await asyncio.sleep(lasts_s / 2)
        await way.kill_gateway()
        await asyncio.sleep(_GATEWAY_DOWN_S)
        await way.start_gateway()
        await asyncio.sleep(max(0.0, lasts_s / 2 - _GATEWAY_DOWN_S))
    finally:
        await way.proxy.lift(condition)


ROWS = (
    Row("silent-90", "silent link, 90 s", 90, _silence),
    Row("silent-240", "silent link, 240 s", 240, _silence),
    Row("reset", "connection reset every 5 s", 60, _reset),
    Row("refused", "connection refused", 60, _refuse),
    Row("loss-20", "20 % of packets lost", 60, _lose, loses_packets=True),
    Row("broker-killed", "broker killed, all forgotten", 60, _kill_far_end),
    Row("county-away", "broker up, county away", 60, _county_away, needs_receipts=True),
    Row("gateway-killed", "gateway killed", 60, _kill_gateway),
    Row("killed-offline", "gateway killed while offline", 60, _kill_offline),
)


def quick(row: Row) -> Row:
    """The same row, shorter; its title says so."""
    lasts_s = _QUICK_SILENCE_S.get(row.name, _QUICK_S)
    title = f"silent link, {lasts_s:.0f} s" if row.name in _QUICK_SILENCE_S else f"{row.title} ({lasts_s:.0f} s)"
    return replace(row, lasts_s=lasts_s, title=title)
