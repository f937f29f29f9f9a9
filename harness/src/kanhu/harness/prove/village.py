"""`./run prove village`: a village of real gateways under faults, and a person who must hear of every high alert.

A high alert is expected once its gateway has accepted it, as the gateway's own journal says. It is delivered when the
person's stream or board shows it. The clock of the ten seconds starts when the deciding value arrived, or when the last
fault on its way ended: of its gateway or link, of the broker, of the county.
"""

import argparse
import sys
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from kanhu.contract.version import VERSION
from kanhu.firmware_sim import load_scenario
from kanhu.firmware_sim.scenario import site_of
from kanhu.harness.errors import HarnessError
from kanhu.harness.faults import schedule_as_json
from kanhu.harness.prove.desk import Worker
from kanhu.harness.prove.process_play import Course, Disturbance, ProcessPlay, Promise, play_processes
from kanhu.harness.prove.process_scenario import village_homes
from kanhu.harness.prove.telling import telling
from kanhu.harness.prove.village_script import draw_village
from kanhu.harness.report import Output, Report, Value, finish, read_limits
from kanhu.harness.stopping import STOPPED, until_told
from kanhu.harness.village.county import SeenAlert
from kanhu.harness.village.settings import Pace

__all__ = ["Delivery", "deliveries", "main"]

_NAME = "prove-village"
_HIGH = "high"
_LIMIT_NS = 10_000_000_000
_EXAMPLES = """examples:
  ./run prove village --homes 40 --seconds 600 --seed 1 --json
  ./run prove village --homes 4 --seconds 60

exit code:
  0    every limit of harness/limits.toml, section prove-village, is kept
  1    one is broken, or a part fell over; the same seed draws the same village again
  2    wrong usage
  130  stopped by hand; nothing is left behind
"""
_SHORTEST_S, _LONGEST_S, _MOST_HOMES = 60.0, 86_400.0, 99
_PACE = Pace(reconnect_max_s=30, gateway_silent_s=90, reconnect_grace_s=60)
"""Pauses between two tries as long as in the field; silence is not what is proven here."""
_WORKERS = (Worker(2.0, 5.0), Worker(8.0, 20.0), Worker(1.0, None))
"""One quick, one slow, one who claims and forgets."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """One high alert on its way to a person."""

    promise: Promise
    ready_ns: int
    """When it was accepted and nothing stood in its way any more."""
    heard_ns: int | None
    """None: never."""

    @property
    def took_ns(self) -> int | None:
        """From then on; 0 where it slipped through while something was still broken."""
        return None if self.heard_ns is None else max(0, self.heard_ns - self.ready_ns)


def main(arguments: Sequence[str]) -> int:
    """Play one village; 0 where every limit is kept."""
    options = _parser().parse_args(arguments)
    try:
        with tempfile.TemporaryDirectory(prefix="kanhu-village-") as folder:
            course = _play(options, Path(folder))
    except (HarnessError, OSError) as error:
        print(f"kanhu: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("stopped; nothing is left behind. The same seed draws the same village again.", file=sys.stderr)
        return STOPPED
    found = deliveries(course)
    for one in found:
        if one.took_ns is None or one.took_ns > _LIMIT_NS:
            took = "never delivered" if one.took_ns is None else f"took {one.took_ns / 1e9:.1f} s"
            accepted_s = (one.promise.accepted_ns - course.began_ns) / 1e9
            print(f"{one.promise.gateway} {one.promise.rule} accepted at {accepted_s:.1f} s: {took}")
    figures = _figures(course, found, homes=options.homes)
    report = Report(_NAME, figures, read_limits(_NAME), seed=options.seed, versions={"kanhu": VERSION})
    return finish(report, output=Output.TABLE_AND_JSON if options.json else Output.TABLE)


def deliveries(course: Course) -> list[Delivery]:
    """Every high alert that was accepted, and when a person heard of it."""
    found = []
    for promise in course.promises:
        if promise.priority != _HIGH:
            continue
        alerts = _alerts_of(promise, course.alerts)
        heard_ns = min((heard_ns for alert in alerts for heard_ns in _high(alert)), default=None)
        decided_ns = min([promise.accepted_ns, *(_decided_ns(alert, course) for alert in alerts)])
        ready_ns = _ready_ns(promise, decided_ns, heard_ns, disturbances=course.disturbances)
        found.append(Delivery(promise, ready_ns, heard_ns))
    return found


def _decided_ns(alert: SeenAlert, course: Course) -> int:
    """When the deciding value arrived, of an alert that was high from the first; the journal is looked at later."""
    if alert.evidence_ms is None or alert.heard[0][1] != _HIGH:
        return sys.maxsize
    return course.began_ns + (alert.evidence_ms - course.began_ms) * 1_000_000


def _alerts_of(promise: Promise, alerts: Sequence[SeenAlert]) -> list[SeenAlert]:
    """The alert of that id, or else those of the same person and rule that were open: one of them it joined."""
    own = [alert for alert in alerts if alert.id == promise.alert]
    person = f"r-{promise.gateway.rpartition('-')[2]}"
    return own or [
        alert
        for alert in alerts
        if (alert.rule, alert.subject) == (promise.rule, person)
        and (alert.closed_ns is None or alert.closed_ns > promise.accepted_ns)
    ]


def _high(alert: SeenAlert) -> list[int]:
    return [heard_ns for heard_ns, priority in alert.heard if priority == _HIGH]


def _ready_ns(promise: Promise, decided_ns: int, heard_ns: int | None, *, disturbances: Sequence[Disturbance]) -> int:
    """When nothing stood in its way any more: each fault that begins before it is late puts that off."""
    ready_ns = decided_ns
    for one in sorted(disturbances, key=lambda disturbance: disturbance.from_ns):
        in_the_way = one.fault.target.name in {"", promise.gateway}
        begins_in_time = one.from_ns < ready_ns + _LIMIT_NS and (heard_ns is None or one.from_ns < heard_ns)
        if in_the_way and begins_in_time:
            ready_ns = max(ready_ns, one.to_ns)
    return ready_ns


def _play(options: argparse.Namespace, folder: Path) -> Course:
    script = draw_village(
        folder,
        homes=options.homes,
        seconds=options.seconds,
        seed=options.seed,
        faults_per_s=options.faults_per_second,
    )
    if options.schedule is not None:
        options.schedule.write_text(schedule_as_json(script.faults), encoding="utf-8")
    scenario = load_scenario(script.scenario)
    wanted = ProcessPlay(
        scenario=script.scenario,
        site=site_of(scenario),
        homes=village_homes(scenario),
        faults=script.faults,
        seconds=options.seconds,
        seed=options.seed,
        workers=_WORKERS,
        pace=_PACE,
        patience_s=60.0 + 3.0 * options.homes,
    )
    with telling(total_s=options.seconds) as teller:
        return until_told(
            play_processes(wanted, teller.say, so_far=lambda at_s: teller.now(at_s, f"{at_s:.0f} s played"))
        )


def _figures(course: Course, found: Sequence[Delivery], *, homes: int) -> dict[str, Value]:
    took_ms = sorted(one.took_ns // 1_000_000 for one in found if one.took_ns is not None)
    figures: dict[str, Value | None] = {
        "homes": homes,
        "faults": course.faults,
        "high_expected": len(found),
        "high_delivered": len(took_ms),
        "high_missing": len(found) - len(took_ms),
        "high_late": sum(1 for one in took_ms if one * 1_000_000 > _LIMIT_NS),
        "slowest_high_ms": took_ms[-1] if took_ms else None,
        "middle_high_ms": took_ms[len(took_ms) // 2] if took_ms else None,
        "alerts": len(course.alerts),
        "claimed": course.claimed,
        "closed": course.closed,
        "drained": int(course.drained),
        "largest_gateway_mib": _mib(kib for name, kib in course.peak_kib.items() if name.startswith("home-")),
        "county_mib": _mib([course.peak_kib.get("cloud", 0)]),
    }
    if course.account is not None:
        account = course.account
        figures |= {
            "emitted": account.emitted,
            "accepted": account.accepted,
            "refused": sum(account.refused.values()),
            "stored": account.stored,
            "lost": account.lost,
            "duplicated": account.duplicated,
            "wrong": account.wrong,
        }
    return {name: value for name, value in figures.items() if value is not None}


def _mib(kib: Iterable[int]) -> float:
    return round(max([0, *kib]) / 1024, 1)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="./run prove village",
        description="Real gateways with simulated devices, a broker and a county, faults over all of them, and a\n"
        "person at the desk: every high alert within 10 s of its way being free. More: docs/scenarios.md.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--homes", type=_homes, default=40, help="so many homes (default 40)")
    parser.add_argument("--seconds", type=_seconds, default=600.0, help="length of the play (default 600)")
    parser.add_argument("--seed", type=int, default=1, help="of people, happenings and faults (default 1)")
    parser.add_argument(
        "--faults-per-second", type=_rate, default=0.25, metavar="X", help="over all homes (default 0.25)"
    )
    parser.add_argument("--schedule", type=Path, metavar="FILE", help="write the faults that were drawn here, as JSON")
    parser.add_argument("--json", action="store_true", help="the last line is one JSON object")
    return parser


def _homes(text: str) -> int:
    number = int(text) if text.isdecimal() else 0
    if not 1 <= number <= _MOST_HOMES:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 1 to {_MOST_HOMES}")
    return number


def _seconds(text: str) -> float:
    seconds = _float(text)
    if not _SHORTEST_S <= seconds <= _LONGEST_S:
        raise argparse.ArgumentTypeError(f"{text!r} is not from {_SHORTEST_S:g} s to {_LONGEST_S:g} s, which is a day")
    return seconds


def _rate(text: str) -> float:
    rate = _float(text)
    if not 0 <= rate <= 10:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 0 to 10")
    return rate


def _float(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no number") from None
