"""The records that travel from a device to a person: Observation, Waveform, Finding, Gap.

Frozen, exact, and without guesses: a value is an integer number of its metric's steps, absence is None, and what is
not known about a time, a person or a quality is recorded as not known. Every field is bounded, so that any one record
fits into an envelope alone and a batch that is too large can always be split.
"""

import hashlib
from decimal import Decimal

import msgspec

from kanhu.contract.errors import InvalidRecord, MessageRefused, RefusalReason
from kanhu.contract.fields import (
    MAX_TEXT_CHARACTERS,
    STEP_LIMIT,
    TIME_LIMIT,
    Context,
    Evidence,
    Part,
    Quality,
    Subject,
    Times,
    check_encodable,
    check_texts,
)
from kanhu.contract.metrics import MetricKind, metric
from kanhu.contract.vocabulary import (
    EventWord,
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
    "EventWord",
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

_WORDS: dict[tuple[str | int, ...], EventWord] = {word.value: word for word in EventWord}


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
            if not (min(part.steps) >= -STEP_LIMIT and max(part.steps) <= STEP_LIMIT):
                raise InvalidRecord(f"{part.metric}: step out of range")
        check_texts(self.device)

    def series(self, code: str) -> tuple[int, ...]:
        """Steps of a component; empty where the device did not report it."""
        for part in self.parts:
            if part.metric == code:
                return part.steps
        return ()

    @property
    def word(self) -> EventWord | None:
        """What an event says by its number; None for whatever says no more than its value."""
        return _WORDS.get((self.metric, *self.series(self.metric)))

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
        if not 0 < self.rate_millihertz <= STEP_LIMIT or not 0 < self.step_nano <= STEP_LIMIT:
            raise InvalidRecord("rate and step must be above zero")
        check_texts(self.device)


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
        check_texts(self.alert_id, self.rule, self.rule_version, self.reason)
        counts = {"evidence": MAX_EVIDENCE, "params": MAX_PARAMS, "actions": MAX_ACTIONS}
        for field, limit in counts.items():
            if len(getattr(self, field)) > limit:
                raise InvalidRecord(f"{field}: {len(getattr(self, field))}, limit {limit}")
        texts = (*self.params, *self.params.values(), *self.actions)
        check_encodable(texts)
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
            if not before < first <= last <= TIME_LIMIT:
                raise InvalidRecord(f"gap: range {first}..{last} is empty or does not rise")
            before = last
        if not 0 <= self.from_ms <= self.to_ms <= TIME_LIMIT:
            raise InvalidRecord(f"gap: from {self.from_ms} to {self.to_ms} ms is no span of time")
        check_texts(self.metric)

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
