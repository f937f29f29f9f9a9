"""The records that travel from a device to a person: Observation, Waveform, Finding, Gap.

Frozen, exact, and without guesses: a value is an integer number of its metric's steps, absence is None, and what is
not known about a time, a person or a quality is recorded as not known. Every field is bounded, so that any one record
fits into an envelope alone and a batch that is too large can always be split.
"""

import hashlib
from collections.abc import Iterable
from decimal import Decimal

import msgspec

from kanhu.contract.clock import ClockState
from kanhu.contract.errors import InvalidRecord, MessageRefused, RefusalReason
from kanhu.contract.metrics import MetricKind, metric
from kanhu.contract.vocabulary import (
    GapReason,
    Meal,
    Motion,
    Oxygen,
    Phase,
    Posture,
    Priority,
    QualityLevel,
    QualityReason,
    SubjectKind,
)

__all__ = [
    "MAX_ACTIONS",
    "MAX_EVIDENCE",
    "MAX_FINDING_CHARACTERS",
    "MAX_GAP_RANGES",
    "MAX_PARAMS",
    "MAX_SAMPLE_BYTES",
    "MAX_SERIES",
    "MAX_TEXT_CHARACTERS",
    "Context",
    "Evidence",
    "Finding",
    "Gap",
    "GapReason",
    "Meal",
    "Motion",
    "Observation",
    "Oxygen",
    "Part",
    "Phase",
    "Posture",
    "Priority",
    "Quality",
    "QualityLevel",
    "QualityReason",
    "Record",
    "Subject",
    "SubjectKind",
    "Times",
    "Waveform",
    "decode_record",
    "encode_record",
    "record_digest",
]

MAX_TEXT_CHARACTERS = 128
"""Of an id, a code or a name in a record."""
MAX_SERIES = 4096
"""Values of one series: over half an hour of heart beats."""
MAX_SAMPLE_BYTES = 32 * 1024
"""Of one waveform: a minute at 250 samples a second."""
MAX_GAP_RANGES = 2000
MAX_EVIDENCE = 256
MAX_PARAMS = 64
MAX_ACTIONS = 64
MAX_FINDING_CHARACTERS = 10_000
"""Of all texts of one finding together: four bytes each still leave room for the numbers of its evidence."""

# A difference of two values must fit a signed 64-bit integer.
_STEP_LIMIT = 2**62 - 1
_TIME_LIMIT = 2**63 - 1
_MAX_REASONS = 64


class Subject(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """Whom or what a record is about: a pseudonymous resident, an unidentified session, or the dwelling."""

    kind: SubjectKind
    id: str

    def __post_init__(self) -> None:
        """Refuse an id that is too long."""
        _check_texts(self.id)


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
        if not (0 <= self.arrival_ms <= _TIME_LIMIT and 0 <= self.mono_ns <= _TIME_LIMIT):
            raise InvalidRecord(f"time out of range: {self.arrival_ms} ms, {self.mono_ns} ns since boot")
        for known in (self.device_ms, self.earliest_ms, self.latest_ms):
            if known is not None and not -_STEP_LIMIT <= known <= _STEP_LIMIT:
                raise InvalidRecord(f"time out of range: {known}")
        if (self.earliest_ms is None) != (self.latest_ms is None):
            raise InvalidRecord("an interval has both ends or none")
        if self.earliest_ms is not None and self.latest_ms is not None and self.earliest_ms > self.latest_ms:
            raise InvalidRecord("an interval ends before it begins")
        _check_texts(self.boot)

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


class Observation(msgspec.Struct, frozen=True, array_like=True, tag="o", forbid_unknown_fields=True):
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
            count = len(part.steps)
            if count != 1 and not (0 < count <= MAX_SERIES and metric(part.metric).kind is MetricKind.SERIES):
                raise InvalidRecord(f"{part.metric}: {count} values")
            if {*map(type, part.steps)} != {int}:  # a fraction would be accepted here and refused by the county
                raise InvalidRecord(f"{part.metric}: steps are whole numbers")
            if not (min(part.steps) >= -_STEP_LIMIT and max(part.steps) <= _STEP_LIMIT):
                raise InvalidRecord(f"{part.metric}: step out of range")
        _check_texts(self.device)

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


class Waveform(msgspec.Struct, frozen=True, array_like=True, tag="w", forbid_unknown_fields=True):
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
        """Refuse odd byte counts, impossible rates, and more signal than one envelope carries."""
        metric(self.metric)
        if len(self.samples) % 2 or not 0 < len(self.samples) <= MAX_SAMPLE_BYTES:
            raise InvalidRecord(f"samples: {len(self.samples)} bytes are not 1 to {MAX_SAMPLE_BYTES // 2} numbers")
        if not 0 < self.rate_millihertz <= _STEP_LIMIT or not 0 < self.step_nano <= _STEP_LIMIT:
            raise InvalidRecord("rate and step must be above zero")
        _check_texts(self.device)


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
        if not -_STEP_LIMIT <= self.steps <= _STEP_LIMIT:
            raise InvalidRecord(f"evidence: step out of range: {self.steps}")
        if not (0 <= self.mono_ns <= _TIME_LIMIT and 0 <= self.arrival_ms <= _TIME_LIMIT):
            raise InvalidRecord(f"evidence: time out of range: {self.arrival_ms} ms, {self.mono_ns} ns since boot")
        _check_texts(self.metric, self.device, self.boot)


class Finding(msgspec.Struct, frozen=True, array_like=True, tag="f", forbid_unknown_fields=True):
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

    def __post_init__(self) -> None:
        """Refuse a finding that would not fit into an envelope."""
        _check_texts(self.alert_id, self.rule, self.rule_version, self.reason)
        counts = {"evidence": MAX_EVIDENCE, "params": MAX_PARAMS, "actions": MAX_ACTIONS}
        for field, limit in counts.items():
            if len(getattr(self, field)) > limit:
                raise InvalidRecord(f"{field}: {len(getattr(self, field))}, limit {limit}")
        texts = (*self.params, *self.params.values(), *self.actions)
        _check_encodable(texts)
        characters = sum(map(len, texts))
        characters += sum(len(each.metric) + len(each.device) + len(each.boot) for each in self.evidence)
        if characters > MAX_FINDING_CHARACTERS:
            raise InvalidRecord(f"finding of {characters} characters, limit {MAX_FINDING_CHARACTERS}")


class Gap(msgspec.Struct, frozen=True, array_like=True, tag="g", forbid_unknown_fields=True):
    """Accepted records that will never arrive, named so that a hole is never silent."""

    reason: GapReason
    metric: str
    ranges: tuple[tuple[int, int], ...]
    """Sequence numbers of the same outbox, closed ranges, rising and disjoint."""
    from_ms: int
    to_ms: int
    """Earliest and latest arrival among the missing records, gateway wall clock, Unix milliseconds."""
    times: Times

    def __post_init__(self) -> None:
        """Refuse ranges that overlap, so that the count is the number of missing records."""
        if not 0 < len(self.ranges) <= MAX_GAP_RANGES:
            raise InvalidRecord(f"gap: {len(self.ranges)} ranges, limit {MAX_GAP_RANGES}")
        before = 0
        for first, last in self.ranges:
            if not before < first <= last <= _TIME_LIMIT:
                raise InvalidRecord(f"gap: range {first}..{last} is empty or does not rise")
            before = last
        if not 0 <= self.from_ms <= self.to_ms <= _TIME_LIMIT:
            raise InvalidRecord(f"gap: from {self.from_ms} to {self.to_ms} ms is no span of time")
        _check_texts(self.metric)

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


def _check_texts(*texts: str) -> None:
    for text in texts:
        if len(text) > MAX_TEXT_CHARACTERS:
            raise InvalidRecord(f"text of {len(text)} characters, limit {MAX_TEXT_CHARACTERS}")
    _check_encodable(texts)


def _check_encodable(texts: Iterable[str]) -> None:
    """Refuse half a surrogate pair, which no wire can carry."""
    for text in texts:
        if not text.isascii():
            try:
                text.encode()
            except UnicodeEncodeError:
                raise InvalidRecord(f"text {text!r} is not Unicode") from None
