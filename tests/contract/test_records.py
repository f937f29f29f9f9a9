"""What a record may be, and that its canonical bytes are the record and nothing else."""

import hashlib
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given

from kanhu.contract import (
    METRICS,
    ClockState,
    Envelope,
    EventWord,
    Evidence,
    Finding,
    Gap,
    GapReason,
    InvalidRecord,
    MetricKind,
    Observation,
    Part,
    Phase,
    Priority,
    Quality,
    QualityLevel,
    QualityReason,
    Record,
    Subject,
    SubjectKind,
    Times,
    UnknownMetric,
    Waveform,
    decode_record,
    encode_envelope,
    encode_record,
    record_digest,
)
from kanhu.contract.records import (
    MAX_ACTIONS,
    MAX_EVIDENCE,
    MAX_FINDING_CHARACTERS,
    MAX_GAP_RANGES,
    MAX_PARAMS,
    MAX_SAMPLE_BYTES,
    MAX_SERIES,
    MAX_TEXT_CHARACTERS,
)
from tests.contract.strategies import STEP_LIMIT, TIME_LIMIT, records

PERSON = Subject(SubjectKind.RESIDENT, "r-0003")
TIMES = Times(1_790_000_000_000, 5_000_000_000, "b" * 32, ClockState.SYNCED)
EVIDENCE = Evidence("spo2", 880, "oximeter-03", "b" * 32, 5_000_000_000, 1_790_000_000_000)


def pressure(**changes: Any) -> Observation:
    fields: dict[str, Any] = {
        "metric": "bp",
        "parts": (Part("systolic", (18_450,)), Part("diastolic", (9_000,))),
        "subject": PERSON,
        "device": "cuff-03",
        "times": TIMES,
    }
    return Observation(**(fields | changes))


def finding(**changes: Any) -> Finding:
    fields: dict[str, Any] = {
        "alert_id": "a" * 26,
        "rule": "SPO2-LOW",
        "rule_version": "2026.11",
        "subject": PERSON,
        "priority": Priority.MEDIUM,
        "phase": Phase.START,
        "reason": "confirmed",
        "times": TIMES,
        "evidence": (EVIDENCE,),
    }
    return Finding(**(fields | changes))


def gap(**changes: Any) -> Gap:
    fields: dict[str, Any] = {
        "reason": GapReason.OUTBOX_FULL,
        "metric": "heart_rhythm",
        "ranges": ((4, 6), (8, 8)),
        "from_ms": 10,
        "to_ms": 20,
        "times": TIMES,
    }
    return Gap(**(fields | changes))


def waveform(**changes: Any) -> Waveform:
    fields: dict[str, Any] = {
        "metric": "heart_rate",
        "subject": PERSON,
        "device": "patch-03",
        "times": TIMES,
        "rate_millihertz": 250_000,
        "step_nano": 5_000_000,
        "samples": b"\x01\x00\xff\xff",
    }
    return Waveform(**(fields | changes))


@given(records)
def test_canonical_bytes_bring_back_the_record_bit_for_bit(record: Record) -> None:
    data = encode_record(record)
    again = decode_record(data)
    assert again == record
    assert type(again) is type(record)
    assert encode_record(again) == data


@given(records, records)
def test_records_have_equal_digests_only_when_they_are_equal(one: Record, other: Record) -> None:
    assert (record_digest(one) == record_digest(other)) == (one == other)


def test_the_digest_is_sha_256_of_the_canonical_bytes() -> None:
    assert record_digest(pressure()) == hashlib.sha256(encode_record(pressure())).digest()


def test_the_order_in_which_parameters_were_written_does_not_change_the_digest() -> None:
    one, other = finding(params={"value": "88", "limit": "92"}), finding(params={"limit": "92", "value": "88"})
    assert record_digest(one) == record_digest(other)


def test_values_are_exact_and_absence_is_none() -> None:
    reading = pressure()
    assert reading.value("systolic") == Decimal("184.5")
    assert reading.value("mean_pressure") is None
    assert reading.series("mean_pressure") == ()


def test_a_series_has_no_single_value_unless_it_has_one_element() -> None:
    rhythm = Observation("heart_rhythm", (Part("rr_interval", (125, 128)),), PERSON, "strap-03", TIMES)
    assert rhythm.value("rr_interval") is None
    assert rhythm.series("rr_interval") == (125, 128)


@pytest.mark.parametrize(
    ("metric", "step", "word"),
    [
        ("help_button", 1, EventWord.CALL),
        ("help_button", 2, EventWord.FINE),
        ("help_button", 3, None),
        ("well_check", 0, EventWord.SIGN_GIVEN),
        ("well_check", 1, EventWord.SIGN_MISSING),
        ("dosage", 1, EventWord.DOSE_TAKEN),
        ("dosage", 2, EventWord.DOSE_MISSED),
        ("dosage", 0, None),
        ("motion", 1, None),
        ("heart_rate", 1, None),
    ],
)
def test_an_event_says_by_its_number_what_the_specification_lists(
    metric: str, step: int, word: EventWord | None
) -> None:
    assert Observation(metric, (Part(metric, (step,)),), PERSON, "button-01", TIMES).word is word


def test_the_shown_instant_is_arrival_until_an_interval_is_known() -> None:
    assert TIMES.shown_ms() == TIMES.arrival_ms
    known = Times(1, 2, "", ClockState.UNSET, None, 100, 104)
    assert known.shown_ms() == 102


def test_a_gap_counts_every_missing_record() -> None:
    assert gap().count() == 4


@dataclass(frozen=True)
class Contradiction:
    """A record that must not come to be."""

    name: str
    make: Any
    changes: dict[str, Any]


CONTRADICTIONS = [
    Contradiction("no parts", pressure, {"parts": ()}),
    Contradiction("a part of another metric", pressure, {"parts": (Part("spo2", (970,)),)}),
    Contradiction("a part twice", pressure, {"parts": (Part("systolic", (1,)), Part("systolic", (1,)))}),
    Contradiction("a part that is the panel", pressure, {"parts": (Part("bp", (1,)),)}),
    Contradiction("a scalar without value", pressure, {"parts": (Part("systolic", ()),)}),
    Contradiction("a scalar with two values", pressure, {"parts": (Part("systolic", (1, 2)),)}),
    Contradiction("a step over 62 bits", pressure, {"parts": (Part("systolic", (STEP_LIMIT + 1,)),)}),
    Contradiction("a step under 62 bits", pressure, {"parts": (Part("systolic", (-STEP_LIMIT - 1,)),)}),
    Contradiction("a fraction for a step", pressure, {"parts": (Part("systolic", (1.5,)),)}),  # type: ignore[arg-type]  # meant
    Contradiction("half a surrogate pair", pressure, {"device": "cuff-\ud800"}),
    Contradiction("half a surrogate pair in a sentence", finding, {"params": {"name": "\ud800"}}),
    Contradiction("an endless device id", pressure, {"device": "x" * (MAX_TEXT_CHARACTERS + 1)}),
    Contradiction("no samples", waveform, {"samples": b""}),
    Contradiction("half a sample", waveform, {"samples": b"\x00\x01\x02"}),
    Contradiction("too many samples", waveform, {"samples": bytes(MAX_SAMPLE_BYTES + 2)}),
    Contradiction("no rate", waveform, {"rate_millihertz": 0}),
    Contradiction("no step", waveform, {"step_nano": 0}),
    Contradiction("an endless rule name", finding, {"rule": "x" * (MAX_TEXT_CHARACTERS + 1)}),
    Contradiction("endless evidence", finding, {"evidence": (EVIDENCE,) * (MAX_EVIDENCE + 1)}),
    Contradiction("endless parameters", finding, {"params": {str(n): "" for n in range(MAX_PARAMS + 1)}}),
    Contradiction("endless actions", finding, {"actions": ("",) * (MAX_ACTIONS + 1)}),
    Contradiction("endless text", finding, {"params": {"note": "x" * (MAX_FINDING_CHARACTERS + 1)}}),
    Contradiction("a gap of nothing", gap, {"ranges": ()}),
    Contradiction("a gap from zero", gap, {"ranges": ((0, 4),)}),
    Contradiction("a gap that ends before it begins", gap, {"ranges": ((6, 4),)}),
    Contradiction("ranges that overlap", gap, {"ranges": ((1, 5), (5, 6))}),
    Contradiction("endless ranges", gap, {"ranges": tuple((n, n) for n in range(1, MAX_GAP_RANGES + 2))}),
    Contradiction("a gap past 63 bits", gap, {"ranges": ((1, TIME_LIMIT + 1),)}),
    Contradiction("a span that ends before it begins", gap, {"from_ms": 30}),
]


@pytest.mark.parametrize("case", CONTRADICTIONS, ids=lambda case: case.name)
def test_a_record_that_contradicts_itself_never_comes_to_be(case: Contradiction) -> None:
    with pytest.raises(InvalidRecord):
        case.make(**case.changes)


@pytest.mark.parametrize(
    "fields",
    [
        (-1, 0, "", ClockState.SYNCED),
        (0, -1, "", ClockState.SYNCED),
        (TIME_LIMIT + 1, 0, "", ClockState.SYNCED),
        (0, TIME_LIMIT + 1, "", ClockState.SYNCED),
        (0, 0, "x" * (MAX_TEXT_CHARACTERS + 1), ClockState.SYNCED),
        (0, 0, "", ClockState.SYNCED, STEP_LIMIT + 1),
        (0, 0, "", ClockState.SYNCED, None, 5, None),
        (0, 0, "", ClockState.SYNCED, None, None, 5),
        (0, 0, "", ClockState.SYNCED, None, 6, 5),
    ],
)
def test_impossible_times_never_come_to_be(fields: tuple[Any, ...]) -> None:
    with pytest.raises(InvalidRecord):
        Times(*fields)


def test_an_unknown_metric_is_named_in_the_error() -> None:
    with pytest.raises(UnknownMetric, match="blood_presure") as caught:
        pressure(metric="blood_presure")
    assert caught.value.code == "blood_presure"


def test_subject_evidence_and_quality_are_bounded() -> None:
    with pytest.raises(InvalidRecord):
        Subject(SubjectKind.RESIDENT, "x" * (MAX_TEXT_CHARACTERS + 1))
    with pytest.raises(InvalidRecord):
        Evidence("spo2", STEP_LIMIT + 1, "", "", 0, 0)
    with pytest.raises(InvalidRecord):
        Evidence("spo2", 1, "", "", -1, 0)
    with pytest.raises(InvalidRecord):
        Quality(QualityLevel.QUESTIONABLE, (QualityReason.MOTION,) * 65)


WIDE = "\U0001f9d3" * MAX_TEXT_CHARACTERS  # four bytes each
WIDE_TIMES = Times(TIME_LIMIT, TIME_LIMIT, WIDE, ClockState.RESTORED, -STEP_LIMIT, -STEP_LIMIT, STEP_LIMIT)
WIDE_PERSON = Subject(SubjectKind.UNIDENTIFIED, WIDE)
WIDE_EVIDENCE = Evidence("", STEP_LIMIT, "", "", TIME_LIMIT, TIME_LIMIT)
ZIGZAG = tuple(STEP_LIMIT if n % 2 else -STEP_LIMIT for n in range(MAX_SERIES))


def widest() -> list[Record]:
    """Of each kind the record that takes most bytes."""
    bad = Quality(QualityLevel.QUESTIONABLE, (QualityReason.PULSE_OUT_OF_RANGE,) * 64)
    found: list[Record] = [
        Observation(
            row.code,
            tuple(
                Part(code, ZIGZAG if METRICS[code].kind is MetricKind.SERIES else ZIGZAG[:1])
                for code in row.parts or (row.code,)
            ),
            WIDE_PERSON,
            WIDE,
            WIDE_TIMES,
            bad,
        )
        for row in METRICS.values()
    ]
    found += [
        Waveform("heart_rhythm", WIDE_PERSON, WIDE, WIDE_TIMES, STEP_LIMIT, STEP_LIMIT, bytes(MAX_SAMPLE_BYTES), bad),
        finding(
            alert_id=WIDE,
            rule=WIDE,
            rule_version=WIDE,
            reason=WIDE,
            subject=WIDE_PERSON,
            times=WIDE_TIMES,
            evidence=(WIDE_EVIDENCE,) * MAX_EVIDENCE,
            params={"x": "\U0001f9d3" * (MAX_FINDING_CHARACTERS - 1)},
            actions=("",) * MAX_ACTIONS,
        ),
        gap(
            metric=WIDE,
            ranges=tuple((TIME_LIMIT - 3 * n - 1, TIME_LIMIT - 3 * n) for n in reversed(range(MAX_GAP_RANGES))),
            to_ms=TIME_LIMIT,
            times=WIDE_TIMES,
        ),
    ]
    return found


@pytest.mark.parametrize("record", widest(), ids=lambda record: getattr(record, "metric", "finding"))
def test_any_one_record_fits_into_an_envelope_alone_even_uncompressed(record: Record) -> None:
    from kanhu.contract.envelope import MAX_ENVELOPE_BYTES, encode_body

    envelope = Envelope("g" * 32, "ab" * 16, ((TIME_LIMIT, record),))
    assert len(encode_body(envelope)) < MAX_ENVELOPE_BYTES - 64
    assert len(encode_envelope(envelope)) <= MAX_ENVELOPE_BYTES
