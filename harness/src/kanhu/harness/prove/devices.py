"""`./run prove devices`: an hour at a clinic's cuffs under faults; each result arrives once, with its person.

Two shared cuffs, people who come one after the other or change in the middle, and a radio that is reset, links that are
cut, cuffs that leave the room. What the cuffs measured, and whose arm it was, is known here; what arrived is compared.
All of it runs faster than life, on a clock that hurries; the radio is Bumble's and does not.
"""

import argparse
import asyncio
import random
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from decimal import Decimal
from importlib import metadata

from kanhu.contract import Clock, Observation, SubjectKind, SystemClock
from kanhu.edge.devices import DeviceConfig, DeviceSeen, RadioConfig
from kanhu.edge.sensing import run_devices
from kanhu.edge.whose import Attendance, People, Whose
from kanhu.firmware_sim.air import Air, Delivery, HciPort, Identity, Peripheral, RadioController
from kanhu.firmware_sim.hurried_clock import HurriedClock
from kanhu.firmware_sim.wire.blood_pressure import CuffReading, blood_pressure_measurement
from kanhu.harness.prove.telling import Teller, telling
from kanhu.harness.report import Output, Report, Value, finish, read_limits
from kanhu.harness.stopping import until_told

__all__ = ["main"]

_EXAMPLES = """examples:
  ./run prove devices --json                 an hour in three minutes
  ./run prove devices --minutes 20 --seed 3
  ./run prove devices --broken last-chosen   a reading goes to whoever is chosen when it arrives, and it ends with 1

exit code:
  0    every limit of harness/limits.toml, section prove-devices, is kept
  1    one is broken
  2    wrong usage
  130  stopped by hand; nothing is left behind
"""
_NAME = "prove-devices"
_PACKAGES = ("kanhu", "bleak", "bumble")
_MINUTES, _SPEED = 60.0, 20.0
_CUFFS = ("F0:0D:00:00:01:01", "F0:0D:00:00:01:02")
_PEOPLE = tuple(f"r-{number:04d}" for number in range(1, 7))
LAST_CHOSEN = "last-chosen"

# How long things take at a clinic, in seconds; the cuff's least is what edge builds on.
_SITS_DOWN_S, _MEASURES_S, _BETWEEN_S = (8.0, 20.0), (25.0, 45.0), (5.0, 15.0)
_CHANGES = 0.25
"""Share of measurements in which the next person is chosen before the result is there: it has to be of nobody."""
_BOTH = 0.3
"""Share in which both cuffs are on one person's arms."""
_FAULT_EVERY_S = (50.0, 170.0)
_LANDING_S = 60.0


@dataclass(slots=True)
class _Truth:
    """What was measured, by its pressure, which is never the same twice."""

    person: dict[int, str | None] = field(default_factory=dict)
    """Whose arm; None where the next person was chosen before the result."""
    unconfirmed: set[int] = field(default_factory=set)
    unsent: int = 0
    faults: Counter[str] = field(default_factory=Counter)


class _Sink:
    """What arrived."""

    def __init__(self) -> None:
        self.arrived: list[tuple[int, str | None]] = []
        self.refused = 0

    async def accept(self, observation: Observation) -> bool:
        known = observation.subject.kind is SubjectKind.RESIDENT
        pressure = observation.value("systolic") or Decimal(0)
        diastolic = observation.value("diastolic") or Decimal(0)
        self.arrived.append((_number(pressure, diastolic), observation.subject.id if known else None))
        return True

    async def refuse(self, device: str, reason: str, detail: str) -> None:
        del device, reason, detail
        self.refused += 1

    def device_seen(self, seen: DeviceSeen) -> None:
        """Nobody looks."""


class _LastChosen(Attendance):
    """Wrong on purpose: who is chosen when it arrives, whoever was chosen while it was measured."""

    def measured(self, *, began_ns: int) -> Whose:
        del began_ns
        return self.present()


def main(arguments: Sequence[str]) -> int:
    """Run the proof; 0 where every limit is kept."""
    parser = _parser()
    chosen = parser.parse_args(arguments)
    if not 1 <= chosen.minutes <= 24 * 60:
        parser.error(f"--minutes {chosen.minutes:g}: 1 to 1440")
    figures = until_told(_conduct(chosen))
    versions = {package: metadata.version(package) for package in _PACKAGES}
    report = Report(_NAME, figures, read_limits(_NAME), seed=chosen.seed, versions=versions)
    return finish(report, output=Output.TABLE_AND_JSON if chosen.json else Output.TABLE)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="./run prove devices",
        description="Two shared cuffs, changing people, and a radio under faults, faster than life.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--minutes", type=float, default=_MINUTES, help=f"of the clinic (default {_MINUTES:g})")
    parser.add_argument("--seed", type=int, default=1, help="of people and faults (default 1)")
    parser.add_argument("--json", action="store_true", help="end with one JSON object")
    parser.add_argument("--broken", choices=[LAST_CHOSEN], help="plant this error: the proof has to go red")
    return parser


async def _conduct(chosen: argparse.Namespace) -> dict[str, Value]:
    clock = HurriedClock(SystemClock(), speed=_SPEED)
    draw, truth, sink = random.Random(f"{chosen.seed}/clinic"), _Truth(), _Sink()
    attendance = (_LastChosen if chosen.broken else Attendance)(clock=clock)
    air = Air()
    port = HciPort(RadioController("gateway", link=air, public_address="02:6B:68:00:02:01"))
    await port.open()
    cuffs = [_cuff(air, address) for address in _CUFFS]
    for cuff in cuffs:
        await cuff.power_on()
    devices = [DeviceConfig(id=f"cuff-{n}", kind="cuff-ble", address=address) for n, address in enumerate(_CUFFS, 1)]
    people = People(clock=clock, attendance=attendance)
    radio = RadioConfig(bumble=port.transport)
    tasks = [
        asyncio.create_task(run_devices(devices, sink, clock=clock, radio=radio, people=people), name="edge"),
        asyncio.create_task(_break(port, cuffs, clock, random.Random(f"{chosen.seed}/faults"), truth), name="faults"),
    ]
    seconds = 60 * chosen.minutes
    try:
        with telling(total_s=seconds / _SPEED) as teller:
            await _clinic(cuffs, attendance, clock, draw, truth, seconds=seconds, teller=teller, tasks=tasks)
    finally:
        for task in reversed(tasks):
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
        for cuff in cuffs:
            await cuff.power_off()
        port.close()
    return _figures(truth, sink)


async def _clinic(
    cuffs: Sequence[Peripheral],
    attendance: Attendance,
    clock: Clock,
    draw: random.Random,
    truth: _Truth,
    *,
    seconds: float,
    teller: Teller,
    tasks: Sequence["asyncio.Task[None]"],
) -> None:
    """People come, are chosen, sit down, are measured; until the time is over and what is on its way has landed."""
    began_ns = clock.mono_ns()
    person = draw.choice(_PEOPLE)
    while (passed_s := (clock.mono_ns() - began_ns) / 1e9) < seconds:
        for task in tasks:
            if task.done():
                task.result()
        teller.now(passed_s / _SPEED, f"{len(truth.person)} measurements")
        attendance.choose(person)
        await clock.sleep(draw.uniform(*_SITS_DOWN_S))
        used = list(cuffs) if draw.random() < _BOTH else [draw.choice(cuffs)]
        following = draw.choice([other for other in _PEOPLE if other != person])
        changes = draw.random() < _CHANGES
        measuring_s = draw.uniform(*_MEASURES_S)
        if changes:
            early_s = draw.uniform(3.0, 10.0)
            await clock.sleep(measuring_s - early_s)
            attendance.choose(following)
            await clock.sleep(early_s)
        else:
            await clock.sleep(measuring_s)
        await asyncio.gather(*(_result(cuff, None if changes else person, truth) for cuff in used))
        await clock.sleep(draw.uniform(*_BETWEEN_S))
        person = following
    await clock.sleep(_LANDING_S)


async def _result(cuff: Peripheral, person: str | None, truth: _Truth) -> None:
    """A cuff has its result: it tells it now, or nobody hears it."""
    if not cuff.has_subscriber():
        truth.unsent += 1
        return
    number = len(truth.person)
    truth.person[number] = person
    systolic, diastolic = _pressure(number)
    if not await cuff.send(blood_pressure_measurement(CuffReading(Decimal(systolic), Decimal(diastolic)))):
        truth.unconfirmed.add(number)


async def _break(port: HciPort, cuffs: Sequence[Peripheral], clock: Clock, draw: random.Random, truth: _Truth) -> None:
    """One fault after the other, without end."""
    while True:
        await clock.sleep(draw.uniform(*_FAULT_EVERY_S))
        match draw.choice(("radio reset", "link cut", "both links cut")):
            case "radio reset":
                truth.faults["radio reset"] += 1
                port.reset()
            case "link cut":
                truth.faults["link cut"] += 1
                await draw.choice(cuffs).drop()
            case _:
                truth.faults["both links cut"] += 1
                for cuff in cuffs:
                    await cuff.drop()


def _cuff(air: Air, address: str) -> Peripheral:
    identity = Identity(
        name=f"cuff {address[-2:]}", address=address, service_uuid=0x1810, maker="kanhu simulator", model="cuff"
    )
    return Peripheral(air, identity=identity, measurement_uuid=0x2A35, delivery=Delivery.INDICATE)


def _pressure(number: int) -> tuple[int, int]:
    """A pressure of its own for each measurement, such as people have."""
    return 90 + number % 80, 45 + number // 80


def _number(systolic: Decimal, diastolic: Decimal) -> int:
    return int(systolic) - 90 + 80 * (int(diastolic) - 45)


def _figures(truth: _Truth, sink: _Sink) -> dict[str, Value]:
    times = Counter(number for number, _ in sink.arrived)
    certain = [number for number in truth.person if number not in truth.unconfirmed]
    wrong = [number for number, whose in sink.arrived if number in truth.person and whose != truth.person[number]]
    return {
        "measurements": len(truth.person),
        "arrived": len(sink.arrived),
        "lost": sum(1 for number in certain if not times[number]),
        "twice": sum(1 for number in truth.person if times[number] > 1),
        "wrong_person": len(wrong),
        "unknown": sum(1 for number in times if number not in truth.person),
        "of_nobody": sum(1 for _, whose in sink.arrived if whose is None),
        "refused": sink.refused,
        "unconfirmed": len(truth.unconfirmed),
        "out_of_reach": truth.unsent,
        "faults": sum(truth.faults.values()),
    }
