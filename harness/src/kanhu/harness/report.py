"""The result of a measurement: a table for people, one JSON line for machines, held to harness/limits.toml.

A figure with a limit must keep it; a limit whose figure was not measured is broken.
"""

import json
import os
import platform
import sys
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from kanhu.harness.errors import LimitsRefused

__all__ = ["Limit", "Output", "Report", "Value", "Verdict", "console", "finish", "machine", "read_limits", "settings"]

LIMITS_PATH = Path(__file__).resolve().parents[3] / "limits.toml"

Value = int | float | str

_WIDTH_IN_A_FILE = 140  # columns
_COMPARISONS = ("at_most", "at_least", "equals")


class Output(StrEnum):
    """How a report ends on standard output."""

    TABLE = "table"
    TABLE_AND_JSON = "table-and-json"


class Verdict(StrEnum):
    """Why a figure counts as good or bad."""

    KEPT = "kept"
    BROKEN = "broken"
    NOT_MEASURED = "not measured"
    REPORTED = "reported"  # no limit is set


@dataclass(frozen=True, slots=True)
class Limit:
    """What one figure is held to, and why."""

    comparison: str
    bound: Value
    reason: str

    def judge(self, value: Value | None) -> Verdict:
        """Compare a figure with the bound; text is only ever equal or not."""
        if value is None:
            return Verdict.NOT_MEASURED
        if self.comparison == "equals":
            return Verdict.KEPT if value == self.bound else Verdict.BROKEN
        if isinstance(value, str) or isinstance(self.bound, str):
            return Verdict.BROKEN
        kept = value <= self.bound if self.comparison == "at_most" else value >= self.bound
        return Verdict.KEPT if kept else Verdict.BROKEN

    def __str__(self) -> str:
        return f"{self.comparison.replace('_', ' ')} {self.bound}"


@dataclass(frozen=True, slots=True)
class Report:
    """What one measurement found."""

    name: str
    figures: Mapping[str, Value]
    limits: Mapping[str, Limit]
    seed: int | None = None
    versions: Mapping[str, str] = field(default_factory=dict)

    def verdicts(self) -> dict[str, Verdict]:
        """Judge every figure, and every limit whose figure is missing."""
        names = [*self.figures, *(name for name in self.limits if name not in self.figures)]
        return {
            name: self.limits[name].judge(self.figures.get(name)) if name in self.limits else Verdict.REPORTED
            for name in names
        }

    @property
    def ok(self) -> bool:
        """Whether every limit is kept."""
        return all(verdict in {Verdict.KEPT, Verdict.REPORTED} for verdict in self.verdicts().values())

    def json_line(self) -> str:
        """Return the one JSON object, without a line break."""
        return json.dumps(
            {
                "name": self.name,
                "ok": self.ok,
                "figures": dict(self.figures),
                "seed": self.seed,
                "machine": machine(),
                "versions": dict(self.versions),
            },
            ensure_ascii=False,
        )

    def table(self) -> Table:
        """Return the figures beside their limits and reasons."""
        table = Table(title=f"{self.name}: {'ok' if self.ok else 'NOT OK'}", title_justify="left")
        table.add_column("figure")
        table.add_column("value", justify="right")
        table.add_column("limit")
        table.add_column("verdict")
        table.add_column("reason", overflow="fold")
        for name, verdict in self.verdicts().items():
            limit = self.limits.get(name)
            value = str(self.figures.get(name, ""))
            bound, reason = (str(limit), limit.reason) if limit else ("", "")
            table.add_row(name, value, bound, verdict.value, reason)
        return table


def finish(report: Report, *, output: Output) -> int:
    """Print the table, and the JSON line last where asked; return the exit code."""
    console().print(report.table())
    if output is Output.TABLE_AND_JSON:
        print(report.json_line(), flush=True)
    return 0 if report.ok else 1


def console() -> Console:
    """Return where tables go: as wide as the terminal, or a readable width in a file."""
    return _Tables(width=None if sys.stdout.isatty() else _WIDTH_IN_A_FILE)


class _Tables(Console):
    """Goes on where the reader of standard output has left, as `head` does: the exit code is that of the figures."""

    def on_broken_pipe(self) -> None:
        """Say no more."""
        self.quiet = True
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def read_limits(name: str, *, path: Path = LIMITS_PATH) -> dict[str, Limit]:
    """Return the limits of one measurement.

    Raises:
        LimitsRefused: the file does not say one bound and its reason.
    """
    return {figure: _limit(f"{name}.{figure}", row) for figure, row in settings(name, path=path)["figures"].items()}


def settings(name: str, *, path: Path = LIMITS_PATH) -> dict[str, Any]:
    """Return everything the file holds for one measurement, its lists included.

    Raises:
        LimitsRefused: there is no such section, or it has no figures.
    """
    section: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8")).get(name, {})
    if not section.get("figures"):
        raise LimitsRefused(name, "no figures are limited here")
    return section


def machine() -> dict[str, Value]:
    """Describe where a figure was measured."""
    return {
        "system": platform.system(),
        "release": platform.release(),
        "architecture": platform.machine(),
        "cores": os.cpu_count() or 0,
        "python": platform.python_version(),
    }


def _limit(where: str, row: Mapping[str, Any]) -> Limit:
    stated = [comparison for comparison in _COMPARISONS if comparison in row]
    if len(stated) != 1:
        raise LimitsRefused(where, f"needs exactly one of {', '.join(_COMPARISONS)}")
    reason = row.get("reason")
    if not isinstance(reason, str) or not reason.strip():
        raise LimitsRefused(where, "has no reason")
    unknown = set(row) - {*_COMPARISONS, "reason"}
    if unknown:
        raise LimitsRefused(where, f"has unknown keys: {', '.join(sorted(unknown))}")
    return Limit(stated[0], row[stated[0]], reason)
