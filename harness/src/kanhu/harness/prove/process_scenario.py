"""A scenario at depth process: real gateways, broker and county, and what its demands say of the alerts that came."""

import math
from collections.abc import Callable
from pathlib import Path

from kanhu.firmware_sim.errors import ScenarioRefused
from kanhu.firmware_sim.scenario import load_scenario, recordings_folder, site_of, tags_of
from kanhu.firmware_sim.scenario.model import Expected, Forbidden, Scenario
from kanhu.firmware_sim.scenario.model import Home as ScenarioHome
from kanhu.firmware_sim.truth import Demand
from kanhu.harness.faults import Kind, Place, Schedule, faults_from_tables
from kanhu.harness.prove.demands import Judgement, Raised, Telling, judge
from kanhu.harness.prove.desk import Worker
from kanhu.harness.prove.process_play import Course, ProcessPlay, play_processes
from kanhu.harness.village.script import Device, Home, Person
from kanhu.harness.village.stage import RECORDING

__all__ = ["as_play", "judge_course", "play_process", "village_homes"]

_MS = 1000
_PLAYED = frozenset({Place.GATEWAY, Place.BROKER, Place.CLOUD, Place.LINK, Place.STAFF})
"""The simulator plays those of devices."""
_PLAYED_ELSEWHERE = frozenset({Place.DEVICE})


async def play_process(file: Path, *, say: Callable[[str], None]) -> Judgement:
    """Play it in real processes and compare.

    Raises:
        VillageFailed, ProcessDied: it did not come up, or a part fell over that nobody had broken.
    """
    scenario = load_scenario(file)
    course = await play_processes(as_play(scenario, file), say)
    return judge_course(scenario, course)


def judge_course(scenario: Scenario, course: Course) -> Judgement:
    """What is demanded against what came, and the account; a story told by devices that nobody heard is not kept."""
    judgement = judge(_demands(scenario), [*_raised(course)])
    if course.account is not None:
        judgement.missing += course.account.broken_promises()
        if not course.account.stored and any(home.event for home in scenario.home):
            judgement.missing.append("no reading was stored: whether anything follows from them was not shown")
    if not course.drained:
        judgement.missing.append("gateways still owed records when patience ended")
    return judgement


def as_play(scenario: Scenario, file: Path) -> ProcessPlay:
    """What is played of a scenario file.

    Raises:
        ScenarioRefused: a fault that real processes cannot be given here.
    """
    faults = _faults(scenario, file)
    return ProcessPlay(
        scenario=file,
        site=site_of(scenario),
        homes=village_homes(scenario),
        faults=faults,
        seconds=scenario.duration_s,
        seed=scenario.seed,
        recordings=RECORDING if scenario.recordings == "." else recordings_folder(scenario, file),
        absences=_absences(scenario, faults),
        workers=tuple(Worker(one.claims_after_s, one.closes_after_s) for one in scenario.staff),
    )


def village_homes(scenario: Scenario) -> tuple[Home, ...]:
    """The homes as gateways are configured for them."""
    return tuple(_home(home) for home in scenario.home)


def _home(home: ScenarioHome) -> Home:
    devices = tuple(Device(device.id, device.kind.value, device.person) for device in home.device)
    people = tuple(Person(resident.id, tags_of(resident), resident.spo2_limit_percent) for resident in home.resident)
    return Home(home.id, devices, people)


def _faults(scenario: Scenario, file: Path) -> Schedule:
    tables = [
        {"at_s": fault.at_s, "for_s": fault.for_s, "on": fault.on, "what": fault.what}
        | ({"amount": fault.amount} if fault.amount else {})
        for fault in scenario.fault
    ]
    read = [fault for fault in faults_from_tables(tables) if fault.target.place not in _PLAYED_ELSEWHERE]
    for fault in read:
        if fault.target.place not in _PLAYED:
            known = ", ".join(sorted(_PLAYED | _PLAYED_ELSEWHERE))
            raise ScenarioRefused(file, f"fault at {fault.at_s:g} s", f"{fault.target} cannot fail here; {known} can")
    return tuple(read)


def _absences(scenario: Scenario, faults: Schedule) -> tuple[tuple[float, float], ...]:
    written = [(absence.from_s, absence.to_s) for one in scenario.staff for absence in one.absent]
    broken = [
        (fault.at_s, fault.at_s + fault.for_s if fault.for_s else math.inf)
        for fault in faults
        if (fault.target.place, fault.kind) == (Place.STAFF, Kind.ABSENT)
    ]
    return (*written, *broken)


def _demands(scenario: Scenario) -> list[Demand]:
    return [
        *(_demand(alert, by_s=alert.by_s, at_most=alert.at_most) for alert in scenario.expected),
        *(_demand(alert, by_s=alert.by_s or float("inf"), at_most=0) for alert in scenario.forbidden),
    ]


def _demand(alert: Expected | Forbidden, *, by_s: float, at_most: int) -> Demand:
    return Demand(
        rule=alert.rule,
        subject=alert.subject,
        priority=alert.priority,
        from_ms=round(alert.from_s * _MS),
        by_ms=2**62 if by_s == float("inf") else round(by_s * _MS),
        forbidden=isinstance(alert, Forbidden),
        at_most=at_most or 1,
    )


def _raised(course: Course) -> list[Raised]:
    return [
        Raised(
            alert.subject,
            alert.rule,
            tuple(Telling(round((heard_ns - course.began_ns) / 1e6), priority) for heard_ns, priority in alert.heard),
        )
        for alert in course.alerts
    ]
