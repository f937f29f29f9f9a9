"""The devices of a clinic that keep what they could not tell, and what is true of it: for `./run prove devices`.

A cuff is in reach or not, and tells what it keeps once it is, oldest first, until each is confirmed. A laboratory's
analyser is on its serial line or not, and sends each message until its last frame is acknowledged.
"""

from collections import Counter, deque
from dataclasses import dataclass, field
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import NoReturn

from kanhu.contract import Clock
from kanhu.firmware_sim.air import Air, Delivery, Identity, Peripheral, Register
from kanhu.firmware_sim.devices.own_clock import OwnClock
from kanhu.firmware_sim.scenario.model import ClockService, DeviceClock
from kanhu.firmware_sim.serial_line import SerialLine
from kanhu.firmware_sim.wire.astm_link import REPLY_S, Analyser, astm_frames
from kanhu.firmware_sim.wire.astm_records import GLUCOSE_LOINC, SentResult, astm_message
from kanhu.firmware_sim.wire.blood_pressure import CuffReading, blood_pressure_measurement

__all__ = ["Cuff", "Laboratory", "Measured", "Truth", "glucose_of", "number_of_glucose", "number_of_pressure"]

_CTS, _CURRENT_TIME = 0x1805, 0x2A2B
_LOOK_S = 1.0


@dataclass(slots=True)
class Measured:
    """One result."""

    person: str | None
    """Whose it is; None where the next person was chosen before the result, so that nobody can tell."""
    at_ns: int
    told_ns: int | None = None
    """When it was confirmed or acknowledged; None where it is kept still."""


@dataclass(slots=True)
class Truth:
    """What was measured, by device and number."""

    results: dict[tuple[str, int], Measured] = field(default_factory=dict)
    faults: Counter[str] = field(default_factory=Counter)

    def add(self, device: str, person: str | None, *, at_ns: int) -> int:
        """One more result of a device: its number."""
        number = sum(kind == device for kind, _ in self.results)
        self.results[device, number] = Measured(person, at_ns)
        return number


class Cuff:
    """A shared cuff with a memory, and a clock that lets itself be set."""

    def __init__(self, air: Air, address: str, *, truth: Truth, clock: Clock, repeats: int = 0) -> None:
        """Without power until `start`; on each link it first tells the last `repeats` results again, as some do."""
        self._repeats = repeats
        self._told: deque[bytes] = deque(maxlen=max(1, repeats))
        self._clock = clock
        self._truth = truth
        self._own_clock = OwnClock(clock, state=DeviceClock.SET, utc_offset_minutes=0)
        self._kept: deque[tuple[int, bytes]] = deque()
        identity = Identity(
            name=f"cuff {address[-2:]}", address=address, service_uuid=0x1810, maker="kanhu simulator", model="cuff"
        )
        service = ClockService.CURRENT_TIME
        shown = Register(
            _CTS, _CURRENT_TIME, partial(self._own_clock.read, service), partial(self._own_clock.write, service)
        )
        self.radio = Peripheral(
            air, identity=identity, measurement_uuid=0x2A35, delivery=Delivery.INDICATE, registers=(shown,)
        )
        self.in_reach = False

    @property
    def kept(self) -> int:
        """How many results it has not told yet."""
        return len(self._kept)

    async def start(self) -> None:
        """Power on, in reach."""
        await self.radio.power_on()
        self.in_reach = True

    async def come(self) -> None:
        """Into reach."""
        if not self.in_reach:
            await self.radio.come()
            self.in_reach = True

    async def go(self) -> None:
        """Out of reach."""
        if self.in_reach:
            self.in_reach = False
            await self.radio.go()

    def measures(self, person: str | None) -> None:
        """It has a result."""
        number = self._truth.add("cuff", person, at_ns=self._clock.mono_ns())
        systolic, diastolic = _pressure(number)
        shown = CuffReading(Decimal(systolic), Decimal(diastolic), measured_at=self._own_clock.shown())
        self._kept.append((number, blood_pressure_measurement(shown)))

    async def tell(self) -> NoReturn:
        """Tell what is kept whenever somebody listens."""
        links = 0
        while True:
            await self._clock.sleep(_LOOK_S)
            if not self._is_heard():
                continue
            if links != self.radio.links:
                links = self.radio.links
                for value in list(self._told)[-self._repeats :] if self._repeats else ():
                    await self.radio.send(value)
            while self._kept and self._is_heard():
                number, value = self._kept[0]
                if not await self.radio.send(value):
                    break
                self._told.append(self._kept.popleft()[1])
                self._truth.results["cuff", number].told_ns = self._clock.mono_ns()

    def _is_heard(self) -> bool:
        return self.in_reach and self.radio.has_subscriber()


class Laboratory:
    """An analyser into which somebody types the resident's id."""

    def __init__(self, path: Path, *, truth: Truth, clock: Clock) -> None:
        """Not plugged in until `plug`."""
        self.path = path
        self._truth = truth
        self._clock = clock
        self._line: SerialLine | None = None
        self._kept: deque[tuple[int, list[bytes]]] = deque()

    @property
    def kept(self) -> int:
        """How many messages are not acknowledged yet."""
        return len(self._kept)

    def plug(self) -> None:
        """Onto its line."""
        if self._line is None:
            self._line = SerialLine(self.path)

    def unplug(self) -> None:
        """Off it, in the middle of whatever it says."""
        if self._line is not None:
            self._line.close()
            self._line = None

    def measures(self, person: str) -> None:
        """It has a result."""
        number = self._truth.add("analyser", person, at_ns=self._clock.mono_ns())
        at = f"{self._clock.now():%Y%m%d%H%M%S}"
        result = SentResult("GLU", f"{glucose_of(number)}", "mmol/L", completed=at, loinc=GLUCOSE_LOINC)
        self._kept.append((number, astm_message([result], specimen=f"S{number}", patient_id=person, sent=at)))

    async def tell(self) -> NoReturn:
        """Send what is kept, each message until it is acknowledged."""
        while True:
            await self._clock.sleep(_LOOK_S)
            if self._kept and self._line is not None and self._line.is_open():
                await self._send(self._line, *self._kept[0])

    async def _send(self, line: SerialLine, number: int, message: list[bytes]) -> None:
        sender = Analyser(astm_frames(message))
        words = sender.begin()
        while not sender.ended:
            line.write(words)
            words = sender.hear((await self._heard(line))[-1:] or None)
            if self._line is not line:
                return
        line.write(words)
        if not sender.gave_up:
            self._kept.popleft()
            self._truth.results["analyser", number].told_ns = self._clock.mono_ns()

    async def _heard(self, line: SerialLine) -> bytes:
        until_ns = self._clock.mono_ns() + REPLY_S * 1e9
        while self._line is line and self._clock.mono_ns() < until_ns:
            if heard := line.read():
                return heard
            await self._clock.sleep(_LOOK_S)
        return b""


def number_of_pressure(systolic: Decimal, diastolic: Decimal) -> int:
    """Of which result of a cuff this is."""
    return int(systolic) - 90 + 80 * (int(diastolic) - 45)


def number_of_glucose(value: Decimal) -> int:
    """Of which result of the analyser this is."""
    return int((value - 2) * 100)


def glucose_of(number: int) -> Decimal:
    """A value of its own for each result, in mmol/L."""
    return Decimal(200 + number % 2600) / 100


def _pressure(number: int) -> tuple[int, int]:
    """A pressure of its own for each measurement, such as people have."""
    return 90 + number % 80, 45 + number // 80
