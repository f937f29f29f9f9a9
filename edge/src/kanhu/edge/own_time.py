"""When a device measured, by its own clock: what arrives now may have been kept for hours, and be of another person."""

from kanhu.edge.intake import Intake

__all__ = ["ago_s", "is_fresh"]

_FRESH_S = 120.0
"""On a shared device a reading this old at most is of who is chosen; project choice."""
_CLOCK_S = 5.0
"""So far into the future is an error of comparing clocks of whole seconds; more is a clock that is not understood."""


def ago_s(intake: Intake, device_ms: int | None) -> float | None:
    """So long ago this was measured; None where the device does not tell, or nobody knows the time here.

    What its clock was last seen to be off is taken into account; one that was never looked at is believed.
    """
    now = intake.local_time()
    if device_ms is None or now is None:
        return None
    return (sum(now) / 2 - device_ms) / 1000 + (intake.clock_error_s or 0)


def is_fresh(ago_s: float) -> bool:
    """Whether that is now, as nearly as two clocks tell."""
    return -_CLOCK_S <= ago_s <= _FRESH_S
