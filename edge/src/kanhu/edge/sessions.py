"""Whom a reading is about: a resident, a place, or nobody known, from one session of a device to the next.

Two sessions without a person may be two people, so each is a subject of its own, and nothing here may guess.
"""

from collections.abc import Iterable

import msgspec

from kanhu.contract import Clock, Observation, Quality, QualityLevel, QualityReason, Subject, SubjectKind
from kanhu.edge.devices import DeviceConfig
from kanhu.edge.whose import People, WhoseReason

_FRESH_S = 120.0
"""On a shared device a reading this old at most is of who is chosen; project choice."""
_CLOCK_S = 5.0
"""So far into the future is an error of comparing clocks of whole seconds; more is a clock that is not understood."""
_BOOT_DIGITS = 8  # enough to keep two boots of one gateway apart


class Sessions:
    """The subject of one device's readings."""

    def __init__(self, device: DeviceConfig, *, clock: Clock, people: People | None = None) -> None:
        """Begin before the first session; without `people` a shared device measures nobody known."""
        self._device = device
        self._clock = clock
        self._people = people or People(clock=clock)
        self._named_ns = -1
        self.begin()

    def begin(self, *, ago_s: float = 0.0) -> None:
        """A new session began so long ago: another finger, another arm, or a strap put on again."""
        now_ns = self._clock.mono_ns()
        self._began_ns = now_ns - round(ago_s * 1e9)
        self._name_nobody(now_ns)
        self._somebody = False

    def measured(self, *, kept_s: float = 0.0) -> Subject:
        """Whom the reading is about that arrives now, kept for so long; ask once a reading, at its arrival."""
        whose = self._people.whose(self._device, began_ns=self._began_ns, kept_s=kept_s)
        if whose.resident is not None:
            self._somebody = True
            return Subject(SubjectKind.RESIDENT, whose.resident)
        if whose.reason is WhoseReason.PLACE and self._device.dwelling is not None:
            return Subject(SubjectKind.DWELLING, self._device.dwelling)
        if self._somebody:  # what came before the named readings and what comes after need not be one person
            self._name_nobody(self._clock.mono_ns())
            self._somebody = False
        return Subject(SubjectKind.UNIDENTIFIED, self._nobody)

    def kept(self, ago_s: float | None, *, takes_s: float | None = 0.0, blur_s: float = 0.0) -> Subject:
        """Whom a reading is about that was measured so long ago by the device's clock; None: at any time.

        It took at least `takes_s`, None where the session goes on; `blur_s` is what the device's clock does not tell.
        On a shared device what is older than two minutes, or of the future, is of nobody known.
        """
        if ago_s is None or not -_CLOCK_S <= ago_s <= _FRESH_S:
            return self.stored()
        if takes_s is not None:
            self.begin(ago_s=takes_s + max(0.0, ago_s))
        return self.measured(kept_s=ago_s - blur_s)

    def named(self, ids: Iterable[str]) -> Subject:
        """Whom the record names that arrives now; where it names no resident, a subject of its own."""
        whose = self._people.named(self._device, ids)
        return self._stranger() if whose.resident is None else Subject(SubjectKind.RESIDENT, whose.resident)

    def stored(self) -> Subject:
        """Of a reading that was measured at another time; on a shared device a subject of its own."""
        whose = self._people.stored(self._device)
        return self._stranger() if whose.resident is None else Subject(SubjectKind.RESIDENT, whose.resident)

    def _stranger(self) -> Subject:
        self._name_nobody(self._clock.mono_ns())
        self._somebody = False
        return Subject(SubjectKind.UNIDENTIFIED, self._nobody)

    def _name_nobody(self, now_ns: int) -> None:
        self._named_ns = max(now_ns, self._named_ns + 1)  # two within one tick are two
        self._nobody = f"{self._device.id}.{self._clock.boot[:_BOOT_DIGITS]}.{self._named_ns}"


def mark_unidentified(observation: Observation) -> Observation:
    """The same reading, questionable where nobody knows whose it is."""
    if observation.subject.kind is not SubjectKind.UNIDENTIFIED:
        return observation
    reasons = (*observation.quality.reasons, QualityReason.IDENTITY_UNKNOWN)
    level = observation.quality.level
    if level is QualityLevel.OK:
        level = QualityLevel.QUESTIONABLE
    return msgspec.structs.replace(observation, quality=Quality(level, reasons))
