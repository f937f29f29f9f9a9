"""What a run measured, and what it is held to: a table for people, one JSON line for machines.

The line has the shape of every kanhu measurement: name, ok, figures, seed, machine, versions.
"""

import json
import os
import platform
from collections.abc import Mapping
from dataclasses import dataclass

from kanhu.contract import VERSION

__all__ = ["LIMITS", "Limit", "Report", "Value"]

Value = int | float


@dataclass(frozen=True, slots=True)
class Limit:
    """What one figure is held to, and why."""

    comparison: str
    bound: Value | str
    """A number, or the name of the figure that is the bound."""
    reason: str

    def keeps(self, figures: Mapping[str, Value], value: Value | None) -> bool:
        """Whether the figure is within; one that was not measured is not."""
        bound = figures.get(self.bound) if isinstance(self.bound, str) else self.bound
        if value is None or bound is None:
            return False
        if self.comparison == "equals":
            return value == bound
        return value <= bound if self.comparison == "at most" else value >= bound


LIMITS: dict[str, Limit] = {
    "connected": Limit("equals", "gateways", "every gateway found its way to the broker at least once"),
    "seconds": Limit("at least", "seconds_asked", "readings were sent for as long as was asked for"),
    "sent": Limit("at least", 1, "a run that sends nothing proves nothing"),
    "lost": Limit("equals", 0, "a reading a gateway has accepted is a promise"),
    "duplicated": Limit("equals", 0, "a reading stored twice is a count that lies"),
    "wrong": Limit("equals", 0, "what is stored is what was measured, to the bit"),
    "refused": Limit("equals", 0, "nothing here is outside the contract"),
    "cpu_s": Limit("at most", "wall_s", "the fleet is made by one core; the others are the county's"),
    "peak_mb": Limit("at most", 1500, "ten thousand gateways fit beside a county on an ordinary machine"),
}


@dataclass(frozen=True, slots=True)
class Report:
    """The figures of one run."""

    figures: Mapping[str, Value]
    seed: int

    @property
    def ok(self) -> bool:
        """Whether every limit is kept."""
        return all(limit.keeps(self.figures, self.figures.get(name)) for name, limit in LIMITS.items())

    def json_line(self) -> str:
        """Return one JSON object, without a line break."""
        machine = {
            "system": platform.system(),
            "release": platform.release(),
            "architecture": platform.machine(),
            "cores": os.cpu_count() or 0,
            "python": platform.python_version(),
        }
        return json.dumps(
            {
                "name": "fleet",
                "ok": self.ok,
                "figures": dict(self.figures),
                "seed": self.seed,
                "machine": machine,
                "versions": {"kanhu": VERSION},
            }
        )

    def table(self) -> str:
        """Return the figures in lines, each beside its limit and whether it is kept."""
        lines = [f"fleet: {'ok' if self.ok else 'NOT OK'}"]
        for name, value in self.figures.items():
            limit = LIMITS.get(name)
            said = ""
            if limit is not None:
                verdict = "kept" if limit.keeps(self.figures, value) else "BROKEN"
                said = f"{limit.comparison} {limit.bound}: {verdict}"
            lines.append(f"  {name:<18}{value:>12}  {said}".rstrip())
        return "\n".join(lines)
