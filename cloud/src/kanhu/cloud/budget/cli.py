"""`kanhu-cloud budget`: what so many alerts a person-day would ask of the rule of trends, in words and figures."""

import argparse
import json
import math
import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from kanhu.cloud.config import load_config
from kanhu.cloud.errors import BudgetRefused
from kanhu.cloud.ledger.database import LEDGER_FILE, Ledger
from kanhu.vitals import core_pack, load_pack
from kanhu.vitals.rules.records import TrendTrigger

if TYPE_CHECKING:
    from kanhu.cloud.budget.asked import Asked, Changed

__all__ = ["fill_budget"]

_TOLD_EVERY = 100


def fill_budget(parser: argparse.ArgumentParser) -> None:
    """Say what may be asked."""
    parser.add_argument(
        "--per-day",
        type=_rate,
        default=0.01,
        metavar="ALERTS",
        help="alerts that a person-day may bring (default 0.01)",
    )
    parser.add_argument("--config", type=Path, default=Path("cloud.toml"), help="settings (default cloud.toml)")
    parser.add_argument("--pack", type=Path, help="rule pack with the rule of trends (default: the shipped one)")
    parser.add_argument("--json", action="store_true", help="one JSON object instead of lines")
    parser.set_defaults(command=_budget)


def _rate(text: str) -> float:
    try:
        rate = float(text)
    except ValueError:
        rate = math.nan
    if not 0 < rate <= 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not above 0 and at most 1, such as 0.01: one in 100 person-days")
    return rate


def _budget(options: argparse.Namespace) -> int:
    from kanhu.cloud.budget.asked import budgeted  # noqa: PLC0415  # no other command needs numpy
    from kanhu.cloud.budget.history import count_people, lived, real_days  # noqa: PLC0415

    config = load_config(options.config)
    pack = core_pack() if options.pack is None else load_pack(options.pack)
    rule = next((one for one in pack.rules if isinstance(one.trigger, TrendTrigger)), None)
    if rule is None or not isinstance(rule.trigger, TrendTrigger):
        raise BudgetRefused(f"rule pack {pack.version} has no rule of trends; add the rule TREND")
    ledger = Ledger(config.data / LEDGER_FILE)
    ledger.check()
    with ledger.read() as connection:
        whole = count_people(connection, rule.trigger)

        def say(done: int) -> None:
            if done % _TOLD_EVERY == 0:
                print(f"kanhu-cloud: {done} of {whole} people", file=sys.stderr, flush=True)

        asked = budgeted(
            lived(connection, rule.trigger), rule, rule.trigger,
            real=real_days(connection, rule, config.zone()), budget_per_day=options.per_day, say=say,
        )  # fmt: skip  # whose days, which rule, how
    ledger.close()
    if options.json:
        print(json.dumps({"rule": rule.id, "rule_version": rule.version, **asdict(asked)}, default=str))
    else:
        print("\n".join(_lines(asked, f"{rule.id} version {rule.version}")))
    return 0


def _lines(asked: "Asked", rule: str) -> Iterator[str]:
    yield f"{rule}: {asked.people} people, {asked.person_days} person-days"
    yield ""
    yield f"{'limit':<22}{'alerts a person-day':>20}{'a day here':>12}{'real ones missed':>18}"
    for name, limit in asked.limits.items():
        per_day = asked.alerts_per_day[name]
        head = f"{limit:.2f} {name.replace('_', ' ')}"
        yield f"{head:<22}{per_day:>20.4f}{per_day * asked.people:>12.1f}{asked.missed[name]:>12} of {asked.real}"
    if "by_budget" not in asked.limits:
        yield f"no limit for {asked.budget_per_day:g} a person-day: so few people cannot vouch for so small a budget"
    if asked.changes:
        yield ""
        yield "A change that begins in days they lived, found within 14 days (median days):"
        yield from map(_line, asked.changes)
    yield ""
    yield "Every alert that nobody closed as real counts as false here. The limit is `signal_at` of the rule; whoever"
    yield "approves the rules changes it there, under a new version."


def _line(change: "Changed") -> str:
    head = f"{change.vital} +{change.by} {change.unit}, {change.people} people"
    found = (
        f"{name.replace('_', ' ')} {100 * share:.0f} %"
        + ("" if (days := change.median_days[name]) is None else f" ({days:g})")
        for name, share in change.found.items()
    )
    return f"  {head:<40}{'  '.join(found)}"
