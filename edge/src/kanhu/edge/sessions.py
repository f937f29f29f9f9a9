"""Whom a reading is about: the resident a device is bound to, or nobody known.

A device of one resident measures that resident. On a shared device every session is its own unidentified subject,
because two sessions may be two people and nothing here may guess.
"""

import msgspec

from kanhu.contract import Clock, Observation, Quality, QualityLevel, QualityReason, Subject, SubjectKind
from kanhu.edge.devices import DeviceConfig

_BOOT_DIGITS = 8  # enough to keep two boots of one gateway apart


class Sessions:
    """The subject of one device's readings, from one session to the next."""

    def __init__(self, device: DeviceConfig, *, clock: Clock) -> None:
        """Begin before the first session."""
        self._device = device
        self._clock = clock
        self._subject = self._next()

    @property
    def subject(self) -> Subject:
        """Whom the present session measures."""
        return self._subject

    def begin(self) -> Subject:
        """A new session began: another finger, another arm, or a strap put on again."""
        self._subject = self._next()
        return self._subject

    def _next(self) -> Subject:
        device = self._device
        if device.subject is not None:
            return Subject(SubjectKind.RESIDENT, device.subject)
        if device.dwelling is not None:
            return Subject(SubjectKind.DWELLING, device.dwelling)
        session = f"{device.id}.{self._clock.boot[:_BOOT_DIGITS]}.{self._clock.mono_ns()}"
        return Subject(SubjectKind.UNIDENTIFIED, session)


def mark_unidentified(observation: Observation) -> Observation:
    """The same reading, questionable where nobody knows whose it is."""
    if observation.subject.kind is not SubjectKind.UNIDENTIFIED:
        return observation
    reasons = (*observation.quality.reasons, QualityReason.IDENTITY_UNKNOWN)
    level = observation.quality.level
    if level is QualityLevel.OK:
        level = QualityLevel.QUESTIONABLE
    return msgspec.structs.replace(observation, quality=Quality(level, reasons))
