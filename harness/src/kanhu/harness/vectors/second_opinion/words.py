"""What a library tells, in the words and units that the adapters tell ours in.

A word that is no value (labels, raw copies of the frame, the same number in another unit) is left out, and so is a
value that the library tells as none.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal

from kanhu.harness.vectors.nonin_nmea import moment_words

__all__ = ["SAME", "Said", "said_by"]


@dataclass(frozen=True, slots=True)
class Said:
    """One value in our unit."""

    value: object
    rounding: Decimal = Decimal(0)
    """Half a step of the last digit it is told with; 0 for whole numbers and for what is no number."""


_MILLI = Decimal("0.001")
_MG_IN_M_S2 = 1000 / Decimal("9.80665")
_COARSEST = Decimal("0.005")
"""Libraries round to two digits behind the point; one that tells fewer states the value exactly."""
_MOST_DIGITS = 9  # behind the point; further ones are of the arithmetic, not of the device

SAME: Mapping[str, str] = {
    "tempc": "temperature", "hum": "humidity", "batt": "battery", "volt": "voltage", "pres": "pressure",
    "lux": "illuminance", "carbon dioxide": "co2", "pm25": "pm2.5", "moi": "moisture", "tx": "tx power",
    "door": "open", "mov": "movement counter", "txpower": "measured power", "dew point": "dewpoint",
    "mass": "weight_kg", "heart_rate_bpm": "heart rate", "impedance_ohm": "impedance",
}  # fmt: skip  # a table reads by rows
"""Words of one meaning, each with the one it is told by."""

_UNITS: Mapping[str, Mapping[str, tuple[str, Decimal]]] = {
    "ruuvitag-ble": {
        "Voltage": ("voltage", _MILLI),
        **{f"Acceleration {axis}": (f"acceleration {axis.lower()}", _MG_IN_M_S2) for axis in "XYZ"},
    },
    "ruuvitag-sensor": {"battery": ("voltage", _MILLI)},
}
"""By library and its word: our word, and what its unit is in ours."""

_RENAMED: Mapping[str, Mapping[str, str]] = {
    "ruuvitag-sensor": {"measurement_sequence_number": "seq"},
    "PySwitchbot": {
        "tested": "scopetested", "motion_detected": "motion", "is_light": "light", "contact_open": "open",
        "button_count": "push_ct",
    },
    "bluetooth-sig": {
        "heart_rate": "heart_rate_bpm", "energy_expended": "energy_kj", "rr_intervals": "rr_s",
        "mean_arterial_pressure": "mean", "current_cuff_pressure": "cuff_pressure", "pulse_rate": "pulse_bpm",
        "measurement_status": "status_raw", "sensor_status": "status_raw", "sequence_number": "sequence",
        "glucose_concentration": "concentration", "time_offset_minutes": "time_offset_min",
        "time_offset": "time_offset_min", "quality": "quality_pct", "trend_information": "trend_mg_dl_per_min",
        "cal_temp_octet": "caltemp_octet",
    },
}  # fmt: skip  # a table reads by rows
_NO_VALUES: Mapping[str, frozenset[str]] = {
    "TheengsDecoder": frozenset(
        {"brand", "model", "model_id", "type", "cidc", "acts", "cont", "track", "device", "mfid"}
    ),
    "PySwitchbot": frozenset({"temp", "fahrenheit", "iot", "light_intensity", "sense_distance", "contact_timeout"}),
    "aranet4": frozenset({"type"}),
    "ruuvitag-ble": frozenset({"Acceleration Total"}),
    "ruuvitag-sensor": frozenset({"data_format", "rssi", "identifier"}),
    "bluetooth-sig": frozenset({"flags", "size", "unit", "min_length", "max_length"}),
}
"""`unit` of bluetooth-sig is a constant of its class, not what the frame says."""
_ONE_VALUE = {"2A19": "battery_pct", "2A1D": "type_raw", "FLOAT": "value", "SFLOAT": "value"}
_ANSWERS = {("2A52", 6), ("2AAC", 28)}
"""Control points, by the code in front of an answer: the request it answers stands behind."""
_NUMBER_OF_RECORDS = ("2A52", 5)
_LISTS_OF = {"2AA7": {"concentration": "glucose_mg_dl"}}
_MOMENTS: Mapping[str, Callable[[str], object]] = {
    "timestamp": time.fromisoformat, "datestamp": date.fromisoformat, "datetime": datetime.fromisoformat,
}  # fmt: skip  # a table reads by rows
_MOMENT_PARTS = ("year", "month", "day", "hour", "minute", "second")


def said_by(library: str, told: Mapping[str, object], *, value: object = None) -> dict[str, Said]:
    """By our words; `value` is which characteristic or number was asked about."""
    if library == "bluetooth-sig":
        return _of_characteristic(told, str(value))
    found: dict[str, Said] = {}
    for word, one in told.items():
        if one is None or word in _NO_VALUES.get(library, ()):
            continue
        ours, unit = _UNITS.get(library, {}).get(word, (_RENAMED.get(library, {}).get(word, word), Decimal(1)))
        if library == "ruuvitag-sensor":
            ours = ours.replace("_", " ")
        moment = _MOMENTS.get(word) if library == "pynmea2" else None
        found[ours] = _said(one, unit) if moment is None else Said(moment_words(moment(str(one))))
    return found


def _said(value: object, unit: Decimal = Decimal(1)) -> Said:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return Said(value)
    number = Decimal(str(value))
    exponent = number.as_tuple().exponent
    digits = -exponent if isinstance(exponent, int) else 0
    half = min(Decimal(5).scaleb(-digits - 1), _COARSEST) if 0 < digits <= _MOST_DIGITS else Decimal(0)
    return Said(number * unit, half * unit)


def _of_characteristic(told: Mapping[str, object], value: str) -> dict[str, Said]:
    if set(told) == {"value"}:
        if value == "2A08":
            return {part: Said(one) for part, one in _parts(told["value"]).items()}
        return {_ONE_VALUE[value]: _said(told["value"])} if value in _ONE_VALUE else {}
    if "opcode" in told:
        return _of_control_point(told, value)
    found: dict[str, Said] = {}
    for word, one in told.items():
        if one is None or one == [] or word in _NO_VALUES["bluetooth-sig"]:
            continue
        ours = _RENAMED["bluetooth-sig"].get(word, word)
        if word == "optional_fields" and isinstance(one, Mapping):
            found |= _of_characteristic(one, value)
        elif word in {"timestamp", "base_time"}:
            found[word] = Said(_parts(one))
        elif word == "sensor_contact":
            found["contact"] = Said({1: False, 2: True}.get(one) if isinstance(one, int) else None)
        elif word == "records" and isinstance(one, list):
            found["records"] = Said([_record(record, value) for record in one])
        elif ours == "rr_s" and isinstance(one, list):
            found["rr_ms"] = Said([Decimal(str(each)) * 1000 for each in one])
        else:
            found[ours] = _said(one)
    return found


def _of_control_point(told: Mapping[str, object], value: str) -> dict[str, Said]:
    operand = bytes.fromhex(str(told["operand"]))
    if (value, told["opcode"]) == _NUMBER_OF_RECORDS:
        return {"number_of_records": Said(int.from_bytes(operand, "little"))}
    return {"response_to": Said(operand[0])} if operand and (value, told["opcode"]) in _ANSWERS else {}


def _record(record: Mapping[str, object], value: str) -> Mapping[str, object]:
    names = _LISTS_OF.get(value, {})
    return {names.get(word, word): said.value for word, said in _of_characteristic(record, value).items()}


def _parts(text: object) -> Mapping[str, int]:
    at = datetime.fromisoformat(str(text))
    return {part: getattr(at, part) for part in _MOMENT_PARTS}
