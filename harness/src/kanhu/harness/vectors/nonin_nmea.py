"""Nonin oximeters and NMEA 0183 on a serial line, in the words of their publishers."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, time

from kanhu.edge.codecs.nmea import NmeaSentence, decode_nmea
from kanhu.edge.codecs.nonin import (
    FRAME_BYTES,
    PACKET_BYTES,
    NoninFrame,
    NoninPacket,
    decode_nonin_frame,
    decode_nonin_packet,
)
from kanhu.harness.vectors.vector import Adapter, Vector

__all__ = ["ADAPTERS", "moment_words"]

_PLACES = ("HR MSB", "HR LSB", "SpO2", "firmware rev")


def _nonin(vector: Vector) -> Mapping[str, object]:
    pieces = [vector.frame[at : at + FRAME_BYTES] for at in range(0, len(vector.frame), FRAME_BYTES)]
    told = _frames([decode_nonin_frame(piece) for piece in pieces])
    if len(vector.frame) != PACKET_BYTES:
        return told
    return {**told, **_packet(decode_nonin_packet(vector.frame))}


def _frames(frames: Sequence[NoninFrame]) -> Mapping[str, object]:
    places = zip(frames, _PLACES, strict=False)
    told = {
        f"frame{number}": f"{'sync, ' if frame.sync else ''}{place} {frame.value}"
        for number, (frame, place) in enumerate(places, start=1)
    }
    first = frames[0]
    return {
        **told,
        "checksums_ok": True,
        "sync": first.sync,
        "pleth": first.pleth,
        "artifact": first.artifact,
        "out_of_track": first.out_of_track,
        "sensor_alarm": first.sensor_alarm,
        "sensor_disconnect": first.sensor_disconnected,
        "red_perfusion": first.red_perfusion and not first.green_perfusion,
        "yellow_perfusion": first.red_perfusion and first.green_perfusion,
        "green_perfusion": first.green_perfusion and not first.red_perfusion,
    }


def _packet(packet: NoninPacket) -> Mapping[str, object]:
    return {
        "heart_rate_bpm": packet.pulse_bpm,
        "heart_rate": packet.pulse_bpm,
        "e_heart_rate": packet.pulse_extended_bpm,
        "heart_rate_d": packet.pulse_display_bpm,
        "e_heart_rate_d": packet.pulse_extended_display_bpm,
        "spo2_pct": packet.spo2_percent,
        "spo2": packet.spo2_percent,
        "spo2_d": packet.spo2_display_percent,
        "e_spo2": packet.spo2_extended_percent,
        "e_spo2_d": packet.spo2_extended_display_percent,
        "spo2_fast": packet.spo2_fast_percent,
        "spo2_d_fast": packet.spo2_fast_percent,
        "spo2_beat": packet.spo2_beat_percent,
        "spo2_d_beat": packet.spo2_beat_percent,
        "revision": packet.revision,
        "nonin_oem_revision": packet.revision,
        "timer": packet.timer,
        "low_battery": packet.low_battery,
        "smartpoint": packet.smartpoint,
        "pleth": [frame.pleth for frame in packet.frames],
    }


def _nmea(vector: Vector) -> Mapping[str, object]:
    sentence = decode_nmea(vector.frame)
    told: dict[str, object] = {
        "talker": sentence.talker,
        "sentence_type": sentence.type,
        "manufacturer": sentence.type[:3] if sentence.talker == "P" else None,
        "data": list(sentence.fields),
        "is_valid": sentence.valid,
        "latitude": sentence.latitude_deg,
        "longitude": sentence.longitude_deg,
        **{name: moment_words(value) for name, value in sentence.values.items()},
        "datetime": moment_words(sentence.measured_at),
    }
    if sentence.asked is not None:
        told["listener"], told["sentence_type"] = sentence.asked
    return {**told, **_lists(sentence)}


def _lists(sentence: NmeaSentence) -> Mapping[str, object]:
    match sentence.type:
        case "RTE":
            return {"waypoint_list": list(sentence.fields[4:])}
        case "R00":
            return {"waypoint_list": list(sentence.fields)}
        case "XDR":
            return {"num_transducers": len(sentence.fields) // 4}
        case _:
            return {}


def moment_words(value: object) -> object:
    """Times as the file tells them, anything else as it is."""
    match value:
        case datetime():
            micro = f", {value.microsecond}" if value.microsecond else ""
            clock = f"{value.hour}, {value.minute}, {value.second}{micro}"
            return f"datetime({value.year}, {value.month}, {value.day}, {clock}, UTC)"
        case date():
            return f"date({value.year}, {value.month}, {value.day})"
        case time():
            micro = f", microsecond={value.microsecond}" if value.microsecond else ""
            return f"time(hour={value.hour}, minute={value.minute}, second={value.second}{micro}, UTC)"
        case _:
            return value


ADAPTERS: Mapping[str, Adapter] = {
    "Nonin format 2*": _nonin,
    "NMEA 0183": _nmea,
}
