"""Finger oximeters of Contec and Berry on a serial line, in the words of their publishers."""

from collections.abc import Mapping
from contextlib import suppress

from kanhu.edge.codecs.berry import decode_berry
from kanhu.edge.codecs.cms50d import decode_cms50d
from kanhu.edge.codecs.contec_v7 import (
    PacketType,
    V7Stored,
    decode_v7_command,
    decode_v7_disconnected,
    decode_v7_live,
    decode_v7_packet,
    decode_v7_refusal,
    decode_v7_stored,
    decode_v7_stored_length,
)
from kanhu.edge.errors import DecodeError
from kanhu.harness.vectors.vector import Adapter, Vector

__all__ = ["ADAPTERS"]


def _cms50d(vector: Vector) -> Mapping[str, object]:
    told = decode_cms50d(vector.frame)
    return {
        "signal_strength": told.signal,
        "finger_out": told.finger_out,
        "search_too_long": told.finger_out,
        "spo2_dropping": told.saturation_dropping,
        "beep": told.beep,
        "pleth": told.pleth,
        "bar": told.bar,
        "probe_error": told.probe_error,
        "searching": told.searching,
        "pulse_bpm": told.pulse_bpm,
        "spo2_pct": told.spo2_percent,
        "valid": told.valid,
    }


def _berry(vector: Vector) -> Mapping[str, object]:
    told = decode_berry(vector.frame)
    return {
        "signal_strength": told.signal,
        "no_signal": told.no_signal,
        "probe_unplugged": told.probe_unplugged,
        "beep": told.beep,
        "pulse_beep": told.beep,
        "pleth": told.pleth,
        "bar": told.bar,
        "bar_graph": told.bar,
        "no_finger": told.no_finger,
        "searching": told.searching,
        "pulse_searching": told.searching,
        "pulse_bpm": told.pulse_bpm,
        "spo2_pct": told.spo2_percent,
        "valid": told.valid,
    }


def _v7(vector: Vector) -> Mapping[str, object]:
    """A packet is one whatever its type and length; what it means is told where it means something."""
    packet = decode_v7_packet(vector.frame)
    meaning: Mapping[str, object] = {}
    with suppress(DecodeError):
        meaning = _meaning(vector)
    return {**meaning, "package_type": packet.type, "data": list(packet.data)}


def _meaning(vector: Vector) -> Mapping[str, object]:
    match decode_v7_packet(vector.frame).type:
        case PacketType.LIVE:
            return _live(vector.frame)
        case PacketType.STORED | PacketType.STORED_WITH_PERFUSION:
            seconds = [_stored(one) for one in decode_v7_stored(vector.frame)]
            return {"records": seconds, **(seconds[0] if len(seconds) == 1 else {})}
        case PacketType.STORED_LENGTH:
            length = decode_v7_stored_length(vector.frame)
            return {"user": length.user, "segment": length.segment, "length": length.data_bytes}
        case PacketType.COMMAND_REFUSED:
            refusal = decode_v7_refusal(vector.frame)
            return {"command": refusal.command, "reason": refusal.reason}
        case PacketType.DISCONNECTED:
            return {"reason": decode_v7_disconnected(vector.frame)}
        case PacketType.COMMAND:
            return _command(vector)
        case _:
            return {}


def _live(frame: bytes) -> Mapping[str, object]:
    told = decode_v7_live(frame)
    return {
        "signal_strength": told.signal,
        "search_too_long": told.search_too_long,
        "searching_too_long": told.search_too_long,
        "low_spo2": told.spo2_low,
        "beep": told.beep,
        "pulse_beep": told.beep,
        "probe_error": told.probe_error,
        "pleth": told.pleth,
        "pulse_waveform": told.pleth,
        "searching": told.searching,
        "searching_pulse": told.searching,
        "bar": told.bar,
        "bar_graph": told.bar,
        "pi_valid": told.perfusion_valid,
        "pulse_bpm": told.pulse_bpm,
        "pulse_rate": told.pulse_bpm,
        "spo2_pct": told.spo2_percent,
        "pi_pct": told.perfusion_percent,
        "valid": told.valid,
    }


def _stored(second: V7Stored) -> Mapping[str, object]:
    return {"spo2_pct": second.spo2_percent, "pulse_bpm": second.pulse_bpm, "pi_pct": second.perfusion_percent}


def _command(vector: Vector) -> Mapping[str, object]:
    told = decode_v7_command(vector.frame)
    return {
        "package_type": int(PacketType.COMMAND),
        "command": told.command,
        "data": [told.command, *told.arguments],
        "arguments": list(told.arguments),
    }


ADAPTERS: Mapping[str, Adapter] = {
    "Contec CMS50D+ 5-byte (4800 8O1)": _cms50d,
    "Contec V7 packet": _v7,
    "Contec V7 command frame": _command,
    "Berry BCI 5-byte (100 Hz)": _berry,
}
