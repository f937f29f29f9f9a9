"""Put the observations of a Generic Health Sensor together again: each is cut into segments that fit one value.

A segment begins with one byte: bit 0 says that it is the first of an observation, bit 1 that it is the last, bits 2 to
7 count the segments and go on from 63 with 0. Realtek's, STMicroelectronics' and Philips' open code agree on it. They
differ on the number that a link begins with, so only within one observation has the count to be without a gap.
"""

from kanhu.edge.codecs.ghs import MAX_BYTES

_FIRST = 0x01
_LAST = 0x02
_COUNTER_SHIFT = 2
_COUNTERS = 64


class GhsSegments:
    """The observation that is being received. Holds less than the longest that is read."""

    def __init__(self) -> None:
        """Begin between two observations."""
        self._body: bytearray | None = None
        self._counter = 0
        self._skipping = False
        self.broken = 0
        """Observations so far of which a part is missing, or that were too long."""

    def feed(self, segment: bytes) -> list[bytes]:
        """The observation that this segment completes, or none."""
        if not segment:
            self._break()
            return []
        header = segment[0]
        counter = header >> _COUNTER_SHIFT
        if header & _FIRST:
            self.end()
            self._body = bytearray()
        elif self._body is None or counter != self._counter:
            self._break()
        if self._body is not None:
            self._body += segment[1:]
            self._counter = (counter + 1) % _COUNTERS
            if len(self._body) > MAX_BYTES:
                self._break()
        body, complete = self._body, bool(header & _LAST)
        if complete:
            self._body = None
            self._skipping = False
        return [bytes(body)] if complete and body is not None else []

    def end(self) -> None:
        """What follows belongs to another observation, or the link is gone: what is not complete by now never is."""
        if self._body is not None:
            self._break()
        self._skipping = False

    def _break(self) -> None:
        """Leave out all up to the next first segment; all of it counts as one."""
        if not self._skipping:
            self.broken += 1
        self._body = None
        self._skipping = True
