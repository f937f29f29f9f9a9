"""`./run prove scenarios`: every story of the library, with what must be raised and what must not."""

import argparse
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from rich.markup import escape
from rich.table import Table

from kanhu.contract.version import VERSION
from kanhu.firmware_sim import ScenarioRefused, load_scenario
from kanhu.firmware_sim.scenario import Depth
from kanhu.harness.errors import HarnessError
from kanhu.harness.prove.demands import Judgement
from kanhu.harness.prove.process_scenario import play_process
from kanhu.harness.prove.pure_scenario import play_pure
from kanhu.harness.report import Output, Report, console, finish, read_limits
from kanhu.harness.village.processes import ProcessDied
from kanhu.harness.village.stage import HARNESS, VillageFailed

__all__ = ["LIBRARY", "Played", "main"]

LIBRARY = HARNESS / "scenarios" / "library"
_NAME = "prove-scenarios"
_EXAMPLES = """examples:
  ./run prove scenarios
  ./run prove scenarios --depth pure --json
  ./run prove scenarios --only broker-killed
"""
_USAGE = 2


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
        known = sorted(file.stem for file in LIBRARY.glob("*.toml"))
        near = get_close_matches(options.only or "", known, n=1)
        meant = f"did you mean {near[0]}?" if near else f"there are {', '.join(known)}"
        print(f"kanhu: no scenario {options.only or ''} at this depth; {meant}")
        return _USAGE
    played: list[Played] = []
    try:
        for number, (file, depth) in enumerate(wanted, 1):
            print(f"{number:3} of {len(wanted)}  {file.stem} ({depth.value})", flush=True)
            played.append(_play(file, depth))
            for problem in (*played[-1].judgement.missing, *played[-1].judgement.forbidden):
                print(f"           {problem}", flush=True)
    except KeyboardInterrupt:
        print("stopped; nothing is left behind. One alone: ./run prove scenarios --only NAME")
        return 130
    console().print(_table(played))
    report = Report(_NAME, _figures(played), read_limits(_NAME), versions={"kanhu": VERSION})
    return finish(report, output=Output.TABLE_AND_JSON if options.json else Output.TABLE)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="./run prove scenarios",
        description="Plays the library of scenarios: pure ones are recorded and judged in virtual time, the others run "
        "as real processes in real time, about a minute each.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--only", metavar="NAME", help="this one alone")
    parser.add_argument("--depth", choices=[Depth.PURE.value, Depth.PROCESS.value], help="only at this depth")
    parser.add_argument("--json", action="store_true", help="the last line is one JSON object")
    return parser


def _wanted(only: str | None, depth: str | None) -> list[tuple[Path, Depth]]:
    wanted: list[tuple[Path, Depth]] = []
    for file in sorted(LIBRARY.glob("*.toml")):
        if only not in {None, file.stem}:
            continue
        own = load_scenario(file).depth
        depths = (each for each in (Depth.PURE, Depth.PROCESS) if own in {each, Depth.BOTH})
        wanted += [(file, each) for each in depths if depth in {None, each.value}]
    return sorted(wanted, key=lambda one: one[1] is Depth.PROCESS)


def _play(file: Path, depth: Depth) -> Played:
    began_s = time.monotonic()
    try:
        judgement = _judged(file, depth, say=lambda _: None)
    except (HarnessError, VillageFailed, ProcessDied) as error:
        judgement = Judgement(missing=[str(error)])
    return Played(file.stem, depth, judgement, time.monotonic() - began_s)


def _judged(file: Path, depth: Depth, *, say: Callable[[str], None]) -> Judgement:
    if depth is Depth.PROCESS:
        return play_process(file, say=say)
    with tempfile.TemporaryDirectory(prefix="kanhu-scenario-") as folder:
        return play_pure(file, Path(folder))


def _figures(played: Sequence[Played]) -> dict[str, int | float | str]:
    return {
        "scenarios": len(played),
        "failed": sum(1 for one in played if not one.judgement.kept),
        "alerts_expected": sum(one.judgement.expected for one in played),
        "alerts_missing": sum(len(one.judgement.missing) for one in played),
        "alerts_forbidden": sum(len(one.judgement.forbidden) for one in played),
        "seconds": round(sum(one.seconds for one in played), 1),
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
