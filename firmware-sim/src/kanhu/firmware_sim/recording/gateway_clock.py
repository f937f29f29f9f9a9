"""What a gateway's clocks show at a true moment: boots, power cuts, wall time that is wrong until it is synchronised.

A Pi has no clock chip. After a cut it goes on from the time it wrote down last, `restored`, and is right again
(`synced`) soon after it reaches a time server; one that never wrote any down begins in 1970, `unset`.
"""

import hashlib
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

from kanhu.contract import ClockState, Times

__all__ = ["BOOT_TAKES_MS", "ClockStart", "GatewayClock"]

_NS_PER_MS = 1_000_000
_MS_PER_S = 1000
BOOT_TAKES_MS = 40_000  # a Pi 3 from power to reading devices; project choice
_SYNC_TAKES_MS = 30_000  # from then on, with a link; project choice
_LONGEST_UP_BEFORE_MS = 20 * 86_400_000
_DIGITS = 32


@dataclass(frozen=True, slots=True)
class ClockStart:
    """How the wall clock stands at the start of the recording, until it is synchronised."""

    wall_ms: int
    """What it shows at the start; a time of 1970 is `unset`."""
    synced_after_ms: int
    """How long it takes until it is right."""
    state: ClockState = ClockState.RESTORED


@dataclass(frozen=True, slots=True)
class _Stretch:
    """From here on, until the next: one boot, one error of the wall clock."""

    from_ms: int
    boot: str
    booted_ms: int
    behind_ms: int
    state: ClockState
    up: bool = True


class GatewayClock:
    """The clocks of one gateway through a whole recording; a pure function of true time."""

    def __init__(
        self,
        gateway: str,
        *,
        seed: str,
        starts_ms: int,
        cuts: Sequence[tuple[int, int]] = (),
        unlinked: Sequence[tuple[int, int]] = (),
        start: ClockStart | None = None,
    ) -> None:
        """`cuts` are power cuts, `unlinked` stretches without a link; true Unix milliseconds, rising and disjoint."""
        self.epoch = _digits(f"{seed}/{gateway}/epoch")
        up_before_ms = int(_digits(f"{seed}/{gateway}/up")[:12], 16) % _LONGEST_UP_BEFORE_MS
        booted_ms = starts_ms - up_before_ms
        boot = _digits(f"{seed}/{gateway}/boot")
        self._stretches: list[_Stretch] = []
        self._append(_Stretch(0, boot, booted_ms, 0, ClockState.SYNCED))
        if start is not None:
            self._append(_Stretch(0, boot, booted_ms, starts_ms - start.wall_ms, start.state))
            self._append(_Stretch(starts_ms + start.synced_after_ms, boot, booted_ms, 0, ClockState.SYNCED))
        for number, (cut_ms, back_ms) in enumerate(cuts, 1):
            self._cut(f"{seed}/{gateway}/boot/{number}", cut_ms, back_ms, unlinked)
        self._begins = [stretch.from_ms for stretch in self._stretches]

    def is_up(self, true_ms: int) -> bool:
        """Whether the gateway runs and reads its devices."""
        return self._at(true_ms).up

    def times(self, true_ms: int, *, device_ms: int | None = None) -> Times:
        """What it stamps on a reading that arrives now."""
        at = self._at(true_ms)
        mono_ns = (true_ms - at.booted_ms) * _NS_PER_MS
        return Times(true_ms - at.behind_ms, mono_ns, at.boot, at.state, device_ms)

    def _at(self, true_ms: int) -> _Stretch:
        return self._stretches[bisect_right(self._begins, true_ms) - 1]

    def _append(self, stretch: _Stretch) -> None:
        while self._stretches and self._stretches[-1].from_ms >= stretch.from_ms:
            self._stretches.pop()
        self._stretches.append(stretch)

    def _cut(self, name: str, cut_ms: int, back_ms: int, unlinked: Sequence[tuple[int, int]]) -> None:
        before = max((each for each in self._stretches if each.from_ms <= cut_ms), key=lambda each: each.from_ms)
        boot = _digits(name)
        ready_ms = back_ms + BOOT_TAKES_MS
        synced_ms = ready_ms + _SYNC_TAKES_MS
        for from_ms, to_ms in unlinked:
            if from_ms <= synced_ms < to_ms:
                synced_ms = to_ms + _SYNC_TAKES_MS
        off = _Stretch(cut_ms, before.boot, before.booted_ms, before.behind_ms, before.state, up=False)
        self._append(off)
        state = ClockState.UNSET if before.state is ClockState.UNSET else ClockState.RESTORED
        # It goes on from what it showed when the power went, so it is behind by the length of the cut.
        self._append(_Stretch(ready_ms, boot, back_ms, before.behind_ms + back_ms - cut_ms, state))
        self._append(_Stretch(synced_ms, boot, back_ms, 0, ClockState.SYNCED))


def _digits(name: str) -> str:
    return hashlib.blake2b(name.encode(), digest_size=_DIGITS // 2).hexdigest()
