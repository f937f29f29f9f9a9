"""NMEA 0183 sentences of a position receiver."""

from collections.abc import Sequence


def nmea(head: str, fields: Sequence[str]) -> bytes:
    """`$`, talker and type, fields, `*`, checksum, line end."""
    body = ",".join([head, *fields]).encode("ascii")
    check = 0
    for byte in body:
        check ^= byte
    return b"$" + body + b"*" + f"{check:02X}".encode("ascii") + b"\r\n"


def rmc(hhmmss: str, *, valid: bool, latitude: tuple[str, str], longitude: tuple[str, str], ddmmyy: str) -> bytes:
    """Recommended minimum: time, whether it holds, position, speed, course, day."""
    status = "A" if valid else "V"
    return nmea("GPRMC", [hhmmss, status, *latitude, *longitude, "0.0", "0.0", ddmmyy, "", "", "A"])
