"""`./run conform`: a gateway under the fault matrix, and a county asked clause by clause."""

import argparse
import asyncio
import shlex
import shutil
import signal
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

from kanhu.contract import SystemClock
from kanhu.harness.conform import candidates as gateways
from kanhu.harness.conform import thingsboard
from kanhu.harness.conform.bench import Bench, LedgerCommand, PowerCommands
from kanhu.harness.conform.candidates import Candidate, Door, Wire
from kanhu.harness.conform.cell import Figures, Pace
from kanhu.harness.conform.clauses import CLAUSES
from kanhu.harness.conform.document import PAGE, clause_table, figure_tables, put_between
from kanhu.harness.conform.judging import Answer, Verdict, ask_all
from kanhu.harness.conform.kanhu_county import KanhuCounty
from kanhu.harness.conform.matrix import Kept, run_matrix
from kanhu.harness.conform.rows import ROWS, Row, quick
from kanhu.harness.conform.show import show_clauses, show_figures
from kanhu.harness.conform.virtual_gateway import ClauseBroken
from kanhu.harness.errors import HarnessError, ProgramFailed
from kanhu.harness.report import Output, Report, Value, finish, read_limits
from kanhu.harness.village.processes import Processes
from kanhu.harness.village.stage import open_ground

_EXAMPLES = (
    """examples:
  ./run conform
  ./run conform --quick --json
  ./run conform --row silent-90 --row refused
  ./run conform --cloud mqtt://127.0.0.1:1883 --ledger 'my-county dump'
  ./run conform --gateway 'my-gateway --broker {broker_host}:{broker_port} --feed {feed_port} --data {folder}'
  ./run conform --gateway 'my-gateway {folder} {broker_port} {feed_port}' --wire json --feed http

rows: """
    + ", ".join(row.name for row in ROWS)
    + """

There is no --speed: the gateways under test are real programs and keep real time.
docs/conformance.md says what is asked, and how a gateway is fed.
"""
)
_INTERRUPTED = 130
_QUICK_QUIET_S = 45.0


def main() -> int:
    """0 where every limit is kept, 1 where one is not, 2 for wrong usage."""
    parser = _parser()
    chosen = parser.parse_args()
    _check(parser, chosen)
    try:
        return asyncio.run(_main(chosen))
    except (HarnessError, ClauseBroken, OSError) as error:
        print(f"conform: {error}", file=sys.stderr)
        return 1
    except (KeyboardInterrupt, asyncio.CancelledError):
        again = "start it again with the same --folder, and what is done stays done"
        advice = again if chosen.folder else "with --folder DIR what is done would have been kept"
        print(f"\nconform: stopped, nothing is left behind; {advice}", file=sys.stderr)
        return _INTERRUPTED


async def _main(chosen: argparse.Namespace) -> int:
    task = asyncio.current_task()
    if task is not None:
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    rows = tuple(quick(row) if chosen.quick else row for row in ROWS if not chosen.row or row.name in chosen.row)
    figures: dict[str, Value] = {}
    tried: list[Candidate] = []
    done: dict[tuple[str, str], Figures] = {}
    answers: list[Answer] = []
    async with open_ground("kanhu-conform-") as (folder, processes):
        if chosen.cloud is None:
            tried = [chosen.candidate] if chosen.candidate else await _known(chosen, figures)
            done = await _matrix(chosen, tried, rows, folder=folder, processes=processes)
            show_figures(tried, rows, done)
            figures |= {"matrix": "quick" if chosen.quick else "full"} | _matrix_figures(tried, rows, done)
        if chosen.candidate is None and (chosen.cloud is not None or not chosen.row):
            answers = await _clauses(chosen, folder=folder / "county", processes=processes)
            show_clauses(answers)
            figures |= _clause_figures(answers)
    if chosen.write and "thingsboard_left_out" in figures:
        _say(f"{PAGE.name} is left as it is: a column is missing")
    elif chosen.write:
        _write(tried, rows, done, answers)
    return _report(chosen, figures, tried, rows, done)


def _report(
    chosen: argparse.Namespace,
    figures: dict[str, Value],
    tried: Sequence[Candidate],
    rows: Sequence[Row],
    done: dict[tuple[str, str], Figures],
) -> int:
    """Sums for people, whose cells have been shown already; every figure for machines."""
    limits = {name: limit for name, limit in read_limits("conform").items() if name in figures}
    versions = {each.title: each.version for each in tried if each.version}
    code = finish(Report("conform", figures, limits, seed=chosen.seed, versions=versions), output=Output.TABLE)
    if chosen.json:
        everything = {**figures, **_cell_figures(tried, rows, done)}
        print(Report("conform", everything, limits, seed=chosen.seed, versions=versions).json_line(), flush=True)
    return code


async def _known(chosen: argparse.Namespace, figures: dict[str, Value]) -> list[Candidate]:
    """Kanhu's gateway and, where it can be fetched, thingsboard-gateway with two storages."""
    known = [gateways.kanhu()]
    try:
        program = await thingsboard.ensure_installed(chosen.cache, say=_say)
    except (ProgramFailed, OSError) as error:
        _say(f"{thingsboard.NAME} {thingsboard.VERSION} is left out: {error}")
        figures["thingsboard_left_out"] = str(error).splitlines()[0]
        return known
    return known + [gateways.thingsboard_gateway(program, storage=storage) for storage in ("memory", "file")]


async def _matrix(
    chosen: argparse.Namespace,
    tried: Sequence[Candidate],
    rows: Sequence[Row],
    *,
    folder: Path,
    processes: Processes,
) -> dict[tuple[str, str], Figures]:
    made_by = {
        "rate": chosen.rate,
        "seed": chosen.seed,
        "quick": chosen.quick,
        "gateways": {each.name: f"{each.version} {' '.join(each.template)}".strip() for each in tried},
    }
    kept = Kept.open(chosen.folder, made_by=made_by)
    await run_matrix(
        [(candidate, row) for candidate in tried for row in rows if candidate.can_be_put_into(row)],
        folder=folder,
        processes=processes,
        kept=kept,
        clock=SystemClock(),
        pace=Pace(rate=chosen.rate, quiet_s=_QUICK_QUIET_S) if chosen.quick else Pace(rate=chosen.rate),
        jobs=chosen.jobs,
        seed=chosen.seed,
    )
    return kept.done


async def _clauses(chosen: argparse.Namespace, *, folder: Path, processes: Processes) -> list[Answer]:
    clock = SystemClock()
    if chosen.cloud is None:
        _say(f"asking kanhu's own county {len(CLAUSES)} clauses")
        county = await KanhuCounty.begin(folder, processes)
        return await ask_all(Bench(county.url, clock, ledger=county, power=county))
    ledger = LedgerCommand(chosen.ledger) if chosen.ledger else None
    power = PowerCommands(chosen.kill, chosen.start) if chosen.kill else None
    return await ask_all(Bench(chosen.cloud, clock, ledger=ledger, power=power))


def _matrix_figures(
    tried: Sequence[Candidate], rows: Sequence[Row], done: dict[tuple[str, str], Figures]
) -> dict[str, Value]:
    """Sums over the rows of the gateway that is judged."""
    judged = [done[tried[0].name, row.name] for row in rows if (tried[0].name, row.name) in done]
    return {
        "judged": tried[0].name,
        "cells": len(judged),
        "lost": sum(each.lost for each in judged),
        "duplicated": sum(each.duplicated for each in judged),
        "unreadable": sum(each.unreadable for each in judged),
        "least_accepted_share": round(min([1.0, *(each.accepted / each.due for each in judged if each.due)]), 2),
        "slowest_drain_s": max((each.drain_s for each in judged), default=0.0),
    }


def _cell_figures(
    tried: Sequence[Candidate], rows: Sequence[Row], done: dict[tuple[str, str], Figures]
) -> dict[str, Value]:
    """Every figure of every cell, by gateway and row."""
    figures: dict[str, Value] = {}
    for candidate in tried:
        for row in rows:
            cell = done.get((candidate.name, row.name))
            if cell is None:
                continue
            where = f"{candidate.name}_{row.name}".replace("-", "_")
            for name in ("accepted", "lost", "duplicated", "drain_s", "peak_mib", "cpu_s", "wire_kib", "written_kib"):
                figures[f"{where}_{name}"] = getattr(cell, name)
    return figures


def _clause_figures(answers: Sequence[Answer]) -> dict[str, Value]:
    counts = {verdict: sum(1 for answer in answers if answer.verdict is verdict) for verdict in Verdict}
    return {
        "clauses_kept": counts[Verdict.KEPT],
        "clauses_broken": counts[Verdict.BROKEN],
        "clauses_not_asked": counts[Verdict.NOT_ASKED],
    }


def _write(
    tried: Sequence[Candidate],
    rows: Sequence[Row],
    done: dict[tuple[str, str], Figures],
    answers: Sequence[Answer],
) -> None:
    page = PAGE.read_text(encoding="utf-8")
    page = put_between(page, "figures", figure_tables(tried, rows, done, how="./run conform --write"))
    page = put_between(page, "clauses", clause_table(answers, of="kanhu"))
    PAGE.write_text(page, encoding="utf-8")
    _say(f"wrote {PAGE}")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="./run conform",
        description="Any gateway or county against docs/spec/; without arguments kanhu's, and thingsboard-gateway.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--gateway", metavar="CMD", help="test this gateway; places in braces, see below")
    parser.add_argument("--wire", type=Wire, choices=list(Wire), default=Wire.KANHU, help="what it speaks upwards")
    parser.add_argument("--feed", type=Door, choices=list(Door), default=Door.LINES, help="how readings get in")
    parser.add_argument("--cloud", metavar="URL", help="test the county at this broker, such as mqtt://127.0.0.1:1883")
    parser.add_argument("--ledger", metavar="CMD", help="prints one JSON line a stored record of that county")
    parser.add_argument("--kill", metavar="CMD", help="ends that county as a power cut would")
    parser.add_argument("--start", metavar="CMD", help="starts it again")
    parser.add_argument("--row", action="append", choices=[row.name for row in ROWS], help="only this row; repeatable")
    parser.add_argument("--quick", action="store_true", help="shorter faults; the table says how long")
    parser.add_argument("--rate", type=float, default=1.0, metavar="N", help="readings a second (default 1)")
    parser.add_argument("--jobs", type=int, default=8, metavar="N", help="cells side by side (default 8)")
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="of the packets that are lost (default 1)")
    parser.add_argument("--folder", type=Path, metavar="DIR", help="keep figures of done cells there, to go on later")
    parser.add_argument(
        "--cache", type=Path, default=thingsboard.cache(), metavar="DIR", help="where others are installed"
    )
    parser.add_argument("--write", action="store_true", help="put the tables into docs/conformance.md")
    parser.add_argument("--json", action="store_true", help="end with one JSON object")
    parser.add_argument("--speed", help=argparse.SUPPRESS)
    return parser


def _check(parser: argparse.ArgumentParser, chosen: argparse.Namespace) -> None:
    """Refuse what cannot work before anything starts."""
    chosen.candidate = None
    if chosen.speed is not None:
        parser.error("there is no --speed: the gateways under test are real programs and keep real time; try --quick")
    if chosen.gateway is not None and chosen.cloud is not None:
        parser.error("--gateway and --cloud are two tests; run them one after the other")
    if chosen.gateway is not None:
        try:
            chosen.candidate = gateways.command(chosen.gateway, wire=chosen.wire, door=chosen.feed)
        except ValueError as error:
            parser.error(f"--gateway: {error}")
    if chosen.cloud is not None and not _is_broker(chosen.cloud):
        parser.error(f"--cloud {chosen.cloud!r} is no address such as mqtt://127.0.0.1:1883")
    if (chosen.ledger or chosen.kill or chosen.start) and chosen.cloud is None:
        parser.error("--ledger, --kill and --start belong to --cloud")
    if bool(chosen.kill) != bool(chosen.start):
        parser.error("--kill and --start belong together")
    for name in ("gateway", "ledger", "kill", "start"):
        _check_command(parser, f"--{name}", getattr(chosen, name))
    if not 0.01 <= chosen.rate <= 100:
        parser.error("--rate: give 0.01 to 100 readings a second")
    if not 1 <= chosen.jobs <= 64:
        parser.error("--jobs: give 1 to 64")
    if chosen.write and (chosen.gateway or chosen.cloud or chosen.row or chosen.quick):
        parser.error("--write wants the whole table: leave out --gateway, --cloud, --row and --quick")


def _check_command(parser: argparse.ArgumentParser, option: str, command: str | None) -> None:
    if command is None:
        return
    try:
        words = shlex.split(command)
    except ValueError as error:
        parser.error(f"{option} {command!r}: {error}")
    if not words or ("{" not in words[0] and shutil.which(words[0]) is None):
        parser.error(f"{option} {command!r}: there is no such program")


def _is_broker(url: str) -> bool:
    with suppress(ValueError):
        parts = urlsplit(url)
        return parts.scheme == "mqtt" and bool(parts.hostname) and parts.port != 0
    return False


def _say(text: str) -> None:
    print(f"conform: {text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
