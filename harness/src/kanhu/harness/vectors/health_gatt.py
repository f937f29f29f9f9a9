"""Health services of the Bluetooth SIG, without glucose, in the words of a vectors file."""

from collections.abc import Mapping
from decimal import Decimal
from enum import Enum, IntFlag

from kanhu.edge.codecs.battery import decode_battery_percent
from kanhu.edge.codecs.blood_pressure import CuffFrame, decode_blood_pressure, decode_cuff_frame, decode_cuff_pressure
from kanhu.edge.codecs.blood_pressure_enhanced import decode_enhanced_blood_pressure, decode_enhanced_cuff_pressure
from kanhu.edge.codecs.body_composition import decode_body_composition, decode_body_composition_feature
from kanhu.edge.codecs.date_time_fields import DateTimeFields, decode_date_time_fields
from kanhu.edge.codecs.heart_rate import decode_heart_rate
from kanhu.edge.codecs.ieee_float import decode_float
from kanhu.edge.codecs.pulse_oximeter import (
    Plx,
    PlxMeasurementStatus,
    PlxPair,
    PlxSensorStatus,
    decode_plx_continuous,
    decode_plx_features,
    decode_plx_spot_check,
)
from kanhu.edge.codecs.sfloat import decode_sfloat
from kanhu.edge.codecs.thermometer import TemperatureSite, decode_temperature, decode_temperature_type
from kanhu.edge.codecs.weight import KG_IN_ONE_LB, M_IN_ONE_INCH, ScaleUnits, decode_weight, decode_weight_feature
from kanhu.harness.vectors.vector import Adapter, Vector

__all__ = ["ADAPTERS"]

_MS_IN_ONE_S, _RR_IN_ONE_S = 1000, 1024


def _heart_rate(vector: Vector) -> Mapping[str, object]:
    record = decode_heart_rate(vector.frame)
    intervals = record.intervals_1024th_s
    return {
        "heart_rate_bpm": record.rate_bpm,
        "contact": record.contact,
        "energy_kj": record.energy_kj,
        "rr_1024": list(intervals) or None,
        "rr_ms": [Decimal(one * _MS_IN_ONE_S) / _RR_IN_ONE_S for one in intervals] or None,
    }


def _blood_pressure(vector: Vector) -> Mapping[str, object]:
    record = decode_blood_pressure(vector.frame)
    sent = decode_cuff_frame(vector.frame)
    systolic, diastolic, mean = sent.pressures
    return {
        "systolic": systolic,
        "diastolic": diastolic,
        "mean": mean,
        "systolic_mmhg": record.systolic_mmhg,
        "diastolic_mmhg": record.diastolic_mmhg,
        "irregular_pulse": record.irregular_pulse,
        "status": None
        if record.status is None
        else {
            "body_movement": record.body_moved,
            "cuff_too_loose": record.cuff_loose,
            "irregular_pulse": record.irregular_pulse,
            "pulse_range": sent.pulse_range,
            "improper_position": record.improper_position,
        },
        **_told(sent),
    }


def _cuff_pressure(vector: Vector) -> Mapping[str, object]:
    sent = decode_cuff_frame(vector.frame)
    return {
        "cuff_pressure": sent.pressures[0],
        "cuff_pressure_mmhg": decode_cuff_pressure(vector.frame),
        **_told(sent),
    }


def _told(sent: CuffFrame) -> Mapping[str, object]:
    return {
        "unit": sent.unit,
        "pulse_bpm": sent.pulse_bpm,
        "user_id": sent.user,
        "timestamp": _stamp(sent.sent_at),
        "status_raw": sent.status,
    }


def _enhanced_blood_pressure(vector: Vector) -> Mapping[str, object]:
    record = decode_enhanced_blood_pressure(vector.frame)
    return {
        "systolic_mmhg": record.systolic_mmhg,
        "diastolic_mmhg": record.diastolic_mmhg,
        "mean_mmhg": record.mean_mmhg,
        "pulse_bpm": record.pulse_bpm,
        "user_id": record.user,
        "status_raw": record.status,
    }


def _enhanced_cuff_pressure(vector: Vector) -> Mapping[str, object]:
    return {"cuff_pressure_mmhg": decode_enhanced_cuff_pressure(vector.frame)}


def _battery(vector: Vector) -> Mapping[str, object]:
    return {"battery_pct": decode_battery_percent(vector.frame)}


def _date_time(vector: Vector) -> Mapping[str, object]:
    return _stamp(decode_date_time_fields(vector.frame)) or {}


def _temperature(vector: Vector) -> Mapping[str, object]:
    record = decode_temperature(vector.frame)
    return {
        "temperature": record.temperature,
        "temperature_c": None if record.celsius is None else float(record.celsius),
        "unit": record.unit,
        "timestamp": _stamp(record.sent_at),
        **_site(record.site),
    }


def _temperature_type(vector: Vector) -> Mapping[str, object]:
    return _site(decode_temperature_type(vector.frame))


def _site(site: TemperatureSite | None) -> Mapping[str, object]:
    return {"type": _word(site), "type_raw": None if site is None else site.value}


def _spot_check(vector: Vector) -> Mapping[str, object]:
    return _plx(decode_plx_spot_check(vector.frame))


def _continuous(vector: Vector) -> Mapping[str, object]:
    return _plx(decode_plx_continuous(vector.frame))


def _plx(record: Plx) -> Mapping[str, object]:
    return {
        **_pair(record.normal, ""),
        **(_pair(record.fast, "_fast") if record.fast else {}),
        **(_pair(record.slow, "_slow") if record.slow else {}),
        "timestamp": _stamp(record.sent_at),
        "clock_not_set": record.clock_unset,
        "measurement_status_raw": None if record.measurement is None else int(record.measurement),
        "measurement_status": _flags(record.measurement, PlxMeasurementStatus),
        "device_status_raw": None if record.sensor is None else int(record.sensor),
        "device_status": _flags(record.sensor, PlxSensorStatus),
        "pulse_amplitude_index": record.amplitude_percent,
        "pulse_amplitude_index_pct": record.amplitude_percent,
    }


def _pair(pair: PlxPair, suffix: str) -> Mapping[str, object]:
    told = {"spo2": pair.spo2_percent, "spo2_pct": pair.spo2_percent, "pulse_bpm": pair.pulse_bpm}
    return {f"{name}{suffix}": value for name, value in told.items()}


def _plx_features(vector: Vector) -> Mapping[str, object]:
    return {"features_raw": int(decode_plx_features(vector.frame))}


def _weight(vector: Vector) -> Mapping[str, object]:
    record = decode_weight(vector.frame)
    return {
        "weight": _mass(record.weight_kg, record.units),
        "weight_kg": record.weight_kg,
        "unit": record.units,
        "timestamp": _stamp(record.sent_at),
        "user_id": record.user,
        "bmi": record.bmi,
        "height": _height(record.height_m, record.units),
        "height_m": record.height_m,
    }


def _weight_feature(vector: Vector) -> Mapping[str, object]:
    record = decode_weight_feature(vector.frame)
    return {
        "time_stamp": record.sends_time,
        "multiple_users": record.knows_users,
        "bmi": record.sends_bmi,
        "weight_resolution": record.weight_resolution,
        "height_resolution": record.height_resolution,
    }


def _body_composition(vector: Vector) -> Mapping[str, object]:
    record = decode_body_composition(vector.frame)
    masses = {
        "muscle_mass": record.muscle_mass_kg,
        "fat_free_mass": record.fat_free_mass_kg,
        "soft_lean_mass": record.soft_lean_mass_kg,
        "water_mass": record.water_mass_kg,
        "weight": record.weight_kg,
    }
    return {
        "body_fat_pct": record.body_fat_percent,
        "unit": record.units,
        "timestamp": _stamp(record.sent_at),
        "user_id": record.user,
        "basal_metabolism_kj": record.basal_metabolism_kj,
        "muscle_pct": record.muscle_percent,
        **{name: _mass(value, record.units) for name, value in masses.items()},
        **{f"{name}_kg": value for name, value in masses.items()},
        "impedance": record.impedance_ohm,
        "impedance_ohm": record.impedance_ohm,
        "height": _height(record.height_m, record.units),
        "height_m": record.height_m,
        "multiple_packet": record.in_several_packets,
    }


def _body_composition_feature(vector: Vector) -> Mapping[str, object]:
    record = decode_body_composition_feature(vector.frame)
    return {
        "time_stamp": record.sends_time,
        "multiple_users": record.knows_users,
        **dict.fromkeys(record.sends, True),
        "mass_resolution": record.mass_resolution,
        "height_resolution": record.height_resolution,
    }


def _float(vector: Vector) -> Mapping[str, object]:
    return {"value": decode_float(vector.frame, 0, field="value")}


def _sfloat(vector: Vector) -> Mapping[str, object]:
    return {"value": decode_sfloat(vector.frame, 0, field="value")}


def _mass(kg: Decimal | None, units: ScaleUnits) -> Decimal | None:
    """In the unit that the scale shows."""
    return kg / KG_IN_ONE_LB if kg is not None and units is ScaleUnits.IMPERIAL else kg


def _height(metres: Decimal | None, units: ScaleUnits) -> Decimal | None:
    """In metres, or inches where the scale shows those."""
    return metres / M_IN_ONE_INCH if metres is not None and units is ScaleUnits.IMPERIAL else metres


def _stamp(sent: DateTimeFields | None) -> Mapping[str, int | None] | None:
    names = ("year", "month", "day", "hour", "minute", "second")
    return None if sent is None else {name: getattr(sent, name) for name in names}


def _word(member: Enum | None) -> str | None:
    return None if member is None else member.name.lower().replace("_", " ")


def _flags(status: IntFlag | None, flags: type[IntFlag]) -> Mapping[str, bool] | None:
    return None if status is None else {flag.name.lower(): bool(status & flag) for flag in flags if flag.name}


ADAPTERS: Mapping[str, Adapter] = {
    "BLE HRS 0x2A37": _heart_rate,
    "BLE BLS 0x2A35*": _blood_pressure,
    "BLE BLS 0x2A36": _cuff_pressure,
    "BLE BLS 0x2B34": _enhanced_blood_pressure,
    "BLE BLS 0x2B35": _enhanced_cuff_pressure,
    "BLE BAS 0x2A19": _battery,
    "BLE DateTime 0x2A08": _date_time,
    "BLE HTS 0x2A1C": _temperature,
    "BLE HTS 0x2A1E": _temperature,
    "BLE HTS 0x2A1D": _temperature_type,
    "BLE PLX 0x2A5E": _spot_check,
    "BLE PLX 0x2A5F": _continuous,
    "BLE PLX 0x2A60": _plx_features,
    "BLE PLXS 0x2A5E": _spot_check,
    "BLE PLXS 0x2A5F": _continuous,
    "BLE PLXS 0x2A60": _plx_features,
    "BLE WSS 0x2A9D": _weight,
    "BLE WSS 0x2A9E": _weight_feature,
    "BLE BCS 0x2A9C": _body_composition,
    "BLE BCS 0x2A9B": _body_composition_feature,
    "IEEE-11073 FLOAT": _float,
    "IEEE-11073 SFLOAT": _sfloat,
}
