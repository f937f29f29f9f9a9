"""The records that travel from a device to a person: Observation, Waveform, Finding, Gap.

Frozen, exact, and without guesses: a value is an integer number of its metric's steps, absence is None, and what is
not known about a time, a person or a quality is recorded as not known.
"""

import hashlib
from decimal import Decimal
from enum import StrEnum

import msgspec

from kanhu.contract.clock import ClockState
from kanhu.contract.errors import InvalidRecord, MessageRefused, RefusalReason
from kanhu.contract.metrics import MetricKind, metric

# Differences of two values must fit the wire's 64-bit integers.
_STEP_LIMIT = 2**62
_TIME_LIMIT = 2**63 - 1
_MAX_SERIES = 4096
_MAX_TEXT = 128


class Priority(StrEnum):
    """IEC 60601-1-8 words; red, amber and yellow are display."""

    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"
    TECHNICAL = "technical"


class SubjectKind(StrEnum):
    """What a measurement is about."""

    RESIDENT = "resident"
    UNIDENTIFIED = "unidentified"
    DWELLING = "dwelling"


class QualityLevel(StrEnum):
    """How far a value may be used: questionable never raises high, never clears, never enters a baseline."""

    OK = "ok"
    QUESTIONABLE = "questionable"
    UNUSABLE = "unusable"


class QualityReason(StrEnum):
    """Why a value is not simply ok."""

    OUT_OF_RANGE = "out_of_range"
    IMPLAUSIBLE_PAIR = "implausible_pair"
    RATE_OF_CHANGE = "rate_of_change"
    REPEAT_DISAGREES = "repeat_disagrees"
    MOTION = "motion"
    NO_CONTACT = "no_contact"
    FINGER_OUT = "finger_out"
    SEARCHING = "searching"
    WEAK_SIGNAL = "weak_signal"
    LOW_PERFUSION = "low_perfusion"
    UNSTABLE = "unstable"
    CUFF_LOOSE = "cuff_loose"
    POSITION = "position"
    PULSE_OUT_OF_RANGE = "pulse_out_of_range"
    STUCK = "stuck"
    NOT_A_NUMBER = "not_a_number"
    DEVICE_CLOCK_UNSET = "device_clock_unset"
    IDENTITY_UNKNOWN = "identity_unknown"


class Meal(StrEnum):
    """Glucose context."""

    FASTING = "fasting"
    BEFORE = "before"
    AFTER = "after"
    CASUAL = "casual"
    BEDTIME = "bedtime"


class Motion(StrEnum):
    """Movement while measuring."""

    STILL = "still"
    MOVING = "moving"


class Posture(StrEnum):
    """Body position while measuring."""

    LYING = "lying"
    SITTING = "sitting"
    STANDING = "standing"


class Oxygen(StrEnum):
    """Whether the person breathed supplemental oxygen."""

    AIR = "air"
    SUPPLEMENTAL = "supplemental"


class Phase(StrEnum):
    """IHE ACM words for the life of a condition."""

    START = "start"
    CONTINUE = "continue"
    END = "end"


class GapReason(StrEnum):
    """Why accepted records will never arrive."""

    OUTBOX_FULL = "outbox_full"
    REFUSED_BY_COUNTY = "refused_by_county"


class Subject(msgspec.Struct, frozen=True, array_like=True):
    """Whom or what a record is about: a pseudonymous resident, an unidentified session, or the dwelling."""

    kind: SubjectKind
    id: str


class Times(msgspec.Struct, frozen=True, array_like=True):
    """When, without guessing: arrival by wall and monotonic clock, the device's own time, and an interval once known."""

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
        for value in (self.arrival_ms, self.mono_ns):
            if not 0 <= value <= _TIME_LIMIT:
                raise InvalidRecord(f"time out of range: {value}")
        for known in (self.device_ms, self.earliest_ms, self.latest_ms):
            if known is not None and not -_STEP_LIMIT <= known <= _STEP_LIMIT:
                raise InvalidRecord(f"time out of range: {known}")
        if (self.earliest_ms is None) != (self.latest_ms is None):
            raise InvalidRecord("an interval has both ends or none")
        if self.earliest_ms is not None and self.latest_ms is not None and self.earliest_ms > self.latest_ms:
            raise InvalidRecord("an interval ends before it begins")
        if len(self.boot) > _MAX_TEXT:
            raise InvalidRecord("boot id too long")

    def shown_ms(self) -> int:
        """The instant to show: the middle of the interval where known, else arrival."""
        if self.earliest_ms is None or self.latest_ms is None:
            return self.arrival_ms
        return (self.earliest_ms + self.latest_ms) // 2


class Quality(msgspec.Struct, frozen=True, array_like=True):
    """A level with its named reasons; ok has none that lower it."""

    level: QualityLevel = QualityLevel.OK
    reasons: tuple[QualityReason, ...] = ()


class Context(msgspec.Struct, frozen=True, array_like=True):
    """Circumstances of a measurement; None is not known."""

    meal: Meal | None = None
    posture: Posture | None = None
    motion: Motion | None = None
    oxygen: Oxygen | None = None


class Part(msgspec.Struct, frozen=True, array_like=True):
    """One component: a metric and its value or, for a series, values, in integer steps of that metric."""

    metric: str
    steps: tuple[int, ...]


class Observation(msgspec.Struct, frozen=True, array_like=True, tag="o"):
    """One measurement as a device reported it: a single value, or one record with components (blood pressure)."""

    metric: str
    parts: tuple[Part, ...]
    subject: Subject
    device: str
    times: Times
    quality: Quality = Quality()
    context: Context = Context()

    def __post_init__(self) -> None:
        """Refuse parts that do not belong to the metric, and steps outside the wire's range."""
        allowed = metric(self.metric).parts or (self.metric,)
        if not self.parts:
            raise InvalidRecord(f"{self.metric}: no value")
        seen: set[str] = set()
        for part in self.parts:
            if part.metric not in allowed or part.metric in seen:
                raise InvalidRecord(f"{self.metric}: part {part.metric!r} does not belong, or twice")
            seen.add(part.metric)
            series = metric(part.metric).kind is MetricKind.SERIES
            if not (0 < len(part.steps) <= _MAX_SERIES if series else len(part.steps) == 1):
                raise InvalidRecord(f"{part.metric}: {len(part.steps)} values")
            if any(not -_STEP_LIMIT <= step <= _STEP_LIMIT for step in part.steps):
                raise InvalidRecord(f"{part.metric}: step out of range")
        if len(self.device) > _MAX_TEXT or len(self.subject.id) > _MAX_TEXT:
            raise InvalidRecord("device or subject id too long")

    def series(self, code: str) -> tuple[int, ...]:
        """Steps of a component; empty where the device did not report it."""
        for part in self.parts:
            if part.metric == code:
                return part.steps
        return ()

    def value(self, code: str) -> Decimal | None:
        """A component's exact value in its metric's unit; None where the device did not report it."""
        steps = self.series(code)
        return metric(code).value(steps[0]) if len(steps) == 1 else None


class Waveform(msgspec.Struct, frozen=True, array_like=True, tag="w"):
    """A stretch of signal: int16 little-endian samples; value = sample * step_nano * 1e-9 in the metric's unit."""

    metric: str
    subject: Subject
    device: str
    times: Times
    rate_millihertz: int
    step_nano: int
    samples: bytes
    quality: Quality = Quality()

    def __post_init__(self) -> None:
        """Refuse odd byte counts and impossible rates."""
        metric(self.metric)
        if len(self.samples) % 2 or not self.samples:
            raise InvalidRecord("samples are not whole 16-bit numbers")
        if not 0 < self.rate_millihertz <= _STEP_LIMIT or not 0 < self.step_nano <= _STEP_LIMIT:
            raise InvalidRecord("rate and step must be above zero")


class Evidence(msgspec.Struct, frozen=True, array_like=True):
    """One value that decided, and where to find it: device, boot and monotonic time name the observation."""

    metric: str
    steps: int
    device: str
    boot: str
    mono_ns: int
    arrival_ms: int


class Finding(msgspec.Struct, frozen=True, array_like=True, tag="f"):
    """What a rule or detector concluded, with the numbers that decided it."""

    alert_id: str
    rule: str
    rule_version: str
    subject: Subject
    priority: Priority
    phase: Phase
    reason: str
    """Named reason of the decision, from the rule's own list."""
    times: Times
    evidence: tuple[Evidence, ...]
    params: dict[str, str] = {}
    """Exact numbers and words for the sentence template of the rule."""
    actions: tuple[str, ...] = ()
    """What the gateway did on the spot."""


class Gap(msgspec.Struct, frozen=True, array_like=True, tag="g"):
    """Accepted records that will never arrive, named so that a hole is never silent."""

    reason: GapReason
    metric: str
    ranges: tuple[tuple[int, int], ...]
    from_ms: int
    to_ms: int
    times: Times

    def count(self) -> int:
        """How many records are missing."""
        return sum(last - first + 1 for first, last in self.ranges)


Record = Observation | Waveform | Finding | Gap

_encoder = msgspec.msgpack.Encoder(order="deterministic")
_decoder: msgspec.msgpack.Decoder[Record] = msgspec.msgpack.Decoder(Record)


def encode_record(record: Record) -> bytes:
    """Canonical bytes of one record: equal records give equal bytes."""
    return _encoder.encode(record)


def decode_record(data: bytes) -> Record:
    """Read canonical bytes back.

    Raises:
        MessageRefused: the bytes are not a record of this contract.
    """
    try:
        return _decoder.decode(data)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise MessageRefused(RefusalReason.MALFORMED, str(error)) from error


def record_digest(record: Record) -> bytes:
    """SHA-256 of the canonical bytes: the same key with another digest is a conflict."""
    return hashlib.sha256(encode_record(record)).digest()
