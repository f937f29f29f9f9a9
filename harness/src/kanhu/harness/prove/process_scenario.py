"""A scenario at depth process: real gateways, broker and county, and what its demands say of the alerts that came."""

from collections.abc import Callable
from pathlib import Path

import msgspec

from kanhu.firmware_sim.scenario import Expected, Forbidden, Scenario
from kanhu.firmware_sim.scenario import Home as ScenarioHome
from kanhu.firmware_sim.scenario_file import load_scenario, recordings_folder
from kanhu.firmware_sim.scenario_site import site_of, tags_of
from kanhu.firmware_sim.truth import Demand
from kanhu.harness.faults import Place, Schedule, faults_from_tables
from kanhu.harness.prove.demands import Judgement, Raised, Telling, judge
from kanhu.harness.prove.process_play import Course, ProcessPlay, Worker, play_processes
from kanhu.harness.village.script import Device, Home, Person
from kanhu.harness.village.stage import RECORDING

__all__ = ["as_play", "play_process", "village_homes"]

_MS = 1000
_PLAYED = frozenset({Place.GATEWAY, Place.BROKER, Place.CLOUD, Place.LINK})


async def play_process(file: Path, *, say: Callable[[str], None]) -> Judgement:
    """Play it in real processes and compare.

    Raises:
        VillageFailed, ProcessDied: it did not come up, or a part fell over that nobody had broken.
    """
    scenario = load_scenario(file)
    course = await play_processes(as_play(scenario, file), say)
    judgement = judge(_demands(scenario), [*_raised(course)])
    if course.account is not None:
        judgement.missing += course.account.broken_promises()
    if not course.drained:
        judgement.missing.append("gateways still owed records when patience ended")
    return judgement


def as_play(scenario: Scenario, file: Path) -> ProcessPlay:
    """What is played of a scenario file."""
    return ProcessPlay(
        scenario=file,
        site=site_of(scenario),
        homes=village_homes(scenario),
        faults=_faults(scenario),
        seconds=scenario.duration_s,
        seed=scenario.seed,
        recordings=RECORDING if scenario.recordings == "." else recordings_folder(scenario, file),
        workers=tuple(Worker(one.claims_after_s, one.closes_after_s) for one in scenario.staff),
    )


def village_homes(scenario: Scenario) -> tuple[Home, ...]:
    """The homes as gateways are configured for them."""
    return tuple(_home(home) for home in scenario.home)


def _home(home: ScenarioHome) -> Home:
    devices = tuple(Device(device.id, device.kind.value, device.person) for device in home.device)
    people = tuple(Person(resident.id, tags_of(resident), resident.spo2_limit_percent) for resident in home.resident)
    return Home(home.id, devices, people)


def _faults(scenario: Scenario) -> Schedule:
    tables = [msgspec.structs.asdict(fault) for fault in scenario.fault]
    read = faults_from_tables(
        [{key: value for key, value in table.items() if value} | {"at_s": table["at_s"]} for table in tables]
    )
    return tuple(fault for fault in read if fault.target.place in _PLAYED)


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
