"""`kanhu-sim record`: a recording in virtual time, of one scenario or of a county of invented people."""

import argparse
import hashlib
import signal
import sys
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

import msgspec

from kanhu.contract.clock import SystemClock
from kanhu.firmware_sim.errors import ScenarioRefused
from kanhu.firmware_sim.population import village_sizes
from kanhu.firmware_sim.recording.county import CountyWish, record_county
from kanhu.firmware_sim.recording.progress import Progress, ProgressForm
from kanhu.firmware_sim.recording.rhythms import default_recordings
from kanhu.firmware_sim.recording.scenario_play import record_scenario
from kanhu.firmware_sim.scenario import load_scenario, recordings_folder
from kanhu.firmware_sim.scenario.model import Depth

if TYPE_CHECKING:
    from argparse import _SubParsersAction

__all__ = ["add_record", "record"]

_SEED = 1
_MOST_PEOPLE, _MOST_DAYS, _MOST_JOBS = 20_000, 366, 64
_EXIT_USAGE = 2
_EXIT_INTERRUPTED = 130

_EXAMPLES = """examples:
  kanhu-sim record --scenario harness/scenarios/library/sos-repeated.toml --out recording
  kanhu-sim record --people 1000 --days 30 --seed 7 --out county --jobs 2
  kanhu-sim record --people 50 --days 5 --out small

The same people, days, seed and version give the same bytes, with whatever --jobs. A county started again with the
same values goes on where it stopped; a folder that was begun with other values is refused.
"""


def add_record(verbs: "_SubParsersAction[argparse.ArgumentParser]") -> None:
    """Describe the verb."""
    parser = verbs.add_parser(
        "record",
        help="record in virtual time, for kanhu-cloud replay",
        description="Writes what gateways would have read, with the truth beside it, into a folder: of a scenario, or "
        "of a county of invented people over some days. No device, no gateway and no network takes part.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--scenario", type=Path, metavar="FILE", help="what to play")
    what.add_argument("--people", type=_Whole(1, _MOST_PEOPLE), metavar="N", help="a county of so many people")
    parser.add_argument("--days", type=_Whole(1, _MOST_DAYS), metavar="D", help="of the county, from Monday on")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="new or empty, or one to go on with")
    parser.add_argument("--recordings", type=Path, metavar="DIR", help="recorded beats, instead of the usual ones")
    parser.add_argument("--seed", type=_Whole(0, 2**31 - 1), metavar="N", help="instead of the scenario's; else 1")
    parser.add_argument("--jobs", type=_Whole(1, _MOST_JOBS), default=1, metavar="N", help="processes at a time")
    parser.add_argument("--progress", action="store_true", help="of the county: JSON lines on standard error")


def record(options: argparse.Namespace) -> int:
    """Record; 0 when all went well, 2 where the options were wrong, 130 where it was interrupted.

    Raises:
        SimulatorError: what was asked for cannot be recorded.
    """
    if options.scenario is not None:
        return _record_scenario(options)
    if options.days is None:
        print("kanhu-sim: say how many days: --days D", file=sys.stderr)
        return _EXIT_USAGE
    return _record_county(options)


def _record_scenario(options: argparse.Namespace) -> int:
    file: Path = options.scenario
    scenario = load_scenario(file, recordings=options.recordings)
    if scenario.depth is Depth.PROCESS:
        raise ScenarioRefused(file, "depth", 'is "process"; play it with kanhu-sim serve')
    manifest = record_scenario(
        scenario,
        options.out,
        recordings=options.recordings or recordings_folder(scenario, file),
        digest=hashlib.sha256(file.read_bytes()).hexdigest(),
        seed=options.seed,
    )
    print(f"{options.out}: {manifest.people} people, {manifest.readings} readings")
    return 0


def _record_county(options: argparse.Namespace) -> int:
    wish = CountyWish(
        people=options.people,
        days=options.days,
        seed=_SEED if options.seed is None else options.seed,
        out=options.out.absolute(),
        recordings=options.recordings or default_recordings(),
        jobs=options.jobs,
    )
    form = ProgressForm.TERMINAL if sys.stderr.isatty() else ProgressForm.FILE
    progress = Progress(
        sys.stderr,
        form=ProgressForm.JSON if options.progress else form,
        of=len(village_sizes(wish.people)) * wish.days,
        clock=SystemClock(),
    )
    before = signal.signal(signal.SIGTERM, _interrupt)
    try:
        manifest = record_county(wish, told=progress.told)
    except KeyboardInterrupt:
        progress.end()
        print("kanhu-sim: stopped; the same command goes on from here", file=sys.stderr)
        return _EXIT_INTERRUPTED
    finally:
        progress.end()
        signal.signal(signal.SIGTERM, before)
    print(msgspec.json.encode(manifest).decode())
    return 0


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


class _Whole:
    """A whole number within limits; argparse names it in its message."""

    def __init__(self, lowest: int, highest: int) -> None:
        self._lowest, self._highest = lowest, highest

    def __call__(self, text: str) -> int:
        try:
            value = int(text)
        except ValueError:
            raise argparse.ArgumentTypeError(f"{text!r} is not a whole number") from None
        if not self._lowest <= value <= self._highest:
            raise argparse.ArgumentTypeError(f"{value} is not between {self._lowest} and {self._highest}")
        return value
