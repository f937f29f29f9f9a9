"""Bluetooth devices that send noise, and honest readings between it, over a real radio link.

Each keeps its own account of what a gateway must make of every frame, so that nothing can be lost or counted twice
in silence. Not here: the serial line, processes, MQTT.
"""

import asyncio
from collections.abc import Callable, Iterator
from decimal import Decimal
from random import Random

from bumble import hci, ll

from kanhu.contract import ClockState, Observation, Part, Subject, SubjectKind, SystemClock, Times
from kanhu.edge.codecs.bthome import decode_bthome
from kanhu.edge.errors import DecodeError
from kanhu.edge.kinds import cuff_ble, strap_ble
from kanhu.firmware_sim.air import Air, Beacon, Delivery, Identity, Peripheral
from kanhu.firmware_sim.wire import (
    ButtonPress,
    CuffReading,
    HeartRateReading,
    blood_pressure_measurement,
    heart_rate_measurement,
    press_advertisement,
)
from tests.end_to_end.answers import Account, Answers, Values

FRAMES = 2_000
HONEST_EVERY = 250
"""One honest reading among so many random frames."""
NOBODY = Subject(SubjectKind.UNIDENTIFIED, "nobody")
NO_TIMES = Times(0, 0, "0" * 32, ClockState.SYNCED)

_AD_FLAGS = bytes((0x02, 0x01, 0x06))
_BTHOME = bytes((0x16, 0xD2, 0xFC))
_HONEST_PACKET_IDS = range(200, 256)

Observe = Callable[..., Observation]


class HostileConnection:
    """A cuff or a strap that sends random values, and now and then an honest one."""

    def __init__(self, air: Air, *, device: str, address: str, answers: Answers, draw: Random) -> None:
        cuff = device.startswith("cuff")
        self.account = Account(device)
        self.address = address
        self._answers = answers
        self._draw = draw
        self._observe: Observe = cuff_ble.observe if cuff else strap_ble.observe
        self._honest = honest_cuff_frame if cuff else honest_strap_frame
        self._peripheral = Peripheral(
            air,
            identity=Identity(
                name=device, address=address, service_uuid=0x1810 if cuff else 0x180D, maker="nobody", model="hostile"
            ),
            measurement_uuid=0x2A35 if cuff else 0x2A37,
            delivery=Delivery.INDICATE if cuff else Delivery.NOTIFY,
        )

    async def power_on(self) -> None:
        """Advertise."""
        await self._peripheral.power_on()

    async def power_off(self) -> None:
        """Leave the air."""
        await self._peripheral.power_off()

    async def connected(self) -> None:
        """Until the gateway has subscribed."""
        while not self._peripheral.has_subscriber():  # noqa: ASYNC110  # the subscriber is another process
            await asyncio.sleep(0.05)

    async def attack(self) -> None:
        """Send all frames as fast as the gateway answers for them."""
        for number, noise in enumerate(noise_around(self._honest(0), self._draw), start=1):
            await self._give(noise)
            if number % HONEST_EVERY == 0:
                values = await self._give(self._honest(number // HONEST_EVERY))
                assert values is not None
                self.account.honest[values] += 1
        await self._answers.wait_for(self.account)
        assert self._peripheral.has_subscriber(), "the link stood all the time"

    async def _give(self, frame: bytes) -> Values | None:
        """Send one frame and note what must become of it."""
        await self._peripheral.send(frame)
        values: Values | None = None
        try:
            values = self._observe(frame, subject=NOBODY, device=self.account.device, times=NO_TIMES).parts
        except DecodeError as error:
            self.account.refused[error.reason.value] += 1
        else:
            self.account.accepted += 1
            self.account.decodable[values] += 1
        await self._answers.keep_up(self.account)
        return values


class HostileButton:
    """A button that advertises random service data and random advertisements, and is pressed now and then."""

    def __init__(self, air: Air, *, device: str, address: str, answers: Answers, draw: Random) -> None:
        self.account = Account(device)
        self.address = address
        self._air = air
        self._beacon = Beacon(air, address=address, clock=SystemClock())
        self._answers = answers
        self._draw = draw
        self._pressed: set[int | None] = set()
        self._refused: set[bytes] = set()

    async def attack(self) -> None:
        """Advertise noise under the button's own address; a press has a packet id that the noise has not used."""
        honest_ids = iter(_HONEST_PACKET_IDS)
        noise = noise_around(bytes((0x44, 0x00, 7, 0x01, 80, 0x3A, 0x01)), self._draw)
        for number, service_data in enumerate(noise, start=1):
            await self._advertise(service_data[:20])
            if number % 10 == 0:  # not even the structure of an advertisement is right
                self._air.broadcast(ll.AdvNonConnInd(hci.Address(self.address), self._draw.randbytes(number % 32)))
            if number % HONEST_EVERY == 0:
                await self._press(next(honest_ids))
        await self._answers.wait_for(self.account)

    async def _advertise(self, service_data: bytes) -> None:
        while service_data in self._refused or _packet_id(service_data) in _HONEST_PACKET_IDS:
            service_data = self._draw.randbytes(12)  # what was refused long ago would be refused again
        data = _AD_FLAGS + bytes((len(_BTHOME) + len(service_data),)) + _BTHOME + service_data
        times = 1
        try:
            packet = decode_bthome(service_data)
        except DecodeError as error:
            self._refused.add(service_data)
            self.account.refused[error.reason.value] += 1
            times = 1 + len(self._refused) % 2  # a repeat is folded
        else:
            if packet.pressed and packet.packet_id not in self._pressed:
                self._pressed.add(packet.packet_id)
                self.account.accepted += 1
            else:
                self.account.ignored += 1
        await self._beacon.advertise(data, times=times, interval_s=0)
        await asyncio.sleep(0)
        await self._answers.keep_up(self.account)

    async def _press(self, packet_id: int) -> None:
        data = press_advertisement(packet_id, battery_percent=80, press=ButtonPress.PRESS)
        await self._beacon.advertise(data, times=3, interval_s=0.01)
        self.account.accepted += 1
        self.account.honest[(Part("help_button", (1,)),)] += 1


def _packet_id(service_data: bytes) -> int | None:
    try:
        return decode_bthome(service_data).packet_id
    except DecodeError:
        return None


def honest_cuff_frame(number: int) -> bytes:
    """A calm person's pressure."""
    return blood_pressure_measurement(CuffReading(Decimal(121), Decimal(77), pulse_bpm=Decimal(60 + number)))


def honest_strap_frame(number: int) -> bytes:
    """A calm person's heart."""
    return heart_rate_measurement(HeartRateReading(60 + number, rr_intervals_1024=(1000 + number,)))


def noise_around(honest: bytes, draw: Random) -> Iterator[bytes]:
    """Random bytes, and honest frames that were cut, lengthened, or changed in one byte."""
    for number in range(FRAMES):
        at = draw.randrange(len(honest))
        match number % 4:
            case 0:
                yield draw.randbytes(draw.randint(0, 40))
            case 1:
                yield honest[:1] + draw.randbytes(draw.randint(0, 20))
            case 2:
                yield honest[:at] + draw.randbytes(1) + honest[at + 1 :]
            case _:
                yield honest[:at] + draw.randbytes(draw.randint(0, 20))
