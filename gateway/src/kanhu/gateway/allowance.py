"""How many bytes of a parcel the link bears, so that an alert never waits long behind readings. No clock, no network.

    4 KiB ──passed in less than the time aimed at──▶ what would pass in it, up to twice what has passed ──▶ 60 KiB
      │
      └──took longer, or did not pass at all──▶ what would have passed in it, at least half ──▶ 2 KiB

Each sender of an uplink waits until the broker has acknowledged its parcel before it hands over the next: so what is on
its way, in paho's queue, in the kernel and on the air, is one parcel of each at most, and an alert waits behind one
parcel of readings. How long it takes from handing over to the acknowledgement is also what the link is measured by.

Two bounds, because two parcels share the link: what passes in a time is at least the parcel itself, and by that the
allowance grows; it is at most the parcel with all that was ahead of it, and by that it shrinks. A round trip counts as
if it were slowness. That costs a link of long delays some throughput, and no alert its time.
"""

from dataclasses import dataclass

from kanhu.contract.envelope import MAX_ENVELOPE_BYTES

__all__ = ["FIRST_BYTES", "LEAST_BYTES", "PASSES_IN_S", "Allowance", "Passage"]

PASSES_IN_S = 2.0
"""How long a parcel should take: an alert behind it is heard in less than half of the 5 s that it has."""

FIRST_BYTES = 4 * 1024
"""At the beginning of a connection at most: half a second at 64 kbit/s, three and a half at 9.6."""

LEAST_BYTES = 2 * 1024
"""Whatever the link: two hundred oximeter readings, and 7 s at 2.4 kbit/s. Less would be mostly envelope."""


@dataclass(frozen=True, slots=True)
class Passage:
    """One parcel on its way, in bytes."""

    size: int
    ahead: int
    """What had left before and was not acknowledged yet."""


class Allowance:
    """Of one uplink; what it has learnt of a slow link outlives a connection."""

    def __init__(self, *, passes_in_s: float = PASSES_IN_S) -> None:
        """`passes_in_s` is how long a parcel should take."""
        self._passes_in_s = passes_in_s
        self._under_way = 0
        self.parcel_bytes = FIRST_BYTES
        """Most bytes of the next parcel; a record that is larger goes alone."""

    def begin(self) -> None:
        """A new connection, maybe over another link: nothing is under way, and a large parcel has to be earned anew."""
        self._under_way = 0
        self.parcel_bytes = min(self.parcel_bytes, FIRST_BYTES)

    def leave(self, size: int) -> Passage:
        """A parcel of so many bytes is handed over."""
        passage = Passage(size, self._under_way)
        self._under_way += size
        return passage

    def passed(self, passage: Passage, *, seconds: float) -> None:
        """The broker acknowledged it so long after it was handed over."""
        self._under_way = max(0, self._under_way - passage.size)
        share = self._passes_in_s / max(seconds, 1e-6)
        if share >= 1:
            earned = round(passage.size * min(share, 2.0))
            self.parcel_bytes = min(MAX_ENVELOPE_BYTES, max(self.parcel_bytes, earned))
        elif (
            passage.size + passage.ahead > self.parcel_bytes // 2
        ):  # of a smaller one the round trip tells, not the rate
            self._shrink_to(round((passage.size + passage.ahead) * share))

    def stuck(self, passage: Passage, *, seconds: float) -> None:
        """The connection ended before it was acknowledged; one that was cut early says nothing about the rate."""
        self._under_way = max(0, self._under_way - passage.size)
        if seconds > self._passes_in_s:
            self._shrink_to(0)

    def _shrink_to(self, size: int) -> None:
        self.parcel_bytes = max(LEAST_BYTES, self.parcel_bytes // 2, min(size, self.parcel_bytes))
