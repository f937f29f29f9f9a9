"""Cut a serial stream into the frames of TinyFrame radars; a head with a right checksum is waited for."""

from kanhu.edge.codecs.checked_frames import CheckedFraming
from kanhu.edge.codecs.tinyframe import HEAD_BYTES, MOST_DATA_BYTES, START, checksum


class TinyFrameFraming:
    """Holds less than one frame of the longest kind. A checksum behind a frame without data is one bad byte."""

    def __init__(self) -> None:
        """Begin between two frames."""
        self._framing = CheckedFraming(_measure, start=START)

    @property
    def bad_bytes(self) -> int:
        """Bytes so far that belonged to no frame."""
        return self._framing.bad_bytes

    def feed(self, data: bytes) -> list[bytes]:
        """Frames that these bytes complete, in order."""
        return self._framing.feed(data)

    def end(self) -> list[bytes]:
        """The stream paused or was cut."""
        return self._framing.end()


def _measure(stream: bytes, at: int) -> int | None:
    if len(stream) - at < HEAD_BYTES:
        return None
    if checksum(stream[at : at + HEAD_BYTES - 1]) != stream[at + HEAD_BYTES - 1]:
        return 0
    length = int.from_bytes(stream[at + 3 : at + 5], "big")
    if length > MOST_DATA_BYTES:
        return 0
    end = at + HEAD_BYTES + length
    if not length:
        return HEAD_BYTES
    if end >= len(stream):
        return None
    return end + 1 - at if checksum(stream[at + HEAD_BYTES : end]) == stream[end] else 0
