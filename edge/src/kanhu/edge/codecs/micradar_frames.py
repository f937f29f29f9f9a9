"""Cut a serial stream into MicRadar frames.

Their head has no checksum of its own, so a wrong length is believed at first. A frame that is begun is given up
as soon as a later one is whole.
"""

from kanhu.edge.codecs.checked_frames import CheckedFraming
from kanhu.edge.codecs.micradar import FRAME_BYTES, HEAD, HEAD_BYTES, MOST_DATA_BYTES, is_sound


class MicradarFraming:
    """Holds less than one frame of the longest kind."""

    def __init__(self) -> None:
        """Begin between two frames."""
        self._framing = CheckedFraming(_measure, start=HEAD[0])

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


def _whole(stream: bytes, at: int) -> int | None:
    head = stream[at : at + HEAD_BYTES]
    if not HEAD.startswith(head[: len(HEAD)]):
        return 0
    if len(head) < HEAD_BYTES:
        return None
    length = int.from_bytes(head[4:], "big")
    if length > MOST_DATA_BYTES:
        return 0
    end = at + FRAME_BYTES + length
    if end > len(stream):
        return None
    return end - at if is_sound(stream[at:end]) else 0


def _measure(stream: bytes, at: int) -> int | None:
    found = _whole(stream, at)
    if found is not None:
        return found
    later = at
    while (later := stream.find(HEAD, later + 1)) >= 0:
        if _whole(stream, later):
            return 0
    return None
