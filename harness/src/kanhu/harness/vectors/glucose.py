"""Glucose meters and monitors, their checks, and cuffs with a private format, in the words of a vectors file."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from enum import Enum, IntFlag

from kanhu.contract import Meal
from kanhu.edge.codecs.cgm import (
    CgmMeasurement,
    CgmStatus,
    decode_cgm_feature,
    decode_cgm_measurements,
    decode_cgm_run_time_h,
    decode_cgm_session_start,
    decode_cgm_status,
)
from kanhu.edge.codecs.cgm_control import (
    CgmAnswer,
    CgmControl,
    CgmInterval,
    CgmLevel,
    CgmOperation,
    CgmResponseCode,
    decode_cgm_control,
)
from kanhu.edge.codecs.crc import E2eCrc, crc16_ccitt_false, crc16_mcrf4xx
from kanhu.edge.codecs.glucose import GlucoseStatus, decode_glucose
from kanhu.edge.codecs.glucose_context import decode_glucose_context
from kanhu.edge.codecs.microlife import decode_microlife, decode_microlife_records
from kanhu.edge.codecs.omron_record import OmronLayout, decode_omron_record
from kanhu.edge.codecs.record_access import RecordCount, ResponseCode, decode_record_access
from kanhu.edge.codecs.yonker import decode_yonker
from kanhu.harness.vectors.vector import Adapter, Vector

__all__ = ["ADAPTERS"]

_UNIX_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

_MEALS = {
    Meal.BEFORE: "preprandial",
    Meal.AFTER: "postprandial",
    Meal.FASTING: "fasting",
    Meal.CASUAL: "casual",
    Meal.BEDTIME: "bedtime",
}
_RECORD_ACCESS = {
    ResponseCode.SUCCESS: ("result", "success"),
    ResponseCode.NO_RECORDS: ("result", "no records found"),
    ResponseCode.OPERATION_UNSUPPORTED: ("error", "op code not supported"),
    ResponseCode.BAD_OPERATOR: ("error", "invalid operator"),
    ResponseCode.OPERATOR_UNSUPPORTED: ("error", "operator not supported"),
    ResponseCode.BAD_OPERAND: ("error", "invalid operand"),
    ResponseCode.ABORT_FAILED: ("error", "abort unsuccessful"),
    ResponseCode.NOT_COMPLETED: ("error", "procedure not completed"),
    ResponseCode.OPERAND_UNSUPPORTED: ("error", "operand not supported"),
}
_CGM_CONTROL = {
    CgmResponseCode.SUCCESS: ("result", "success"),
    CgmResponseCode.OPERATION_UNSUPPORTED: ("error", "op code not supported"),
    CgmResponseCode.BAD_OPERAND: ("error", "invalid operand"),
    CgmResponseCode.NOT_COMPLETED: ("error", "procedure not completed"),
    CgmResponseCode.OUT_OF_RANGE: ("error", "parameter out of range"),
}
_CGM_LEVELS = {
    CgmOperation.PATIENT_HIGH: "patient_high_alert_mg_dl",
    CgmOperation.PATIENT_LOW: "patient_low_alert_mg_dl",
    CgmOperation.HYPO: "hypo_alert_mg_dl",
    CgmOperation.HYPER: "hyper_alert_mg_dl",
    CgmOperation.FALL_RATE: "rate_of_decrease_alert_mg_dl_per_min",
    CgmOperation.RISE_RATE: "rate_of_increase_alert_mg_dl_per_min",
}
_CGM_STATUS = {
    "session_stopped": CgmStatus.SESSION_STOPPED,
    "device_battery_low": CgmStatus.BATTERY_LOW,
    "sensor_type_incorrect": CgmStatus.SENSOR_TYPE,
    "sensor_malfunction": CgmStatus.SENSOR_MALFUNCTION,
    "device_specific_alert": CgmStatus.DEVICE_ALERT,
    "general_device_fault": CgmStatus.GENERAL_FAULT,
    "time_sync_required": CgmStatus.TIME_SYNC_REQUIRED,
    "calibration_not_allowed": CgmStatus.CALIBRATION_NOT_ALLOWED,
    "calibration_recommended": CgmStatus.CALIBRATION_RECOMMENDED,
    "calibration_required": CgmStatus.CALIBRATION_REQUIRED,
    "sensor_temperature_too_high": CgmStatus.TOO_HOT,
    "sensor_temperature_too_low": CgmStatus.TOO_COLD,
    "below_patient_low": CgmStatus.BELOW_PATIENT_LOW,
    "above_patient_high": CgmStatus.ABOVE_PATIENT_HIGH,
    "below_hypo": CgmStatus.BELOW_HYPO,
    "above_hyper": CgmStatus.ABOVE_HYPER,
    "rate_of_decrease_exceeded": CgmStatus.FALLS_FAST,
    "rate_of_increase_exceeded": CgmStatus.RISES_FAST,
    "below_device_range": CgmStatus.BELOW_RANGE,
    "above_device_range": CgmStatus.ABOVE_RANGE,
}


def _glucose(vector: Vector) -> Mapping[str, object]:
    record = decode_glucose(vector.frame)
    return {
        "sequence": record.sequence,
        "base_time": _stamp(record.base_time_ms),
        "time_offset_min": record.time_offset_min,
        "concentration": record.concentration,
        "unit": record.unit and record.unit.value,
        "type": _word(record.sample),
        "location": _word(record.site),
        "status_raw": None if record.status is None else int(record.status),
        "status": None if record.status is None else _flags(record.status, _named(GlucoseStatus)),
        "context_follows": record.context_follows,
        "mmol_l": record.mmol_per_l,
        "beyond": _word(record.beyond),
        "control_solution": record.is_control,
    }


def _context(vector: Vector) -> Mapping[str, object]:
    record = decode_glucose_context(vector.frame)
    told: dict[str, object] = {
        "carbohydrate": _word(record.carbohydrate),
        "carbohydrate_amount": record.carbohydrate_kg,
        "meal": record.meal and _MEALS[record.meal],
        "tester": _word(record.tester),
        "health": _word(record.health),
        "exercise_duration_s": record.exercise_s,
        "exercise_intensity_pct": record.exercise_percent,
        "medication": _word(record.medication),
        "medication_amount": record.medication_amount,
        "medication_unit": record.medication_unit and record.medication_unit.value,
        "hba1c_pct": record.hba1c_percent,
    }
    everything = None if all(value is None for value in told.values()) else told
    return {"sequence": record.sequence, "everything_else": everything, **told}


def _record_access(vector: Vector) -> Mapping[str, object]:
    answer = decode_record_access(vector.frame)
    if isinstance(answer, RecordCount):
        return {"number_of_records": answer.records}
    key, word = _RECORD_ACCESS[answer.code]
    return {"response_to": answer.request, key: word}


def _cgm_measurement(vector: Vector) -> Mapping[str, object]:
    return {"records": [_cgm_record(record) for record in decode_cgm_measurements(vector.frame, crc=E2eCrc.BY_LENGTH)]}


def _cgm_record(record: CgmMeasurement) -> Mapping[str, object]:
    status, calibration, warning = int(record.status).to_bytes(3, "little")
    return {
        "glucose_mg_dl": record.glucose_mg_per_dl,
        "time_offset_min": record.time_offset_min,
        "trend_mg_dl_per_min": record.trend_mg_per_dl_per_min,
        "quality_pct": record.quality_percent,
        "status_octet": status,
        "caltemp_octet": calibration,
        "warning_octet": warning,
        "crc_ok": record.has_crc or None,
        "beyond": _word(record.beyond),
    }


def _cgm_status(vector: Vector) -> Mapping[str, object]:
    record = decode_cgm_status(vector.frame, crc=E2eCrc.BY_LENGTH)
    return {
        "time_offset_min": record.time_offset_min,
        "crc_ok": record.has_crc or None,
        **_flags(record.status, _CGM_STATUS),
    }


def _cgm_feature(vector: Vector) -> Mapping[str, object]:
    record = decode_cgm_feature(vector.frame)
    return {
        "features_raw": record.features,
        "e2e_crc": record.crc is E2eCrc.PRESENT,
        "type": _word(record.sample),
        "location": _word(record.site),
    }


def _cgm_session_start(vector: Vector) -> Mapping[str, object]:
    record = decode_cgm_session_start(vector.frame, crc=E2eCrc.BY_LENGTH)
    return {
        "start_time": _stamp(record.local_ms),
        "time_zone_min": record.zone_min,
        "dst_offset_min": record.daylight_min,
    }


def _cgm_run_time(vector: Vector) -> Mapping[str, object]:
    return {"run_time_h": decode_cgm_run_time_h(vector.frame, crc=E2eCrc.BY_LENGTH)}


def _cgm_control(vector: Vector) -> Mapping[str, object]:
    record = decode_cgm_control(vector.frame, crc=E2eCrc.BY_LENGTH)
    return {"crc_ok": record.has_crc or None, **_cgm_told(record)}


def _cgm_told(record: CgmControl) -> Mapping[str, object]:
    if isinstance(record, CgmAnswer):
        key, word = _CGM_CONTROL[record.code]
        return {"response_to": record.request, key: word}
    if isinstance(record, CgmInterval):
        return {"communication_interval_min": record.interval_min}
    if isinstance(record, CgmLevel):
        return {_CGM_LEVELS[record.operation]: record.level}
    return {
        "glucose_mg_dl": record.glucose_mg_per_dl,
        "time_offset_min": record.time_offset_min,
        "type": _word(record.sample),
        "location": _word(record.site),
        "next_calibration_min": record.next_time_offset_min,
        "record_number": record.record,
        "status_raw": record.status,
    }


def _crc(compute: Callable[[bytes], int]) -> Adapter:
    return lambda vector: {"crc16": f"{compute(vector.frame):04x}"}


def _omron(vector: Vector) -> Mapping[str, object]:
    layout = OmronLayout.BIG if "big" in vector.protocol else OmronLayout.LITTLE
    record = decode_omron_record(vector.frame, layout=layout)
    at_ms = record.measured_at_ms
    return {
        "systolic_mmHg": record.systolic_mmhg,
        "diastolic_mmHg": record.diastolic_mmhg,
        "pulse_bpm": record.pulse_bpm,
        "timestamp": None if at_ms is None else _moment(at_ms).strftime("%Y-%m-%dT%H:%M:%S"),
        "irregular_pulse": record.irregular_pulse,
        "body_movement": record.body_moved,
        "record_id": record.sequence,
    }


def _yonker(vector: Vector) -> Mapping[str, object]:
    record = decode_yonker(vector.frame)
    return {
        "systolic": record.systolic_mmhg,
        "diastolic": record.diastolic_mmhg,
        "pulse_bpm": record.pulse_bpm,
        "timestamp": _stamp(record.measured_at_ms),
    }


def _microlife(vector: Vector) -> Mapping[str, object]:
    payload = decode_microlife(vector.frame)
    records = [
        {
            "systolic": record.systolic_mmhg,
            "diastolic": record.diastolic_mmhg,
            "pulse_bpm": record.pulse_bpm,
            "timestamp": _stamp(record.measured_at_ms),
        }
        for record in decode_microlife_records(payload)
    ]
    return {"payload": list(payload), "checksum_ok": True, "records": records}


def _moment(local_ms: int) -> datetime:
    return _UNIX_EPOCH + timedelta(milliseconds=local_ms)


def _stamp(local_ms: int | None) -> Mapping[str, int] | None:
    if local_ms is None:
        return None
    at = _moment(local_ms)
    return {name: getattr(at, name) for name in ("year", "month", "day", "hour", "minute", "second")}


def _word(member: Enum | None) -> str | None:
    """A name in plain words: LONG_ACTING_INSULIN is told as "long acting insulin"."""
    return None if member is None else member.name.lower().replace("_", " ")


def _named(flags: type[IntFlag]) -> Mapping[str, IntFlag]:
    return {flag.name.lower(): flag for flag in flags if flag.name}


def _flags(status: IntFlag, names: Mapping[str, IntFlag]) -> Mapping[str, bool]:
    return {name: bool(status & flag) for name, flag in names.items()}


ADAPTERS: Mapping[str, Adapter] = {
    "BLE GLS 0x2A18": _glucose,
    "BLE GLS 0x2A34": _context,
    "BLE RACP 0x2A52": _record_access,
    "BLE CGMS 0x2AA7": _cgm_measurement,
    "BLE CGMS 0x2AA8": _cgm_feature,
    "BLE CGMS 0x2AA9": _cgm_status,
    "BLE CGMS 0x2AAA": _cgm_session_start,
    "BLE CGMS 0x2AAB": _cgm_run_time,
    "BLE CGMS 0x2AAC": _cgm_control,
    "E2E-CRC (CRC-16/MCRF4XX)": _crc(crc16_mcrf4xx),
    "CRC-16/CCITT-FALSE": _crc(crc16_ccitt_false),
    "LifeScan CRC-CCITT": _crc(crc16_ccitt_false),
    "Omron EEPROM*": _omron,
    "Yonker BP": _yonker,
    "Microlife BP response": _microlife,
}
