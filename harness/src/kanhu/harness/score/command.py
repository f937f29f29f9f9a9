"""What every `./run score TASK` has in common: its options, the sets it finds, and how it ends."""

import argparse
import platform
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path

from kanhu.cloud.errors import RecordingsRefused
from kanhu.cloud.training.one_core import keep_to_one_core
from kanhu.harness.errors import RecordingUnusable
from kanhu.harness.report import Output, Report, Value, finish, read_limits

__all__ = ["Measured", "Run", "Say", "conduct"]

Say = Callable[[str], None]
"""Tells a waiting person how far it is, on standard error."""


@dataclass(frozen=True, slots=True)
class Run:
    """What one run was asked for."""

    data: Path
    seed: int
    peers: bool
    """The libraries of the field are measured as well."""
    plot: Path | None
    """Where a picture goes."""
    say: Say

    @property
    def has_data(self) -> bool:
        """Whether a folder was named."""
        return self.data != Path()


@dataclass(frozen=True, slots=True)
class Measured:
    """What came of it."""

    figures: Mapping[str, Value]
    sets: frozenset[str]
    """Those that were there: a limit of a figure of another set is not asked for."""
    versions: Mapping[str, str] = field(default_factory=dict)


def conduct(
    task: str,
    measure: Callable[[Run], Measured],
    arguments: Sequence[str],
    *,
    about: str,
    known: Sequence[str],
    simulates: bool = False,
) -> int:
    """Run one task; 0 where every limit is kept, 1 where one is broken, 2 for wrong usage.

    `known` are the sets that the task can score; where it simulates it has figures without `--data` too. `about` is for
    --help.

    Raises:
        RecordingUnusable: the recordings cannot be scored.
    """
    parser = argparse.ArgumentParser(
        prog=f"./run score {task}",
        description=about,
        epilog=_examples(task, "--seed 2" if simulates else "--data DIR"),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    holds = f"holds {', '.join(known)}, or is one of them" if known else "not read: people are simulated"
    parser.add_argument("--data", type=Path, required=not simulates, default=Path(), metavar="DIR", help=holds)
    parser.add_argument("--json", action="store_true", help="end with one JSON object")
    parser.add_argument("--seed", type=int, default=1, help="of everything drawn (default 1)")
    parser.add_argument("--peers", action="store_true", help="measure the libraries of the field beside ours")
    parser.add_argument("--plot", type=Path, metavar="FILE", help="draw the outcome, a PNG")
    options = parser.parse_args(arguments)
    keep_to_one_core()
    run = Run(options.data, options.seed, options.peers, options.plot, _say)
    try:
        measured = measure(run)
    except RecordingsRefused as error:
        raise RecordingUnusable(error.place, error.problem) from error
    name = f"score-{task}"
    limits = {figure: limit for figure, limit in read_limits(name).items() if _asked(figure, known, measured.sets)}
    versions = {package: metadata.version(package) for package in ("kanhu", "numpy")}
    versions |= {"python": platform.python_version(), **measured.versions}
    report = Report(name, measured.figures, limits, seed=options.seed, versions=versions)
    return finish(report, output=Output.TABLE_AND_JSON if options.json else Output.TABLE)


def _asked(figure: str, known: Sequence[str], sets: frozenset[str]) -> bool:
    """Whether the set that a figure is of was there: its name begins the figure's, or it is the first that is known."""
    of = next((one for one in known if figure.startswith(f"{one}_")), known[0] if known else None)
    return of is None or of in sets


def _examples(task: str, options: str) -> str:
    return f"examples:\n  ./run score {task} {options}\n  ./run score {task} {options} --json"


def _say(text: str) -> None:
    print(f"kanhu: {text}", file=sys.stderr, flush=True)
