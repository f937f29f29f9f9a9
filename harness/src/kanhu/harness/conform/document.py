"""The two tables of docs/conformance.md, written between their markers: what is measured is never typed by hand."""

from collections.abc import Sequence
from pathlib import Path

from kanhu.harness.conform.candidates import Candidate
from kanhu.harness.conform.cell import Figures
from kanhu.harness.conform.clauses import CLAUSES
from kanhu.harness.conform.judging import Answer
from kanhu.harness.conform.rows import Row
from kanhu.harness.report import machine

__all__ = ["PAGE", "clause_table", "figure_tables", "put_between"]

PAGE = Path(__file__).resolve().parents[5] / "docs" / "conformance.md"

_COLUMNS = (
    ("accepted", "accepted"),
    ("lost", "lost"),
    ("duplicated", "duplicated"),
    ("drain_s", "drained after, s"),
    ("peak_mib", "memory, MiB"),
    ("cpu_s", "CPU, s"),
    ("wire_kib", "wire, KiB"),
    ("written_kib", "written, KiB"),
)


def figure_tables(
    candidates: Sequence[Candidate], rows: Sequence[Row], done: dict[tuple[str, str], Figures], *, how: str
) -> str:
    """First lost readings side by side, then every figure of each gateway."""
    lines = [f"Made by `{how}` on {_machine()}.", "", "Readings lost, of those accepted:", ""]
    lines += ["| fault | " + " | ".join(f"{each.title} {each.version}".strip() for each in candidates) + " |"]
    lines += ["|---|" + "---:|" * len(candidates)]
    for row in rows:
        cells = [done.get((each.name, row.name)) for each in candidates]
        found = ["does not apply" if cell is None else f"{cell.lost} of {cell.accepted}" for cell in cells]
        lines.append(f"| {row.title} | " + " | ".join(found) + " |")
    for candidate in candidates:
        lines += ["", f"### {candidate.title} {candidate.version}".rstrip(), ""]
        lines += ["| fault | " + " | ".join(title for _, title in _COLUMNS) + " |", "|---|" + "---:|" * len(_COLUMNS)]
        for row in rows:
            cell = done.get((candidate.name, row.name))
            if cell is not None:
                values = (str(getattr(cell, name)) for name, _ in _COLUMNS)
                lines.append(f"| {row.title} | " + " | ".join(values) + " |")
    loss_by = {cell.loss_by for cell in done.values() if cell.loss_by}
    if any("name spaces" in each and "want" not in each for each in loss_by):
        lines += ["", "Packets were really lost, between two network name spaces."]
    elif loss_by:
        lines += [
            "",
            "No packet was really lost: this machine has no name spaces for it, and the relay stalled instead.",
        ]
    return "\n".join(lines)


def clause_table(answers: Sequence[Answer], *, of: str) -> str:
    """Every clause, its sentence, and what was answered."""
    verdicts = {answer.clause.name: answer.verdict.value for answer in answers}
    lines = [f"| clause | page | sentence | {of} |", "|---|---|---|---|"]
    for clause in CLAUSES:
        says = clause.says.replace("|", "\\|")
        verdict = verdicts.get(clause.name, "not asked")
        lines.append(f"| `{clause.name}` | [{clause.page}](spec/{clause.page}) | {says} | {verdict} |")
    return "\n".join(lines)


def put_between(page: str, name: str, text: str) -> str:
    """The page with the text between `<!-- NAME: begin -->` and its end.

    Raises:
        ValueError: the page has no such markers.
    """
    begin, end = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
    before, found, rest = page.partition(begin)
    _, found_end, after = rest.partition(end)
    if not found or not found_end:
        msg = f"no markers {begin} and {end}"
        raise ValueError(msg)
    return f"{before}{begin}\n\n{text}\n\n{end}{after}"


def _machine() -> str:
    found = machine()
    system = f"{found['system']} {found['release']}"
    return f"{found['cores']} cores, {found['architecture']}, {system}, Python {found['python']}"
