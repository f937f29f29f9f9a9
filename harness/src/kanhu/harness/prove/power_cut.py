"""`./run prove power-cut`: what a gateway has accepted outlives a cut of the power at any of its writes."""

import argparse
import os
import sqlite3
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace as replaced
from pathlib import Path

from kanhu.contract import VERSION, SystemClock
from kanhu.harness.prove.power.recording import Length, Recording, record
from kanhu.harness.prove.power.replay import Tally, replay
from kanhu.harness.prove.power.survival import Broken
from kanhu.harness.prove.telling import Teller, telling
from kanhu.harness.report import Limit, Output, Report, Value, finish, read_limits
from kanhu.harness.stopping import until_told

__all__ = ["main"]

_NAME = "prove-power-cut"
_STATES = 6000
_SHORT = Length(calm=60, flood=0, after=40)
_IN_PROPORTION = ("states", "in_recovery")
_OF_A_LONG_ONE = ("promises", "released", "dropped_or_set_aside")
_FEWEST, _MOST = 50, 10_000_000
_MOST_JOBS = 64
_BROKEN = ("normal",)
_EXAMPLES = f"""examples:
  ./run prove power-cut --states {_STATES} --json
  ./run prove power-cut --broken normal          has to lose some, and ends with 1
  ./run prove power-cut --keep gateway.rec       keeps what the gateway wrote
  ./run prove power-cut --recording gateway.rec --states 100000 --seed 2

needs strace (Debian: apt-get install strace), no root.

exit code:
  0    every limit of harness/limits.toml, section {_NAME}, is kept
  1    one is broken; a kept recording and the same seed cut at the same places again
  2    wrong usage
  3    this machine cannot record what a process writes; the text says what is missing
  130  stopped by hand; nothing is left behind
"""


def main(arguments: Sequence[str]) -> int:
    """Run the proof; 0 where every limit is kept."""
    parser = _parser()
    chosen = parser.parse_args(arguments)
    _check(parser, chosen)
    began_s = time.monotonic()
    with telling(total_s=1) as teller:
        recording, tally = until_told(_conduct(chosen, teller))
    for example in tally.examples:
        print(example)
    figures = _figures(recording, tally) | {"seconds": round(time.monotonic() - began_s)}
    versions = {"kanhu": VERSION, "sqlite": sqlite3.sqlite_version}
    report = Report(_NAME, figures, _limits(chosen), seed=chosen.seed, versions=versions)
    return finish(report, output=Output.TABLE_AND_JSON if chosen.json else Output.TABLE)


async def _conduct(chosen: argparse.Namespace, teller: Teller) -> tuple[Recording, Tally]:
    clock = SystemClock()
    if chosen.recording is not None:
        recording = Recording.load(chosen.recording)
    else:
        length = _SHORT if chosen.short else Length()
        with tempfile.TemporaryDirectory(prefix="kanhu-power-cut-") as folder:
            recording = await record(
                Path(folder), seed=chosen.seed, length=length, broken=chosen.broken, clock=clock, teller=teller
            )
    if chosen.keep is not None:
        recording.save(chosen.keep)
    teller.say(f"recorded: {recording.writes} writes, {recording.promises} promises; now the power is cut")
    tally = await replay(
        recording, states=chosen.states, seed=chosen.seed, jobs=chosen.jobs, clock=clock, teller=teller
    )
    return recording, tally


def _figures(recording: Recording, tally: Tally) -> dict[str, Value]:
    figures: dict[str, Value] = {"states": tally.states}
    figures |= {broken.value: tally.broken[broken] for broken in Broken}
    return figures | {
        "in_recovery": tally.in_recovery,
        "recoveries": tally.recoveries,
        "writes": recording.writes,
        "promises": recording.promises,
        "released": len(recording.released_s),
        "dropped_or_set_aside": recording.named,
    }


def _limits(chosen: argparse.Namespace) -> dict[str, Limit]:
    """As in the file; fewer cuts are held to their share, and a short recording is not asked how much it holds."""
    limits = read_limits(_NAME)
    for name in _IN_PROPORTION:
        limit = limits[name]
        if not isinstance(limit.bound, str):
            limits[name] = replaced(limit, bound=min(limit.bound, limit.bound * chosen.states // _STATES))
    return {name: limit for name, limit in limits.items() if not chosen.short or name not in _OF_A_LONG_ONE}


def _check(parser: argparse.ArgumentParser, chosen: argparse.Namespace) -> None:
    if not _FEWEST <= chosen.states <= _MOST:
        parser.error(f"--states {chosen.states}: {_FEWEST} to {_MOST}")
    if not 1 <= chosen.jobs <= _MOST_JOBS:
        parser.error(f"--jobs {chosen.jobs}: 1 to {_MOST_JOBS}")
    if chosen.recording is not None and chosen.broken is not None:
        parser.error("--broken plants an error in the gateway that is recorded; it does not go with --recording")
    if chosen.keep is not None and not chosen.keep.absolute().parent.is_dir():
        parser.error(f"--keep {chosen.keep}: its folder does not exist")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="./run prove power-cut",
        description="Record what a real gateway writes to its card, cut the power anywhere in that, also inside the "
        "recovery, and compare what is left with what was promised.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--states", type=int, default=_STATES, help=f"how many power cuts (default {_STATES})")
    parser.add_argument("--seed", type=int, default=1, help="of readings, cuts and what survives (default 1)")
    parser.add_argument("--json", action="store_true", help="end with one JSON object")
    jobs = os.cpu_count() or 1
    parser.add_argument("--jobs", type=int, default=jobs, help=f"processes side by side (default {jobs})")
    parser.add_argument("--broken", choices=_BROKEN, help="plant this error: the proof has to go red")
    parser.add_argument("--short", action="store_true", help="a few seconds of recording, which fill no outbox")
    parser.add_argument("--recording", type=Path, metavar="FILE", help="cut this kept recording, record nothing")
    parser.add_argument("--keep", type=Path, metavar="FILE", help="keep the recording here")
    return parser
