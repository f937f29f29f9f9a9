"""What a person sees at the terminal."""

from collections.abc import Sequence

from rich.table import Table

from kanhu.harness.conform.candidates import Candidate
from kanhu.harness.conform.cell import Figures
from kanhu.harness.conform.judging import Answer, Verdict
from kanhu.harness.conform.rows import Row
from kanhu.harness.report import console

__all__ = ["show_clauses", "show_figures"]


def show_figures(tried: Sequence[Candidate], rows: Sequence[Row], done: dict[tuple[str, str], Figures]) -> None:
    """One table a gateway."""
    for candidate in tried:
        table = Table(title=f"{candidate.title} {candidate.version}".rstrip(), title_justify="left")
        table.add_column("fault")
        for column in ("accepted", "lost", "duplicated", "drained s", "MiB", "CPU s", "wire KiB", "written KiB"):
            table.add_column(column, justify="right")
        for row in rows:
            cell = done.get((candidate.name, row.name))
            if cell is None:
                continue
            values = (cell.accepted, cell.lost, cell.duplicated, cell.drain_s, cell.peak_mib, cell.cpu_s, cell.wire_kib,
                      cell.written_kib)  # fmt: skip  # one row
            table.add_row(row.title, *map(str, values))
        console().print(table)


def show_clauses(answers: Sequence[Answer]) -> None:
    """One line a clause, with the page of docs/spec/ that says it."""
    table = Table(title="clauses of docs/spec/", title_justify="left")
    for column in ("clause", "page", "verdict", "seen"):
        table.add_column(column, overflow="fold")
    for answer in answers:
        seen = answer.detail if answer.verdict is not Verdict.BROKEN else f"{answer.clause.says!r}: {answer.detail}"
        table.add_row(answer.clause.name, answer.clause.page, answer.verdict.value, seen)
    console().print(table)
