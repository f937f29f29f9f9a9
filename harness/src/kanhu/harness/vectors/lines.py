"""Position receivers and Nonin oximeters on a serial line, in the words of pynmea2 and of pufferfish."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, time
from decimal import Decimal

from kanhu.edge.codecs.nmea import NmeaSentence, decode_nmea, is_valid
from kanhu.edge.codecs.nonin import FRAME_BYTES, PACKET_FRAMES, decode_nonin_frame, decode_nonin_packet
from kanhu.harness.vectors.vector import Adapter, Vector

__all__ = ["ADAPTERS"]

_FIELDS: Mapping[str, tuple[str, ...]] = {
    "GGA": (
        "timestamp", "lat", "lat_dir", "lon", "lon_dir", "gps_qual", "num_sats", "horizontal_dil", "altitude",
        "altitude_units", "geo_sep", "geo_sep_units", "age_gps_data", "ref_station_id",
    ),
    "GLL": ("lat", "lat_dir", "lon", "lon_dir", "timestamp", "status", "faa_mode"),
    "GSA": (
        "mode", "mode_fix_type", *(f"sv_id{number:02d}" for number in range(1, 13)), "pdop", "hdop", "vdop",
    ),
    "GST": (
        "timestamp", "rms", "std_dev_major", "std_dev_minor", "orientation", "std_dev_latitude", "std_dev_longitude",
        "std_dev_altitude",
    ),
    "GSV": (
        "num_messages", "msg_num", "num_sv_in_view",
        *(f"{name}_{number}" for number in range(1, 5) for name in ("sv_prn_num", "elevation_deg", "azimuth", "snr")),
    ),
    "RMC": (
        "timestamp", "status", "lat", "lat_dir", "lon", "lon_dir", "spd_over_grnd", "true_course", "datestamp",
        "mag_variation", "mag_var_dir", "mode_indicator", "nav_status",
    ),
    "VTG": (
        "true_track", "true_track_sym", "mag_track", "mag_track_sym", "spd_over_grnd_kts", "spd_over_grnd_kts_sym",
        "spd_over_grnd_kmph", "spd_over_grnd_kmph_sym", "faa_mode",
    ),
    "ZDA": ("timestamp", "day", "month", "year", "local_zone", "local_zone_minutes"),
}  # fmt: skip  # a table reads by rows
_AS_TEXT = frozenset({
    "lat", "lon", "lat_dir", "lon_dir", "status", "mode", "num_sats", "horizontal_dil", "altitude_units", "geo_sep",
    "geo_sep_units", "age_gps_data", "ref_station_id", "mode_fix_type", "pdop", "hdop", "vdop", "mag_variation",
    "mag_var_dir", "faa_mode", "mode_indicator", "nav_status", "num_messages", "msg_num", "num_sv_in_view",
})  # fmt: skip  # words by rows
"""pynmea2 leaves these as they were sent."""
_NONIN_PLACES = {1: ("HR MSB", False), 2: ("HR LSB", True), 3: ("SpO2", True), 4: ("firmware rev", False)}
_POSITIONS = {"GGA": 1, "GLL": 0, "RMC": 2}


def _nmea(vector: Vector) -> Mapping[str, object]:
    sentence = decode_nmea(vector.frame)
    words: dict[str, object] = {"talker": sentence.talker, "sentence_type": sentence.type}
    valid = is_valid(sentence)
    words |= {} if valid is None else {"is_valid": valid}
    for place, name in enumerate(_FIELDS.get(sentence.type, ())):
        if place < len(sentence.fields):
            words[name] = _field(sentence, place, name)
    if sentence.type in _POSITIONS:
        at = _POSITIONS[sentence.type]
        words |= {"latitude": sentence.degrees(at), "longitude": sentence.degrees(at + 2)}
    day, clock = _day(sentence), sentence.time(0)
    if day is not None and clock is not None:
        words["datetime"] = _told_moment(datetime.combine(day, clock))
    return words


def _field(sentence: NmeaSentence, place: int, name: str) -> object:
    text = sentence.fields[place]
    if name == "timestamp":
        found = sentence.time(place)
        return None if found is None else _told_time(found)
    if name == "datestamp":
        day = sentence.date(place)
        return None if day is None else f"date({day.year}, {day.month}, {day.day})"
    number = sentence.number(place)
    if name in _AS_TEXT or number is None or name.startswith("sv_"):
        return text or None
    return int(number) if number == number.to_integral_value() and "." not in text else number


def _day(sentence: NmeaSentence) -> date | None:
    if sentence.type == "RMC":
        return sentence.date(8)
    if sentence.type == "ZDA":
        day, month, year = (sentence.number(place) or Decimal(0) for place in (1, 2, 3))
        try:
            return date(int(year), int(month), int(day))
        except ValueError:
            return None
    return None


def _told_time(at: time) -> str:
    parts = f"hour={at.hour}, minute={at.minute}, second={at.second}"
    more = f", microsecond={at.microsecond}" if at.microsecond else ""
    return f"time({parts}{more}, UTC)"


def _told_moment(at: datetime) -> str:
    at = at.astimezone(UTC)
    more = f", {at.microsecond}" if at.microsecond else ""
    return f"datetime({at.year}, {at.month}, {at.day}, {at.hour}, {at.minute}, {at.second}{more}, UTC)"


def _nonin(vector: Vector) -> Mapping[str, object]:
    if len(vector.frame) == FRAME_BYTES * PACKET_FRAMES:
        told = decode_nonin_packet(vector.frame)
        return {
            "heart_rate_bpm": told.heart_rate_bpm,
            "e_heart_rate": told.e_heart_rate_bpm,
            "heart_rate_d": told.heart_rate_d_bpm,
            "e_heart_rate_d": told.e_heart_rate_d_bpm,
            "spo2_pct": told.spo2_percent,
            "spo2_d": told.spo2_d_percent,
            "e_spo2": told.e_spo2_percent,
            "e_spo2_d": told.e_spo2_d_percent,
            "spo2_fast": told.spo2_fast_percent,
            "spo2_beat": told.spo2_beat_percent,
            "revision": told.revision,
        }
    words: dict[str, object] = {"checksums_ok": True}
    for number, at in enumerate(range(0, len(vector.frame), FRAME_BYTES), start=1):
        frame = decode_nonin_frame(vector.frame[at : at + FRAME_BYTES])
        begins = "sync, " if frame.begins_packet else ""
        label, low_bits = _NONIN_PLACES.get(number, ("", False))
        words[f"frame{number}"] = f"{begins}{label} {frame.value & 0x7F if low_bits else frame.value}".strip()
    return words


ADAPTERS: Mapping[str, Adapter] = {"NMEA 0183": _nmea, "Nonin format 2*": _nonin}
"""By the protocol of the file; a key that ends in `*` is a beginning."""
