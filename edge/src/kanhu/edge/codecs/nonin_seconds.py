"""Decode the serial formats 1 and 8 of Nonin oximeters, once a second, and 13, one spot check.

Facts: the maker's OEM III and 9560 specifications and mattjlewis/NoninPulseOx@4e53359.
"""

from dataclasses import dataclass

from msgspec.structs import replace

from kanhu.contract import Observation, QualityReason, Subject, Times
from kanhu.edge.codecs.cuff_reading import local_ms
from kanhu.edge.codecs.nonin_values import (
    LOW_BATTERY,
    SMARTPOINT,
    doubts_of,
    observe_values,
    pulse_bpm_of,
    spo2_percent_of,
)
from kanhu.edge.errors import DecodeError, DecodeReason

SECOND_BYTES = 4
OLD_SECOND_BYTES = 3
SPOT_CHECK_HEAD = bytes.fromhex("0002000d")
SPOT_CHECK_LEAST_DATA_BYTES = 14
SPOT_CHECK_MOST_DATA_BYTES = 64
"""The maker says that later devices add to the 14; no device is known to."""
SPOT_CHECK_FRAME_BYTES = 8
"""Head, length, checksum and end."""

_MARK = 0x80
_END = 0x03
_NINE_BITS = 0x1FF


@dataclass(frozen=True, slots=True)
class NoninSecond:
    """One second in format 1 or 8; None is not told in format 1."""

    pulse_bpm: int | None
    spo2_percent: int | None
    sensor_disconnected: bool
    out_of_track: bool
    low_perfusion: bool
    marginal_perfusion: bool
    artifact: bool
    sensor_alarm: bool | None
    smartpoint: bool | None
    low_battery: bool | None

    @property
    def no_contact(self) -> bool:
        """No finger, or no sensor."""
        return self.sensor_disconnected or self.sensor_alarm is True

    @property
    def doubts(self) -> tuple[QualityReason, ...]:
        """What the device itself says against its values."""
        return doubts_of(out_of_track=self.out_of_track, low_perfusion=self.low_perfusion, artifact=self.artifact)


@dataclass(frozen=True, slots=True)
class NoninSpotCheck:
    """One measurement in format 13."""

    pulse_bpm: int | None
    spo2_percent: int | None
    measured_at_ms: int | None  # the device's own clock as if it were UTC; None where it names no moment
    smartpoint: bool  # good enough to keep, by the device's own judgement
    no_measurement: bool
    from_memory: bool
    low_battery: bool

    @property
    def doubts(self) -> tuple[QualityReason, ...]:
        """A value that the device would not keep is not steady yet."""
        return () if self.smartpoint else (QualityReason.UNSTABLE,)


def decode_nonin_second(frame: bytes) -> NoninSecond:
    """Decode format 1 (three bytes) or 8 (four): status, pulse, saturation, [second status]; there is no checksum.

    Raises:
        DecodeError: it has another length, or bit 7 is not set in the first byte alone.
    """
    if len(frame) not in {OLD_SECOND_BYTES, SECOND_BYTES}:
        reason = DecodeReason.SHORT if len(frame) < OLD_SECOND_BYTES else DecodeReason.TOO_LONG
        raise DecodeError(reason, f"{len(frame)} bytes, not {OLD_SECOND_BYTES} or {SECOND_BYTES}")
    if frame[0] < _MARK or max(frame[1:]) >= _MARK:
        raise DecodeError(DecodeReason.NOT_SYNCHRONISED, f"second {frame.hex()}")
    status = frame[0]
    more = frame[3] if len(frame) == SECOND_BYTES else None
    return NoninSecond(
        pulse_bpm=pulse_bpm_of(status, frame[1]),
        spo2_percent=spo2_percent_of(frame[2]),
        sensor_disconnected=bool(status & 0x40),
        out_of_track=bool(status & 0x20),
        low_perfusion=bool(status & 0x10),
        marginal_perfusion=bool(status & 0x08),
        artifact=bool(status & 0x04),
        sensor_alarm=None if more is None else bool(more & 0x08),
        smartpoint=None if more is None else bool(more & SMARTPOINT),
        low_battery=None if more is None else bool(more & LOW_BATTERY),
    )


def decode_nonin_spot_check(frame: bytes) -> NoninSpotCheck:
    """Decode format 13: 00 02 00 0D, length, time, status, pulse, a spare byte, saturation, checksum, 03.

    Raises:
        DecodeError: it is short or long, begins or ends otherwise, or its checksum is wrong.
    """
    if len(frame) < SPOT_CHECK_FRAME_BYTES + SPOT_CHECK_LEAST_DATA_BYTES:
        raise DecodeError(DecodeReason.SHORT, f"{len(frame)} bytes")
    length = int.from_bytes(frame[4:6], "big")
    if not frame.startswith(SPOT_CHECK_HEAD) or length < SPOT_CHECK_LEAST_DATA_BYTES:
        raise DecodeError(DecodeReason.NOT_SYNCHRONISED, f"{frame[:6].hex()} begins no spot check")
    if len(frame) != SPOT_CHECK_FRAME_BYTES + length or length > SPOT_CHECK_MOST_DATA_BYTES:
        reason = DecodeReason.SHORT if len(frame) < SPOT_CHECK_FRAME_BYTES + length else DecodeReason.TOO_LONG
        raise DecodeError(reason, f"{len(frame)} bytes around {length} of data")
    data = frame[6 : 6 + length]
    if frame[-1] != _END:
        raise DecodeError(DecodeReason.NOT_SYNCHRONISED, f"0x{frame[-1]:02X} ends no spot check")
    if sum(data) & 0xFF != frame[-2]:
        raise DecodeError(DecodeReason.CHECKSUM_WRONG, f"0x{frame[-2]:02X}, not 0x{sum(data) & 0xFF:02X}")
    status = int.from_bytes(data[8:10], "big")
    pulse = int.from_bytes(data[10:12], "big")
    return NoninSpotCheck(
        pulse_bpm=pulse_bpm_of(pulse >> 7, pulse & 0x7F) if pulse <= _NINE_BITS else None,
        spo2_percent=spo2_percent_of(data[13]),
        measured_at_ms=_time_ms(data[:7]),
        smartpoint=bool(status & 0x0200),
        no_measurement=bool(status & 0x0100),
        from_memory=bool(status & 0x0010),
        low_battery=bool(status & LOW_BATTERY),
    )


def observe_nonin_spot_check(record: NoninSpotCheck, *, subject: Subject, device: str, times: Times) -> Observation:
    """One spot check, with the time of the device.

    Raises:
        DecodeError: the device says that it measured nothing.
    """
    if record.no_measurement:
        raise DecodeError(DecodeReason.NO_VALUE, "the device measured nothing")
    return observe_values(
        spo2_percent=record.spo2_percent,
        pulse_bpm=record.pulse_bpm,
        doubts=record.doubts,
        subject=subject,
        device=device,
        times=replace(times, device_ms=record.measured_at_ms),
    )


def _time_ms(data: bytes) -> int | None:
    """Century, year, month, day, hour, minute, second, two decimal digits a byte."""
    text = data.hex()
    if not text.isdecimal():
        return None
    pairs = [int(text[at : at + 2]) for at in range(0, 14, 2)]
    return local_ms(pairs[0] * 100 + pairs[1], *pairs[2:])
