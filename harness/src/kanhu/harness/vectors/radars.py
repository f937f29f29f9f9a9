"""Radars of MicRadar and Seeed, in the words of their publishers."""

from collections.abc import Mapping

from kanhu.edge.codecs.micradar import decode_micradar, decode_micradar_frame
from kanhu.edge.codecs.radar_report import RadarReport, Target
from kanhu.edge.codecs.tinyframe import decode_tinyframe, decode_tinyframe_frame
from kanhu.harness.vectors.vector import Adapter, Vector

__all__ = ["ADAPTERS"]

_NAMES: Mapping[str, tuple[str, ...]] = {
    "present": ("presence", "person_present", "someone"),
    "was_present": ("present",),
    "respiration_per_min": ("breath_rate", "breath", "breath_rate_bpm"),
    "average_respiration_per_min": ("breath_avg",),
    "heart_bpm": ("heart_rate", "heart", "heart_rate_bpm"),
    "average_heart_bpm": ("heart_avg",),
    "body_movement": ("body_movement_pct", "movement"),
    "large_movement_percent": ("large_move_pct",),
    "small_movement_percent": ("small_move_pct",),
    "awake_percent": ("awake_pct",),
    "light_percent": ("light_pct",),
    "deep_percent": ("deep_pct",),
    "out_of_bed_times": ("out_of_bed_count",),
    "total_min": ("total_sleep_min", "sleep_min"),
    "apnoeas": ("apnoea", "apnoea_count"),
    "sleep_score": ("score",),
    "sleep_anomaly": ("abnormal",),
    "low_respiration_per_min": ("low_threshold",),
    "breath_wave": ("waveform", "wave"),
    "heart_wave": ("waveform", "wave"),
    "stationary": ("stationary_stay",),
    "approach": ("keep_away",),
    "unmanned_time": ("unmanned",),
    "accepted": ("ok", "success"),
    "range_cm": ("distance_cm",),
}
"""What publishers call our values."""
_COMMANDS = {
    "parameters": "get parameters",
    "target height": "enable height upload",
    "install height": "set install height",
    "height threshold": "set height threshold",
    "sensitivity": "set sensitivity",
    "alarm area": "set alarm area",
}
"""What the host means by a message of this name."""


def _micradar(vector: Vector) -> Mapping[str, object]:
    frame = decode_micradar_frame(vector.frame)
    report = decode_micradar(vector.frame)
    return {
        **_values(report),
        "control": frame.control,
        "command": frame.command,
        "data": frame.data.hex(),
        "meaning": f"{report.name} query" if report.query else report.name,
        "checksum_ok": True,
    }


def _tinyframe(vector: Vector) -> Mapping[str, object]:
    frame = decode_tinyframe_frame(vector.frame)
    report = decode_tinyframe(vector.frame)
    asked = report.query or (report.get("accepted") is None and report.name in _COMMANDS)
    meaning = _COMMANDS.get(report.name or "", report.name) if asked else report.name
    return {
        **_values(report),
        "id": frame.id,
        "type": f"{frame.type:04x}",
        "length": len(frame.data),
        "meaning": f"{meaning} (id 0x{frame.id:04x})" if frame.id else meaning,
        "header_checksum_ok": True,
        "data_checksum_ok": True,
        "checksum_ok": True,
    }


def _values(report: RadarReport) -> dict[str, object]:
    told: dict[str, object] = {}
    for name, value in report.values:
        shown: object = value
        if isinstance(value, tuple):
            shown = [_target(one) if isinstance(one, Target) else one for one in value]
            if name == "targets":
                told["count"] = len(value)
        for word in (name, *_NAMES.get(name, ())):
            told[word] = shown
    return told


def _target(target: Target) -> Mapping[str, object]:
    return {
        "x": target.x,
        "y": target.y,
        "dop": target.doppler_index,
        "dop_index": target.doppler_index,
        "cluster": target.cluster,
        "cluster_index": target.cluster,
    }


ADAPTERS: Mapping[str, Adapter] = {
    "MicRadar R60ABD1 frame": _micradar,
    "MicRadar/Seeed 53 59 frame": _micradar,
    "TinyFrame radar*": _tinyframe,
}
