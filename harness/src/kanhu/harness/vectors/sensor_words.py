"""Advertised quantities in the words of ble_monitor and of Theengs, whose keys do not collide: both are told always.

What a publisher estimates (a battery from its voltage, a length from three axes) is computed here in his way and is no
value of ours.
"""

import math
from decimal import Decimal

from kanhu.edge.codecs.advertised import Advertisement, Quantity
from kanhu.harness.vectors.vector import Vector

__all__ = ["address", "axes", "battery_of", "celsius", "whole"]

_NAMES = {
    "temperature_c": ("temperature",),
    "humidity_percent": ("humidity", "hum"),
    "battery_percent": ("battery", "batt"),
    "voltage_v": ("voltage", "volt"),
    "pressure_hpa": ("pressure", "pres"),
    "illuminance_lx": ("illuminance", "lux"),
    "carbon_dioxide_ppm": ("co2",),
    "pm25_ug_m3": ("pm2.5", "pm25"),
    "pm10_ug_m3": ("pm10",),
    "distance_mm": ("distance mm",),
    "transmit_power_dbm": ("tx power", "tx"),
    "movement_count": ("movement counter", "mov"),
    "pitch_degrees": ("pitch",),
    "roll_degrees": ("roll",),
    "magnet": ("magnetic field detected",),
    "battery_low": ("battery low",),
    "moving": ("moving",),
    "vibration": ("vibration",),
    "side": ("side",),
    "uptime_s": ("time",),
    "highest_at_s": ("time_max",),
    "lowest_at_s": ("time_min",),
    "output_on": ("switch",),
    "input_high": ("opening",),
    "entrance_count": ("in_ct",),
    "exit_count": ("out_ct",),
    "press_count": ("push_ct",),
}
_FLAGS = {
    "motion": ("motion",), "contact_open": ("open",), "light": ("light",), "led_on": ("led",),
    "scope_tested": ("scopetested",), "presence": ("motion",),
}  # fmt: skip  # a table reads by rows


def whole(vector: Vector, told: Advertisement) -> dict[str, object]:
    """All of an advertisement, with its sender and its counter."""
    packet = "no packet id" if told.packet is None else told.packet
    return {"packet": packet, **_told(told.values), **address(vector, told.address)}


def celsius(suffix: str, value: Decimal | None) -> dict[str, object]:
    """A temperature as Theengs tells it, twice."""
    if value is None:
        return {}
    return {f"tempc{suffix}": value, f"tempf{suffix}": value * Decimal("1.8") + 32}


def axes(told: Advertisement) -> dict[str, object]:
    """Three axes in thousandths of gravity, and their length."""
    found = [told.get(f"acceleration_{axis}_mg") for axis in "xyz"]
    known = [float(one) for one in found if one is not None]
    if len(known) != len(found):
        return {}
    names = {f"acceleration {axis}": value for axis, value in zip("xyz", found, strict=True)}
    return {**names, "acceleration": math.hypot(*known)}


def battery_of(volts: Decimal | None) -> dict[str, object]:
    """The battery as ble_monitor estimates it for a lithium cell."""
    if volts is None:
        return {}
    steps = (("3.00", "100", 0), ("2.60", "60", 100), ("2.50", "40", 200), ("2.45", "20", 400))
    for least, percent, slope in steps:
        if volts >= Decimal(least):
            return {"battery": round(Decimal(percent) + (volts - Decimal(least)) * slope, 1)}
    return {"battery": 0}


def address(vector: Vector, inside: bytes | None) -> dict[str, object]:
    """ble_monitor tells who sent it, Theengs what stands inside."""
    sender = vector.advertisement().address
    if str(vector.given.get("layer", "")).startswith("HCI"):
        return {} if sender is None else {"mac": sender.hex().upper()}
    shown = inside or sender
    return {} if shown is None else {"mac": shown.hex(":").upper()}


def _told(values: tuple[Quantity, ...]) -> dict[str, object]:
    """The values in the words of ble_monitor and of Theengs, where they give the plain value."""
    found: dict[str, object] = {}
    for one in values:
        found.update(dict.fromkeys(_NAMES.get(one.name, ()), one.value))
        found.update(dict.fromkeys(_FLAGS.get(one.name, ()), bool(one.value)))
        if one.name == "light":
            found["lightlevel"] = "bright" if one.value else "dark"
    for name, suffix in (("temperature_c", ""), ("highest_temperature_c", "_max"), ("lowest_temperature_c", "_min")):
        found |= celsius(suffix, next((one.value for one in values if one.name == name), None))
    return found
