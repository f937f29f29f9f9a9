"""Which results a device sent before: what keeps results and sends them again may send one twice."""

from collections import OrderedDict
from hashlib import sha256

import msgspec

from kanhu.edge.intake import Intake

REPEAT_S = 120.0
"""The same result without a time is a repeat for so long; project choice: nothing is measured twice so soon, and what
was not answered is sent again within a minute."""
_MOST_KNOWN = 4096
_KEPT = 64
"""Results known over a restart: more than one message has; project choice."""
_MARK_BYTES = 6
_COUNT = "results"


def mark_of(*told: object) -> int:
    """The same for the same result only, to one in 2 to the power of 48; `told` is all that makes it this result."""
    return int.from_bytes(sha256(msgspec.json.encode(told)).digest()[:_MARK_BYTES], "big")


class KnownResults:
    """Marks of the results that came last, and when; the last few over a restart."""

    def __init__(self, intake: Intake, *, kept: int = _KEPT) -> None:
        """Begin with what was kept of the device: the last `kept`, as many as it may tell again after a restart."""
        self._intake = intake
        self._most_kept = kept
        now_ns = intake.clock.mono_ns()
        marks = (intake.notes.get(_slot(at)) for at in range(kept))
        self._heard_ns: OrderedDict[int, int] = OrderedDict((mark, now_ns) for mark in marks if mark is not None)
        self._count = intake.notes.get(_COUNT, 0)

    def has(self, mark: int, *, timed: bool) -> bool:
        """Whether it is a repeat."""
        heard_ns = self._heard_ns.get(mark)
        if heard_ns is None:
            return False
        return timed or self._intake.clock.mono_ns() - heard_ns <= REPEAT_S * 1e9

    async def add(self, marks: list[int]) -> None:
        """Know these from now on; once that is committed, over a restart too."""
        notes: dict[str, int] = {}
        for mark in marks:
            notes |= self.learn(mark)
        if notes:
            await self._intake.keep(notes)

    def learn(self, mark: int) -> dict[str, int]:
        """Know this from now on, and over a restart once somebody keeps these notes of the device."""
        self._heard_ns.pop(mark, None)
        self._heard_ns[mark] = self._intake.clock.mono_ns()
        if len(self._heard_ns) > _MOST_KNOWN:
            self._heard_ns.popitem(last=False)
        slot = _slot(self._count % self._most_kept)
        self._count += 1
        return {slot: mark, _COUNT: self._count}

    def forget(self, mark: int) -> None:
        """It was not kept after all, and may come again."""
        self._heard_ns.pop(mark, None)


def _slot(at: int) -> str:
    return f"result-{at}"
