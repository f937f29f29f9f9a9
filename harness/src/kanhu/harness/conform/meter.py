"""What a gateway under test costs: memory, processor and card, of all its processes, through every restart.

From /proc only, so that nothing has to be built into what is measured. What a process did between the last look and
its end is not seen; a look every half second keeps that small.
"""

import asyncio
import os
from dataclasses import dataclass, field
from pathlib import Path

__all__ = ["Meter"]

_LOOK_S = 0.5
_TICKS_A_S = os.sysconf("SC_CLK_TCK")
_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
_PPID, _UTIME, _STIME, _STARTED = 1, 11, 12, 19  # fields of /proc/PID/stat behind the command's name


@dataclass(frozen=True, slots=True)
class _Spent:
    cpu_s: float = 0.0
    written_bytes: int = 0


@dataclass(slots=True)
class Meter:
    """Looks at one process and its descendants again and again."""

    peak_bytes: int = 0
    resident_bytes: int = 0
    """At the last look."""
    _spent: dict[tuple[int, str], _Spent] = field(default_factory=dict)
    """By process id and start time: ids come again."""

    @property
    def cpu_s(self) -> float:
        """Processor seconds of all that ever ran."""
        return sum(spent.cpu_s for spent in self._spent.values())

    @property
    def written_bytes(self) -> int:
        """Bytes handed to the disk."""
        return sum(spent.written_bytes for spent in self._spent.values())

    async def follow(self, pid: int) -> None:
        """Look until the process is gone, or this is cancelled."""
        while _stat(pid) is not None:
            self.look(pid)
            await asyncio.sleep(_LOOK_S)

    def look(self, pid: int) -> None:
        """Note what the process and its descendants have spent."""
        resident = 0
        for each in _family(pid):
            fields = _stat(each)
            if fields is None:
                continue
            key = (each, fields[_STARTED])
            cpu_s = (int(fields[_UTIME]) + int(fields[_STIME])) / _TICKS_A_S
            before = self._spent.get(key, _Spent())
            self._spent[key] = _Spent(max(cpu_s, before.cpu_s), max(_written(each), before.written_bytes))
            resident += _resident(each)
        self.resident_bytes = resident
        self.peak_bytes = max(self.peak_bytes, resident)


def _family(pid: int) -> list[int]:
    found = [pid]
    for parent in found:
        found += _children(parent)
    return found


def _children(pid: int) -> list[int]:
    children: list[int] = []
    try:
        for task in Path(f"/proc/{pid}/task").iterdir():
            children += map(int, (task / "children").read_text(encoding="ascii").split())
    except OSError:  # it has just ended
        pass
    return children


def _stat(pid: int) -> list[str] | None:
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    return text.rpartition(")")[2].split()


def _written(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/io").read_text(encoding="ascii").splitlines()
    except OSError:  # ended, or of another user
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("write_bytes:")), 0)


def _resident(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1]) * _PAGE_BYTES
    except (OSError, IndexError):
        return 0
