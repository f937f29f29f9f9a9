"""How much this process writes to the card: writing is what wears a memory card out, so it is measured."""

from collections import deque
from pathlib import Path

from kanhu.contract import Clock

WRITTEN_DAY = "card_written_day"
"""Note: bytes written in the last 24 h, or since the process began; told hourly, for a note is a write itself."""
WRITTEN_SPAN = "card_written_span_s"
"""Note: the seconds in which they were written."""
MOST_BYTES_A_DAY = 4 * 1024**3
"""More than this is no normal day: what a strap that tells a reading each second costs, twice (docs/gateway.md)."""

_HOUR_NS = 3_600 * 10**9
_DAY_NS = 24 * _HOUR_NS
_FILE = Path("/proc/self/io")


class CardMeter:
    """Looks at what the kernel counts for this process (`write_bytes`)."""

    def __init__(self, clock: Clock, *, file: Path = _FILE) -> None:
        """Count from now."""
        self._clock = clock
        self._file = file
        self._marks: deque[tuple[int, int]] = deque()
        self.hourly()

    def written(self) -> int | None:
        """Bytes that this process caused to be written since it began; None where the kernel does not count them."""
        try:
            for line in self._file.read_text(encoding="ascii").splitlines():
                name, _, value = line.partition(":")
                if name == "write_bytes":
                    return int(value)
        except (OSError, ValueError):
            return None
        return None

    def last_day(self) -> tuple[int, int] | None:
        """Bytes, and the seconds in which they were written: 24 h to within one, or less where it has run less."""
        written = self.written()
        if written is None or not self._marks:
            return None
        since_ns, before = self._marks[0]
        return written - before, (self._clock.mono_ns() - since_ns) // 10**9

    def hourly(self) -> dict[str, int]:
        """Mark where the count stands; returns the notes for the doctor once an hour, else nothing."""
        now_ns, written = self._clock.mono_ns(), self.written()
        if written is None or (self._marks and now_ns - self._marks[-1][0] < _HOUR_NS):
            return {}
        self._marks.append((now_ns, written))
        while now_ns - self._marks[0][0] > _DAY_NS:
            self._marks.popleft()
        found = self.last_day()
        return {} if found is None or not found[1] else {WRITTEN_DAY: found[0], WRITTEN_SPAN: found[1]}
