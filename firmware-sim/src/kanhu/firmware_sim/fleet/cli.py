"""`kanhu-sim fleet`: its options, and one run from the first process to the last figure."""

import argparse
import asyncio
import math
import resource
import shlex
import signal
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import NoReturn

from kanhu.contract import Clock, SystemClock
from kanhu.firmware_sim.fleet.account import Account, receipts_alone, settle
from kanhu.firmware_sim.fleet.county import HOST, County, dump_by, write_site
from kanhu.firmware_sim.fleet.figures import Report, Value
from kanhu.firmware_sim.fleet.gateway import SECOND_NS, Habits
from kanhu.firmware_sim.fleet.outbox import Outbox
from kanhu.firmware_sim.fleet.play import Fleet, Plan
from kanhu.firmware_sim.fleet.progress import ProgressLine
from kanhu.firmware_sim.fleet.room import make_room

__all__ = ["add_fleet", "run_fleet"]

_MOST_GATEWAYS = 99_999  # five digits in a name
_MOST_A_MINUTE = 6000.0  # a hundred a second of one gateway; beyond, a mistyped number would eat the memory
_LEAST_A_MINUTE = 0.001  # once in seventeen hours
_CONNECTS_A_SECOND = 250
_STOPPED_BY_HAND = 130  # what a shell calls a program ended by Ctrl-C
_EXAMPLES = """\
examples:
  kanhu-sim fleet --gateways 10000 --seconds 120 --json
  kanhu-sim fleet --gateways 1000 --seconds 60 --storm 20
  kanhu-sim fleet --gateways 200 --write-site site.toml
  kanhu-sim fleet --gateways 200 --broker 127.0.0.1:1883 \\
      --ledger-dump 'kanhu-cloud ledger dump --config cloud.toml --out {}'

Ctrl-C ends the sending, waits a little for receipts and reports; a second one ends at once. Nothing is left behind.
"""


def add_fleet(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the verb."""
    fleet = verbs.add_parser(
        "fleet",
        help="play the traffic of thousands of gateways",
        description="Plays the MQTT traffic of many gateways against a county, keeps their receipts, and compares "
        "what they accepted with the county's ledger. Starts a broker and a county of its own without --broker.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    fleet.add_argument("--gateways", type=_gateways, default=1000, metavar="N", help="how many (default 1000)")
    fleet.add_argument("--seconds", type=_above_zero, default=120.0, metavar="S",
                       help="how long all of them send, once connected (default 120)")  # fmt: skip  # one option
    fleet.add_argument("--rate", type=_a_minute, default=2.0, metavar="N",
                       help="readings a gateway-minute (default 2)")  # fmt: skip  # one option
    fleet.add_argument("--speed", type=_a_minute, default=1.0, metavar="N",
                       help="heartbeats and parcels so many times as often as once a minute (default 1)")  # fmt: skip
    fleet.add_argument("--ramp", type=_above_zero, metavar="S",
                       help=f"time over which they connect (default: {_CONNECTS_A_SECOND} a second)")  # fmt: skip
    fleet.add_argument("--storm", type=_above_zero, metavar="S",
                       help="so long into the sending all links drop, and come back")  # fmt: skip  # one option
    fleet.add_argument("--storm-lasts", type=_above_zero, default=10.0, metavar="S",
                       help="how long no link stands then (default 10)")  # fmt: skip  # one option
    fleet.add_argument("--drain", type=_above_zero, default=120.0, metavar="S",
                       help="how long to wait for the last receipts at most (default 120)")  # fmt: skip  # one option
    fleet.add_argument("--broker", type=_address, metavar="HOST:PORT",
                       help="a county that runs already, which must have enrolled the gateways")  # fmt: skip
    fleet.add_argument("--ledger-dump", type=_command, metavar="COMMAND",
                       help="with --broker: writes that county's ledger to the file {}")  # fmt: skip  # one option
    fleet.add_argument("--write-site", type=Path, metavar="FILE",
                       help="only write the site file that enrols the gateways, and end")  # fmt: skip  # one option
    fleet.add_argument("--seed", type=int, default=1, metavar="N", help="of readings and jitter (default 1)")
    fleet.add_argument("--json", action="store_true", help="end with the figures as one JSON line")
    fleet.set_defaults(refuse=fleet.error)


def run_fleet(options: argparse.Namespace) -> int:
    """Run the verb; 0 where every limit is kept, 1 where one is broken, 130 where it was ended at once."""
    _check(options)
    if options.write_site is not None:
        write_site(options.write_site, options.gateways)
        print(f"{options.gateways} gateways in {options.write_site}")
        return 0
    make_room(options.gateways)
    try:
        report = asyncio.run(_run(options))
    except asyncio.CancelledError:
        print("kanhu-sim: ended at once; there are no figures", file=sys.stderr)
        return _STOPPED_BY_HAND
    print(report.table())
    if options.json:
        print(report.json_line(), flush=True)
    return 0 if report.ok else 1


async def _run(options: argparse.Namespace) -> Report:
    interrupt = _Interrupt(asyncio.current_task())
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, interrupt)
    clock = SystemClock()
    began_ns = clock.mono_ns()
    with tempfile.TemporaryDirectory(prefix="kanhu-fleet-") as folder:
        run = _Run(options, Path(folder), clock, interrupt)
        figures = await (run.with_own_county() if options.broker is None else run.with_county_of_others())
    figures["cpu_s"] = round(_cpu_s(), 1)
    figures["wall_s"] = round((clock.mono_ns() - began_ns) / SECOND_NS, 1)
    return Report(figures, options.seed)


class _Interrupt:
    """What Ctrl-C does: first it ends the sending, then everything."""

    def __init__(self, task: "asyncio.Task[Report] | None") -> None:
        self.fleet: Fleet | None = None
        self._task = task

    def __call__(self) -> None:
        fleet, self.fleet = self.fleet, None
        if fleet is not None:
            fleet.stop()
        elif self._task is not None:
            self._task.cancel()


@dataclass(frozen=True, slots=True)
class _Run:
    options: argparse.Namespace
    folder: Path
    clock: Clock
    interrupt: _Interrupt

    async def with_own_county(self) -> dict[str, Value]:
        county = County(self.folder, gateways=self.options.gateways, clock=self.clock)
        try:
            print("starting: a broker and a county", file=sys.stderr, flush=True)
            await county.start()
            fleet = await self._play((HOST, county.port), check=county.check)
            costs = {
                f"{name}_{figure}": value
                for name in ("county", "broker")
                for figure, value in asdict(county.cost(name)).items()
            }
            print("comparing: what was accepted with the county's ledger", file=sys.stderr, flush=True)
            await county.stop()
            account = settle(await county.dump(), _outboxes(fleet))
        finally:
            await county.stop()
        return _figures(fleet, account, self.options) | costs

    async def with_county_of_others(self) -> dict[str, Value]:
        fleet = await self._play(self.options.broker, check=lambda: None)
        outboxes = _outboxes(fleet)
        if self.options.ledger_dump is None:
            print("kanhu-sim: without --ledger-dump a reading counts as lost where it has no receipt", file=sys.stderr)
            account = receipts_alone(outboxes.values())
        else:
            account = settle(await dump_by(self.options.ledger_dump, self.folder / "ledger.ndjson"), outboxes)
        return _figures(fleet, account, self.options)

    async def _play(self, broker: tuple[str, int], *, check: Callable[[], None]) -> Fleet:
        options = self.options
        plan = Plan(
            gateways=options.gateways,
            seconds=options.seconds,
            ramp_s=options.ramp or options.gateways / _CONNECTS_A_SECOND,
            drain_s=options.drain,
            seed=options.seed,
            storm_at_s=options.storm,
            storm_s=options.storm_lasts,
        )
        habits = Habits(heartbeat_s=60 / options.speed, routine_s=60 / options.speed, readings_a_minute=options.rate)
        line = ProgressLine(sys.stderr, self.clock)
        fleet = Fleet(plan, habits=habits, clock=self.clock, broker=broker, progress=line.show, check=check)
        self.interrupt.fleet = fleet
        try:
            await fleet.play()
        finally:
            self.interrupt.fleet = None
            line.end()
        return fleet


def _figures(fleet: Fleet, account: Account, options: argparse.Namespace) -> dict[str, Value]:
    tally = fleet.tally
    connected = sum(gateway.connections > 0 for gateway in fleet.gateways)
    return {
        "gateways": options.gateways,
        "connected": connected,
        "reconnects": tally.connections - connected,
        "links_broken": tally.broken,
        "receipts_silent": tally.silent,
        "seconds_asked": options.seconds,
        "seconds": round(fleet.steady_s, 1),
        "sent": tally.sent,
        "receipted": tally.receipted,
        "owed": sum(gateway.outbox.owed for gateway in fleet.gateways),
        "stored": account.stored,
        "lost": account.lost,
        "duplicated": account.duplicated,
        "wrong": account.wrong,
        "refused": tally.refused,
        "messages_per_s": round(fleet.messages_per_s, 1),
        "receipt_p50_ms": tally.percentile_ms(50),
        "receipt_p99_ms": tally.percentile_ms(99),
        "seconds_to_drain": round(fleet.drain_s, 1),
        "peak_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1),
    }


def _outboxes(fleet: Fleet) -> dict[str, Outbox]:
    return {gateway.name: gateway.outbox for gateway in fleet.gateways}


def _cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def _check(options: argparse.Namespace) -> None:
    """Refuse what cannot be run, before anything starts."""
    refuse: Callable[[str], NoReturn] = options.refuse
    if options.storm is not None and options.storm >= options.seconds:
        refuse("--storm must lie within --seconds")
    if options.ledger_dump is not None and options.broker is None:
        refuse("--ledger-dump belongs to --broker: a county of its own is compared in any case")


def _gateways(text: str) -> int:
    try:
        count = int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number") from None
    if not 1 <= count <= _MOST_GATEWAYS:
        raise argparse.ArgumentTypeError(f"{count} is not from 1 to {_MOST_GATEWAYS}")
    return count


def _above_zero(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number") from None
    if not 0 < value < math.inf:
        raise argparse.ArgumentTypeError(f"{text} is not above zero")
    return value


def _a_minute(text: str) -> float:
    value = _above_zero(text)
    if not _LEAST_A_MINUTE <= value <= _MOST_A_MINUTE:
        raise argparse.ArgumentTypeError(f"{text} is not from {_LEAST_A_MINUTE:g} to {_MOST_A_MINUTE:g}")
    return value


def _address(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    if not host or not port.isdecimal() or not 1 <= int(port) <= 65535:
        raise argparse.ArgumentTypeError(f"{text!r} is not HOST:PORT")
    return host, int(port)


def _command(text: str) -> Sequence[str]:
    parts = shlex.split(text)
    if not any("{}" in part for part in parts):
        raise argparse.ArgumentTypeError("it has no {} where the file's name belongs")
    return parts
