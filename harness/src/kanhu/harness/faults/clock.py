"""Wrong clocks for one process: its wall time is faked by libfaketime, its monotonic time stays true.

The program is started with `environment` and reads its time from a file that is written here, at every look; so its
clock can be set while it runs. Debian package: libfaketime.
"""

from pathlib import Path

from kanhu.harness.faults.errors import CannotBeHad
from kanhu.harness.faults.play import Hit
from kanhu.harness.faults.schedule import Fault, Kind

__all__ = ["ClockFaults", "FakedClock", "library"]

_LIBRARIES = ("/usr/lib/*-linux-gnu*/faketime/libfaketimeMT.so.1", "/usr/lib/faketime/libfaketimeMT.so.1")
_TRUE = "+0"
_BOOT_AT_1970 = "@1970-01-01 00:00:10"
_MILLION = 1_000_000


def library() -> Path:
    """Where libfaketime is.

    Raises:
        CannotBeHad: it is not installed.
    """
    for pattern in _LIBRARIES:
        found = sorted(Path("/").glob(pattern.lstrip("/")))
        if found:
            return found[0]
    raise CannotBeHad("a wrong clock", "needs the Debian package libfaketime (apt-get install libfaketime)")


class FakedClock:
    """The clock of one process."""

    def __init__(self, file: Path) -> None:
        """`file` is written here and read by the process.

        Raises:
            CannotBeHad: libfaketime is not installed.
        """
        self._library = library()
        self._file = file
        self.set_true()

    @property
    def environment(self) -> dict[str, str]:
        """What the process has to be started with."""
        return {
            "LD_PRELOAD": str(self._library),
            "FAKETIME_TIMESTAMP_FILE": str(self._file),
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",  # else durations jump as well
            "TZ": "UTC",
        }

    def set_true(self) -> None:
        """Right again."""
        self._write(_TRUE)

    def set_1970(self) -> None:
        """As a board without a clock chip boots; the clock runs on from there."""
        self._write(_BOOT_AT_1970)

    def step(self, seconds: float) -> None:
        """So many seconds ahead of the truth, or behind it."""
        self._write(f"{seconds:+.3f}")

    def drift(self, parts_per_million: float) -> None:
        """From now on too fast, or too slow."""
        self._write(f"+0 x{1 + parts_per_million / _MILLION:.9f}")

    def _write(self, text: str) -> None:
        # Replaced as a whole: the process may read at any moment.
        fresh = self._file.with_suffix(".new")
        fresh.write_text(text, encoding="ascii")
        fresh.replace(self._file)


class ClockFaults:
    """Sets clocks wrong by name; of several faults on one clock the last one holds."""

    def __init__(self, clocks: dict[str, FakedClock]) -> None:
        self._clocks = clocks
        self._faults: dict[str, list[Fault]] = {}

    async def begin(self, fault: Fault) -> Hit:
        """Set it wrong.

        Raises:
            CannotBeHad: this run gave that process no clock of its own.
        """
        if fault.target.name not in self._clocks:
            raise CannotBeHad(str(fault), "this run gave it no clock of its own")
        self._faults.setdefault(fault.target.name, []).append(fault)
        self._apply(fault.target.name)
        return Hit.HIT

    async def end(self, fault: Fault) -> None:
        """As the next fault wants it, or right."""
        self._faults[fault.target.name].remove(fault)
        self._apply(fault.target.name)

    def _apply(self, name: str) -> None:
        clock = self._clocks[name]
        last = self._faults[name][-1] if self._faults[name] else None
        if last is None:
            clock.set_true()
        elif last.kind is Kind.YEAR_1970:
            clock.set_1970()
        elif last.kind is Kind.STEP:
            clock.step(last.amount)
        else:
            clock.drift(last.amount)
