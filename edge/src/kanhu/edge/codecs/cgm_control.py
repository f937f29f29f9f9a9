"""Decode and encode the CGM Specific Ops Control Point (characteristic 0x2AAC).

An operation, its operand, and an E2E-CRC where the feature word says so. Glucose levels are in mg/dL.
"""

from dataclasses import dataclass
from decimal import Decimal
from enum import Enum, IntEnum

from kanhu.edge.codecs.crc import CRC_BYTES, E2eCrc, check_e2e_crc, crc16_mcrf4xx
from kanhu.edge.codecs.glucose import GlucoseSample, SampleSite, decode_sample_and_site
from kanhu.edge.codecs.sfloat import decode_sfloat
from kanhu.edge.errors import DecodeError, DecodeReason

CHARACTERISTIC_UUID = "00002aac-0000-1000-8000-00805f9b34fb"


class CgmOperation(IntEnum):
    """Those that are written here or answered; the rest set alerts, which is the physician's."""

    GET_INTERVAL = 0x02
    INTERVAL = 0x03
    CALIBRATION = 0x06
    PATIENT_HIGH = 0x09
    PATIENT_LOW = 0x0C
    HYPO = 0x0F
    HYPER = 0x12
    FALL_RATE = 0x15
    RISE_RATE = 0x18
    START_SESSION = 0x1A
    STOP_SESSION = 0x1B
    RESPONSE = 0x1C


class CgmResponseCode(Enum):
    """How a request ended."""

    SUCCESS = 1
    OPERATION_UNSUPPORTED = 2
    BAD_OPERAND = 3
    NOT_COMPLETED = 4
    OUT_OF_RANGE = 5


@dataclass(frozen=True, slots=True)
class CgmAnswer:
    """How the request ended; `request` may be an operation that nobody knows."""

    request: int
    code: CgmResponseCode
    has_crc: bool


@dataclass(frozen=True, slots=True)
class CgmInterval:
    """Minutes between two measurements that are sent: 0 none are, 255 as fast as the device can."""

    interval_min: int
    has_crc: bool


@dataclass(frozen=True, slots=True)
class CgmLevel:
    """At which level or rate the device alerts: mg/dL, for rates mg/dL a minute."""

    operation: CgmOperation
    level: Decimal
    has_crc: bool


@dataclass(frozen=True, slots=True)
class CgmCalibration:
    """A value by which the sensor was calibrated; minutes since the session began."""

    glucose_mg_per_dl: Decimal
    time_offset_min: int
    sample: GlucoseSample | None
    site: SampleSite | None
    next_time_offset_min: int
    record: int
    status: int  # bits 0 rejected, 1 out of range, 2 pending
    has_crc: bool


CgmControl = CgmAnswer | CgmInterval | CgmLevel | CgmCalibration

_OPERAND_BYTES: dict[int, int] = {
    CgmOperation.INTERVAL: 1,
    CgmOperation.CALIBRATION: 10,
    CgmOperation.PATIENT_HIGH: 2,
    CgmOperation.PATIENT_LOW: 2,
    CgmOperation.HYPO: 2,
    CgmOperation.HYPER: 2,
    CgmOperation.FALL_RATE: 2,
    CgmOperation.RISE_RATE: 2,
    CgmOperation.RESPONSE: 2,
}
_REQUESTS = frozenset({CgmOperation.GET_INTERVAL, CgmOperation.START_SESSION, CgmOperation.STOP_SESSION})


def encode_cgm_request(operation: CgmOperation, *, crc: E2eCrc) -> bytes:
    """A request without operand.

    Raises:
        ValueError: the operation is an answer, or whether there is a CRC is not known.
    """
    if operation not in _REQUESTS or crc is E2eCrc.BY_LENGTH:
        raise ValueError(f"{operation.name} with CRC {crc.value} cannot be asked")
    request = bytes([operation])
    return request + crc16_mcrf4xx(request).to_bytes(CRC_BYTES, "little") if crc is E2eCrc.PRESENT else request


def decode_cgm_control(frame: bytes, *, crc: E2eCrc) -> CgmControl:
    """Decode one 0x2AAC indication.

    Raises:
        DecodeError: it is short, no answer at all, its CRC is wrong, or it holds a reserved code or number.
    """
    if not frame:
        raise DecodeError(DecodeReason.SHORT, "no operation")
    operand_bytes = _OPERAND_BYTES.get(frame[0])
    if operand_bytes is None:
        raise DecodeError(DecodeReason.RESERVED_VALUE, f"operation 0x{frame[0]:02X} is no answer")
    has_crc = check_e2e_crc(frame, 1 + operand_bytes, crc=crc)
    operation = CgmOperation(frame[0])
    if operation is CgmOperation.RESPONSE:
        try:
            return CgmAnswer(frame[1], CgmResponseCode(frame[2]), has_crc)
        except ValueError:
            raise DecodeError(DecodeReason.RESERVED_VALUE, f"response code {frame[2]}") from None
    if operation is CgmOperation.INTERVAL:
        return CgmInterval(frame[1], has_crc)
    level = decode_sfloat(frame, 1, field=operation.name)
    if operation is not CgmOperation.CALIBRATION:
        return CgmLevel(operation, level, has_crc)
    sample, site = decode_sample_and_site(frame[5])
    return CgmCalibration(
        glucose_mg_per_dl=level,
        time_offset_min=int.from_bytes(frame[3:5], "little"),
        sample=sample,
        site=site,
        next_time_offset_min=int.from_bytes(frame[6:8], "little"),
        record=int.from_bytes(frame[8:10], "little"),
        status=frame[10],
        has_crc=has_crc,
    )
