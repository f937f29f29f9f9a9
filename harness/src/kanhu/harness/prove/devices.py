"""`./run prove devices`: an hour at a clinic's devices under faults; each result arrives once, with its person.

Two shared cuffs, people who come one after the other or change in the middle, and an analyser on a serial line; a radio
that is reset, links that are cut, cuffs that are carried away and come back with what they keep, a line that is
unplugged. What was measured, and whose it was, is known here; what arrived is compared. All of it runs faster than
life, on a clock that hurries; the radio is Bumble's and does not.
"""

import argparse
import asyncio
import random
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from decimal import Decimal
from importlib import metadata
from pathlib import Path
from tempfile import TemporaryDirectory

from kanhu.contract import Clock, Observation, SubjectKind, SystemClock
from kanhu.edge.devices import DeviceConfig, DeviceSeen, LocalTime, RadioConfig, unknown_time
from kanhu.edge.known_results import KnownResults
from kanhu.edge.sensing import run_devices
from kanhu.edge.whose import AT_ONCE_S, Attendance, People, Whose
from kanhu.firmware_sim.air import Air, HciPort, RadioController
from kanhu.firmware_sim.hurried_clock import HurriedClock
from kanhu.harness.prove.clinic import Cuff, Laboratory, Truth, number_of_glucose, number_of_pressure
from kanhu.harness.prove.telling import Teller, telling
from kanhu.harness.report import Output, Report, Value, finish, read_limits
from kanhu.harness.stopping import until_told

__all__ = ["main"]

_EXAMPLES = """examples:
  ./run prove devices --json                 an hour in three minutes
  ./run prove devices --minutes 20 --seed 3
  ./run prove devices --broken last-chosen   a reading goes to whoever is chosen when it arrives, and it ends with 1
  ./run prove devices --broken no-clock      what a cuff kept is taken for a reading of now, and it ends with 1
  ./run prove devices --broken no-memory     what a cuff tells again is a reading again, and it ends with 1

exit code:
  0    every limit of harness/limits.toml, section prove-devices, is kept
  1    one is broken
  2    wrong usage
  130  stopped by hand; nothing is left behind
"""
_NAME = "prove-devices"
_PACKAGES = ("kanhu", "bleak", "bumble", "pyserial")
_MINUTES, _SPEED = 60.0, 20.0
_CUFFS = ("F0:0D:00:00:01:01", "F0:0D:00:00:01:02")
_REPEATS = (0, 4)
"""How many of its last results each cuff tells again on each link."""
_PEOPLE = tuple(f"r-{number:04d}" for number in range(1, 7))
LAST_CHOSEN, NO_CLOCK, NO_MEMORY = "last-chosen", "no-clock", "no-memory"

# How long things take at a clinic, in seconds; the cuff's least is what edge builds on.
_SITS_DOWN_S, _MEASURES_S, _BETWEEN_S = (8.0, 20.0), (25.0, 45.0), (5.0, 15.0)
_CHANGES = 0.25
"""Share of measurements in which the next person is chosen before the result is there: it has to be of nobody."""
_BOTH = 0.3
"""Share in which both cuffs are on one person's arms."""
_ANALYSES = 0.4
"""Share of visits in which a drop of blood is measured too."""
_FAULT_EVERY_S = (50.0, 170.0)
_AWAY_S = (60.0, 400.0)
_UNPLUGGED_S = (20.0, 90.0)
_LANDING_S = 60.0
_PATIENCE_S = 1200.0
"""For what is kept at the end, in the clinic's own time."""


class _Sink:
    """What arrived."""

    def __init__(self) -> None:
        self.arrived: list[tuple[tuple[str, int], str | None]] = []
        self.refused: Counter[str] = Counter()
        self.repeats: dict[str, int] = {}

    async def accept(self, observation: Observation) -> bool:
        whose = observation.subject.id if observation.subject.kind is SubjectKind.RESIDENT else None
        self.arrived.append((_result(observation), whose))
        return True

    async def refuse(self, device: str, reason: str, detail: str) -> None:
        del device, detail
        self.refused[reason] += 1

    def device_seen(self, seen: DeviceSeen) -> None:
        self.repeats[seen.device] = seen.repeats


class _LastChosen(Attendance):
    """Wrong on purpose: who is chosen when it arrives, whoever was chosen while it was measured."""

    def measured(self, *, began_ns: int, kept_s: float = 0.0) -> Whose:
        del began_ns, kept_s
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
        description="Two shared cuffs, an analyser, changing people, and faults of radio and line, faster than life.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--minutes", type=float, default=_MINUTES, help=f"of the clinic (default {_MINUTES:g})")
    parser.add_argument("--seed", type=int, default=1, help="of people and faults (default 1)")
    parser.add_argument("--json", action="store_true", help="end with one JSON object")
    parser.add_argument(
        "--broken", choices=[LAST_CHOSEN, NO_CLOCK, NO_MEMORY], help="plant this error: the proof has to go red"
    )
    return parser


async def _conduct(chosen: argparse.Namespace) -> dict[str, Value]:
    with TemporaryDirectory(prefix="kanhu-devices-") as folder, _planted(chosen.broken):
        return await _hour(chosen, Path(folder))


async def _hour(chosen: argparse.Namespace, folder: Path) -> dict[str, Value]:
    clock = HurriedClock(SystemClock(), speed=_SPEED)
    truth, sink = Truth(), _Sink()
    attendance = (_LastChosen if chosen.broken == LAST_CHOSEN else Attendance)(clock=clock)
    air = Air()
    port = HciPort(RadioController("gateway", link=air, public_address="02:6B:68:00:02:01"))
    await port.open()
    repeats = dict(zip(_CUFFS, _REPEATS, strict=True))
    cuffs = [Cuff(air, address, truth=truth, clock=clock, repeats=repeats[address]) for address in _CUFFS]
    for cuff in cuffs:
        await cuff.start()
    laboratory = Laboratory(folder / "analyser", truth=truth, clock=clock)
    laboratory.plug()
    clinic = _Clinic(cuffs, laboratory, port, attendance, clock, truth, seed=chosen.seed)
    tasks = [
        asyncio.create_task(_read(clinic, sink, known_time=chosen.broken != NO_CLOCK), name="edge"),
        *(asyncio.create_task(cuff.tell(), name="cuff") for cuff in cuffs),
        asyncio.create_task(laboratory.tell(), name="analyser"),
    ]
    try:
        with telling(total_s=60 * chosen.minutes / _SPEED) as teller:
            await clinic.open_for(60 * chosen.minutes, teller=teller, tasks=tasks)
    finally:
        for task in reversed(tasks):
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
        for cuff in cuffs:
            await cuff.radio.power_off()
        laboratory.unplug()
        port.close()
    return _figures(truth, sink, kept=clinic.kept)


async def _read(clinic: "_Clinic", sink: _Sink, *, known_time: bool) -> None:
    clock = clinic.clock
    devices = [DeviceConfig(id=f"cuff-{n}", kind="cuff-ble", address=address) for n, address in enumerate(_CUFFS, 1)]
    devices.append(DeviceConfig(id="analyser-1", kind="analyser-astm", port=str(clinic.laboratory.path)))
    people = People(clock=clock, attendance=clinic.attendance, residents=_PEOPLE)
    radio = RadioConfig(bumble=clinic.port.transport)
    now: LocalTime = (lambda: (clock.wall_ms(), clock.wall_ms())) if known_time else unknown_time
    await run_devices(devices, sink, clock=clock, radio=radio, people=people, local_time=now)


@dataclass(frozen=True, slots=True)
class _Clinic:
    """People, devices, and what goes wrong with them."""

    cuffs: Sequence[Cuff]
    laboratory: Laboratory
    port: HciPort
    attendance: Attendance
    clock: Clock
    truth: Truth
    seed: int

    @property
    def kept(self) -> int:
        """How many results no device has told yet."""
        return self.laboratory.kept + sum(cuff.kept for cuff in self.cuffs)

    async def open_for(self, seconds: float, *, teller: Teller, tasks: Sequence["asyncio.Task[None]"]) -> None:
        """People come and go; then all that was kept is told, or patience ends."""
        faults = asyncio.create_task(self._break(random.Random(f"{self.seed}/faults")), name="faults")
        try:
            await self._people(random.Random(f"{self.seed}/clinic"), seconds, teller=teller, tasks=[*tasks, faults])
        finally:
            faults.cancel()
            with suppress(asyncio.CancelledError):
                await faults
        for cuff in self.cuffs:
            await cuff.come()
        self.laboratory.plug()
        until_ns = self.clock.mono_ns() + _PATIENCE_S * 1e9
        while self.kept and self.clock.mono_ns() < until_ns:
            await self.clock.sleep(1.0)
        await self.clock.sleep(_LANDING_S)

    async def _people(
        self, draw: random.Random, seconds: float, *, teller: Teller, tasks: Sequence["asyncio.Task[None]"]
    ) -> None:
        """They come, are chosen, sit down and are measured."""
        began_ns, person = self.clock.mono_ns(), draw.choice(_PEOPLE)
        while (passed_s := (self.clock.mono_ns() - began_ns) / 1e9) < seconds:
            for task in tasks:
                if task.done():
                    task.result()
            teller.now(passed_s / _SPEED, f"{len(self.truth.results)} results")
            following = draw.choice([other for other in _PEOPLE if other != person])
            await self._visit(person, following, draw)
            person = following

    async def _visit(self, person: str, following: str, draw: random.Random) -> None:
        self.attendance.choose(person)
        await self.clock.sleep(draw.uniform(*_SITS_DOWN_S))
        used = list(self.cuffs) if draw.random() < _BOTH else [draw.choice(self.cuffs)]
        changes, early_s = draw.random() < _CHANGES, draw.uniform(3.0, 10.0)
        await self.clock.sleep(draw.uniform(*_MEASURES_S) - early_s)
        if changes:
            self.attendance.choose(following)
        await self.clock.sleep(early_s)
        for cuff in used:
            cuff.measures(None if changes else person)
        if draw.random() < _ANALYSES:
            self.laboratory.measures(person)
        await self.clock.sleep(draw.uniform(*_BETWEEN_S))

    async def _break(self, draw: random.Random) -> None:
        """One fault after the other, without end."""
        async with asyncio.TaskGroup() as later:
            while True:
                await self.clock.sleep(draw.uniform(*_FAULT_EVERY_S))
                fault = draw.choice(("radio reset", "link cut", "both links cut", "carried away", "unplugged"))
                self.truth.faults[fault] += 1
                match fault:
                    case "radio reset":
                        self.port.reset()
                    case "link cut":
                        await draw.choice(self.cuffs).radio.drop()
                    case "both links cut":
                        for cuff in self.cuffs:
                            await cuff.radio.drop()
                    case "carried away":
                        later.create_task(self._carry_away(draw.choice(self.cuffs), draw.uniform(*_AWAY_S)))
                    case _:
                        later.create_task(self._unplug(draw.uniform(*_UNPLUGGED_S)))

    async def _carry_away(self, cuff: Cuff, seconds: float) -> None:
        await cuff.go()
        await self.clock.sleep(seconds)
        await cuff.come()

    async def _unplug(self, seconds: float) -> None:
        self.laboratory.unplug()
        await self.clock.sleep(seconds)
        self.laboratory.plug()


@contextmanager
def _planted(broken: str | None) -> Iterator[None]:
    """An error that the proof has to find."""
    if broken != NO_MEMORY:
        yield
        return
    whole, KnownResults.has = KnownResults.has, lambda *_, **__: False  # type: ignore[method-assign]  # the error
    try:
        yield
    finally:
        KnownResults.has = whole  # type: ignore[method-assign]  # put right


def _result(observation: Observation) -> tuple[str, int]:
    glucose = observation.value("glucose_capillary")
    if glucose is not None:
        return "analyser", number_of_glucose(glucose)
    systolic, diastolic = observation.value("systolic") or Decimal(0), observation.value("diastolic") or Decimal(0)
    return "cuff", number_of_pressure(systolic, diastolic)


def _figures(truth: Truth, sink: _Sink, *, kept: int) -> dict[str, Value]:
    times = Counter(result for result, _ in sink.arrived)
    told = {result: one for result, one in truth.results.items() if one.told_ns is not None}
    waited_s = {result: ((one.told_ns or 0) - one.at_ns) / 1e9 for result, one in told.items()}
    named = [(result, whose) for result, whose in sink.arrived if whose is not None and result in truth.results]
    nameless = {result for result, whose in sink.arrived if whose is None}
    at_once = {result for result, waited in waited_s.items() if waited < AT_ONCE_S}
    return {
        "measurements": len(truth.results),
        "by_serial_line": sum(device == "analyser" for device, _ in truth.results),
        "arrived": len(sink.arrived),
        "lost": sum(1 for result in truth.results if not times[result]),
        "twice": sum(1 for result in truth.results if times[result] > 1),
        "wrong_person": sum(truth.results[result].person != whose for result, whose in named),
        "without_name": sum(1 for result in nameless & at_once if told[result].person is not None),
        "unknown": sum(1 for result in times if result not in truth.results),
        "of_nobody": len(nameless),
        "kept_for_later": sum(waited >= AT_ONCE_S for waited in waited_s.values()),
        "longest_kept_s": round(max(waited_s.values(), default=0.0)),
        "kept_at_the_end": kept,
        "sent_again": sum(sink.repeats.values()),
        "refused": sink.refused.total(),
        "faults": truth.faults.total(),
    }
