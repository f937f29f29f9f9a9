"""The sending side of the ASTM E1381 (CLSI LIS1-A) link: an analyser that has a message, and hears answers."""

from collections.abc import Iterable, Iterator

REPLY_S = 15.0
"""An analyser waits so long for an answer (LIS1-A)."""

_STX, _ETX, _EOT, _ENQ, _ACK, _ETB = b"\x02", b"\x03", b"\x04", b"\x05", b"\x06", b"\x17"
_TEXT_BYTES = 240
_REFUSALS_TO_GIVE_UP = 6


def astm_frame(number: int, text: bytes, end: bytes = _ETX) -> bytes:
    """STX, one digit, text, ETX or ETB, the sum of all behind STX as two digits, CR LF."""
    summed = b"%d" % (number % 8) + text + end
    return _STX + summed + b"%02X" % (sum(summed) & 0xFF) + b"\r\n"


def astm_frames(records: Iterable[bytes], *, text_bytes: int = _TEXT_BYTES) -> list[bytes]:
    """Each record in frames of its own, numbered from 1."""
    frames: list[bytes] = []
    for record in records:
        whole = record + b"\r"
        pieces = [whole[at : at + text_bytes] for at in range(0, len(whole), text_bytes)]
        for piece in pieces[:-1]:
            frames.append(astm_frame(len(frames) + 1, piece, _ETB))
        frames.append(astm_frame(len(frames) + 1, pieces[-1]))
    return frames


class Analyser:
    """Sends one session; each answer is followed by the next bytes, a refused frame by itself."""

    def __init__(self, frames: Iterable[bytes]) -> None:
        """Hold the frames in their order."""
        self._left: Iterator[bytes] = iter(frames)
        self._last = _ENQ
        self._refusals = 0
        self.gave_up = False

    @property
    def ended(self) -> bool:
        """Whether its last word was EOT, to which nobody answers."""
        return self._last == _EOT

    def begin(self) -> bytes:
        """The first byte of the session."""
        return self._last

    def hear(self, answer: bytes | None) -> bytes:
        """What follows on ACK; on NAK, noise or no answer at all the same again, and after six times EOT."""
        if answer == _ACK:
            self._refusals = 0
            self._last = next(self._left, _EOT)
            return self._last
        self._refusals += 1
        if self._refusals >= _REFUSALS_TO_GIVE_UP:
            self.gave_up = True
            self._last = _EOT
        return self._last
