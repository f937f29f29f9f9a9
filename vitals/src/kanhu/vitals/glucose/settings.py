"""What the glucose detector is set to: clinical limits and project choices, each with where it comes from."""

import msgspec

__all__ = ["GlucoseSettings"]


class GlucoseSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Glucose in mg/dL, times in minutes."""

    low_mg_dl: float = 70.0
    """Below it is low: 3.9 mmol/L, level 1 of Battelino and others, Clinical Targets for CGM Data, 2019."""
    high_mg_dl: float = 250.0
    """Above it is high: 13.9 mmol/L, level 2 of the same."""
    high_ends_mg_dl: float = 234.0
    """13.0 mmol/L; project choice, so that a value at the limit does not come and go."""
    fast_mg_dl_per_min: float = 2.0
    """From it on a change is fast: the steep arrow of the displays in use (Klonoff and Kerr, 2017)."""
    low_over_min: float = 30.0
    """So long without a low value ends a low; twice the 15 min of Danne and others, 2017, as values come every 15."""
    again_min: float = 60.0
    """A warning is not given again sooner; project choice, and the time it is judged by (docs/detection/glucose.md)."""
    possible_mg_dl: tuple[float, float] = (10.8, 600.0)
    """0.6 to 33.3 mmol/L, what any meter here may say."""
    jump_mg_dl_per_min: float = 8.0
    """Faster than blood sugar moves; the fastest of 81,433 steps of 67 people is 5.0. Project choice."""
    jump_least_mg_dl: float = 30.0
    """A smaller step is noise of a sensor that is asked every minute. Project choice."""
    stuck_min: float = 240.0
    """So long at one value, a sensor does not measure. The longest run of 67 people is 150; project choice."""
    stuck_within_mg_dl: tuple[float, float] = (45.0, 390.0)
    """Below and above a sensor writes its own limit, again and again, and is right to."""
    gap_min: float = 35.0
    """A longer silence begins the history anew: one missing value of a sensor of 15 min is bridged."""
    warm_up_min: float = 30.0
    """So long after a silence nothing is forecast: three values of a sensor of 15 min."""
    pressed_fall_mg_dl: float = 27.0
    """Within 15 min, from calm, at night, to a low: somebody may lie on the sensor (Baysal and others, 2014)."""
    pressed_calm_mg_dl: float = 9.0
    """What is calm in the 45 min before."""
    night_from_min: float = 23 * 60.0
    """Of the day by the local clock."""
    night_to_min: float = 7 * 60.0
    """Of the day by the local clock."""
