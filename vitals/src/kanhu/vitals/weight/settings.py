"""What the weight detector is set to: clinical limits and project choices, each with where it comes from."""

import msgspec

__all__ = ["WeightSettings"]


class WeightSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Weights in kg, times in hours of the local day."""

    gain_kg: float = 2.0
    """More than this within `days` is said (McDonagh and others, ESC Guidelines for heart failure, 2021)."""
    days: int = 3
    """As the same."""
    over_kg: float = 1.0
    """A gain is over where no more than this of it is left; project choice."""
    possible_kg: tuple[float, float] = (20.0, 250.0)
    """What a scale of the home may say; project choice."""
    fastest_kg_per_day: float = 3.0
    """More is another person on the scale, or a coat; project choice, as of the gate before all rules."""
    agrees_kg: float = 0.5
    """A second weighing so near a doubted one is like it; project choice."""
    morning_h: tuple[float, float] = (4.0, 11.0)
    """After the toilet and before food is what is compared; project choice of hours."""
