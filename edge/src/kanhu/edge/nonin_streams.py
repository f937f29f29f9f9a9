"""The live streams of Nonin oximeters as packets of an oximeter: a third of a second each, or a second each.

They talk on while no finger is in, and say so at once, though the display keeps its values for ten seconds.
"""

from collections.abc import Iterator
from typing import NamedTuple

from kanhu.contract import QualityReason
from kanhu.edge.codecs.nonin import decode_nonin_packet, decode_nonin_packet_7
from kanhu.edge.codecs.nonin_frames import NoninPacketFraming, NoninSecondFraming
from kanhu.edge.codecs.nonin_seconds import SECOND_BYTES, decode_nonin_second
from kanhu.edge.codecs.nonin_values import NoninLive
from kanhu.edge.folding import OximeterPacket

PACKETS_A_WINDOW = 30
"""Ten seconds of formats 2 and 7."""
SECONDS_A_WINDOW = 10
"""Ten seconds of format 8."""

_SETTLED_SECONDS = 3
# On the scale of a window, where below 3 is weak: these devices tell by word how good a pulse is, and by no number.
_GOOD, _WEAK = 8, 1
_WEAK_WORDS = frozenset({QualityReason.LOW_PERFUSION, QualityReason.UNSTABLE})


class NoninSample(NamedTuple):
    """What a window needs of one packet or second."""

    signal: int
    pulse_bpm: int | None
    spo2_percent: int | None
    doubt: QualityReason | None


class NoninStream:
    """Formats 2 and 7. Each packet has 25 checksums, so one is never read as the other, nor anything else as either."""

    def __init__(self) -> None:
        """Begin between two packets."""
        self._format_2 = NoninPacketFraming(status_at=1)
        self._format_7 = NoninPacketFraming(status_at=0)

    @property
    def bad_bytes(self) -> int:
        """Bytes of no packet, as the format counts them that the device speaks."""
        return min(self._format_2.bad_bytes, self._format_7.bad_bytes)

    def feed(self, data: bytes) -> Iterator[OximeterPacket | None]:
        """Packets of either format."""
        for packet in self._format_2.feed(data):
            yield _sample(decode_nonin_packet(packet))
        for packet in self._format_7.feed(data):
            yield _sample(decode_nonin_packet_7(packet))

    def end(self) -> Iterator[OximeterPacket]:
        """A packet that was begun is none."""
        self._format_2.end()
        self._format_7.end()
        return iter(())


class NoninSecondStream:
    """Format 8, which has no checksum: a second counts only behind three in a row without a stray byte among them.

    Frames of the other formats, of three or five bytes or seldom marked, look like two such seconds in a row at most.
    """

    def __init__(self) -> None:
        """Begin between two seconds."""
        self._framing = NoninSecondFraming()
        self._bad_before = 0
        self._in_a_row = 0
        self._dropped = 0

    @property
    def bad_bytes(self) -> int:
        """Also those of seconds that did not count."""
        return self._framing.bad_bytes + self._dropped

    def feed(self, data: bytes) -> Iterator[OximeterPacket | None]:
        """Seconds that these bytes complete."""
        for byte in data:
            for second in self._framing.feed(bytes([byte])):
                if self._framing.bad_bytes != self._bad_before:
                    self._bad_before, self._in_a_row = self._framing.bad_bytes, 0
                if self._in_a_row < _SETTLED_SECONDS:
                    self._in_a_row += 1
                    self._dropped += SECOND_BYTES
                else:
                    yield _sample(decode_nonin_second(second))

    def end(self) -> Iterator[OximeterPacket]:
        """A second that was begun is none."""
        self._framing.end()
        return iter(())


def _sample(record: NoninLive) -> NoninSample | None:
    """None without a finger. While the device searches its values are old; of a weak pulse they are values."""
    if record.no_contact:
        return None
    doubts = frozenset(record.doubts)
    return NoninSample(
        signal=_WEAK if doubts & _WEAK_WORDS else _GOOD,
        pulse_bpm=record.pulse_bpm,
        spo2_percent=record.spo2_percent,
        doubt=QualityReason.SEARCHING if QualityReason.SEARCHING in doubts else None,
    )
