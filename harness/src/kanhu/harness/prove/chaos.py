"""`./run prove chaos`: no accepted reading is lost, stored twice or changed, whatever is killed or cut."""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from kanhu.harness.errors import HarnessError
from kanhu.harness.faults import Schedule, read_schedule, schedule_as_json
from kanhu.harness.faults.shrink import shrink
from kanhu.harness.prove.nightly import nightly, versions
from kanhu.harness.prove.telling import telling
from kanhu.harness.prove.town import Size
from kanhu.harness.prove.under_faults import Outcome, Plan, check_targets, conduct, drawn_plan, length_of
from kanhu.harness.report import Limit, Output, Report, finish, read_limits
from kanhu.harness.stopping import STOPPED, until_told

__all__ = ["main"]

_EXAMPLES = """examples:
  ./run prove chaos --seconds 100 --seed 1 --json
  ./run prove chaos --seconds 20 --broken puback          has to lose some, and ends with 1
  ./run prove chaos --schedule failing.json               plays these faults instead of drawn ones
  ./run prove chaos --seconds 20 --broken puback --shrink --out small.json
  ./run prove chaos --nightly --json                      ten seeds, every other one with people at two gateways

exit code:
  0    every limit of harness/limits.toml, section prove-chaos, is kept
  1    one is broken; the same seed, or the schedule that was written, plays it again
  2    wrong usage
  130  stopped by hand; nothing is left behind
"""
_NAME = "prove-chaos"
_BROKEN = ("puback",)
_FULL_S = 100.0
_SHORTEST_S, _LONGEST_S = 3.0, 86_400.0
_MOST_A_SECOND = 10_000.0
_MOST_GATEWAYS = 20
_TRIES = 2
_IN_PROPORTION = {"faults", "accepted"}


def main(arguments: Sequence[str]) -> int:
    """Run the proof; 0 where every limit is kept."""
    parser = _parser()
    chosen = parser.parse_args(arguments)
    schedule = _read(parser, chosen.schedule)
    plan = _plan(parser, chosen, schedule)
    try:
        if chosen.nightly:
            return until_told(nightly(plan, output=_output(chosen)))
        if chosen.shrink:
            small = until_told(_shrink(plan, tries=chosen.tries))
            _tell_small(small, plan, chosen.out)
            return 1
        outcome = until_told(_conduct(plan))
    except (HarnessError, OSError) as error:
        print(f"kanhu: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print(f"kanhu: stopped; nothing is left behind. Again from the start: {_command(plan)}", file=sys.stderr)
        return STOPPED
    limits = _limits(plan.seconds, drawn=schedule is None)
    report = Report(_NAME, outcome.figures(), limits, seed=plan.seed, versions=versions())
    code = finish(report, output=_output(chosen))
    if outcome.failed:
        again = _command(plan, chosen.schedule)
        print(f"kanhu: again: {again}\nkanhu: smaller: {again} --shrink", file=sys.stderr)
    return code


def _output(chosen: argparse.Namespace) -> Output:
    return Output.TABLE_AND_JSON if chosen.json else Output.TABLE


def _parser() -> argparse.ArgumentParser:
    size = Size()
    parser = argparse.ArgumentParser(
        prog="./run prove chaos",
        description="Kill and cut gateways, broker and county by seed; then compare what was promised with the ledger.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--seconds", type=float, help=f"how long faults happen (default {_FULL_S:.0f})")
    parser.add_argument("--seed", type=int, default=1, help="of faults and readings (default 1)")
    parser.add_argument("--json", action="store_true", help="end with one JSON object")
    parser.add_argument("--gateways", type=int, default=size.gateways, help=f"how many (default {size.gateways})")
    parser.add_argument(
        "--rate", type=float, default=size.readings_per_s, help=f"readings a second (default {size.readings_per_s:.0f})"
    )
    parser.add_argument("--pairs", action="store_true", help="two gateways each measure the same people")
    parser.add_argument("--nightly", action="store_true", help="ten seeds from --seed on, every other one with --pairs")
    parser.add_argument("--broken", choices=_BROKEN, help="plant this error: the proof has to go red")
    parser.add_argument("--schedule", type=Path, metavar="FILE", help="play these faults, from TOML or JSON")
    parser.add_argument("--shrink", action="store_true", help="find a small schedule that fails still, by real runs")
    parser.add_argument("--tries", type=int, default=_TRIES, help=f"runs before one counts as passing ({_TRIES})")
    parser.add_argument("--out", type=Path, default=Path("chaos-small.json"), help="where --shrink writes it")
    return parser


def _read(parser: argparse.ArgumentParser, file: Path | None) -> Schedule | None:
    try:
        return None if file is None else read_schedule(file)
    except HarnessError as error:
        parser.error(f"--schedule {error}")


def _plan(parser: argparse.ArgumentParser, chosen: argparse.Namespace, schedule: Schedule | None) -> Plan:
    if not 1 <= chosen.gateways <= _MOST_GATEWAYS:
        parser.error(f"--gateways {chosen.gateways}: 1 to {_MOST_GATEWAYS}")
    if not 0 < chosen.rate <= _MOST_A_SECOND:
        parser.error(f"--rate {chosen.rate:g}: readings a second, more than 0, at most {_MOST_A_SECOND:g}")
    if chosen.nightly and (schedule is not None or chosen.shrink):
        parser.error("--nightly draws ten schedules: it goes with neither --schedule nor --shrink")
    if chosen.tries < 1:
        parser.error(f"--tries {chosen.tries}: at least 1")
    if chosen.out.is_dir():
        parser.error(f"--out {chosen.out}: is a folder; name a file")
    if not chosen.out.absolute().parent.is_dir():
        parser.error(f"--out {chosen.out}: its folder does not exist")
    least_s = _SHORTEST_S if schedule is None else length_of(schedule)
    usual_s = _FULL_S if schedule is None else max(_SHORTEST_S, least_s)
    seconds = usual_s if chosen.seconds is None else chosen.seconds
    if not least_s <= seconds <= _LONGEST_S:
        parser.error(f"--seconds {seconds:g}: at least {least_s:g}, at most {_LONGEST_S:g}, which is a day")
    plan = drawn_plan(
        seconds=seconds, seed=chosen.seed, size=Size(chosen.gateways, chosen.rate, chosen.pairs), broken=chosen.broken
    )
    if schedule is None:
        return plan
    plan = replace(plan, schedule=schedule)
    try:
        check_targets(plan)
    except HarnessError as error:
        parser.error(f"--schedule {chosen.schedule}: {error}")
    return plan


async def _conduct(plan: Plan) -> Outcome:
    with telling(total_s=plan.seconds) as teller:
        return await conduct(plan, teller=teller)


async def _shrink(plan: Plan, *, tries: int) -> Schedule:
    with telling(total_s=plan.seconds) as teller:

        async def fails(part: Schedule) -> bool:
            played = replace(plan, schedule=part, seconds=max(_SHORTEST_S, length_of(part)))
            return (await conduct(played, teller=teller)).failed

        return await shrink(plan.schedule, fails, tries=tries, tell=teller.say)


def _tell_small(small: Schedule, plan: Plan, out: Path) -> None:
    out.write_text(schedule_as_json(small), encoding="utf-8")
    print(f"{len(small)} of {len(plan.schedule)} faults are enough:")
    for fault in small:
        print(f"  {fault}")
    print(_command(plan, out))


def _limits(seconds: float, *, drawn: bool) -> dict[str, Limit]:
    """As in the file; a shorter run is asked for fewer faults and readings, one of given faults for one reading."""
    limits = read_limits(_NAME)
    if not drawn:
        del limits["faults"]
    share = min(1.0, seconds / _FULL_S) if drawn else 0.0
    for name in limits.keys() & _IN_PROPORTION:
        limits[name] = replace(limits[name], bound=max(1, round(float(limits[name].bound) * share)))
    return limits


def _command(plan: Plan, schedule: Path | None = None) -> str:
    words = ["./run prove chaos", f"--seed {plan.seed}"]
    words.append(f"--seconds {plan.seconds:g}" if schedule is None else f"--schedule {schedule}")
    usual = Size()
    words += [f"--gateways {plan.size.gateways}"] if plan.size.gateways != usual.gateways else []
    words += ["--pairs"] if plan.size.pairs else []
    words += [f"--rate {plan.size.readings_per_s:g}"] if plan.size.readings_per_s != usual.readings_per_s else []
    return " ".join(words + ([f"--broken {plan.broken}"] if plan.broken else []))
