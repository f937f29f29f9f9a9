"""Decode NMEA 0183: `$`, talker and type, fields between commas, `*` and the XOR of what stands between, CR LF.

Positions are WGS-84. Names of fields and which fix is valid: Knio/pynmea2@13e309b.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from decimal import Decimal
from functools import reduce
from operator import xor

from kanhu.edge.codecs.nmea_layouts import LAYOUTS, Form
from kanhu.edge.errors import DecodeError, DecodeReason

MOST_BYTES = 256
"""82 by the standard; receivers of high precision and makers' own sentences are longer."""

_SENTENCE = re.compile(
    r"[$!]?(?P<body>(?:P(?P<own>[A-Z0-9]{3,8})|(?P<talker>[A-Z0-9]{2})(?P<type>[A-Z0-9]{3}))(?:,(?P<fields>[^*$\x00-\x1f\x7f]*))?)"
    r"(?:\*(?P<checksum>[0-9A-F]{2}))?[\r\n]*",
    re.ASCII | re.IGNORECASE,
)
_NUMBER = re.compile(r"[+-]?(?:\d{1,15}\.?\d{0,15}|\.\d{1,15})", re.ASCII)
_WHOLE = re.compile(r"[+-]?\d{1,10}", re.ASCII)
_TIME = re.compile(r"(\d\d)(\d\d)(\d\d)(?:\.(\d*))?", re.ASCII)
_DATE = re.compile(r"(\d\d)(\d\d)(\d\d)", re.ASCII)
_ANGLE = re.compile(r"(\d{1,3})(\d\d(?:\.\d{0,12})?)", re.ASCII)
_FIRST_YEAR_OF_1900S = 80  # satellite navigation began in 1980
_POSITIONED = frozenset({"GGA", "GNS", "GLL", "RMC", "WPL"})
_SIXTIETHS = 60
_MEASURED_FIXES = range(1, 6)  # 0 none, 6 estimated, 7 typed in, 8 simulated
_SPACE_FIXES = frozenset({2, 3})
_MEASURED_MODES = frozenset("ADFPR")  # E estimated, M typed in, S simulated, N none
_ALLOWED_USE = frozenset("SCU")

Value = str | int | Decimal | time | date | None


@dataclass(frozen=True, slots=True)
class NmeaSentence:
    """One sentence; `values` are its fields by name, as far as its type is known; None is empty or not sent."""

    talker: str  # GP, GN, GL, GA, GB or BD for satellites; P for a maker's own
    type: str
    fields: tuple[str, ...]
    checked: bool  # it came with its checksum, and that is right
    values: Mapping[str, Value] = field(repr=False)

    @property
    def latitude_deg(self) -> Decimal | None:
        """North is positive."""
        return self._angle("lat", signs="NS", most_deg=90)

    @property
    def longitude_deg(self) -> Decimal | None:
        """East is positive."""
        return self._angle("lon", signs="EW", most_deg=180)

    def _angle(self, name: str, *, signs: str, most_deg: int) -> Decimal | None:
        if self.talker == "P" or self.type not in _POSITIONED:
            return None
        return _angle(self.values.get(name), self.values.get(f"{name}_dir"), signs=signs, most_deg=most_deg)

    @property
    def asked(self) -> tuple[str, str] | None:
        """Of a question: which talker is asked, and for which type."""
        if self.talker != "P" and self.type.endswith("Q") and len(self.type) == len("GPQ") and len(self.fields) == 1:
            return self.type[:2], self.fields[0]
        return None

    @property
    def day(self) -> date | None:
        """Of RMC and ZDA."""
        sent = self.values.get("datestamp")
        return sent if isinstance(sent, date) else None

    @property
    def measured_at(self) -> datetime | None:
        """Where a sentence has both date and time."""
        sent = self.values.get("timestamp")
        return datetime.combine(self.day, sent) if isinstance(sent, time) and self.day else None

    @property
    def valid(self) -> bool | None:
        """Whether the receiver measured what it tells; None where this type does not say."""
        told = self.values
        if self.talker == "P":  # a maker's own GGA has other fields, or none
            return None
        match self.type:
            case "GGA":
                return told["gps_qual"] in _MEASURED_FIXES
            case "GSA":
                return told["mode_fix_type"] in {str(fix) for fix in _SPACE_FIXES}
            case "VBW":
                return told["data_validity_water_spd"] == told["data_validity_grnd_spd"] == "A"
            case "GNS":
                modes = str(told["mode_indicator"] or "")
                return any(mode in _MEASURED_MODES for mode in modes)
            case _ if "status" in told:
                mode = told.get("mode_indicator") or told.get("faa_mode")
                use = told.get("nav_status")
                return (
                    told["status"] == "A" and (not mode or mode in _MEASURED_MODES) and (not use or use in _ALLOWED_USE)
                )
            case _:
                return None


@dataclass(frozen=True, slots=True)
class NmeaFix:
    """Where and when a receiver was, WGS-84."""

    latitude_deg: Decimal
    longitude_deg: Decimal
    altitude_m: Decimal | None
    measured_at: datetime | None
    time_of_day: time | None  # UTC


def decode_nmea(line: bytes) -> NmeaSentence:
    """Decode one sentence, with or without the ends of its line. One without a checksum is told as not checked.

    Raises:
        DecodeError: it is none, its checksum is wrong, or a field is not of the form of its type.
    """
    if len(line) > MOST_BYTES:
        raise DecodeError(DecodeReason.TOO_LONG, f"{len(line)} bytes")
    found = _SENTENCE.fullmatch(line.decode("ascii", errors="replace"))
    if found is None or not line.isascii():
        raise DecodeError(DecodeReason.NOT_SYNCHRONISED, f"no sentence of {len(line)} bytes")
    checksum = found["checksum"]
    if checksum is not None and int(checksum, 16) != nmea_checksum(found["body"].encode()):
        raise DecodeError(DecodeReason.CHECKSUM_WRONG, f"{found['body'][:6]}: *{checksum}")
    fields = tuple((found["fields"] or "").split(",")) if found["fields"] is not None else ()
    talker, kind = ("P", found["own"]) if found["own"] else (found["talker"], found["type"])
    kind = kind.upper()
    sentence = NmeaSentence(talker.upper(), kind, fields, checksum is not None, _values(kind, fields, own=found["own"]))
    _ = sentence.latitude_deg, sentence.longitude_deg  # refused here rather than at whoever asks
    return sentence


def decode_nmea_fix(line: bytes) -> NmeaFix:
    """Decode a position that a receiver measured: GGA, GNS, RMC or GLL.

    Raises:
        DecodeError: it is no such sentence, has no checksum, or the receiver says that it measured no position.
    """
    sentence = decode_nmea(line)
    if not sentence.checked:
        raise DecodeError(DecodeReason.CHECKSUM_WRONG, "no checksum")
    if sentence.talker == "P" or sentence.type not in {"GGA", "GNS", "RMC", "GLL"}:
        raise DecodeError(DecodeReason.RESERVED_VALUE, f"{sentence.type} has no position of the receiver")
    latitude, longitude = sentence.latitude_deg, sentence.longitude_deg
    if not sentence.valid or latitude is None or longitude is None:
        raise DecodeError(DecodeReason.NO_VALUE, "no position measured")
    altitude, sent = sentence.values.get("altitude"), sentence.values.get("timestamp")
    return NmeaFix(
        latitude,
        longitude,
        altitude if isinstance(altitude, Decimal) else None,
        sentence.measured_at,
        sent if isinstance(sent, time) else None,
    )


def nmea_checksum(body: bytes) -> int:
    """Of what stands between `$` and `*`."""
    return reduce(xor, body, 0)


def _values(kind: str, fields: tuple[str, ...], *, own: str | None) -> dict[str, Value]:
    layout = () if own else LAYOUTS.get(kind, ())
    values: dict[str, Value] = {}
    for at, (name, form) in enumerate(layout):
        text = fields[at] if at < len(fields) else ""
        values[name] = _READ[form](text) if text else (None if form is not Form.TEXT else "")
    if kind == "ZDA" and not own:
        values["datestamp"] = _date_of(values)
    return values


def _date_of(values: Mapping[str, Value]) -> date | None:
    year, month, day = (values[name] for name in ("year", "month", "day"))
    if not (isinstance(year, int) and isinstance(month, int) and isinstance(day, int)):
        return None
    return _day(year, month, day)


def _number(text: str) -> Decimal:
    if not _NUMBER.fullmatch(text):
        raise _refused("number", text)
    return Decimal(text)


def _whole(text: str) -> int:
    if not _WHOLE.fullmatch(text):
        raise _refused("whole number", text)
    return int(text)


def _time(text: str) -> time:
    found = _TIME.fullmatch(text)
    if found is None:
        raise _refused("time", text)
    hour, minute, second = (int(part) for part in found.group(1, 2, 3))
    micro = int((found[4] or "")[:6].ljust(6, "0"))
    try:
        return time(hour, minute, second, micro, UTC)
    except ValueError:
        raise _refused("time", text) from None


def _date(text: str) -> date:
    found = _DATE.fullmatch(text)
    if found is None:
        raise _refused("date", text)
    day, month, year = (int(part) for part in found.groups())
    return _day(year + (1900 if year >= _FIRST_YEAR_OF_1900S else 2000), month, day)


def _day(year: int, month: int, day: int) -> date:
    try:
        return date(year, month, day)
    except (ValueError, OverflowError):
        raise _refused("date", f"{year}-{month}-{day}") from None


def _angle(text: Value, direction: Value, *, signs: str, most_deg: int) -> Decimal | None:
    """Degrees, then minutes of two digits before the point."""
    if not isinstance(text, str) or not text:
        return None
    found = _ANGLE.fullmatch(text)
    if found is None or direction not in tuple(signs):
        raise _refused("angle", f"{text},{direction}")
    minutes = Decimal(found[2])
    degrees = int(found[1]) + minutes / _SIXTIETHS
    if minutes >= _SIXTIETHS or degrees > most_deg:
        raise _refused("angle", text)
    return degrees if direction == signs[0] else -degrees


def _refused(what: str, text: str) -> DecodeError:
    return DecodeError(DecodeReason.RESERVED_VALUE, f"{text!r} is no {what}")


_READ: Mapping[Form, Callable[[str], Value]] = {
    Form.TEXT: str,
    Form.NUMBER: _number,
    Form.WHOLE: _whole,
    Form.TIME: _time,
    Form.DATE: _date,
}
