"""Nonin oximeters on a serial line: packets of formats 2 and 7, seconds of formats 1 and 8, spot checks of format 13.

From the maker's OEM III and 9560 specifications. 9600 baud 8N1; three packets, or one second, a second.
"""

from dataclasses import dataclass
from datetime import datetime

from kanhu.firmware_sim.errors import NotEncodable

FRAMES = 25
NO_PULSE = 511
NO_SPO2 = 127

_NINE_BITS = 0x1FF
_SEVEN_BITS = 0x7F
_LARGEST_TIMER = 0x3FFF


@dataclass(frozen=True, slots=True)
class Status:
    """What the oximeter says of its sensor."""

    artifact: bool = False
    out_of_track: bool = False
    sensor_alarm: bool = False
    sensor_disconnected: bool = False
    red: bool = False  # perfusion: red alone is low, green alone good, both are marginal
    green: bool = False


@dataclass(frozen=True, slots=True)
class Values:
    """What the oximeter has averaged; 511 and 127 are no value."""

    pulse_bpm: int = 72
    spo2_percent: int = 97
    pulse_display_bpm: int = 72
    spo2_display_percent: int = 97
    pulse_extended_bpm: int = 72
    spo2_extended_percent: int = 97
    pulse_extended_display_bpm: int = 72
    spo2_extended_display_percent: int = 97
    spo2_fast_percent: int = 97
    spo2_beat_percent: int = 97
    revision: int = 48
    timer: int = 0
    smartpoint: bool = False
    low_battery: bool = False


STEADY = Status()


def packet_2(values: Values, pleth: list[int], status: Status = STEADY) -> bytes:
    """Format 2: 25 frames, a plethysmogram of eight bits."""
    if len(pleth) != FRAMES or not all(0 <= sample <= 0xFF for sample in pleth):
        raise NotEncodable(f"{len(pleth)} samples, or one that does not fit 8 bits")
    frames = zip(_statuses(status), pleth, _values(values), strict=True)
    return b"".join(_summed([1, said, sample, value]) for said, sample, value in frames)


def packet_7(values: Values, pleth: list[int], status: Status = STEADY) -> bytes:
    """Format 7: 25 frames, a plethysmogram of sixteen bits."""
    if len(pleth) != FRAMES or not all(0 <= sample <= 0xFFFF for sample in pleth):
        raise NotEncodable(f"{len(pleth)} samples, or one that does not fit 16 bits")
    frames = zip(_statuses(status), pleth, _values(values), strict=True)
    return b"".join(_summed([said, *sample.to_bytes(2, "big"), value]) for said, sample, value in frames)


def second_1(pulse_bpm: int, spo2_percent: int, status: Status = STEADY) -> bytes:
    """Format 1: three bytes, no word on the finger."""
    high, low = _pulse(pulse_bpm)
    said = (
        0x80
        | status.sensor_disconnected << 6
        | status.out_of_track << 5
        | (status.red and not status.green) << 4
        | (status.red and status.green) << 3
        | status.artifact << 2
    )
    return bytes([said | high, low, _spo2(spo2_percent)])


def second_8(values: Values, status: Status = STEADY) -> bytes:
    """Format 8: format 1 and a byte on the finger, the algorithm and the battery."""
    second_status = values.smartpoint << 5 | status.sensor_alarm << 3 | int(values.low_battery)
    return second_1(values.pulse_bpm, values.spo2_percent, status) + bytes([second_status])


def spot_check(values: Values, *, at: datetime, from_memory: bool = False, no_measurement: bool = False) -> bytes:
    """Format 13, with the oximeter's own clock."""
    status = values.smartpoint << 9 | no_measurement << 8 | from_memory << 4 | int(values.low_battery)
    if not 0 <= values.pulse_bpm <= _NINE_BITS:
        raise NotEncodable(f"pulse {values.pulse_bpm}")
    data = (
        bytes.fromhex(at.strftime("%Y%m%d%H%M%S").zfill(14) + "00")
        + status.to_bytes(2, "big")
        + values.pulse_bpm.to_bytes(2, "big")
        + bytes([0, _spo2(values.spo2_percent)])
    )
    return b"\x00\x02\x00\x0d" + len(data).to_bytes(2, "big") + data + bytes([sum(data) % 256, 0x03])


def _statuses(status: Status) -> list[int]:
    said = (
        0x80
        | status.sensor_disconnected << 6
        | status.artifact << 5
        | status.out_of_track << 4
        | status.sensor_alarm << 3
        | status.red << 2
        | status.green << 1
    )
    return [said | 1, *[said] * (FRAMES - 1)]


def _values(values: Values) -> list[int]:
    """By place in the packet; 0 is reserved."""
    if not 0 <= values.timer <= _LARGEST_TIMER or not 0 <= values.revision <= _SEVEN_BITS:
        raise NotEncodable(f"timer {values.timer} or revision {values.revision}")
    return [
        *_pulse(values.pulse_bpm),
        _spo2(values.spo2_percent),
        values.revision,
        0,
        values.timer // 128,
        values.timer % 128,
        values.smartpoint << 5 | int(values.low_battery),
        _spo2(values.spo2_display_percent),
        _spo2(values.spo2_fast_percent),
        _spo2(values.spo2_beat_percent),
        0,
        0,
        *_pulse(values.pulse_extended_bpm),
        _spo2(values.spo2_extended_percent),
        _spo2(values.spo2_extended_display_percent),
        0,
        0,
        *_pulse(values.pulse_display_bpm),
        *_pulse(values.pulse_extended_display_bpm),
        0,
        0,
    ]


def _pulse(pulse_bpm: int) -> tuple[int, int]:
    if not 0 <= pulse_bpm <= _NINE_BITS:
        raise NotEncodable(f"pulse {pulse_bpm} does not fit 9 bits")
    return pulse_bpm // 128, pulse_bpm % 128


def _spo2(spo2_percent: int) -> int:
    if not 0 <= spo2_percent <= _SEVEN_BITS:
        raise NotEncodable(f"SpO2 {spo2_percent} does not fit 7 bits")
    return spo2_percent


def _summed(four: list[int]) -> bytes:
    return bytes([*four, sum(four) % 256])
