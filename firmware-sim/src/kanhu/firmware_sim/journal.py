"""The simulator's truth: one JSON line for each reading, at the moment its last byte is handed over.

Emitted and unsent readings are counted apart; what a gateway should have accepted or refused is what was emitted.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import IO, TypeAlias

import msgspec

from kanhu.contract.clock import Clock

Value: TypeAlias = int | float | str | list[int] | None


class Journal:
    """Writes and counts; `close` adds the final line."""

    def __init__(self, file: Path, *, clock: Clock, devices: Iterable[str]) -> None:
        """Begin a new file; every device starts at zero."""
        file.parent.mkdir(parents=True, exist_ok=True)
        self._out: IO[bytes] = file.open("wb")
        self._clock = clock
        self._encoder = msgspec.json.Encoder()
        self._emitted = Counter(dict.fromkeys(devices, 0))
        self._unsent = Counter(dict.fromkeys(devices, 0))

    @property
    def emitted(self) -> dict[str, int]:
        """Readings handed over so far, by device."""
        return dict(self._emitted)

    @property
    def unsent(self) -> dict[str, int]:
        """Readings nobody took, by device."""
        return dict(self._unsent)

    def write_emitted(self, home: str, device: str, *, kind: str, values: Mapping[str, Value]) -> None:
        """A reading has been handed over whole."""
        self._emitted[device] += 1
        self._write_reading(home, device, kind, {"n": self._emitted[device], "values": dict(values)})

    def write_unsent(self, home: str, device: str, *, kind: str, reason: str, values: Mapping[str, Value]) -> None:
        """A reading was made and nobody took it."""
        self._unsent[device] += 1
        self._write_reading(home, device, kind, {"unsent": reason, "values": dict(values)})

    def write_unconfirmed(self, home: str, device: str, *, kind: str) -> None:
        """The last reading of this device was handed over and not confirmed by its host."""
        self._write_reading(home, device, kind, {"unconfirmed": self._emitted[device]})

    def write_note(self, note: Mapping[str, object]) -> None:
        """Something about the whole play."""
        self._write({"t_ms": self._clock.wall_ms(), **note})

    def write_totals(self) -> None:
        """The final count."""
        self._write({"t_ms": self._clock.wall_ms(), "emitted": self.emitted, "unsent": self.unsent})

    def close(self) -> None:
        """Close the file."""
        self._out.close()

    def _write_reading(self, home: str, device: str, kind: str, rest: Mapping[str, object]) -> None:
        when = {"t_ms": self._clock.wall_ms(), "mono_ns": self._clock.mono_ns()}
        self._write({**when, "home": home, "device": device, "kind": kind, **rest})

    def _write(self, line: Mapping[str, object]) -> None:
        self._out.write(self._encoder.encode(line) + b"\n")
        self._out.flush()
