"""Plays a scenario in virtual time: what gateways would have read, the plan of what is no reading, and the truth.

The play begins on Monday 2026-03-02 at the scenario's `starts_at`. The recording goes on for whole days from there, so
that what follows from the play (an escalation, a silence) is seen too.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta, timezone
from pathlib import Path

import msgspec

from kanhu.contract import ClockState, Subject, SubjectKind
from kanhu.contract.recording import Manifest, Reaction, Silence, VillagePlan
from kanhu.firmware_sim.bodies import body_of
from kanhu.firmware_sim.recording.folder import Done, RecordingFolder, Settings
from kanhu.firmware_sim.recording.gateway_clock import ClockStart, GatewayClock
from kanhu.firmware_sim.recording.readings import Reading
from kanhu.firmware_sim.recording.scenario_readings import Stand, readings_of
from kanhu.firmware_sim.recording.writing import alone
from kanhu.firmware_sim.scenario import all_events
from kanhu.firmware_sim.scenario.model import DeviceEntry, Fault, Home, Press, Scenario, start_of_day_s
from kanhu.firmware_sim.scenario.site import COUNTY_TIMEZONE, site_of, tags_of
from kanhu.firmware_sim.truth import Demand, Happening, HappeningKind, Person, Truth

__all__ = ["record_scenario"]

_MONDAY = datetime(2026, 3, 2, tzinfo=timezone(timedelta(hours=8)))
_MS = 1000
_DAY_MS = 86_400_000
_NEVER_S = 1e9
_YEAR_1970_MS = 60_000  # a gateway whose clock was never set is a minute old
_POWER, _LINK = "power", "link"


def record_scenario(
    scenario: Scenario, out: Path, *, recordings: Path, digest: str, seed: int | None = None
) -> Manifest:
    """Record into `out`, which is new, empty, or of the same scenario; `digest` tells one scenario file from another.

    Raises:
        FolderRefused: something else is there, or it cannot be written.
        RecordRefused: a file of beats cannot be replayed.
    """
    settings = Settings(
        name=scenario.name,
        seed=scenario.seed if seed is None else seed,
        starts_ms=round((_MONDAY.timestamp() + start_of_day_s(scenario)) * _MS),
        days=max(1, -(-round(scenario.duration_s * _MS) // _DAY_MS)),
        timezone=COUNTY_TIMEZONE,
        details={"scenario": digest},
    )
    with alone(out):
        folder = RecordingFolder.open(out, settings)
        dones = []
        for village in dict.fromkeys(home.village for home in scenario.home):
            homes = tuple(home for home in scenario.home if home.village == village)
            player = _Player(scenario, settings, village, homes=homes, recordings=recordings)
            dones.append(folder.done(village) or player.record(folder))
        return folder.finish(dones, site=site_of(scenario))


class _Player:
    """One village."""

    def __init__(
        self, scenario: Scenario, settings: Settings, village: str, *, homes: Sequence[Home], recordings: Path
    ) -> None:
        self._scenario = scenario
        self._settings = settings
        self._village = village
        self._homes = homes
        self._recordings = recordings
        self._silences = {home.id: self._silences_of(home) for home in homes}

    def record(self, folder: RecordingFolder) -> Done:
        """Write the village."""
        clocks = {home.id: self._clock(home) for home in self._homes}
        writer = folder.village(self._village, gateways=clocks)
        try:
            taken: dict[str, list[Reading]] = {}
            for home in self._homes:
                read = [reading for device in home.device for reading in self._read(home, device)]
                taken[home.id] = [reading for reading in read if writer.take(home.id, reading)]
            for day in range(self._settings.days):
                writer.end_day(day)
            return writer.finish(
                settings=self._settings.digest(),
                plan=self._plan(),
                truth=[*self._people(), *self._happenings(taken), *self._demands()],
                people=sum(len(home.resident) for home in self._homes),
            )
        finally:
            writer.close()

    # ------------------------------------------------------------------------------------------ readings

    def _read(self, home: Home, device: DeviceEntry) -> Iterator[Reading]:
        resident = next((each for each in home.resident if each.id == device.person), None)
        stand = Stand(
            entry=device,
            subject=None if resident is None else Subject(SubjectKind.RESIDENT, resident.id),
            dwelling=Subject(SubjectKind.DWELLING, home.id),
            body=body_of(self._scenario, resident, seed=str(self._settings.seed)),
            begins_ms=self._settings.starts_ms,
            begins_s=start_of_day_s(self._scenario),
            ends_s=self._scenario.duration_s,
            seed=str(self._settings.seed),
            recordings=self._recordings,
        )
        yield from readings_of(stand, all_events(self._scenario, home, device))

    def _clock(self, home: Home) -> GatewayClock:
        silences = self._silences[home.id]
        wrong = next((fault for fault in self._scenario.fault if fault.on == f"clock {home.id}"), None)
        return GatewayClock(
            home.id,
            seed=str(self._settings.seed),
            starts_ms=self._settings.starts_ms,
            cuts=[(each.from_ms, each.to_ms) for each in silences if each.cause == _POWER],
            unlinked=[(each.from_ms, each.to_ms) for each in silences if each.cause == _LINK],
            start=None if wrong is None else self._wrong(wrong),
        )

    def _wrong(self, fault: Fault) -> ClockStart:
        lasts_ms = round(fault.for_s * _MS) or self._settings.days * _DAY_MS
        if fault.what == "year_1970":
            return ClockStart(_YEAR_1970_MS, lasts_ms, ClockState.UNSET)
        return ClockStart(self._settings.starts_ms + round(fault.amount * _MS), lasts_ms)

    # ------------------------------------------------------------------------------------------ the plan

    def _plan(self) -> VillagePlan:
        staff = self._scenario.staff
        away = sorted(
            [self._span(absence.from_s, absence.to_s) for one in staff for absence in one.absent]
            + [self._span(each.at_s, self._end_s(each)) for each in self._scenario.fault if each.on == "staff"]
        )
        silences = sorted(
            (each for silences in self._silences.values() for each in silences),
            key=lambda each: (each.from_ms, each.gateway),
        )
        return VillagePlan(
            village=self._village,
            silences=tuple(silences),
            absences=_merged(away),
            reactions=tuple(
                Reaction(one.claims_after_s, _NEVER_S if one.closes_after_s is None else one.closes_after_s)
                for one in staff
            ),
        )

    def _silences_of(self, home: Home) -> list[Silence]:
        causes = {f"gateway {home.id}": _POWER, f"link {home.id}": _LINK}
        found = []
        for fault in self._scenario.fault:
            if fault.on in causes:
                from_ms, to_ms = self._span(fault.at_s, self._end_s(fault))
                found.append(Silence(home.id, from_ms, to_ms, causes[fault.on]))
        return sorted(found, key=lambda silence: silence.from_ms)

    def _end_s(self, fault: Fault) -> float:
        return fault.at_s + fault.for_s if fault.for_s else self._settings.days * _DAY_MS / _MS

    def _ms(self, at_s: float) -> int:
        return self._settings.starts_ms + round(at_s * _MS)

    def _span(self, from_s: float, to_s: float) -> tuple[int, int]:
        return self._ms(from_s), self._ms(to_s)

    # ------------------------------------------------------------------------------------------ the truth

    def _people(self) -> Iterator[Truth]:
        for home in self._homes:
            for resident in home.resident:
                yield Person(
                    village=self._village,
                    gateway=home.id,
                    subject=resident.id,
                    age_years=resident.age_years,
                    sex=resident.sex,
                    tags=tags_of(resident),
                )

    def _happenings(self, taken: dict[str, list[Reading]]) -> Iterator[Truth]:
        for home in self._homes:
            for resident in home.resident:
                for number, each in enumerate(resident.happening, 1):
                    ms = self._span(each.at_s, each.at_s + each.for_s)
                    happening = self._happening(home, each.kind, f"{resident.id}-{number}", ms)
                    yield _seen(happening, taken[home.id], subject=resident.id, severity=each.severity)
            for number, event in enumerate((each for each in home.event if isinstance(each, Press)), 1):
                person = next(each.person for each in home.device if each.id == event.device)
                ms = self._span(event.at_s, event.at_s)
                call = self._happening(home, HappeningKind.CALL, f"{event.device}-{number}", ms)
                yield _seen(call, taken[home.id], subject=person or home.id, severity=1.0)
            for number, silence in enumerate(self._silences[home.id], 1):
                ms = (silence.from_ms, silence.to_ms)
                yield self._happening(home, HappeningKind.GATEWAY_SILENT, f"{home.id}-silent-{number}", ms)

    def _happening(self, home: Home, kind: HappeningKind, name: str, ms: tuple[int, int]) -> Happening:
        return Happening(id=name, kind=kind, village=self._village, gateway=home.id, onset_ms=ms[0], end_ms=ms[1])

    def _demands(self) -> Iterator[Truth]:
        """Every village has all demands that are about it or about anybody."""
        here = {"*", *(home.id for home in self._homes)}
        here |= {resident.id for home in self._homes for resident in home.resident}
        for alert in self._scenario.expected:
            if alert.subject in here:
                yield Demand(
                    rule=alert.rule,
                    subject=alert.subject,
                    priority=alert.priority,
                    from_ms=self._ms(alert.from_s),
                    by_ms=self._ms(alert.by_s),
                    at_most=alert.at_most,
                    told=alert.told,
                    level=alert.level,
                )
        for unwanted in self._scenario.forbidden:
            if unwanted.subject in here:
                yield Demand(
                    rule=unwanted.rule,
                    subject=unwanted.subject,
                    priority=unwanted.priority,
                    from_ms=self._ms(unwanted.from_s),
                    by_ms=self._settings.ends_ms if unwanted.by_s is None else self._ms(unwanted.by_s),
                    forbidden=True,
                )


def _seen(happening: Happening, taken: Sequence[Reading], *, subject: str, severity: float) -> Happening:
    """The same with the readings of that person that were taken of it."""
    during = [
        reading
        for reading in taken
        if happening.onset_ms <= reading.true_ms <= happening.end_ms
        and reading.subject is not None
        and reading.subject.id == subject
    ]
    good = [reading for reading in during if not reading.quality.reasons]
    return msgspec.structs.replace(
        happening,
        subject=subject,
        severity=severity,
        readings=dict(sorted(Counter(reading.metric for reading in during).items())),
        good=dict(sorted(Counter(reading.metric for reading in good).items())),
    )


def _merged(spans: Sequence[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
    """Rising and disjoint."""
    merged: list[tuple[int, int]] = []
    for from_ms, to_ms in spans:
        if merged and from_ms <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], to_ms))
        else:
            merged.append((from_ms, to_ms))
    return tuple(merged)
