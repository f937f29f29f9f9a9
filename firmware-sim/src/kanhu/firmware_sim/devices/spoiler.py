"""What a faulty device does to its messages: cut short, a bit turned over, the same again, late, or many times."""

import random
from collections.abc import Iterator, Sequence

from kanhu.firmware_sim.scenario.model import DeviceFault, Fault

__all__ = ["Spoiler"]

_USUAL = {
    DeviceFault.TRUNCATED: 0.2,
    DeviceFault.FLIPPED: 0.2,
    DeviceFault.SLOW: 5.0,
    DeviceFault.CHATTERING: 10.0,
}
"""Amounts where the scenario states none."""


class Spoiler:
    """The faults of one device over a play; without any it changes nothing."""

    def __init__(self, faults: Sequence[Fault] = (), *, seed: str = "") -> None:
        """Draw from `seed`, so that the same play spoils the same messages."""
        self._faults = sorted(faults, key=lambda fault: fault.at_s)
        self._draw = random.Random(f"{seed}/spoiler")
        self._stuck: bytes | None = None

    def delay_s(self, at_s: float) -> float:
        """How much later than it should a message leaves."""
        return max((_amount(fault) for fault in self._now(at_s) if fault.what == DeviceFault.SLOW), default=0.0)

    def messages(self, message: bytes, at_s: float) -> list[bytes]:
        """What leaves the device instead of this message, in order."""
        times = 1
        stuck = False
        for fault in self._now(at_s):
            match fault.what:
                case DeviceFault.TRUNCATED if self._hits(fault):
                    message = message[: self._draw.randrange(1, max(2, len(message)))]
                case DeviceFault.FLIPPED if self._hits(fault):
                    message = self._flipped(message)
                case DeviceFault.STUCK:
                    stuck = True
                case DeviceFault.CHATTERING:
                    times = max(times, round(_amount(fault)))
        self._stuck = (self._stuck or message) if stuck else None
        return [self._stuck or message] * times

    def _now(self, at_s: float) -> Iterator[Fault]:
        return (
            fault
            for fault in self._faults
            if fault.at_s <= at_s and (not fault.for_s or at_s < fault.at_s + fault.for_s)
        )

    def _hits(self, fault: Fault) -> bool:
        return self._draw.random() < _amount(fault)

    def _flipped(self, message: bytes) -> bytes:
        spoilt = bytearray(message)
        spoilt[self._draw.randrange(len(spoilt))] ^= 1 << self._draw.randrange(8)
        return bytes(spoilt)


def _amount(fault: Fault) -> float:
    return fault.amount or _USUAL[DeviceFault(fault.what)]
