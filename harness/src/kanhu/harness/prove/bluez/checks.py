"""What has to hold between the gateway and a real BlueZ, one check after the other; each answers "" or what happened.

They build on one another: what was linked and paired in the first is there in the next.
"""

import asyncio
import subprocess
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from kanhu.contract import Clock
from kanhu.edge.errors import LinkReason
from kanhu.firmware_sim.air import Dongle
from kanhu.harness.prove.bluez.books import in_order, owed, reckon
from kanhu.harness.prove.bluez.devices import UTC_OFFSET_MINUTES, Ward
from kanhu.harness.prove.bluez.heard import Gateway
from kanhu.harness.prove.bluez.waiting import until

__all__ = ["CHECKS", "Check", "Room", "account"]

Figures = dict[str, int | float]

# A virtual machine without KVM on a busy machine takes its time; a gateway does all of it within a few seconds.
_LINKED_S = 60.0
_BACK_S = 60.0
_LOST_S = 20.0
_LANDS_S = 10.0
_AWAY_S = 3.0
_RESULTS = 10
_NOTIFICATIONS, _ON_THEIR_WAY = 500, 100
"""A gateway that has more than 256 of one device waiting refuses the newest; no strap sends so fast."""
_PRESSES = 3
_BATTERY_PERCENT = 80
_CLOCK_S = 5
"""So far off is a clock that was set, in seconds: its own resolution, and a slow machine."""


@dataclass(slots=True)
class Room:
    """Everything that plays."""

    dongle: Dongle
    ward: Ward
    gateway: Gateway
    clock: Clock
    tools: Path
    """Folder of btmgmt."""
    figures: Figures = field(default_factory=dict)


async def _links(room: Room) -> str:
    began_s = time.monotonic()
    await room.gateway.start()
    if not await until(lambda: "button" in room.gateway.seen, within_s=_LINKED_S):
        return "the radio does not come up"
    up_s = time.monotonic()
    away = await _not_back(room, within_s=_LINKED_S)
    room.figures["gateway_up_s"] = round(up_s - began_s, 1)
    room.figures["all_linked_s"] = round(time.monotonic() - up_s, 1)
    return away


async def _pairs(room: Room) -> str:
    meter = room.ward.meter
    await meter.measure()
    await room.ward.peripherals["meter"].drop()  # it is asked anew on the next link, instead of in a minute
    if not await _lands(room, within_s=_BACK_S):
        return "its record does not arrive"
    if not meter.peripheral.is_encrypted():
        return "its record arrived, and the link is not encrypted"
    return "" if meter.peripheral.pairings == 1 else f"paired with {meter.peripheral.pairings} times"


async def _results(room: Room) -> str:
    for _ in range(_RESULTS):
        await asyncio.gather(*(one.measure() for one in room.ward.linked))
    return await _all_landed(room)


async def _notifications(room: Room) -> str:
    strap = next(one for one in room.ward.linked if one.name == "strap")
    arrived, began_s = room.gateway.arrived["strap"], time.monotonic()
    before = len(arrived)
    for number in range(_NOTIFICATIONS):
        await strap.measure()
        if number - (len(arrived) - before) >= _ON_THEIR_WAY:
            await until(partial(_has, arrived, before + number - _ON_THEIR_WAY // 2), within_s=_LANDS_S)
    complete = await until(partial(_has, arrived, before + _NOTIFICATIONS), within_s=_LANDS_S)
    room.figures["notifications_per_s"] = round(_NOTIFICATIONS / (time.monotonic() - began_s))
    return "" if complete and in_order(strap.told, arrived) else "lost, or out of order"


async def _presses(room: Room) -> str:
    for _ in range(_PRESSES):
        await room.ward.button.measure()
    return await _all_landed(room)


async def _clock_set(room: Room) -> str:
    wanted_s = room.clock.now().timestamp() + 60 * UTC_OFFSET_MINUTES
    shown = room.ward.cuff_clock.shown()
    if shown is None:
        return "it shows nothing"
    off_s = shown.replace(tzinfo=room.clock.now().tzinfo).timestamp() - wanted_s
    return "" if abs(off_s) <= _CLOCK_S else f"{off_s:.0f} s off"


async def _batteries(room: Room) -> str:
    read = {name: room.gateway.seen[name].battery_percent for name in room.ward.peripherals}
    return _named("read as", (f"{name} {percent}" for name, percent in read.items() if percent != _BATTERY_PERCENT))


async def _stranger(room: Room) -> str:
    return "" if room.ward.stranger.links == 0 else f"connected to {room.ward.stranger.links} times"


async def _cut(room: Room) -> str:
    await room.ward.meter.measure()

    async def fault(room: Room) -> None:
        pressing = asyncio.create_task(room.ward.button.measure(), name="press")
        await _drop_all(room)
        await pressing

    return await _comes_back(room, fault, lost=LinkReason.DISCONNECTED)


async def _bond(room: Room) -> str:
    peripheral = room.ward.meter.peripheral
    if not peripheral.is_encrypted():
        return "the new link is not encrypted"
    return "" if peripheral.pairings == 1 else f"paired with again, {peripheral.pairings} times by now"


async def _switched_off(room: Room) -> str:
    async def fault(room: Room) -> None:
        await _run(room.tools / "btmgmt", "power", "off")
        await asyncio.sleep(_AWAY_S)
        await _run(room.tools / "btmgmt", "power", "on")

    return await _comes_back(room, fault, lost=LinkReason.RADIO_LOST)


async def _pulled_out(room: Room) -> str:
    async def fault(room: Room) -> None:
        await room.dongle.pull_out()
        await asyncio.sleep(_AWAY_S)
        await room.dongle.plug_in()

    return await _comes_back(room, fault, lost=LinkReason.RADIO_LOST)


async def _service_killed(room: Room) -> str:
    return await _comes_back(
        room, lambda _: _run(Path("pkill"), "-KILL", "-x", "bluetoothd"), lost=LinkReason.RADIO_LOST
    )


async def _gateway_killed(room: Room) -> str:
    await room.gateway.kill()
    began_s = time.monotonic()
    await room.gateway.start()
    away = await _not_back(room, within_s=2 * _BACK_S)
    room.figures["after_kill_s"] = round(time.monotonic() - began_s, 1)
    return away or await _one_each(room)


async def _nothing_refused(room: Room) -> str:
    counted = Counter(f"{device}: {reason}" for device, reason, _ in room.gateway.refused)
    return _named("refused", (f"{count} of {what}" for what, count in counted.items()))


@dataclass(frozen=True, slots=True)
class Check:
    """One of them."""

    name: str
    tries: Callable[[Room], Awaitable[str]]


CHECKS: tuple[Check, ...] = (
    Check("five devices are found, linked and subscribed to while the button is listened to", _links),
    Check("a meter that wants it is paired with, its link is encrypted, and its record arrives", _pairs),
    Check(f"{_RESULTS} results of each device arrive once, in order; indications are confirmed", _results),
    Check(f"{_NOTIFICATIONS} notifications arrive in order", _notifications),
    Check(f"{_PRESSES} presses, each repeated on the air for three seconds, are {_PRESSES}", _presses),
    Check("a cuff's clock that counts from 2015 is set", _clock_set),
    Check("the battery of each is read", _batteries),
    Check("devices that end their links are found again, and a press in that moment is heard", _cut),
    Check("the paired meter comes back encrypted, without pairing again", _bond),
    Check("the adapter is switched off and on", _switched_off),
    Check("the adapter is pulled out and plugged in", _pulled_out),
    Check("bluetoothd is killed and started again", _service_killed),
    Check("the gateway is killed and started again", _gateway_killed),
    Check("a device of somebody else is never connected to", _stranger),
    Check("nothing is refused", _nothing_refused),
)


def account(room: Room) -> Figures:
    """What was told compared with what arrived."""
    return dict(reckon({one.name: one.told for one in room.ward.all}, room.gateway.arrived))


async def _comes_back(room: Room, fault: Callable[[Room], Awaitable[None]], *, lost: LinkReason) -> str:
    """Whether all is lost by name, back in time, and reads."""
    heard = {name: len(room.gateway.reasons[name]) for name in room.ward.peripherals}
    await fault(room)
    began_s = time.monotonic()
    told = await until(
        lambda: all(lost in room.gateway.reasons[name][count:] for name, count in heard.items()), within_s=_LOST_S
    )
    if not told:
        silent = [name for name, count in heard.items() if lost not in room.gateway.reasons[name][count:]]
        return f"not told as {lost.value}: {', '.join(silent)}"
    away = await _not_back(room, within_s=_BACK_S)
    room.figures["slowest_return_s"] = max(
        room.figures.get("slowest_return_s", 0.0), round(time.monotonic() - began_s, 1)
    )
    return away or await _one_each(room)


async def _not_back(room: Room, *, within_s: float) -> str:
    def away() -> list[str]:
        seen, peripherals = room.gateway.seen, room.ward.peripherals
        return [
            name
            for name, peripheral in peripherals.items()
            if name not in seen or not seen[name].connected or not peripheral.has_subscriber()
        ]

    return "" if await until(lambda: not away(), within_s=within_s) else _named("not linked", away())


async def _one_each(room: Room) -> str:
    """One result of every device that is linked, and a press; all that was told so far has arrived."""
    await asyncio.gather(*(one.measure() for one in room.ward.linked), room.ward.button.measure())
    return await _all_landed(room)


async def _all_landed(room: Room) -> str:
    return "" if await _lands(room, within_s=_LANDS_S) else _named("not arrived, of", _owed(room))


async def _lands(room: Room, *, within_s: float) -> bool:
    return await until(lambda: not _owed(room), within_s=within_s)


def _owed(room: Room) -> list[str]:
    return [one.name for one in room.ward.all if owed(one.told, room.gateway.arrived[one.name])]


def _has(arrived: Sequence[str], count: int) -> bool:
    return len(arrived) >= count


async def _drop_all(room: Room) -> None:
    for peripheral in room.ward.peripherals.values():
        await peripheral.drop()


async def _run(program: Path, *words: str) -> None:
    process = await asyncio.create_subprocess_exec(
        str(program), *words, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL
    )
    if await process.wait() != 0:
        raise ChildProcessError(f"{program.name} {' '.join(words)}: ended with {process.returncode}")


def _named(what: str, names: Iterable[str]) -> str:
    listed = ", ".join(names)
    return f"{what} {listed}" if listed else ""
