"""What befalls a person for a while, and how it moves the vital signs."""

from dataclasses import dataclass

from kanhu.firmware_sim.truth import HappeningKind


@dataclass(frozen=True, slots=True)
class Episode:
    """One stretch of time in which something is so; seconds from Monday 00:00 local of the start."""

    kind: HappeningKind
    onset_s: float
    lasts_s: float
    severity: float = 1.0
    """1 is typical, 2 is grave."""
