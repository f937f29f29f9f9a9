"""Generic health sensors: the frames that are published, everything that may stand before a value, and segments."""

from contextlib import suppress
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kanhu.contract import Observation, QualityLevel, QualityReason
from kanhu.edge.codecs.elapsed_time import ElapsedTime
from kanhu.edge.codecs.ghs import MAX_BYTES, MeasurementStatus, decode_ghs
from kanhu.edge.codecs.ghs_readings import observe_ghs
from kanhu.edge.codecs.ghs_segments import GhsSegments
from kanhu.edge.errors import DecodeError, DecodeReason
from kanhu.firmware_sim.wire.ghs import (
    GhsHeader,
    GhsNumber,
    elapsed_time,
    ghs_bundle,
    ghs_compound,
    ghs_numeric,
    ghs_segments,
)
from kanhu.firmware_sim.wire.ieee_float import FloatSpecial
from tests.edge.readings import RESIDENT, TIMES
from tests.edge.vectors import Vector, name_of, vectors

_AT = datetime(2026, 11, 27, 8, 30, 15, tzinfo=UTC)
_AT_MS = int(_AT.timestamp()) * 1000
_UNIT_PARTITION = 4 << 16

SATURATION = GhsNumber(150456, 544, Decimal("96.5"))
PULSE = GhsNumber(149530, 2720, Decimal(71))
SYSTOLIC = GhsNumber(150021, 3872, Decimal(131))
DIASTOLIC = GhsNumber(150022, 3872, Decimal(79))
CUFF_PULSE = GhsNumber(149546, 2720, Decimal(66))
PRESSURE = 150020

codes = st.lists(st.integers(0, 0xFFFFFFFF), max_size=4).map(tuple)
headers = st.builds(
    GhsHeader,
    time=st.none() | st.just(elapsed_time(_AT)),
    duration_s=st.none() | st.just(Decimal("12.5")),
    status=st.none() | st.just(0),
    number=st.none() | st.integers(0, 0xFFFFFFFF),
    patient=st.none() | st.integers(0, 0xFF),
    supplemental=codes,
    derived_from=codes,
    member_of=codes,
    attributes=st.lists(
        st.tuples(st.integers(0, 0xFFFFFFFF), st.integers(0, 0xFF), st.binary(max_size=9)), max_size=3
    ).map(tuple),
)
numbers = st.builds(
    GhsNumber,
    type_code=st.integers(0, 0xFFFFFFFF),
    unit=st.integers(0, 0xFFFF),
    value=st.decimals(-8_000_000, 8_000_000, allow_nan=False, places=0) | st.sampled_from(FloatSpecial),
)


def observed(body: bytes) -> tuple[Observation, ...]:
    return observe_ghs(decode_ghs(body), subject=RESIDENT, device="sensor", times=TIMES)


def reason_of(body: bytes) -> DecodeReason:
    with pytest.raises(DecodeError) as refused:
        observed(body)
    return refused.value.reason


def values_of(body: bytes) -> dict[str, str]:
    (reading,) = observed(body)
    return {part.metric: str(reading.value(part.metric)) for part in reading.parts}


@pytest.mark.parametrize("case", vectors("ghs"), ids=name_of)
def test_published_frames(case: Vector) -> None:
    report = decode_ghs(case.frame)
    first = report.observations[0]
    assert (first.observation_class, first.type_code) == (case.expected["class"], case.expected["type"])
    assert first.patient == case.expected.get("patient")
    assert [
        [one.type_code, one.unit - _UNIT_PARTITION, str(one.value)]
        for observation in report.observations
        for one in observation.values
    ] == case.expected["values"]
    assert {one.time for one in report.observations} <= {None, ElapsedTime(None)}
    if "refused" in case.expected:
        assert reason_of(case.frame).value == case.expected["refused"]
        return
    told = [
        {"metric": one.metric, **{part.metric: str(one.value(part.metric)) for part in one.parts}}
        for one in observed(case.frame)
    ]
    assert told == case.expected["readings"]


def test_the_simulator_writes_what_is_published() -> None:
    frames = {case.name: case.frame for case in vectors("ghs")}
    time, spot = bytes.fromhex("22729d2b2900000600"), (0x24C3C,)  # UTC without a zone; a stable average
    saturation, pulse = SATURATION._replace(value=Decimal(98)), PULSE._replace(value=Decimal(98))
    header = GhsHeader(time=time, patient=1, supplemental=spot)
    assert ghs_numeric(saturation, header) == frames["NumericOxygenSaturation"]
    apart = [ghs_numeric(number, GhsHeader()) for number in (saturation, pulse)]
    assert ghs_bundle(apart, GhsHeader(time=time, supplemental=spot)) == frames["ObservationBundle"]
    told = ((SYSTOLIC, 100), (DIASTOLIC, 60), (SYSTOLIC._replace(type_code=150023), 80))
    pressures = [number._replace(value=Decimal(mmhg)) for number, mmhg in told]
    header = GhsHeader(type_code=PRESSURE, time=time, number=123456)
    assert ghs_compound(pressures, header) == frames["CompoundObservationBloodPressure"]


@given(numbers, headers, st.booleans())
def test_a_simulated_number_is_read_back_whatever_stands_before_it(
    number: GhsNumber, header: GhsHeader, whole_length: bool
) -> None:
    body = ghs_numeric(number, header, whole_length=whole_length)
    if number.value is FloatSpecial.NOT_AT_THIS_RESOLUTION or not isinstance(number.value, FloatSpecial):
        expected = None if isinstance(number.value, FloatSpecial) else number.value
        (observation,) = decode_ghs(body).observations
        (measured,) = observation.values
        assert (measured.type_code, measured.unit, measured.value) == (
            number.type_code,
            _UNIT_PARTITION + number.unit,
            expected,
        )
        assert observation.patient == header.patient
        assert observation.time == (None if header.time is None else ElapsedTime(_AT_MS))
    for count in range(len(body)):
        with pytest.raises(DecodeError) as refused:
            decode_ghs(body[:count])
        assert refused.value.reason is DecodeReason.SHORT
    with pytest.raises(DecodeError) as refused:
        decode_ghs(body + bytes(4))
    assert refused.value.reason in {DecodeReason.TOO_LONG, DecodeReason.SHORT}


@given(st.lists(numbers, max_size=5), headers, st.booleans())
def test_a_simulated_bundle_and_a_simulated_compound_hold_the_same_numbers(
    held: list[GhsNumber], header: GhsHeader, whole_length: bool
) -> None:
    apart = [ghs_numeric(number, GhsHeader(), whole_length=whole_length) for number in held]
    bundle = decode_ghs(ghs_bundle(apart, header, whole_length=whole_length))
    (compound,) = decode_ghs(ghs_compound(held, header, whole_length=whole_length)).observations
    assert tuple(one for each in bundle.observations for one in each.values) == compound.values
    assert {(each.time, each.patient) for each in bundle.observations} <= {(compound.time, compound.patient)}


@pytest.mark.parametrize("whole_length", [False, True])
def test_a_bundle_of_saturation_and_pulse_is_one_reading_with_the_time_of_the_bundle(whole_length: bool) -> None:
    apart = [ghs_numeric(each, GhsHeader(), whole_length=whole_length) for each in (SATURATION, PULSE)]
    body = ghs_bundle(apart, GhsHeader(time=elapsed_time(_AT)), whole_length=whole_length)
    (reading,) = observed(body)
    assert (reading.metric, reading.times.device_ms, reading.quality.level) == ("oximetry", _AT_MS, QualityLevel.OK)
    assert values_of(body) == {"spo2": "96.5", "pulse_oximeter": "71"}


def test_a_pressure_and_the_pulse_of_the_cuff_are_one_reading_and_another_measure_is_another() -> None:
    pressure = ghs_compound((DIASTOLIC, SYSTOLIC), GhsHeader(type_code=PRESSURE))
    temperature = ghs_numeric(GhsNumber(150364, 6048, Decimal("36.61")), GhsHeader())
    unknown = ghs_numeric(GhsNumber(0x0002FFFF, 544, Decimal(1)), GhsHeader())
    body = ghs_bundle([pressure, unknown, temperature, ghs_numeric(CUFF_PULSE, GhsHeader())], GhsHeader())
    told = observed(body)
    assert [[part.metric for part in one.parts] for one in told] == [
        ["systolic", "diastolic", "pulse_cuff"],
        ["temperature"],
    ]
    assert told[1].value("temperature") == Decimal("36.61")
    assert {one.times.device_ms for one in told} == {None}


@pytest.mark.parametrize(
    ("number", "value"),
    [
        (GhsNumber(150364, 4416, Decimal("98.6")), "37"),  # a temperature in degrees Fahrenheit
        (GhsNumber(188736, 1760, Decimal("150.5")), "68.266"),  # a weight in pounds
        (GhsNumber(188736, 1731, Decimal("68.25")), "68.25"),
        (GhsNumber(160184, 2130, Decimal(126)), "6.99"),  # glucose in mg/dL
        (GhsNumber(160184, 4722, Decimal("7.0")), "7"),
        (GhsNumber(147842, 2720, Decimal("61.5")), "62"),  # half to even
    ],
)
def test_units_become_those_of_the_metric(number: GhsNumber, value: str) -> None:
    (reading,) = observed(ghs_numeric(number, GhsHeader()))
    assert Decimal(value) in {reading.value(part.metric) for part in reading.parts}


def test_a_pressure_in_kilopascal_is_told_in_mmhg() -> None:
    kilopascal = (SYSTOLIC._replace(unit=3843, value=Decimal("17.5")), DIASTOLIC._replace(unit=3843, value=Decimal(10)))
    assert values_of(ghs_compound(kilopascal, GhsHeader())) == {"systolic": "131.26", "diastolic": "75.01"}


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (ghs_numeric(SATURATION._replace(unit=2720), GhsHeader()), DecodeReason.NO_VALUE),
        (ghs_numeric(SATURATION._replace(type_code=1), GhsHeader()), DecodeReason.NO_VALUE),
        (ghs_numeric(SATURATION, GhsHeader(), typed=False), DecodeReason.NO_VALUE),
        (ghs_numeric(SATURATION._replace(value=Decimal(0)), GhsHeader()), DecodeReason.NO_VALUE),
        (ghs_numeric(SATURATION._replace(value=FloatSpecial.NOT_A_NUMBER), GhsHeader()), DecodeReason.NO_VALUE),
        (ghs_numeric(SATURATION._replace(value=Decimal("1E+100")), GhsHeader()), DecodeReason.INFINITE),
        (ghs_numeric(PULSE, GhsHeader()), DecodeReason.NO_VALUE),
        (ghs_compound((SYSTOLIC, CUFF_PULSE), GhsHeader()), DecodeReason.NO_VALUE),
        (ghs_bundle([], GhsHeader()), DecodeReason.NO_VALUE),
        (ghs_compound((), GhsHeader()), DecodeReason.NO_VALUE),
        (ghs_compound((SATURATION, SATURATION), GhsHeader()), DecodeReason.NOT_SYNCHRONISED),
        (ghs_bundle([ghs_bundle([], GhsHeader())], GhsHeader()), DecodeReason.RESERVED_VALUE),
        (b"\x09\x02\x00\x00\x00", DecodeReason.RESERVED_VALUE),
        (b"\x01\x02\x00\x00\x04", DecodeReason.RESERVED_VALUE),
        (bytes.fromhex("0708000000010100000004"), DecodeReason.RESERVED_VALUE),  # samples as a component
        (bytes(MAX_BYTES + 1), DecodeReason.TOO_LONG),
    ],
    ids=lambda given: given.hex()[:40] if isinstance(given, bytes) else given.value,
)
def test_what_is_no_reading_is_refused_by_name(body: bytes, reason: DecodeReason) -> None:
    assert reason_of(body) is reason


def test_a_bundle_that_takes_its_own_length_for_that_of_each_observation_is_refused() -> None:
    """As the code of Realtek writes it."""
    apart = ghs_numeric(SATURATION, GhsHeader(), whole_length=True)
    body = bytearray(ghs_bundle([apart], GhsHeader(), whole_length=True))
    body[7:9] = body[1:3]
    assert reason_of(bytes(body)) is DecodeReason.SHORT


@pytest.mark.parametrize(
    ("off", "reason"),
    [
        (-200, DecodeReason.SHORT),
        (-1, DecodeReason.SHORT),
        (1, DecodeReason.SHORT),
        (2, DecodeReason.SHORT),
        (4, DecodeReason.TOO_LONG),
        (5, DecodeReason.TOO_LONG),
        (17, DecodeReason.TOO_LONG),
    ],
)
def test_a_length_that_counts_in_neither_of_the_two_ways_is_refused(off: int, reason: DecodeReason) -> None:
    body = bytearray(ghs_numeric(SATURATION, GhsHeader(supplemental=(1, 2, 3))))
    body[1:3] = (len(body) - off).to_bytes(2, "little")
    assert reason_of(bytes(body)) is reason


@pytest.mark.parametrize("uncounted", [0, 3])
def test_bytes_behind_the_last_field_are_refused_although_the_length_counts_them(uncounted: int) -> None:
    apart = [ghs_numeric(SATURATION, GhsHeader(), whole_length=not uncounted)]
    for body in (ghs_bundle(apart, GhsHeader()), ghs_numeric(SATURATION, GhsHeader())):
        longer = bytearray(body + b"\x00")
        longer[1:3] = (len(longer) - uncounted).to_bytes(2, "little")
        assert reason_of(bytes(longer)) is DecodeReason.TOO_LONG


@pytest.mark.parametrize("bit", range(16))
def test_only_a_value_without_a_fault_is_a_reading(bit: int) -> None:
    body = ghs_numeric(SATURATION, GhsHeader(status=1 << bit))
    if MeasurementStatus(1 << bit) == MeasurementStatus.QUESTIONABLE:
        assert observed(body)[0].quality.level is QualityLevel.QUESTIONABLE
    elif bit in {14, 15}:
        assert observed(body)[0].quality.level is QualityLevel.OK
    else:
        assert reason_of(body) is DecodeReason.NO_VALUE


def test_a_doubt_about_the_bundle_is_one_about_each_and_a_doubt_about_one_is_none_about_the_others() -> None:
    weight = GhsNumber(188736, 1731, Decimal(61))
    doubtful = ghs_numeric(SATURATION, GhsHeader(status=2))
    both = ghs_bundle([doubtful, ghs_numeric(weight, GhsHeader())], GhsHeader())
    assert [one.quality.level for one in observed(both)] == [QualityLevel.QUESTIONABLE, QualityLevel.OK]
    body = ghs_bundle([ghs_numeric(each, GhsHeader()) for each in (SATURATION, weight)], GhsHeader(status=2))
    assert {one.quality.level for one in observed(body)} == {QualityLevel.QUESTIONABLE}


def test_an_unset_clock_is_named_and_lowers_nothing() -> None:
    (reading,) = observed(ghs_numeric(SATURATION, GhsHeader(time=elapsed_time(datetime(2000, 1, 1, tzinfo=UTC)))))
    assert reading.quality.reasons == (QualityReason.DEVICE_CLOCK_UNSET,)
    assert reading.quality.level is QualityLevel.OK


@given(st.lists(st.binary(min_size=1, max_size=80), max_size=6), st.integers(2, 40), st.integers(0, 63))
def test_what_was_cut_into_segments_is_put_together(bodies: list[bytes], most_bytes: int, counter: int) -> None:
    segments, whole = GhsSegments(), []
    for body in bodies:
        cut = ghs_segments(body, most_bytes=most_bytes, counter=counter)
        counter = (counter + len(cut)) % 64
        for each in cut:
            whole += segments.feed(each)
    assert whole == bodies
    assert segments.broken == 0


@given(st.lists(st.integers(1, 4), min_size=1, max_size=6), st.data())
def test_an_observation_without_one_of_its_segments_is_lost_alone_and_counted_once(
    lengths: list[int], data: st.DataObject
) -> None:
    sent: list[tuple[int, bytes]] = []
    for number, length in enumerate(lengths):
        body = bytes([number]) * (3 * length)
        sent += [(number, each) for each in ghs_segments(body, most_bytes=4, counter=len(sent) % 64)]
    lost = data.draw(st.integers(0, len(sent) - 1))
    segments, whole = GhsSegments(), []
    for place, (_, segment) in enumerate(sent):
        if place != lost:
            whole += segments.feed(segment)
    segments.end()
    number = sent[lost][0]
    assert [body[0] for body in whole] == [each for each in range(len(lengths)) if each != number]
    assert segments.broken == (0 if lengths[number] == 1 else 1)


def test_an_observation_that_never_ends_is_dropped_and_the_next_is_read() -> None:
    segments = GhsSegments()
    for counter in range(MAX_BYTES // 18 + 30):
        assert segments.feed(bytes([(counter == 0) | counter % 64 << 2]) + bytes(19)) == []
    assert segments.broken == 1
    assert segments.feed(b"\x03\x01") == [b"\x01"]
    assert segments.feed(b"") == []
    assert segments.broken == 2


@given(st.binary(max_size=64) | st.binary(min_size=MAX_BYTES - 2, max_size=MAX_BYTES + 2))
def test_any_bytes_decode_or_are_refused(body: bytes) -> None:
    with suppress(DecodeError):
        observed(body)


@given(st.sampled_from(vectors("ghs")), st.integers(0, 511))
def test_a_published_frame_with_a_flipped_bit_decodes_or_is_refused(case: Vector, bit: int) -> None:
    frame = bytearray(case.frame)
    frame[bit // 8 % len(frame)] ^= 1 << bit % 8
    with suppress(DecodeError):
        observed(bytes(frame))
