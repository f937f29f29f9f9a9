"""Command line of `./run county`."""

import argparse
import shlex
import shutil
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from types import FrameType

from kanhu.harness.county.conduct import Result, conduct, pack_of, scored_outcome
from kanhu.harness.county.page import Making, page
from kanhu.harness.county.settings import Judgement, Wish, default_folder
from kanhu.harness.errors import HarnessError
from kanhu.harness.report import Limit, Output, Report, Value, console, finish, machine, read_limits, settings
from kanhu.harness.scoring.comparing import Comparison, Verdict, compare_outcomes
from kanhu.harness.scoring.figures import scaled_limits
from kanhu.harness.scoring.recorded import read_outcome_file
from kanhu.vitals import PackRefused

_PEOPLE, _DAYS, _SEED, _JOBS = 1000, 30, 7, 2
_MOST_PEOPLE, _MOST_DAYS, _MOST_JOBS, _MOST_SEED = 20_000, 366, 64, 2**31 - 1
_USAGE = 2
_INTERRUPTED = 130

_EXAMPLES = """examples:
  ./run county
  ./run county --people 1000 --days 30 --seed 7 --json
  ./run county --people 50 --days 5 --report county.html
  ./run county --folder kept --against-pack other.toml
  ./run county compare before.ndjson after.ndjson --recording kept/recording

The exit code is 0 only where every limit in harness/limits.toml is kept, and nothing got worse than what it was
compared with. Ctrl-C keeps what is whole; the same command goes on there.
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a county, or compare two outcomes of one; the exit code."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        return _compare(words[1:]) if words[:1] == ["compare"] else _county(words)
    except (HarnessError, PackRefused) as error:
        print(f"kanhu: {error}", file=sys.stderr)
        return 1
    except OSError as error:
        place = f"{error.filename}: " if error.filename else ""
        print(f"kanhu: {place}{error.strerror}; make room, or name a folder that can be written", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("kanhu: stopped; the same command goes on from here", file=sys.stderr)
        return _INTERRUPTED


def _county(words: list[str]) -> int:
    parser = _parser()
    options = parser.parse_args(words)
    _check(parser, options)
    folder: Path = options.folder or default_folder(people=options.people, days=options.days, seed=options.seed)
    against: Judgement | Path | None = options.against
    if options.against_pack is not None:
        against = Judgement(options.against_pack, options.judge)
    wish = Wish(
        people=options.people,
        days=options.days,
        seed=options.seed,
        jobs=options.jobs,
        folder=folder.absolute(),
        judged=Judgement(options.pack, options.judge),
        against=against,
    )
    result = conduct(wish)
    if options.report is not None:
        making = Making("./run county " + " ".join(words), machine(), result.seconds)
        options.report.write_text(page(result.scored, making, comparison=result.comparison), encoding="utf-8")
    report = _report(result, seed=options.seed)
    if result.comparison is not None:
        _tell(result.comparison)
    code = finish(report, output=Output.TABLE_AND_JSON if options.json else Output.TABLE)
    if options.report is not None:
        print(f"kanhu: the page is {options.report}; open it in a browser", file=sys.stderr)
    if options.folder is None and not options.keep:
        shutil.rmtree(wish.folder, ignore_errors=True)
    else:
        print(f"kanhu: recording and outcome are kept in {wish.folder}", file=sys.stderr)
    return code


def _compare(words: list[str]) -> int:
    parser = argparse.ArgumentParser(
        prog="./run county compare", description="Two outcomes of one recording: what the second does better or worse."
    )
    parser.add_argument("before", type=Path, metavar="A", help="outcome of kanhu-cloud replay")
    parser.add_argument("after", type=Path, metavar="B", help="another of the same recording")
    parser.add_argument("--recording", type=Path, required=True, metavar="DIR", help="what both were made from")
    parser.add_argument("--pack", type=Path, metavar="FILE", help="rules that made A, if not the shipped ones")
    parser.add_argument("--after-pack", type=Path, metavar="FILE", help="rules that made B, if not those of A")
    parser.add_argument("--report", type=Path, metavar="FILE", help="write the report of B with the comparison")
    parser.add_argument("--json", action="store_true", help="end with one JSON object")
    options = parser.parse_args(words)
    _check_files(parser, options.pack, options.after_pack)
    reference = pack_of(options.pack)
    pack = pack_of(options.after_pack) if options.after_pack is not None else reference
    before = scored_outcome(options.recording, options.before, pack=reference, reference=reference)
    after = scored_outcome(options.recording, options.after, pack=pack, reference=reference)
    comparison = compare_outcomes(before, after)
    if options.report is not None:
        making = Making("./run county compare " + " ".join(words), machine(), {})
        options.report.write_text(page(after, making, comparison=comparison), encoding="utf-8")
    _tell(comparison)
    report = Report("county-compare", _differences(comparison), read_limits("county-compare"))
    return finish(report, output=Output.TABLE_AND_JSON if options.json else Output.TABLE)


def _report(result: Result, *, seed: int) -> Report:
    figures = result.scored.figures()
    for name, seconds in result.seconds.items():
        figures[f"seconds_{name}"] = round(seconds, 1)
    figures["seconds_total"] = round(sum(result.seconds.values()), 1)
    known = result.scored.episodes.known
    section = settings("county")
    limits: dict[str, Limit] = scaled_limits(read_limits("county"), section["scaled"], person_days=known.person_days)
    if result.comparison is not None:
        figures |= _differences(result.comparison)
        limits |= read_limits("county-compare")
    return Report("county", figures, limits, seed=seed, versions=known.manifest.versions)


def _differences(comparison: Comparison) -> dict[str, Value]:
    return {
        "verdict": comparison.verdict.value,
        "worse": len(comparison.worse),
        "better": len(comparison.better),
        "events_lost": len(comparison.lost),
        "events_won": len(comparison.won),
        "events_now_late": len(comparison.now_late),
        "false_new": len(comparison.false_new),
        "false_gone": len(comparison.false_gone),
        "reasons": " ".join([*comparison.worse, *comparison.better]) or "none",
    }


def _tell(comparison: Comparison) -> None:
    lines = [f"verdict: {comparison.verdict.value}"]
    for said, reasons in ((Verdict.WORSE, comparison.worse), (Verdict.BETTER, comparison.better)):
        lines += [f"  {said.value}: {words} ({why.value})" for why, words in reasons.items()]
    console().print("\n".join(lines), markup=False, highlight=False, soft_wrap=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="./run county",
        description="A simulated county: recorded, judged in another process, scored by what truly happened.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--people", type=int, default=_PEOPLE, metavar="N", help=f"how many ({_PEOPLE})")
    parser.add_argument("--days", type=int, default=_DAYS, metavar="N", help=f"for how long ({_DAYS})")
    parser.add_argument("--seed", type=int, default=_SEED, metavar="N", help=f"the same gives the same bytes ({_SEED})")
    parser.add_argument("--folder", type=Path, metavar="DIR", help="keep recording and outcome here, and go on from it")
    parser.add_argument("--keep", action="store_true", help="keep them also where no folder is named")
    parser.add_argument("--report", type=Path, metavar="FILE", help="write one HTML page")
    parser.add_argument("--json", action="store_true", help="end with one JSON object")
    parser.add_argument("--pack", type=Path, metavar="FILE", help="judge with this rule pack")
    parser.add_argument("--judge", metavar="CMD", help="instead of kanhu-cloud replay; gets the same options")
    parser.add_argument("--jobs", type=int, default=_JOBS, metavar="N", help=f"processes of each stage ({_JOBS})")
    other = parser.add_mutually_exclusive_group()
    other.add_argument("--against", type=Path, metavar="OUTCOME", help="compare with an outcome of the same recording")
    other.add_argument("--against-pack", type=Path, metavar="FILE", help="judge also with this pack, and compare")
    return parser


def _check(parser: argparse.ArgumentParser, options: argparse.Namespace) -> None:
    """Refuse what cannot work before minutes are spent on it."""
    for name, lowest, highest in (
        ("people", 1, _MOST_PEOPLE),
        ("days", 1, _MOST_DAYS),
        ("seed", 0, _MOST_SEED),
        ("jobs", 1, _MOST_JOBS),
    ):
        value: int = getattr(options, name)
        if not lowest <= value <= highest:
            parser.error(f"--{name} {value} is not between {lowest} and {highest}")
    _check_files(parser, options.pack, options.against_pack)
    if options.judge is not None:
        _check_judge(parser, options.judge)
    if options.against is not None:
        read_outcome_file(options.against)
    if options.report is not None and not options.report.absolute().parent.is_dir():
        parser.error(f"--report {options.report}: there is no such folder")
    if options.report is not None and options.report.is_dir():
        parser.error(f"--report {options.report}: is a folder; name a file")


def _check_judge(parser: argparse.ArgumentParser, command: str) -> None:
    try:
        words = shlex.split(command)
    except ValueError as error:
        parser.error(f"--judge {command!r}: {error}")
    if not words or shutil.which(words[0]) is None:
        parser.error(f"--judge {command!r}: there is no such program")


def _check_files(parser: argparse.ArgumentParser, *packs: Path | None) -> None:
    for path in packs:
        try:
            pack_of(path)
        except OSError as error:
            parser.error(f"{path}: {error.strerror}")


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
