"""NMEA 0183 sentences of a receiver of satellite navigation: `$`, fields between commas, `*`, XOR, CR LF."""

from datetime import datetime

from kanhu.firmware_sim.errors import NotEncodable

_STEPS_OF_A_DEGREE = 60 * 10_000
"""Positions are told in ten thousandths of a minute."""


def sentence(*fields: str) -> bytes:
    """Any sentence; the first field is talker and type."""
    body = ",".join(fields)
    if not body.isascii() or any(character in "$*\r\n" for character in body):
        raise NotEncodable("a character that would end the sentence")
    checksum = 0
    for byte in body.encode():
        checksum ^= byte
    return f"${body}*{checksum:02X}\r\n".encode()


def gga(at: datetime, *, latitude: int, longitude: int, quality: int = 1, altitude_dm: int = 0) -> bytes:
    """A fix; the position in ten thousandths of a minute, north and east positive."""
    place = _place(latitude, longitude)
    return sentence(
        "GNGGA", _clock(at), *place, str(quality), "08", "1.1", f"{altitude_dm / 10:.1f}", "M", "0.0", "M", "", ""
    )


def rmc(at: datetime, *, latitude: int, longitude: int, valid: str = "A", mode: str = "A") -> bytes:
    """A fix with its date; the position in ten thousandths of a minute, north and east positive."""
    place = _place(latitude, longitude)
    return sentence("GNRMC", _clock(at), valid, *place, "0.0", "", at.strftime("%d%m%y"), "", "", mode)


def _clock(at: datetime) -> str:
    return at.strftime("%H%M%S.") + f"{at.microsecond // 10_000:02d}"


def _place(latitude: int, longitude: int) -> tuple[str, str, str, str]:
    return (*_angle(latitude, 2, "NS", 90), *_angle(longitude, 3, "EW", 180))


def _angle(value: int, digits: int, signs: str, most_deg: int) -> tuple[str, str]:
    degrees, minutes = divmod(abs(value), _STEPS_OF_A_DEGREE)
    if abs(value) > most_deg * _STEPS_OF_A_DEGREE:
        raise NotEncodable(f"{value} is no angle")
    whole, part = divmod(minutes, 10_000)
    return f"{degrees:0{digits}d}{whole:02d}.{part:04d}", signs[value < 0]
