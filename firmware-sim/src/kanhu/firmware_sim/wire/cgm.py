"""Bluetooth SIG Continuous Glucose Monitoring: measurement 0x2AA7, feature 0x2AA8, status 0x2AA9, session.

Every value may end with an E2E-CRC; whether it does is bit 12 of the feature.
"""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from kanhu.firmware_sim.wire.crc import e2e_crc
from kanhu.firmware_sim.wire.date_time import date_time
from kanhu.firmware_sim.wire.sfloat import SfloatSpecial, sfloat

E2E_CRC_SUPPORTED = 1 << 12


@dataclass(frozen=True, slots=True)
class CgmRecord:
    """One record; glucose in mg/dL, octets None where not sent."""

    glucose_mg_dl: Decimal | SfloatSpecial
    offset_min: int
    status: int | None = None
    calibration_temperature: int | None = None
    warning: int | None = None
    trend: Decimal | None = None
    quality_percent: Decimal | None = None


def cgm_measurement(record: CgmRecord, *, features: int) -> bytes:
    """One record of 0x2AA7; a value is one or several of them joined."""
    flags = 0
    rest = b""
    for bit, octet in ((7, record.status), (6, record.calibration_temperature), (5, record.warning)):
        if octet is not None:
            flags |= 1 << bit
            rest += bytes([octet])
    for bit, number in ((0, record.trend), (1, record.quality_percent)):
        if number is not None:
            flags |= 1 << bit
            rest += sfloat(number)
    body = bytes([flags]) + sfloat(record.glucose_mg_dl) + record.offset_min.to_bytes(2, "little") + rest
    crc_bytes = 2 if features & E2E_CRC_SUPPORTED else 0
    return _ended(bytes([1 + len(body) + crc_bytes]) + body, features)


def cgm_feature(features: int, *, sample_type: int, location: int) -> bytes:
    """0x2AA8; without E2E-CRC its place is filled with ones."""
    value = features.to_bytes(3, "little") + bytes([location << 4 | sample_type])
    return value + (e2e_crc(value) if features & E2E_CRC_SUPPORTED else b"\xff\xff")


def cgm_status(offset_min: int, octets: tuple[int, int, int], *, features: int) -> bytes:
    """0x2AA9: status, calibration and temperature, warning."""
    return _ended(offset_min.to_bytes(2, "little") + bytes(octets), features)


def cgm_session_start(local: datetime, *, zone_quarters: int, dst_code: int, features: int) -> bytes:
    """0x2AAA."""
    return _ended(date_time(local) + bytes([zone_quarters % 0x100, dst_code]), features)


def cgm_run_time(hours: int, *, features: int) -> bytes:
    """0x2AAB."""
    return _ended(hours.to_bytes(2, "little"), features)


def cgm_control_point(op_code: int, operand: bytes, *, features: int) -> bytes:
    """0x2AAC."""
    return _ended(bytes([op_code]) + operand, features)


def _ended(value: bytes, features: int) -> bytes:
    return value + e2e_crc(value) if features & E2E_CRC_SUPPORTED else value
