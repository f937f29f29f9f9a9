"""A home full of hostile devices: the radio behind a TCP port, and a serial line with random bytes.

Not here: what the Bluetooth devices send.
"""

import asyncio
import re
from dataclasses import dataclass
from pathlib import Path
from random import Random
from threading import Event
from typing import Any

from kanhu.contract import Part
from kanhu.edge.folding import WINDOW_PACKETS
from kanhu.firmware_sim.air import Air, HciPort, RadioController
from kanhu.firmware_sim.serial_line import SerialLine
from kanhu.firmware_sim.wire import OximeterPacket, oximeter_packet
from tests.end_to_end.answers import Account, Answers
from tests.end_to_end.hostile_devices import FRAMES, HostileButton, HostileConnection

BURSTS = 4
"""Sessions of noise on the serial line, each followed by an honest one."""

_PACKET = re.compile(rb"[\x80-\xff][\x00-\x7f]{4}", re.DOTALL)
_SESSION_END_S = 2.6  # a session ends after two seconds of silence, seen at most a fifth of a second late


class HostileOximeter:
    """A serial line full of random bytes, and a quiet ten seconds of an honest oximeter after each burst."""

    def __init__(self, name: Path, *, device: str, answers: Answers, draw: Random) -> None:
        self.account = Account(device)
        self.line = SerialLine(name)
        self._answers = answers
        self._draw = draw

    async def connected(self) -> None:
        """Until the gateway has the line open."""
        while not self.line.is_open():  # noqa: ASYNC110  # the reader is another process
            await asyncio.sleep(0.05)

    async def attack(self) -> None:
        """Send all frames in bursts; each is a session of its own."""
        honest = oximeter_packet(OximeterPacket(97, 66))
        for number in range(BURSTS):
            noise = b"".join(
                self._draw.randbytes(self._draw.randint(1, 12)) if self._draw.random() < 0.7 else honest
                for _ in range(FRAMES // BURSTS)
            )
            await self._session(noise)
            values = oximeter_packet(OximeterPacket(97 - number, 66 + number))
            await self._session(values * WINDOW_PACKETS)
            parts = (Part("spo2", (970 - 10 * number,)), Part("pulse_oximeter", (660 + 10 * number,)))
            self.account.honest[parts] += 1

    async def _session(self, data: bytes) -> None:
        """One session: every started window is a reading, and every byte outside a packet a bad one."""
        await asyncio.to_thread(self._write, data)  # its own thread: a busy loop here must not look like a pause
        packets = len(_PACKET.findall(data))
        self.account.bad_bytes += len(data) - 5 * packets
        windows, rest = divmod(packets, WINDOW_PACKETS)
        self.account.accepted += windows
        if rest:
            self.account.refused["window_incomplete"] += 1
        await self._answers.wait_for(self.account)  # a session that was cut is answered for once its end was seen
        if not rest:
            await asyncio.sleep(_SESSION_END_S)

    def _write(self, data: bytes) -> None:
        pause = Event()
        while data:
            written = self.line.write(data)
            data = data[written:]
            if data:
                pause.wait(0.02)


@dataclass(slots=True)
class HostileHome:
    """All devices of one home."""

    air: Air
    port: HciPort
    connections: tuple[HostileConnection, ...]
    button: HostileButton
    oximeter: HostileOximeter

    @property
    def accounts(self) -> tuple[Account, ...]:
        """What each device sent."""
        return (*(each.account for each in self.connections), self.button.account, self.oximeter.account)

    def links(self) -> dict[str, Any]:
        """How a gateway reaches them."""
        devices = {each.account.device: {"address": each.address} for each in self.connections}
        devices[self.button.account.device] = {"address": self.button.address}
        devices[self.oximeter.account.device] = {"port": str(self.oximeter.line.name)}
        return {"hci": self.port.transport, "devices": devices}

    async def attack(self) -> None:
        """All at once."""
        async with asyncio.timeout(30), asyncio.TaskGroup() as ready:
            ready.create_task(self.oximeter.connected())
            for each in self.connections:
                ready.create_task(each.connected())
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self.button.attack())
            tasks.create_task(self.oximeter.attack())
            for each in self.connections:
                tasks.create_task(each.attack())

    async def leave(self) -> None:
        """Off, unplugged, closed."""
        for each in self.connections:
            await each.power_off()
        self.port.close()
        self.oximeter.line.close()


async def hostile_home(folder: Path, *, journal: Path, seed: int) -> HostileHome:
    """A home whose devices are ready for a gateway."""
    air = Air()
    port = HciPort(RadioController("gateway", link=air, public_address="00:00:00:00:00:01"))
    await port.open()
    answers = Answers(journal)
    connections = tuple(
        HostileConnection(air, device=device, address=address, answers=answers, draw=Random(f"{seed}/{device}"))
        for device, address in (("cuff-01", "F0:0D:00:00:00:01"), ("strap-01", "F0:0D:00:00:00:02"))
    )
    for each in connections:
        await each.power_on()
    button = HostileButton(
        air, device="button-01", address="F0:0D:00:00:00:03", answers=answers, draw=Random(f"{seed}/button")
    )
    oximeter = HostileOximeter(
        folder / "oximeter", device="oximeter-01", answers=answers, draw=Random(f"{seed}/oximeter")
    )
    return HostileHome(air, port, connections, button, oximeter)
