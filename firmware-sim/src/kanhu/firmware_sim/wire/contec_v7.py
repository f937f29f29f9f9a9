"""Contec oximeters of protocol V7 (CMS50D+ 4.6, CMS50E, CMS50EW, CMS50F): 115200 baud 8N1, live data 60 times a second.

A packet is a type with bit 7 clear, then a byte that carries bit 7 of each data byte, then up to seven data bytes;
all but the first byte travel with bit 7 set. There is no checksum.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from kanhu.firmware_sim.errors import NotEncodable

_MARK = 0x80
_MOST_DATA_BYTES = 7
_LARGEST_SIGNAL = 8
_NO_PERFUSION = 0xFFFF
_LIVE, _STORED_WITH_PERFUSION, _DISCONNECTED, _STORED, _COMMAND = 0x01, 0x09, 0x0D, 0x0F, 0x7D


@dataclass(frozen=True, slots=True)
class ContecV7Live:
    """What the oximeter shows in one sixtieth of a second."""

    spo2_percent: int  # 127: no value
    pulse_bpm: int  # 255: no value
    signal_strength: int = 6  # 0-8
    pleth: int = 0  # 0-127
    bar: int = 0  # 0-15
    search_too_long: bool = False
    spo2_low: bool = False
    beep: bool = False
    probe_error: bool = False
    searching: bool = False
    perfusion_hundredths: int | None = None  # of a percent; None where the model has none


def v7_packet(kind: int, data: bytes) -> bytes:
    """One packet of any type."""
    if not 0 <= kind < _MARK or not 1 <= len(data) <= _MOST_DATA_BYTES:
        raise NotEncodable(f"type {kind} or {len(data)} data bytes")
    high = sum(1 << place for place, byte in enumerate(data) if byte & _MARK)
    return bytes([kind, _MARK | high, *(byte | _MARK for byte in data)])


def v7_command(command: int, arguments: bytes = b"") -> bytes:
    """What the host sends, filled up with zeros."""
    return v7_packet(_COMMAND, bytes([command, *arguments]).ljust(_MOST_DATA_BYTES, b"\0"))


def v7_live(live: ContecV7Live) -> bytes:
    """One packet of live data."""
    if not 0 <= live.signal_strength <= _LARGEST_SIGNAL or not 0 <= live.bar <= 0xF or not 0 <= live.pleth < _MARK:
        raise NotEncodable(f"signal {live.signal_strength}, bar {live.bar} or pleth {live.pleth} does not fit")
    if not 0 <= live.pulse_bpm <= 0xFF or not 0 <= live.spo2_percent <= 0xFF:
        raise NotEncodable(f"pulse {live.pulse_bpm} or SpO2 {live.spo2_percent} does not fit")
    perfusion = _NO_PERFUSION if live.perfusion_hundredths is None else live.perfusion_hundredths
    if not 0 <= perfusion <= _NO_PERFUSION:
        raise NotEncodable(f"perfusion index {perfusion} does not fit")
    flags = live.search_too_long << 4 | live.spo2_low << 5 | live.beep << 6 | live.probe_error << 7
    third = live.bar | (live.perfusion_hundredths is not None) << 4
    data = [live.signal_strength | flags, live.pleth | live.searching << 7, third, live.pulse_bpm, live.spo2_percent]
    return v7_packet(_LIVE, bytes(data) + perfusion.to_bytes(2, "little"))


def v7_stored(records: Sequence[tuple[int, int]]) -> bytes:
    """Up to three stored seconds of saturation and pulse in one packet."""
    return v7_packet(_STORED, bytes(value for record in records for value in record))


def v7_stored_with_perfusion(spo2_percent: int, pulse_bpm: int, perfusion_hundredths: int) -> bytes:
    """One stored second of a model with perfusion index."""
    return v7_packet(
        _STORED_WITH_PERFUSION, bytes([spo2_percent, pulse_bpm]) + perfusion_hundredths.to_bytes(2, "little")
    )


def v7_disconnected(reason: int) -> bytes:
    """The notice that the device sends no more."""
    return v7_packet(_DISCONNECTED, bytes([reason]))
