"""`./run prove scenarios`: every story of the library, with what must be raised and what must not."""

import argparse
import asyncio
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from rich.markup import escape
from rich.table import Table

from kanhu.contract.version import VERSION
from kanhu.firmware_sim import ScenarioRefused, load_scenario
from kanhu.firmware_sim.errors import SimulatorError
from kanhu.firmware_sim.scenario.model import Depth
from kanhu.harness.errors import HarnessError
from kanhu.harness.prove.demands import Judgement
from kanhu.harness.prove.process_scenario import play_process
from kanhu.harness.prove.pure_scenario import play_pure
from kanhu.harness.prove.telling import Teller, telling
from kanhu.harness.report import Output, Report, Value, console, finish, read_limits
from kanhu.harness.stopping import STOPPED, until_told
from kanhu.harness.village.stage import HARNESS

__all__ = ["LIBRARY", "Played", "main"]

LIBRARY = HARNESS / "scenarios" / "library"
_NAME = "prove-scenarios"
_EXAMPLES = """examples:
  ./run prove scenarios
  ./run prove scenarios --depth pure --json
  ./run prove scenarios --only broker-killed
  ./run prove scenarios --only mine.toml

exit code:
  0    every demand was met
  1    one was not; the line of the scenario says which
  2    wrong usage
  130  stopped by hand; nothing is left behind
"""
_USAGE = 2
_MOST_JOBS = 8
_PURE_TAKES_S, _WAKING_TAKES_S = 3.0, 25.0


@dataclass(frozen=True, slots=True)
class Played:
    """One scenario at one depth."""

    name: str
    depth: Depth
    judgement: Judgement
    seconds: float


def main(arguments: Sequence[str]) -> int:
    """Play the library; 0 where every demand was met."""
    options = _parser().parse_args(arguments)
    try:
        wanted = _wanted(options.only, options.depth)
    except ScenarioRefused as error:
        print(f"kanhu: {error}")
        return _USAGE
    if not wanted:
        print(f"kanhu: {_nothing_to_play(options.only or '', options.depth)}")
        return _USAGE
    began_s = time.monotonic()
    try:
        with telling(total_s=_takes_s(wanted) / options.jobs) as teller:
            played = until_told(_play_all(wanted, teller, jobs=options.jobs))
    except KeyboardInterrupt:
        print("stopped; nothing is left behind. One alone: ./run prove scenarios --only NAME")
        return STOPPED
    console().print(_table(played))
    figures = _figures(played) | {"seconds": round(time.monotonic() - began_s, 1)}
    report = Report(_NAME, figures, read_limits(_NAME), versions={"kanhu": VERSION})
    return finish(report, output=Output.TABLE_AND_JSON if options.json else Output.TABLE)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="./run prove scenarios",
        description="Plays the library of scenarios: pure ones are recorded and judged in virtual time,\n"
        "the others run as real processes in real time, about a minute each. All of it: docs/scenarios.md.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--only", metavar="NAME|FILE", help="this one alone, or a .toml file of your own")
    parser.add_argument("--depth", choices=[Depth.PURE.value, Depth.PROCESS.value], help="only at this depth")
    parser.add_argument("--jobs", type=_jobs, default=3, metavar="N", help="so many at a time, 1 to 8 (default 3)")
    parser.add_argument("--json", action="store_true", help="the last line is one JSON object")
    return parser


def _jobs(text: str) -> int:
    jobs = int(text) if text.isdecimal() else 0
    if not 1 <= jobs <= _MOST_JOBS:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 1 to {_MOST_JOBS}")
    return jobs


def _wanted(only: str | None, depth: str | None) -> list[tuple[Path, Depth]]:
    wanted: list[tuple[Path, Depth]] = []
    for file in _files(only):
        own = load_scenario(file).depth
        depths = (each for each in (Depth.PURE, Depth.PROCESS) if own in {each, Depth.BOTH})
        wanted += [(file, each) for each in depths if depth in {None, each.value}]
    return sorted(wanted, key=lambda one: one[1] is Depth.PROCESS)


def _files(only: str | None) -> list[Path]:
    """What was named: the whole library, one of it, or a file of the person's own."""
    if only is not None and only.endswith(".toml"):
        return [Path(only)]
    return [file for file in sorted(LIBRARY.glob("*.toml")) if only in {None, file.stem}]


def _nothing_to_play(only: str, depth: str | None) -> str:
    """Why a name gave no scenario, with the remedy."""
    if _files(only):
        return f"scenario {only} is not for depth {depth}; leave out --depth"
    known = sorted(file.stem for file in LIBRARY.glob("*.toml"))
    near = get_close_matches(only, known, n=1)
    meant = f"did you mean {near[0]}?" if near else f"there are {', '.join(known)}."
    return f"no scenario {only} in the library; {meant} A file of your own is named with its .toml"


def _takes_s(wanted: Sequence[tuple[Path, Depth]]) -> float:
    """About how long all of it takes, one after the other."""
    return sum(
        _PURE_TAKES_S if depth is Depth.PURE else _WAKING_TAKES_S + load_scenario(file).duration_s
        for file, depth in wanted
    )


async def _play_all(wanted: Sequence[tuple[Path, Depth]], teller: Teller, *, jobs: int) -> list[Played]:
    """All of them, `jobs` at a time; they spend most of their time waiting."""
    places = asyncio.Semaphore(jobs)
    begun = 0
    done_s: list[float] = []

    async def one(file: Path, depth: Depth) -> Played:
        nonlocal begun
        async with places:
            begun += 1
            teller.say(f"{begun:3} of {len(wanted)}  {file.stem} ({depth.value})")
            played = await _play(file, depth)
        for problem in (*played.judgement.missing, *played.judgement.forbidden):
            teller.say(f"           {file.stem}: {problem}")
        done_s.append(_takes_s([(file, depth)]) / jobs)
        teller.now(sum(done_s), f"{len(done_s)} of {len(wanted)} played")
        return played

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(one(file, depth), name=file.stem) for file, depth in wanted]
    return [task.result() for task in tasks]


async def _play(file: Path, depth: Depth) -> Played:
    began_s = time.monotonic()
    try:
        if depth is Depth.PROCESS:
            judgement = await play_process(file, say=lambda _: None)
        else:
            judgement = await asyncio.to_thread(_play_pure, file)
    except (HarnessError, SimulatorError, OSError) as error:
        judgement = Judgement(missing=[str(error)])
    return Played(file.stem, depth, judgement, time.monotonic() - began_s)


def _play_pure(file: Path) -> Judgement:
    with tempfile.TemporaryDirectory(prefix="kanhu-scenario-") as folder:
        return play_pure(file, Path(folder))


def _figures(played: Sequence[Played]) -> dict[str, Value]:
    return {
        "scenarios": len(played),
        "failed": sum(1 for one in played if not one.judgement.kept),
        "alerts_expected": sum(one.judgement.expected for one in played),
        "alerts_missing": sum(len(one.judgement.missing) for one in played),
        "alerts_forbidden": sum(len(one.judgement.forbidden) for one in played),
    }


def _table(played: Sequence[Played]) -> Table:
    table = Table(title="scenarios", title_justify="left")
    for name in ("scenario", "depth", "expected", "raised", "forbidden", "seconds", "ok"):
        table.add_column(name, justify="left" if name in {"scenario", "depth", "ok"} else "right")
    for one in played:
        judgement = one.judgement
        table.add_row(
            escape(one.name),
            one.depth.value,
            str(judgement.expected),
            str(judgement.raised),
            str(len(judgement.forbidden)),
            f"{one.seconds:.1f}",
            "yes" if judgement.kept else "NO",
        )
    return table
