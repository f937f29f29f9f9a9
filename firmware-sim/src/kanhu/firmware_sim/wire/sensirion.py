"""Sensirion gadgets: manufacturer data of company 0x06D5, a number of the sample's type, then words, little endian."""

import struct
from collections.abc import Mapping
from decimal import ROUND_HALF_UP, Decimal

_SAMPLES = {
    3: ("t", "rh", "voc"), 4: ("t", "rh"), 6: ("t", "rh_wide"), 8: ("t", "rh", "co2"), 10: ("t", "rh", "co2"),
    12: ("t", "rh", "co2", "pm25_coarse"), 14: ("t", "rh", "hcho"), 16: ("t", "rh", "voc", "pm25_coarse"),
    20: ("t", "rh", "co2", "voc", "pm25_coarse", "hcho"), 22: ("t", "rh", "voc", "nox"),
    24: ("t", "rh", "voc", "nox", "pm25"), 26: ("t", "rh", "co2", "voc", "nox", "pm25"),
    28: ("t", "rh", "co2", "pm25"), 30: ("t", "rh", "voc", "pm25"), 32: ("t", "rh", "co2", "voc", "pm25", "hcho"),
    34: ("pm1", "pm25", "pm4", "pm10"), 36: ("co2",), 38: ("velocity", "t"),
}  # fmt: skip  # a table reads by rows
SAMPLE_TYPES = tuple(_SAMPLES)
_QUANTITY = {"rh_wide": "rh", "pm25_coarse": "pm25"}


def sensirion_gadget(sample_type: int, device: int, values: Mapping[str, Decimal]) -> bytes:
    """One sample of what its type has of `t` (C), `rh` (%), `co2`, `hcho` (ppb), `pm25` (ug/m3), `velocity` (m/s)."""
    words = [_word(slot, values[_QUANTITY.get(slot, slot)]) for slot in _SAMPLES[sample_type]]
    return struct.pack(f"<BBH{len(words)}H", 0, sample_type, device, *words)


def _word(slot: str, value: Decimal) -> int:
    raw = value
    if slot == "t":
        raw = (value + 45) / 175 * 65535
    elif slot == "rh":
        raw = value / 100 * 65535
    elif slot == "rh_wide":
        raw = (value + 6) * 65535 / 125
    elif slot == "pm25_coarse":
        raw = value / 1000 * 65535
    elif slot.startswith("pm"):
        raw = value * 10
    elif slot == "hcho":
        raw = value * 5
    elif slot == "velocity":
        raw = value / 1024 * 65535
    return int(raw.to_integral_value(ROUND_HALF_UP))
