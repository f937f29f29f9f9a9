"""All homes of a scenario in one process: opens their doors, waits for the start, plays, stops, counts.

    open --START--> playing --every device done--> finished
                       |                              |
                       +------------STOP--------------+--> stopped --QUIT--> closed

After STOP nothing more is emitted and every door stays open, so that readers can take what is on its way.
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum, auto
from pathlib import Path

import msgspec

from kanhu.contract.clock import Clock
from kanhu.firmware_sim.air import Air, HciPort, RadioController
from kanhu.firmware_sim.bodies import body_of
from kanhu.firmware_sim.devices import Button, Cuff, Device, Oximeter, Strap, Surroundings
from kanhu.firmware_sim.devices.spoiler import Spoiler
from kanhu.firmware_sim.errors import NotEncodable
from kanhu.firmware_sim.journal import Journal
from kanhu.firmware_sim.scenario import all_events
from kanhu.firmware_sim.scenario.model import DeviceEntry, DeviceKind, Home, Scenario, start_of_day_s
from kanhu.firmware_sim.serial_line import SerialLine
from kanhu.firmware_sim.timeline import Timeline

Announcement = Mapping[str, object]

# What is on the air when everything ends, such as the news of a gateway that has just died, may still arrive.
_LANDING_S = 0.05
_READER_POLL_S = 0.1


class Order(Enum):
    """What the one who runs the simulator may ask for."""

    START = auto()
    STOP = auto()
    QUIT = auto()


@dataclass(frozen=True, slots=True)
class _OpenHome:
    name: str
    port: HciPort
    devices: tuple[Device, ...]


class Simulator:
    """Plays one scenario once."""

    def __init__(
        self,
        scenario: Scenario,
        *,
        recordings: Path,
        state: Path,
        journal: Journal,
        clock: Clock,
        announce: Callable[[Announcement], None],
        seed: int | None = None,
        patience_s: float = 0.0,
    ) -> None:
        """Prepare; `recordings` holds recorded beats, `state` receives serial lines and links.json.

        After START it waits up to `patience_s` for every device to have a reader, then plays.
        """
        self._patience_s = patience_s
        self._scenario = scenario
        self._recordings = recordings
        self._state = state
        self._journal = journal
        self._clock = clock
        self._announce = announce
        self._seed = scenario.seed if seed is None else seed
        self._homes: list[_OpenHome] = []
        self._play: asyncio.Task[None] | None = None
        self._stopped = False

    async def serve(self, orders: "asyncio.Queue[Order]") -> None:
        """Open every door, say so, and follow orders until QUIT."""
        try:
            await self._open()
            async with asyncio.TaskGroup() as group:
                idle = [
                    group.create_task(device.idle(), name=f"idle {device.name}")
                    for home in self._homes
                    for device in home.devices
                ]
                while (order := await orders.get()) is not Order.QUIT:
                    if order is Order.START and self._play is None and not self._stopped:
                        self._play = group.create_task(self._play_all(), name="play")
                    elif order is Order.STOP:
                        await self._stop()
                await self._stop()
                for task in idle:
                    task.cancel()
        finally:
            await self._close()

    async def _open(self) -> None:
        for number, home in enumerate(self._scenario.home, 1):
            self._homes.append(await self._open_home(number, home))
        links = {
            "homes": {
                home.name: {
                    "hci": home.port.transport,
                    "devices": {device.name: device.door() for device in home.devices},
                }
                for home in self._homes
            }
        }
        file = self._state / "links.json"
        draft = file.with_suffix(".tmp")
        draft.write_bytes(msgspec.json.format(msgspec.json.encode(links)) + b"\n")
        draft.replace(file)  # whoever waits for the file never sees half of it
        self._announce({"ready": str(file)})

    async def _open_home(self, number: int, home: Home) -> _OpenHome:
        air = Air()
        radio = RadioController(
            f"gateway {home.id}", link=air, public_address=f"02:6B:68:{number >> 8:02X}:{number & 0xFF:02X}:01"
        )
        port = HciPort(radio)
        await port.open()
        devices = tuple(
            self._build(home, entry, air=air, address=_address(number, position))
            for position, entry in enumerate(home.device, 1)
        )
        for device in devices:
            await device.power_on()
        return _OpenHome(home.id, port, devices)

    def _build(self, home: Home, entry: DeviceEntry, *, air: Air, address: str) -> Device:
        resident = next((resident for resident in home.resident if resident.id == entry.person), None)
        surroundings = Surroundings(
            home=home.id,
            entry=entry,
            events=tuple(all_events(self._scenario, home, entry)),
            body=body_of(self._scenario, resident, seed=str(self._seed)),
            seed=str(self._seed),
            clock=self._clock,
            journal=self._journal,
            recordings=self._recordings,
            spoiler=Spoiler(
                [fault for fault in self._scenario.fault if fault.on == f"device {entry.id}"],
                seed=f"{self._seed}/{entry.id}",
            ),
        )
        match entry.kind:
            case DeviceKind.BUTTON:
                return Button(surroundings, air=air, address=address)
            case DeviceKind.CUFF:
                offset = self._scenario.utc_offset_minutes
                return Cuff(surroundings, air=air, address=address, utc_offset_minutes=offset)
            case DeviceKind.STRAP:
                return Strap(surroundings, air=air, address=address)
            case DeviceKind.OXIMETER:
                return Oximeter(surroundings, line=SerialLine(self._state / home.id / entry.id))
            case (
                DeviceKind.SCALE
                | DeviceKind.THERMOMETER
                | DeviceKind.GLUCOSE_METER
                | DeviceKind.ROOM_THERMOMETER
                | DeviceKind.DAILY_LIFE
            ):
                raise NotEncodable(f"{entry.id}: a {entry.kind.value} has no bytes yet")

    async def _wait_for_readers(self) -> None:
        """A reading that nobody takes proves nothing: give slow gateways their time to connect."""
        deadline_ns = self._clock.mono_ns() + round(self._patience_s * 1e9)
        while self._clock.mono_ns() < deadline_ns:
            if all(device.has_reader() for home in self._homes for device in home.devices):
                return
            await self._clock.sleep(_READER_POLL_S)

    async def _play_all(self) -> None:
        await self._wait_for_readers()
        timeline = Timeline(
            self._clock, start_of_day_s=start_of_day_s(self._scenario), duration_s=self._scenario.duration_s
        )
        started = {"started": self._scenario.name, "seed": self._seed}
        self._journal.write_note(started)
        self._announce({**started, "t_ms": self._clock.wall_ms()})
        async with asyncio.TaskGroup() as group:
            for home in self._homes:
                for device in home.devices:
                    group.create_task(device.play(timeline), name=f"play {device.name}")
        self._announce({"finished": self._scenario.name, "emitted": self._journal.emitted})

    async def _stop(self) -> None:
        if self._stopped:
            return
        self._stopped = True
        if self._play is not None and not self._play.done():
            self._play.cancel()
            await asyncio.wait([self._play])
        self._journal.write_totals()
        emitted = self._journal.emitted
        self._announce({"stopped": sum(emitted.values()), "emitted": emitted, "unsent": self._journal.unsent})

    async def _close(self) -> None:
        for home in self._homes:
            home.port.close()
        await asyncio.sleep(_LANDING_S)
        for home in self._homes:
            for device in home.devices:
                await device.power_off()


def _address(home: int, device: int) -> str:
    """A static random address, the same in every run: the two top bits are set as the specification asks."""
    return f"F0:0D:{home >> 8:02X}:{home & 0xFF:02X}:00:{device:02X}"
