"""From a byte stream to frames that carry their length and a checksum: what fails is searched for the next one."""

from collections.abc import Callable

Measure = Callable[[bytes, int], int | None]
"""Bytes of the whole, sound frame that begins here; 0 where none can, None where more bytes have to decide."""


class CheckedFraming:
    """Cuts a stream into whole frames. Holds less than the longest frame that `measure` waits for."""

    def __init__(self, measure: Measure, *, start: int) -> None:
        """Begin between two frames; `start` is the first byte of each."""
        self._measure = measure
        self._start = start
        self._rest = b""
        self.bad_bytes = 0
        """Bytes so far that belonged to no frame."""

    def feed(self, data: bytes) -> list[bytes]:
        """Frames that these bytes complete, in order. One that was begun is waited for."""
        frames: list[bytes] = []
        stream = self._rest + data
        done = at = 0
        waiting = len(stream)
        while (at := stream.find(self._start, at)) >= 0:
            length = self._measure(stream, at)
            if length is None:
                waiting = at
                break
            done, at = self._take(stream, done, at, length, frames)
        self.bad_bytes += waiting - done
        self._rest = stream[waiting:]
        return frames

    def end(self) -> list[bytes]:
        """The stream paused or was cut: what was begun never ends, and may hide frames that are whole."""
        frames: list[bytes] = []
        stream, self._rest = self._rest, b""
        done = at = 0
        while (at := stream.find(self._start, at)) >= 0:
            done, at = self._take(stream, done, at, self._measure(stream, at) or 0, frames)
        self.bad_bytes += len(stream) - done
        return frames

    def _take(self, stream: bytes, done: int, at: int, length: int, frames: list[bytes]) -> tuple[int, int]:
        """Up to where the stream is cut, and where to look next."""
        if not length:
            return done, at + 1
        self.bad_bytes += at - done
        frames.append(stream[at : at + length])
        return at + length, at + length
