"""Cut a serial stream into the sentences of NMEA 0183 that carry a right checksum."""

from kanhu.edge.codecs.checked_frames import CheckedFraming
from kanhu.edge.codecs.nmea import MOST_BYTES, nmea_checksum

_START = ord("$")
_CHECKSUM_DIGITS = 2


class NmeaFraming:
    """Whole lines with their ends. Holds less than the longest sentence; what has no checksum belongs to none."""

    def __init__(self) -> None:
        """Begin between two sentences."""
        self._framing = CheckedFraming(_measure, start=_START)

    @property
    def bad_bytes(self) -> int:
        """Bytes so far that belonged to no sentence."""
        return self._framing.bad_bytes

    def feed(self, data: bytes) -> list[bytes]:
        """Sentences that these bytes complete, in order."""
        return self._framing.feed(data)

    def end(self) -> list[bytes]:
        """The stream paused or was cut."""
        return self._framing.end()


def _measure(stream: bytes, at: int) -> int | None:
    """A sentence in which another begins is one whose end was lost."""
    newline = stream.find(b"\n", at, at + MOST_BYTES)
    line = stream[at : newline + 1 if newline >= 0 else at + MOST_BYTES]
    if b"$" in line[1:] or not line.isascii():
        return 0
    if newline < 0:
        return None if len(line) < MOST_BYTES else 0
    body, star, checksum = line[1:].rstrip(b"\r\n").partition(b"*")
    if not star or len(checksum) != _CHECKSUM_DIGITS:
        return 0
    return len(line) if checksum.upper() == b"%02X" % nmea_checksum(body) else 0
