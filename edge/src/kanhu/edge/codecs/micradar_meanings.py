"""What the messages of MicRadar's radars mean, by control and command.

R60ABD1 user manual V3.0 as read by ZyoungInc/R60ABD1_Driver@055eaac; MR60BHA1 limengdu/Seeed-Studio-MR60BHA1-Sensor
@1c54c42; MR60FDA1 Seeed's wiki and DuncanIdahoCT/espresence-mr60fda1-mmwave-sensor@71ca55f; MR24HPC1 esphome@33fdbbe.
Numbers are big endian.
"""

from collections.abc import Callable
from decimal import Decimal
from typing import NamedTuple

from kanhu.edge.codecs.radar_report import Value
from kanhu.edge.errors import DecodeError, DecodeReason

_SYSTEM, _PRODUCT, _WORK, _RANGE, _UNDERLYING = 0x01, 0x02, 0x05, 0x07, 0x08
_PRESENCE, _BREATH, _FALL, _SLEEP, _HEART = 0x80, 0x81, 0x83, 0x84, 0x85

_MOST_BREATHS = 35  # the manual's range; 0 stands for none
_MOST_BEATS = 120

Read = Callable[[str, bytes], Value]


class Field(NamedTuple):
    """One value in the data of a message; a width of 0 takes them all."""

    name: str
    read: Read
    start: int = 0
    width: int = 1


class Meaning(NamedTuple):
    """One message."""

    name: str
    fields: tuple[Field, ...] = ()


def meaning_of(control: int, command: int) -> Meaning | None:
    """What a report, a command, a query or an answer is about; None where no table that was read names it."""
    found = _MEANINGS.get((control, command))
    if found is not None:
        return found
    return _MEANINGS.get((control, _ASKED.get((control, command), command & 0x7F)))


def _number(name: str, data: bytes) -> Value:
    del name
    return int.from_bytes(data, "big")


def _percent(name: str, data: bytes) -> Value:
    return _at_most(name, data, 100)


def _breaths(name: str, data: bytes) -> Value:
    return _rate(name, data, _MOST_BREATHS)


def _beats(name: str, data: bytes) -> Value:
    return _rate(name, data, _MOST_BEATS)


def _rate(name: str, data: bytes, most: int) -> int | None:
    if data[0] > most:
        raise DecodeError(DecodeReason.INFINITE, f"{name}: {data[0]} is above {most}")
    return data[0] or None


def _at_most(name: str, data: bytes, most: int) -> int:
    if data[0] > most:
        raise DecodeError(DecodeReason.RESERVED_VALUE, f"{name}: {data[0]} is above {most}")
    return data[0]


def _flag(name: str, data: bytes) -> Value:
    return bool(_at_most(name, data, 1))


def _is_set(name: str, data: bytes) -> Value:
    """A fall that is told by another number than 1 is a fall still."""
    del name
    return data[0] != 0


def _half_metres(name: str, data: bytes) -> Value:
    del name
    return data[0] * Decimal("0.5")


def _half_metres_a_second(name: str, data: bytes) -> Value:
    """Ten stands for none; whether above is towards or away no source says."""
    del name
    return (data[0] - 10) * Decimal("0.5")


def _samples(name: str, data: bytes) -> Value:
    del name
    return tuple(data)


def _text(name: str, data: bytes) -> Value:
    del name
    return data.rstrip(b"\0").decode("ascii", errors="replace")


def _centimetres(name: str, data: bytes) -> Value:
    """A sign bit, and a magnitude of which 14 bits are used."""
    word = int.from_bytes(data, "big")
    if word & 0x4000:
        raise DecodeError(DecodeReason.RESERVED_VALUE, f"{name}: 0x{word:04X}")
    return -(word & 0x3FFF) if word & 0x8000 else word


def _words(*words: str) -> Read:
    def read(name: str, data: bytes) -> Value:
        return words[_at_most(name, data, len(words) - 1)]

    return read


_NOT_BREATHING = _words("", "normal", "high", "low", "none")


def _breath_state(name: str, data: bytes) -> Value:
    if not data[0]:
        raise DecodeError(DecodeReason.RESERVED_VALUE, f"{name}: 0")
    return _NOT_BREATHING(name, data)


_sleep = _words("deep", "light", "awake", "none")
_away = _words("none", "close", "away")
_state = _words("none", "normal", "abnormal")
_absence = _words("none", "10 s", "30 s", "1 min", "2 min", "5 min", "10 min", "30 min", "60 min")


def _one(name: str, field: str, read: Read, width: int = 1) -> Meaning:
    return Meaning(name, (Field(field, read, 0, width),))


_SUMMARY = (
    Field("was_present", _flag, 0), Field("sleep", _sleep, 1), Field("average_respiration_per_min", _breaths, 2),
    Field("average_heart_bpm", _beats, 3), Field("turns", _number, 4), Field("large_movement_percent", _percent, 5),
    Field("small_movement_percent", _percent, 6), Field("apnoeas", _number, 7),
)  # fmt: skip  # a table reads by rows
_NIGHT = (
    Field("sleep_score", _percent, 0), Field("total_min", _number, 1, 2), Field("awake_percent", _percent, 3),
    Field("light_percent", _percent, 4), Field("deep_percent", _percent, 5), Field("out_of_bed_min", _number, 6),
    Field("out_of_bed_times", _number, 7), Field("turns", _number, 8),
    Field("average_respiration_per_min", _breaths, 9), Field("average_heart_bpm", _beats, 10),
    Field("apnoeas", _number, 11),
)  # fmt: skip  # a table reads by rows
_POSITION = (
    Field("x_cm", _centimetres, 0, 2), Field("y_cm", _centimetres, 2, 2), Field("z_cm", _centimetres, 4, 2)
)  # fmt: skip  # a table reads by rows
_ENERGY = (
    Field("static_energy", _number, 0), Field("static_distance_m", _half_metres, 1),
    Field("motion_energy", _number, 2), Field("motion_distance_m", _half_metres, 3),
    Field("speed_m_per_s", _half_metres_a_second, 4),
)  # fmt: skip  # a table reads by rows

_MEANINGS: dict[tuple[int, int], Meaning] = {
    (_SYSTEM, 0x01): Meaning("heartbeat"),
    (_SYSTEM, 0x02): Meaning("reset"),
    (_PRODUCT, 0xA1): _one("product model", "product_model", _text, 0),
    (_PRODUCT, 0xA2): _one("product id", "product_id", _text, 0),
    (_PRODUCT, 0xA3): _one("hardware model", "hardware_model", _text, 0),
    (_PRODUCT, 0xA4): _one("firmware version", "firmware_version", _text, 0),
    (_WORK, 0x01): _one("initialisation", "initialised", _is_set),
    (_WORK, 0x07): _one("scene", "scene", _number),
    (_WORK, 0x08): _one("sensitivity", "sensitivity", _number),
    (_WORK, 0x09): _one("custom mode", "custom_mode", _number),
    (_WORK, 0x0A): Meaning("custom mode end"),
    (_RANGE, 0x07): _one("detection range", "in_range", _flag),
    (_UNDERLYING, 0x00): _one("underlying switch", "enabled", _flag),
    (_UNDERLYING, 0x01): Meaning("underlying information", _ENERGY),
    (_UNDERLYING, 0x81): _one("static energy", "static_energy", _number),
    (_UNDERLYING, 0x82): _one("motion energy", "motion_energy", _number),
    (_UNDERLYING, 0x83): _one("static distance", "static_distance_m", _half_metres),
    (_UNDERLYING, 0x84): _one("motion distance", "motion_distance_m", _half_metres),
    (_UNDERLYING, 0x85): _one("speed", "speed_m_per_s", _half_metres_a_second),
    (_UNDERLYING, 0x06): _one("keep away", "approach", _away),
    (_UNDERLYING, 0x07): _one("body movement", "body_movement", _percent),
    (_UNDERLYING, 0x08): _one("existence threshold", "existence_threshold", _number),
    (_UNDERLYING, 0x09): _one("motion threshold", "motion_threshold", _number),
    (_UNDERLYING, 0x0A): _one("existence boundary", "existence_boundary_m", _half_metres),
    (_UNDERLYING, 0x0B): _one("motion boundary", "motion_boundary_m", _half_metres),
    (_UNDERLYING, 0x0C): _one("motion trigger time", "motion_trigger_ms", _number, 4),
    (_UNDERLYING, 0x0D): _one("motion to rest time", "motion_to_rest_ms", _number, 4),
    (_UNDERLYING, 0x0E): _one("custom unmanned time", "unmanned_ms", _number, 4),
    (_PRESENCE, 0x00): _one("presence switch", "enabled", _flag),
    (_PRESENCE, 0x01): _one("presence", "present", _flag),
    (_PRESENCE, 0x02): _one("motion", "motion", _words("none", "still", "active")),
    (_PRESENCE, 0x03): _one("body movement", "body_movement", _percent),
    (_PRESENCE, 0x04): _one("distance", "distance_cm", _number, 2),
    (_PRESENCE, 0x05): Meaning("position", _POSITION),
    (_PRESENCE, 0x0A): _one("unmanned time", "unmanned_time", _absence),
    (_PRESENCE, 0x0B): _one("keep away", "approach", _away),
    (_BREATH, 0x00): _one("breath switch", "enabled", _flag),
    (_BREATH, 0x01): _one("breath state", "breath_state", _breath_state),
    (_BREATH, 0x02): _one("breath rate", "respiration_per_min", _breaths),
    (_BREATH, 0x05): _one("breath waveform", "breath_wave", _samples, 5),
    (_BREATH, 0x0B): _one("low breath threshold", "low_respiration_per_min", _number),
    (_FALL, 0x00): _one("fall switch", "enabled", _flag),
    (_FALL, 0x01): _one("fall", "fall", _is_set),
    (_FALL, 0x05): _one("stationary stay", "stationary", _flag),
    (_FALL, 0x0D): _one("fall sensitivity", "sensitivity", _number),
    (_SLEEP, 0x00): _one("sleep switch", "enabled", _flag),
    (_SLEEP, 0x01): _one("bed", "bed", _words("left bed", "in bed", "none")),
    (_SLEEP, 0x02): _one("sleep state", "sleep", _sleep),
    (_SLEEP, 0x03): _one("awake time", "awake_min", _number, 2),
    (_SLEEP, 0x04): _one("light sleep time", "light_min", _number, 2),
    (_SLEEP, 0x05): _one("deep sleep time", "deep_min", _number, 2),
    (_SLEEP, 0x06): _one("sleep score", "sleep_score", _percent),
    (_SLEEP, 0x0C): Meaning("sleep summary", _SUMMARY),
    (_SLEEP, 0x0D): Meaning("night report", _NIGHT),
    (_SLEEP, 0x0E): _one("sleep anomaly", "sleep_anomaly", _words("under 4 h", "over 12 h", "long absence", "none")),
    (_SLEEP, 0x0F): _one("sleep mode", "mode", _words("real time", "sleep")),
    (_SLEEP, 0x10): _one("sleep rating", "rating", _words("none", "good", "average", "poor")),
    (_SLEEP, 0x11): _one("struggle", "struggle", _state),
    (_SLEEP, 0x12): _one("no one timer", "no_one", _state),
    (_SLEEP, 0x13): _one("struggle switch", "enabled", _flag),
    (_SLEEP, 0x14): _one("no one switch", "enabled", _flag),
    (_SLEEP, 0x15): _one("no one time", "no_one_min", _number),
    (_SLEEP, 0x16): _one("sleep end time", "sleep_end_min", _number),
    (_SLEEP, 0x1A): _one("struggle sensitivity", "sensitivity", _words("low", "middle", "high")),
    (_HEART, 0x00): _one("heart switch", "enabled", _flag),
    (_HEART, 0x02): _one("heart rate", "heart_bpm", _beats),
    (_HEART, 0x05): _one("heart waveform", "heart_wave", _samples, 5),
}

# Queries and answers that are not the report's number with bit 7 set.
_ASKED: dict[tuple[int, int], int] = {
    (_SYSTEM, 0x80): 0x01,
    (_SLEEP, 0x8C): 0x0F,
    (_SLEEP, 0x8D): 0x0C,
    (_SLEEP, 0x8F): 0x0D,
}
