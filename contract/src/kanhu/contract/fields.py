"""What records are made of: subject, times, quality, context, part, evidence; each bounded."""

from collections.abc import Iterable

import msgspec

from kanhu.contract.clock import ClockState
from kanhu.contract.errors import InvalidRecord
from kanhu.contract.vocabulary import Meal, Motion, Oxygen, Posture, QualityLevel, QualityReason, SubjectKind

MAX_TEXT_CHARACTERS = 128
"""Of an id, a code or a name in a record."""
STEP_LIMIT = 2**62 - 1
"""The difference of two steps must fit a signed 64-bit integer."""
TIME_LIMIT = 2**63 - 1

_MAX_REASONS = 64


class Subject(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """Whom or what a record is about: a pseudonymous resident, an unidentified session, or the dwelling."""

    kind: SubjectKind
    id: str

    def __post_init__(self) -> None:
        """Refuse an id that is too long."""
        check_texts(self.id)


class Times(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """When, without guessing: arrival by wall and monotonic clock, the device's own time, an interval once known."""

    arrival_ms: int
    """Gateway wall clock at arrival, Unix milliseconds; trust it as far as `clock` says."""
    mono_ns: int
    """Gateway monotonic clock at arrival, nanoseconds since `boot`."""
    boot: str
    clock: ClockState
    device_ms: int | None = None
    """The device's own clock, milliseconds since 1970-01-01 of its local time; None if not sent."""
    earliest_ms: int | None = None
    latest_ms: int | None = None
    """True time lies in [earliest, latest], Unix milliseconds; None while not known."""

    def __post_init__(self) -> None:
        """Refuse times outside 64 bits and intervals that end before they begin."""
        if not (0 <= self.arrival_ms <= TIME_LIMIT and 0 <= self.mono_ns <= TIME_LIMIT):
            raise InvalidRecord(f"time out of range: {self.arrival_ms} ms, {self.mono_ns} ns since boot")
        for known in (self.device_ms, self.earliest_ms, self.latest_ms):
            if known is not None and not -STEP_LIMIT <= known <= STEP_LIMIT:
                raise InvalidRecord(f"time out of range: {known}")
        if (self.earliest_ms is None) != (self.latest_ms is None):
            raise InvalidRecord("an interval has both ends or none")
        if self.earliest_ms is not None and self.latest_ms is not None and self.earliest_ms > self.latest_ms:
            raise InvalidRecord("an interval ends before it begins")
        check_texts(self.boot)

    def shown_ms(self) -> int:
        """The instant to show: the middle of the interval where known, else arrival."""
        if self.earliest_ms is None or self.latest_ms is None:
            return self.arrival_ms
        return (self.earliest_ms + self.latest_ms) // 2


class Quality(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """A level with its named reasons; ok has none that lower it."""

    level: QualityLevel = QualityLevel.OK
    reasons: tuple[QualityReason, ...] = ()

    def __post_init__(self) -> None:
        """Refuse an endless list of reasons."""
        if len(self.reasons) > _MAX_REASONS:
            raise InvalidRecord(f"{len(self.reasons)} quality reasons, limit {_MAX_REASONS}")


class Context(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """Circumstances of a measurement; None is not known."""

    meal: Meal | None = None
    posture: Posture | None = None
    motion: Motion | None = None
    oxygen: Oxygen | None = None


class Part(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """One component: a metric and its value or, for a series, values, in integer steps of that metric."""

    metric: str
    steps: tuple[int, ...]


class Evidence(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """One value that decided, and where to find it: device, boot and monotonic time name the observation."""

    metric: str
    steps: int
    device: str
    boot: str
    mono_ns: int
    arrival_ms: int

    def __post_init__(self) -> None:
        """Refuse numbers outside 64 bits and texts that are too long."""
        if not -STEP_LIMIT <= self.steps <= STEP_LIMIT:
            raise InvalidRecord(f"evidence: step out of range: {self.steps}")
        if not (0 <= self.mono_ns <= TIME_LIMIT and 0 <= self.arrival_ms <= TIME_LIMIT):
            raise InvalidRecord(f"evidence: time out of range: {self.arrival_ms} ms, {self.mono_ns} ns since boot")
        check_texts(self.metric, self.device, self.boot)


def check_texts(*texts: str) -> None:
    """Refuse a text that is too long or cannot be encoded."""
    for text in texts:
        if len(text) > MAX_TEXT_CHARACTERS:
            raise InvalidRecord(f"text of {len(text)} characters, limit {MAX_TEXT_CHARACTERS}")
    check_encodable(texts)


def check_encodable(texts: Iterable[str]) -> None:
    """Refuse half a surrogate pair, which no wire can carry."""
    for text in texts:
        if not text.isascii():
            try:
                text.encode()
            except UnicodeEncodeError:
                raise InvalidRecord(f"text {text!r} is not Unicode") from None
