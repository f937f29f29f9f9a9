"""Cut a serial stream of a Nonin oximeter into packets of 25 frames, into seconds, or into spot checks."""

from kanhu.edge.codecs.checked_frames import CheckedFraming
from kanhu.edge.codecs.nonin import FRAME_BYTES, PACKET_BYTES
from kanhu.edge.codecs.nonin_seconds import (
    OLD_SECOND_BYTES,
    SECOND_BYTES,
    SPOT_CHECK_FRAME_BYTES,
    SPOT_CHECK_HEAD,
    SPOT_CHECK_LEAST_DATA_BYTES,
    SPOT_CHECK_MOST_DATA_BYTES,
)

_MARK = 0x80
_SYNC = 0x01
_START = 0x01
_END = 0x03


class NoninPacketFraming:
    """Packets of format 2 or 7, whose 25 checksums are right and whose first frame alone says that it is the first.

    Holds less than one packet. A frame that was damaged costs its packet, never the next.
    """

    def __init__(self, *, status_at: int) -> None:
        """Begin between two packets; the status is at 1 in format 2 and at 0 in format 7."""
        self._status_at = status_at
        self._rest = b""
        self.bad_bytes = 0
        """Bytes so far that belonged to no packet."""

    def feed(self, data: bytes) -> list[bytes]:
        """Packets that these bytes complete, in order."""
        stream = self._rest + data
        packets: list[bytes] = []
        at = 0
        while at < len(stream):
            sound = self._sound_bytes(stream, at)
            if sound == PACKET_BYTES:
                packets.append(stream[at : at + PACKET_BYTES])
                at += PACKET_BYTES
            elif at + sound + FRAME_BYTES > len(stream):
                break
            else:
                at += 1
                self.bad_bytes += 1
        self._rest = stream[at:]
        return packets

    def end(self) -> None:
        """The stream was cut: a packet that never ended belongs to none."""
        self.bad_bytes += len(self._rest)
        self._rest = b""

    def _sound_bytes(self, stream: bytes, at: int) -> int:
        """How many bytes from here are whole frames as they follow each other in a packet."""
        for sound in range(0, PACKET_BYTES, FRAME_BYTES):
            frame = stream[at + sound : at + sound + FRAME_BYTES]
            if len(frame) < FRAME_BYTES or not self._follows(frame, first=not sound):
                return sound
        return PACKET_BYTES

    def _follows(self, frame: bytes, *, first: bool) -> bool:
        status = frame[self._status_at]
        begins = status >= _MARK and (not self._status_at or frame[0] == _START)
        return begins and bool(status & _SYNC) is first and sum(frame[:-1]) & 0xFF == frame[-1]


class NoninSecondFraming:
    """Seconds of format 1 or 8: one byte with bit 7 set, then two or three without. Holds at most three bytes."""

    def __init__(self, *, second_bytes: int = SECOND_BYTES) -> None:
        """Begin between two seconds; `second_bytes` is 3 in format 1 and 4 in format 8."""
        if second_bytes not in {OLD_SECOND_BYTES, SECOND_BYTES}:
            raise ValueError(f"seconds of {second_bytes} bytes")
        self._second_bytes = second_bytes
        self._rest = bytearray()
        self.bad_bytes = 0
        """Bytes so far that belonged to no second."""

    def feed(self, data: bytes) -> list[bytes]:
        """Seconds that these bytes complete, in order."""
        seconds: list[bytes] = []
        for byte in data:
            if byte >= _MARK:
                self.end()
            elif not self._rest:
                self.bad_bytes += 1
                continue
            self._rest.append(byte)
            if len(self._rest) == self._second_bytes:
                seconds.append(bytes(self._rest))
                self._rest.clear()
        return seconds

    def end(self) -> None:
        """The stream was cut: a second that never ended belongs to none."""
        self.bad_bytes += len(self._rest)
        self._rest.clear()


class NoninSpotCheckFraming:
    """Spot checks of format 13. Holds less than the longest of them."""

    def __init__(self) -> None:
        """Begin between two spot checks."""
        self._framing = CheckedFraming(_measure_spot_check, start=SPOT_CHECK_HEAD[0])

    @property
    def bad_bytes(self) -> int:
        """Bytes so far that belonged to no spot check."""
        return self._framing.bad_bytes

    def feed(self, data: bytes) -> list[bytes]:
        """Spot checks that these bytes complete, in order."""
        return self._framing.feed(data)

    def end(self) -> list[bytes]:
        """The stream paused or was cut."""
        return self._framing.end()


def _measure_spot_check(stream: bytes, at: int) -> int | None:
    head = stream[at : at + len(SPOT_CHECK_HEAD)]
    if not SPOT_CHECK_HEAD.startswith(head):
        return 0
    if len(stream) - at < len(SPOT_CHECK_HEAD) + 2:
        return None
    length = int.from_bytes(stream[at + 4 : at + 6], "big")
    if not SPOT_CHECK_LEAST_DATA_BYTES <= length <= SPOT_CHECK_MOST_DATA_BYTES:
        return 0
    whole = SPOT_CHECK_FRAME_BYTES + length
    if len(stream) - at < whole:
        return None
    data, checksum, end = stream[at + 6 : at + 6 + length], stream[at + whole - 2], stream[at + whole - 1]
    return whole if sum(data) & 0xFF == checksum and end == _END else 0
