"""`./run prove disk-full`: a full disk jams nothing, loses nothing in silence, and keeps every alert."""

import argparse
import asyncio
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from kanhu.contract import VERSION, Gap, Observation, SystemClock
from kanhu.harness.faults import Disk, Medium
from kanhu.harness.faults.disk import fail_writes, let_write
from kanhu.harness.prove.inner_county import InnerCounty
from kanhu.harness.prove.lone_gateway import GATEWAY, LoneGateway, lone_gateway
from kanhu.harness.prove.telling import Teller, telling
from kanhu.harness.report import Limit, Output, Report, Value, finish, read_limits
from kanhu.harness.stopping import until_told

__all__ = ["main"]

_NAME = "prove-disk-full"
_CYCLES = 4
_MIB = 12
_BROKEN = ("uncapped", "unnamed")
_ALERT_KINDS = frozenset({"finding", "help_button"})
_MAX_MIB = 256  # of the outbox: as usual, so that the size of the disk decides
_FLOOD_PER_S = 8000.0  # more than a gateway takes: it is fed as fast as it answers
_CALM_PER_S = 400.0
_DROPPED = 2000  # readings dropped in a cycle before the disk is filled up from outside
_PRESSES = 2  # calls for help while the card takes no writes at all
_WHILE_FULL = 600  # readings fed while nothing can be written
_PATIENCE_S = 20.0
_POLL_S = 0.2
_EXAMPLES = f"""examples:
  ./run prove disk-full --json
  ./run prove disk-full --broken uncapped        has to jam, and ends with 1
  ./run prove disk-full --broken unnamed         has to lose readings in silence, and ends with 1
  ./run prove disk-full --medium memory --mib 4 --cycles 1

needs root, a loop device and mkfs.ext4 (Debian: e2fsprogs); --medium memory needs only user name spaces.

exit code:
  0    every limit of harness/limits.toml, section {_NAME}, is kept
  1    one is broken
  2    wrong usage
  3    this machine cannot make such a disk; the text says what is missing
  130  stopped by hand; nothing is left behind
"""


@dataclass(slots=True)
class _Found:
    """What the cycles showed."""

    patience_s: float
    """Nothing moves for so long: jammed."""
    cycles: int = 0
    jammed: int = 0
    dropped: list[int] = field(default_factory=list)
    drain_s: list[float] = field(default_factory=list)


def main(arguments: Sequence[str]) -> int:
    """Run the proof; 0 where every limit is kept."""
    parser = _parser()
    chosen = parser.parse_args(arguments)
    if not 1 <= chosen.cycles <= 100:
        parser.error(f"--cycles {chosen.cycles}: 1 to 100")
    if not 2 <= chosen.mib <= 1024:
        parser.error(f"--mib {chosen.mib}: 2 to 1024")
    if not 1 <= chosen.max_mib <= 1024:
        parser.error(f"--max-mib {chosen.max_mib}: 1 to 1024")
    if not 1 <= chosen.patience <= 600:
        parser.error(f"--patience {chosen.patience:g}: 1 to 600")
    with telling(total_s=1) as teller:
        figures = until_told(_conduct(chosen, teller))
    report = Report(_NAME, figures, _limits(chosen.cycles), seed=chosen.seed, versions={"kanhu": VERSION})
    return finish(report, output=Output.TABLE_AND_JSON if chosen.json else Output.TABLE)


async def _conduct(chosen: argparse.Namespace, teller: Teller) -> dict[str, Value]:
    began_s = time.monotonic()
    clock = SystemClock()
    with tempfile.TemporaryDirectory(prefix="kanhu-disk-full-") as name:
        folder = Path(name)
        async with (
            Disk(folder / "disk", mib=chosen.mib, medium=Medium(chosen.medium)) as disk,
            lone_gateway(folder, data=disk.folder, max_mib=chosen.max_mib, clock=clock, seed=chosen.seed) as gateway,
        ):
            await gateway.start(prefix=disk.prefix, broken=chosen.broken)
            await gateway.feed(_CALM_PER_S, until=lambda: gateway.books.accepted > 0)
            found = _Found(patience_s=chosen.patience)
            for number in range(1, chosen.cycles + 1):
                teller.share(number - 1, chosen.cycles, "cycles")
                if not await _cycle(gateway, disk, found, _Say(teller, f"cycle {number}")):
                    found.jammed += 1
                    break
                found.cycles += 1
            return _figures(gateway, found) | {"seconds": round(time.monotonic() - began_s)}


@dataclass(frozen=True, slots=True)
class _Say:
    teller: Teller
    cycle: str

    def __call__(self, text: str) -> None:
        self.teller.say(f"{self.cycle}: {text}")


async def _cycle(gateway: LoneGateway, disk: Disk, found: _Found, say: _Say) -> bool:
    """Fill the outbox, then the disk, give the room back, and drain; whether it drained."""
    books, county = gateway.books, gateway.county
    county.go_away()
    before = _dropped(county)
    gateway.feeding.pace(_FLOOD_PER_S)
    await _until_still(
        gateway, lambda: _dropped(county) >= before + _DROPPED, lambda: books.accepted, patience_s=found.patience_s
    )
    dropped = _dropped(county) - before
    say(
        f"{books.accepted} readings accepted so far, {dropped} of this cycle dropped to make room; now the disk is full"
    )
    disk.fill()
    emitted = books.emitted
    await gateway.feed(_CALM_PER_S, until=lambda: books.emitted >= emitted + _WHILE_FULL)
    say("and now the card takes no writes at all")
    presses = gateway.feeding.presses
    fail_writes(gateway.process_id)
    await gateway.feed(_CALM_PER_S, until=lambda: gateway.feeding.presses >= presses + _PRESSES)
    let_write(gateway.process_id)
    disk.empty()
    accepted = books.accepted
    gateway.feeding.pace(_CALM_PER_S)
    if not await _until_still(
        gateway, lambda: books.accepted > accepted, lambda: books.accepted, patience_s=found.patience_s
    ):
        say("nothing is accepted any more, though there is room again")
    gateway.feeding.pace(0)
    await gateway.wait(lambda: gateway.feeding.unanswered == 0)  # what is dropped on its way would be stored and named
    began_s, since_ms = time.monotonic(), gateway.clock.wall_ms()
    county.come_back()
    drained = await _until_still(
        gateway, lambda: _owed(county, since_ms) == 0, lambda: len(county.stored), patience_s=found.patience_s
    )
    found.dropped.append(dropped)
    found.drain_s.append(time.monotonic() - began_s)
    say(f"drained in {found.drain_s[-1]:.0f} s" if drained else "jammed: it does not drain")
    return drained


def _dropped(county: InnerCounty) -> int:
    """Readings dropped since the outbox was made, as the gateway's last heartbeat says."""
    return 0 if county.status is None else county.status.gaps


def _owed(county: InnerCounty, since_ms: int) -> int | None:
    """Records in the outbox, as the last heartbeat says; None where it is older than this."""
    status = county.status
    return None if status is None or status.sent_ms <= since_ms else status.owed


async def _until_still(
    gateway: LoneGateway, until: Callable[[], bool], moves: Callable[[], int], *, patience_s: float
) -> bool:
    """Wait until something is so, as long as a figure moves; whether it came to be so."""
    last, moved_s = moves(), time.monotonic()
    while not until():
        gateway.check()
        await asyncio.sleep(_POLL_S)
        now = moves()
        if now != last:
            last, moved_s = now, time.monotonic()
        elif time.monotonic() - moved_s > patience_s:
            return False
    return True


def _figures(gateway: LoneGateway, found: _Found) -> dict[str, Value]:
    county = gateway.county
    promised = gateway.books.numbers_of(GATEWAY, county.epoch)
    alerts = gateway.books.alerts_of(GATEWAY, county.epoch)
    heard = [record for record in (*county.stored.values(), *county.apart.values()) if isinstance(record, Observation)]
    presses = sum(record.metric == "help_button" for record in heard)
    gaps = [record for record in county.stored.values() if isinstance(record, Gap)]
    counted = sum(last - first + 1 for gap in gaps for first, last in gap.ranges)
    named = {seq for gap in gaps for first, last in gap.ranges for seq in range(first, last + 1)}
    missing = promised - county.stored.keys()
    in_silence, in_vain, twice = missing - named, named - missing, counted - len(named)
    return {
        "cycles": found.cycles,
        "jammed": found.jammed,
        "accepted": gateway.books.accepted,
        "missing": len(missing),
        "named": counted,
        "unexplained": len(in_silence) + len(in_vain) + twice,
        "alerts": len(alerts),
        "alerts_missing": len(alerts - county.stored.keys()) + sum(gap.metric in _ALERT_KINDS for gap in gaps),
        "presses": gateway.feeding.presses,
        "presses_missing": abs(gateway.feeding.presses - presses),
        "from_memory": len(county.apart),
        "conflicts": county.conflicts,
        "fewest_dropped": min(found.dropped, default=0),
        "refused": gateway.books.refused.total(),
        "slowest_drain_s": round(max(found.drain_s, default=0.0), 1),
    }


def _limits(cycles: int) -> dict[str, Limit]:
    """As in the file; of fewer cycles in proportion."""
    limits = read_limits(_NAME)
    for name in ("cycles", "alerts"):
        limit = limits[name]
        if not isinstance(limit.bound, str):
            limits[name] = replace(limit, bound=min(limit.bound, limit.bound * cycles // _CYCLES))
    return limits


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="./run prove disk-full",
        description="Fill a small disk under a real gateway, first by its own readings, then from outside, give the "
        "room back, drain, and again; then compare what is missing with what the gap records name.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--cycles", type=int, default=_CYCLES, help=f"of full and drained (default {_CYCLES})")
    parser.add_argument("--mib", type=int, default=_MIB, help=f"size of the disk, MiB (default {_MIB})")
    parser.add_argument("--max-mib", type=int, default=_MAX_MIB, help=f"outbox.max_mib, MiB (default {_MAX_MIB})")
    parser.add_argument(
        "--patience",
        type=float,
        default=_PATIENCE_S,
        help=f"seconds without movement: jammed (default {_PATIENCE_S:g})",
    )
    parser.add_argument("--medium", choices=[str(one) for one in Medium], default=str(Medium.IMAGE), help="of the disk")
    parser.add_argument("--seed", type=int, default=1, help="of the readings (default 1)")
    parser.add_argument("--json", action="store_true", help="end with one JSON object")
    parser.add_argument("--broken", choices=_BROKEN, help="plant this error: the proof has to go red")
    return parser
