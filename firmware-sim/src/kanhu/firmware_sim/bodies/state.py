"""One moment of one person."""

import msgspec


class VitalState(msgspec.Struct, frozen=True):
    """True values; what a device makes of them is another matter."""

    heart_rate_bpm: float
    systolic_mmhg: float
    diastolic_mmhg: float
    spo2_percent: float
    respiration_per_min: float
    temperature_celsius: float
    glucose_mmol_l: float
    weight_kg: float
    activity: float
    """0 lies still, 1 works in the field."""
    asleep: bool
