"""What the oxygen detectors are set to: clinical limits and project choices, each with where it comes from."""

import msgspec

__all__ = ["OxygenSettings"]


class OxygenSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Saturation in per cent and points, times in seconds."""

    possible_percent: tuple[float, float] = (50.0, 100.0)
    """Oximeters of the home are not tested below 70, and say nothing of use below 50; project choice."""
    least_perfusion_percent: float = 0.3
    """Below it the pulse is too weak to be read. Project choice, near what makers of oximeters state."""
    drop_points: float = 4.0
    """Below the person's own baseline; project choice for spot readings, and the deeper of the two used at night."""
    back_within_points: float = 2.0
    """A drop is over where a session is so near the baseline; project choice."""
    session_s: float = 900.0
    """Readings so long after the first of a session belong to it; as sessions of NEWS2 here. Project choice."""
    session_readings: int = 3
    """Good readings that make a session; as the rule SPO2-LOW."""
    sessions_to_say: int = 2
    """Low sessions in a row: one is a cold hand. Project choice."""
    learning_sessions: int = 7
    """Before there is a baseline; project choice, about a week."""
    baseline_sessions: int = 28
    """Whose median is the baseline; project choice, about a month."""
    dip_points: tuple[float, float] = (3.0, 4.0)
    """Shallow and deep dips at night: the two in use (Berry and others, Rules for Scoring Respiratory Events, 2012)."""
    dip_least_s: float = 10.0
    """As an event of breathing in the same rules."""
    dip_ends_within_points: float = 1.0
    """Of what it fell from; project choice."""
    dip_longest_s: float = 180.0
    """Longer, it is a lower level and no dip; project choice."""
    before_s: float = 120.0
    """How far back the level that a dip is measured from looks; project choice."""
    before_least_s: float = 30.0
    """Good values that a level needs; project choice."""
    before_share: float = 0.8
    """The level is that quantile: in a row of dips the median would be their middle. Project choice."""
    silence_s: float = 10.0
    """Without a good value for so long a dip is not followed; project choice."""
    fastest_points_per_s: float = 4.0
    """Faster is a probe that moved (Magalang and others, Prediction of the Apnea-Hypopnea Index, 2003)."""
