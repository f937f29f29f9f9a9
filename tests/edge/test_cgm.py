"""Continuous glucose monitors: published frames, several records a value, each status bit, session, control point."""

from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kanhu.contract import Observation, QualityLevel, QualityReason
from kanhu.edge.codecs.cgm import (
    CgmFeature,
    CgmMeasurement,
    CgmSensorStatus,
    CgmSessionStart,
    CgmStatus,
    decode_cgm_feature,
    decode_cgm_measurements,
    decode_cgm_run_time_h,
    decode_cgm_session_start,
    decode_cgm_status,
    observe_cgm,
)
from kanhu.edge.codecs.cgm_control import (
    CgmAnswer,
    CgmCalibration,
    CgmInterval,
    CgmLevel,
    CgmOperation,
    CgmResponseCode,
    decode_cgm_control,
    encode_cgm_request,
)
from kanhu.edge.codecs.crc import E2eCrc
from kanhu.edge.codecs.glucose import Beyond, GlucoseSample, SampleSite
from kanhu.edge.errors import DecodeError, DecodeReason
from kanhu.firmware_sim.wire.cgm import (
    E2E_CRC_SUPPORTED,
    CgmRecord,
    cgm_control_point,
    cgm_feature,
    cgm_measurement,
    cgm_run_time,
    cgm_session_start,
    cgm_status,
)
from kanhu.firmware_sim.wire.sfloat import SfloatSpecial
from tests.edge.readings import RESIDENT, TIMES
from tests.edge.vectors import Vector, name_of, vectors

_START = datetime(2026, 11, 22, 8, 30, 15, tzinfo=UTC)
_START_MS = 1795336215000
_CRCS = {0: E2eCrc.ABSENT, E2E_CRC_SUPPORTED: E2eCrc.PRESENT}

features = st.sampled_from(sorted(_CRCS))
numbers = st.integers(-2045, 2045).map(lambda raw: Decimal(raw).scaleb(-1))
octets = st.none() | st.integers(0, 0xFF)
records = st.builds(
    CgmRecord,
    glucose_mg_dl=st.integers(0, 2045).map(Decimal),
    offset_min=st.integers(0, 0xFFFF),
    status=octets,
    calibration_temperature=octets,
    warning=octets,
    trend=st.none() | numbers,
    quality_percent=st.none() | numbers,
)


def of_kind(kind: str) -> list[Vector]:
    return [vector for vector in vectors("cgm") if vector.given["kind"] == kind]


@pytest.mark.parametrize("vector", of_kind("measurement"), ids=name_of)
def test_published_measurements(vector: Vector) -> None:
    expected = vector.expected["records"]
    decoded = decode_cgm_measurements(vector.frame, crc=E2eCrc.BY_LENGTH)
    assert len(decoded) == len(expected)
    for record, told in zip(decoded, expected, strict=True):
        assert record.glucose_mg_per_dl == told["glucose_mg_dl"]
        assert record.time_offset_min == told["time_offset_min"]
        assert record.trend_mg_per_dl_per_min == told.get("trend_mg_dl_per_min")
        assert record.quality_percent == told.get("quality_pct")
        status = told.get("status_octet", 0) | told.get("caltemp_octet", 0) << 8 | told.get("warning_octet", 0) << 16
        assert record.status == status
        assert record.has_crc == told.get("crc_ok", False)


@pytest.mark.parametrize("vector", of_kind("status"), ids=name_of)
def test_published_status(vector: Vector) -> None:
    expected = vector.expected
    record = decode_cgm_status(vector.frame, crc=E2eCrc.BY_LENGTH)
    assert record.time_offset_min == expected["time_offset_min"]
    assert bool(record.status & CgmStatus.SESSION_STOPPED) == expected["session_stopped"]
    assert bool(record.status & CgmStatus.TIME_SYNC_REQUIRED) == expected["time_sync_required"]
    assert bool(record.status & CgmStatus.BELOW_PATIENT_LOW) == expected["below_patient_low"]


@pytest.mark.parametrize("vector", of_kind("control"), ids=name_of)
def test_published_answers_of_the_control_point(vector: Vector) -> None:
    if "error" in vector.expected:
        with pytest.raises(DecodeError) as refused:
            decode_cgm_control(vector.frame, crc=E2eCrc.BY_LENGTH)
        assert refused.value.reason is DecodeReason.CHECKSUM_WRONG
        return
    answer = CgmAnswer(vector.expected["response_to"], CgmResponseCode.SUCCESS, has_crc=False)
    assert decode_cgm_control(vector.frame, crc=E2eCrc.BY_LENGTH) == answer


@given(st.lists(records, min_size=1, max_size=8), features)
def test_all_records_of_a_simulated_value_are_read_back(sent: list[CgmRecord], features: int) -> None:
    frame = b"".join(cgm_measurement(record, features=features) for record in sent)
    for crc in (_CRCS[features], E2eCrc.BY_LENGTH):
        decoded = decode_cgm_measurements(frame, crc=crc)
        assert len(decoded) == len(sent)
        for record, one in zip(decoded, sent, strict=True):
            assert record.glucose_mg_per_dl == one.glucose_mg_dl
            assert record.time_offset_min == one.offset_min
            words = (one.status or 0, one.calibration_temperature or 0, one.warning or 0)
            assert record.status == int.from_bytes(bytes(words), "little")
            assert record.trend_mg_per_dl_per_min == one.trend
            assert record.quality_percent == one.quality_percent
            assert record.has_crc == bool(features)


@given(records, features)
def test_a_record_that_ends_early_is_refused(record: CgmRecord, features: int) -> None:
    frame = cgm_measurement(record, features=features)
    for length in range(len(frame)):
        with pytest.raises(DecodeError) as refused:
            decode_cgm_measurements(frame[:length], crc=_CRCS[features])
        assert refused.value.reason is DecodeReason.SHORT


@pytest.mark.parametrize("size", range(6))
def test_a_record_shorter_than_any_is_refused_and_ends_the_reading(size: int) -> None:
    with pytest.raises(DecodeError) as refused:
        decode_cgm_measurements(bytes([size]) + bytes(19), crc=E2eCrc.ABSENT)
    assert refused.value.reason is DecodeReason.NOT_SYNCHRONISED


def test_a_size_that_its_flags_do_not_fit_is_refused() -> None:
    with pytest.raises(DecodeError) as refused:
        decode_cgm_measurements(bytes.fromhex("0601780005000000"), crc=E2eCrc.ABSENT)
    assert refused.value.reason is DecodeReason.SHORT


def test_fields_of_a_later_version_stand_before_the_crc() -> None:
    plain = bytes.fromhex("0a04780005001122")
    record = cgm_control_point(plain[0], plain[1:], features=E2E_CRC_SUPPORTED)
    assert decode_cgm_measurements(record, crc=E2eCrc.PRESENT)[0].glucose_mg_per_dl == 120


def test_one_wrong_crc_refuses_the_value() -> None:
    good = cgm_measurement(CgmRecord(Decimal(120), 5), features=E2E_CRC_SUPPORTED)
    for frame in (good[:-1] + bytes([good[-1] ^ 1]), good + good[:2] + b"\x79" + good[3:]):
        with pytest.raises(DecodeError) as refused:
            decode_cgm_measurements(frame, crc=E2eCrc.PRESENT)
        assert refused.value.reason is DecodeReason.CHECKSUM_WRONG


def one(record: CgmRecord) -> CgmMeasurement:
    return decode_cgm_measurements(cgm_measurement(record, features=0), crc=E2eCrc.ABSENT)[0]


def observed(record: CgmMeasurement, *, start_ms: int | None = _START_MS) -> Observation:
    sample = GlucoseSample.INTERSTITIAL_FLUID
    return observe_cgm(record, subject=RESIDENT, device="cgm", times=TIMES, sample=sample, session_start_ms=start_ms)


def test_a_reading_counts_from_the_start_of_its_session() -> None:
    observation = observed(one(CgmRecord(Decimal(100), 5)))
    assert observation.metric == "glucose_interstitial"
    assert observation.value("glucose_interstitial") == Decimal("5.55")
    assert observation.times.device_ms == _START_MS + 300_000
    assert observation.quality.level is QualityLevel.OK
    assert observation.quality.reasons == ()


def test_without_a_session_start_there_is_no_device_time() -> None:
    observation = observed(one(CgmRecord(Decimal(100), 5)), start_ms=None)
    assert observation.times.device_ms is None
    assert observation.quality.reasons == ()


def test_a_session_that_began_by_an_unset_clock_says_so() -> None:
    observation = observed(one(CgmRecord(Decimal(100), 5)), start_ms=1_400_000_000_000)
    assert observation.quality.reasons == (QualityReason.DEVICE_CLOCK_UNSET,)
    observation = observed(one(CgmRecord(Decimal(100), 5, calibration_temperature=0x01)))
    assert observation.quality.reasons == (QualityReason.DEVICE_CLOCK_UNSET,)
    assert observation.quality.level is QualityLevel.OK


def test_the_sample_decides_the_metric() -> None:
    record = one(CgmRecord(Decimal(100), 5))
    with pytest.raises(DecodeError) as refused:
        observe_cgm(record, subject=RESIDENT, device="cgm", times=TIMES, sample=None, session_start_ms=None)
    assert refused.value.reason is DecodeReason.NO_VALUE


@pytest.mark.parametrize(("status", "calibration"), [(0x01, 0), (0x04, 0), (0x08, 0), (0x20, 0), (0, 0x10), (0, 0x20)])
def test_a_result_that_the_sensor_calls_faulty_is_none(status: int, calibration: int) -> None:
    with pytest.raises(DecodeError) as refused:
        observed(one(CgmRecord(Decimal(100), 5, status=status, calibration_temperature=calibration)))
    assert refused.value.reason is DecodeReason.NO_VALUE


@pytest.mark.parametrize(("status", "warning"), [(0x02, 0), (0x10, 0), (0, 0x01), (0, 0x3F)])
def test_a_battery_or_an_alert_of_the_device_is_no_doubt(status: int, warning: int) -> None:
    assert observed(one(CgmRecord(Decimal(100), 5, status=status, warning=warning))).quality.reasons == ()


@pytest.mark.parametrize(
    ("value", "warning", "beyond"),
    [
        (SfloatSpecial.NOT_A_NUMBER, 0x40, Beyond.BELOW),
        (SfloatSpecial.NOT_A_NUMBER, 0x80, Beyond.ABOVE),
        (SfloatSpecial.POSITIVE_INFINITY, None, Beyond.ABOVE),
        (SfloatSpecial.NEGATIVE_INFINITY, None, Beyond.BELOW),
    ],
)
def test_a_value_outside_the_range_stays_visible(value: SfloatSpecial, warning: int | None, beyond: Beyond) -> None:
    record = one(CgmRecord(value, 5, warning=warning))
    assert record.beyond is beyond
    reason = QualityReason.ABOVE_RANGE if beyond is Beyond.ABOVE else QualityReason.BELOW_RANGE
    assert observed(record).quality.reasons == (reason,)


def test_the_limit_of_the_range_is_kept_and_said() -> None:
    record = one(CgmRecord(Decimal(40), 5, warning=0x40))
    assert record.beyond is Beyond.BELOW
    assert observed(record).quality.reasons == (QualityReason.BELOW_RANGE,)


def test_no_number_is_no_value() -> None:
    with pytest.raises(DecodeError) as refused:
        observed(one(CgmRecord(SfloatSpecial.NOT_A_NUMBER, 5)))
    assert refused.value.reason is DecodeReason.NO_VALUE


@pytest.mark.parametrize("bit", [*range(6), *range(8, 14), *range(16, 24)])
def test_every_named_bit_of_the_status_has_its_place(bit: int) -> None:
    words = (1 << bit).to_bytes(3, "little")
    frame = cgm_status(6, (words[0], words[1], words[2]), features=0)
    assert decode_cgm_status(frame, crc=E2eCrc.ABSENT) == CgmSensorStatus(6, CgmStatus(1 << bit), has_crc=False)
    assert CgmStatus(1 << bit) in list(CgmStatus)


@given(st.integers(0, 0xFFFFFF), st.sampled_from(GlucoseSample), st.sampled_from(SampleSite))
def test_the_feature_word_tells_of_the_crc(word: int, sample: GlucoseSample, site: SampleSite) -> None:
    frame = cgm_feature(word, sample_type=sample.value, location=site.value)
    crc = E2eCrc.PRESENT if word & E2E_CRC_SUPPORTED else E2eCrc.ABSENT
    assert decode_cgm_feature(frame) == CgmFeature(word, crc, sample, site)
    for length in range(len(frame)):
        with pytest.raises(DecodeError):
            decode_cgm_feature(frame[:length])
    if crc is E2eCrc.PRESENT:
        with pytest.raises(DecodeError):
            decode_cgm_feature(frame[:-1] + bytes([frame[-1] ^ 0x80]))


@pytest.mark.parametrize(
    ("zone", "code", "zone_min", "daylight_min"),
    [(32, 0, 480, 0), (-20, 4, -300, 60), (-128, 255, None, None), (0, 2, 0, 30), (1, 8, 15, 120), (0, 1, 0, None)],
)
@given(features=features)
def test_a_session_start_is_read_back(
    zone: int, code: int, zone_min: int | None, daylight_min: int | None, features: int
) -> None:
    frame = cgm_session_start(_START, zone_quarters=zone, dst_code=code, features=features)
    start = decode_cgm_session_start(frame, crc=_CRCS[features])
    assert start == CgmSessionStart(_START_MS, zone_min, daylight_min)


@given(st.integers(0, 0xFFFF), features)
def test_a_run_time_is_read_back(hours: int, features: int) -> None:
    frame = cgm_run_time(hours, features=features)
    assert decode_cgm_run_time_h(frame, crc=_CRCS[features]) == hours
    assert decode_cgm_run_time_h(frame, crc=E2eCrc.BY_LENGTH) == hours


@pytest.mark.parametrize("code", CgmResponseCode)
@given(request=st.integers(0, 255), features=features)
def test_every_answer_of_the_control_point_is_read_back(code: CgmResponseCode, request: int, features: int) -> None:
    frame = cgm_control_point(0x1C, bytes([request, code.value]), features=features)
    assert decode_cgm_control(frame, crc=_CRCS[features]) == CgmAnswer(request, code, has_crc=bool(features))


@pytest.mark.parametrize(
    ("operation", "known"),
    [
        (0x09, CgmOperation.PATIENT_HIGH),
        (0x0C, CgmOperation.PATIENT_LOW),
        (0x0F, CgmOperation.HYPO),
        (0x12, CgmOperation.HYPER),
        (0x15, CgmOperation.FALL_RATE),
        (0x18, CgmOperation.RISE_RATE),
    ],
)
def test_levels_of_alerts_are_read(operation: int, known: CgmOperation) -> None:
    frame = bytes([operation]) + bytes.fromhex("b4f0")
    assert decode_cgm_control(frame, crc=E2eCrc.ABSENT) == CgmLevel(known, Decimal("18.0"), has_crc=False)


def test_interval_and_calibration_are_read() -> None:
    assert decode_cgm_control(b"\x03\x05", crc=E2eCrc.ABSENT) == CgmInterval(5, has_crc=False)
    frame = bytes.fromhex("06 7800 0a00 11 d202 0300 02")
    assert decode_cgm_control(frame, crc=E2eCrc.ABSENT) == CgmCalibration(
        glucose_mg_per_dl=Decimal(120),
        time_offset_min=10,
        sample=GlucoseSample.CAPILLARY_WHOLE_BLOOD,
        site=SampleSite.FINGER,
        next_time_offset_min=722,
        record=3,
        status=2,
        has_crc=False,
    )


@pytest.mark.parametrize("frame", ["1c1a00", "1c1a06", "1a", "00ff"])
def test_what_is_no_answer_is_refused(frame: str) -> None:
    with pytest.raises(DecodeError) as refused:
        decode_cgm_control(bytes.fromhex(frame), crc=E2eCrc.ABSENT)
    assert refused.value.reason is DecodeReason.RESERVED_VALUE


def test_codes_are_those_of_the_specification() -> None:
    assert {code.name: code.value for code in CgmResponseCode} == {
        "SUCCESS": 1, "OPERATION_UNSUPPORTED": 2, "BAD_OPERAND": 3, "NOT_COMPLETED": 4, "OUT_OF_RANGE": 5,
    }  # fmt: skip
    assert encode_cgm_request(CgmOperation.GET_INTERVAL, crc=E2eCrc.ABSENT) == b"\x02"


def test_requests_are_written_as_specified() -> None:
    assert encode_cgm_request(CgmOperation.START_SESSION, crc=E2eCrc.ABSENT) == b"\x1a"
    assert encode_cgm_request(CgmOperation.STOP_SESSION, crc=E2eCrc.PRESENT) == cgm_control_point(
        0x1B, b"", features=E2E_CRC_SUPPORTED
    )
    for operation, crc in ((CgmOperation.RESPONSE, E2eCrc.ABSENT), (CgmOperation.STOP_SESSION, E2eCrc.BY_LENGTH)):
        with pytest.raises(ValueError, match="cannot be asked"):
            encode_cgm_request(operation, crc=crc)


_CODECS: list[Callable[[bytes, E2eCrc], object]] = [
    lambda frame, crc: [observed(record) for record in decode_cgm_measurements(frame, crc=crc)],
    lambda frame, _: decode_cgm_feature(frame),
    lambda frame, crc: decode_cgm_status(frame, crc=crc),
    lambda frame, crc: decode_cgm_session_start(frame, crc=crc),
    lambda frame, crc: decode_cgm_run_time_h(frame, crc=crc),
    lambda frame, crc: decode_cgm_control(frame, crc=crc),
]


@pytest.mark.parametrize("codec", _CODECS)
@given(st.binary(max_size=600), st.sampled_from(E2eCrc))
def test_any_bytes_decode_or_are_refused(codec: Callable[[bytes, E2eCrc], object], frame: bytes, crc: E2eCrc) -> None:
    with suppress(DecodeError):
        codec(frame, crc)


@given(st.lists(records, min_size=1, max_size=4), features, st.integers(0, 10_000), st.sampled_from(E2eCrc))
def test_a_spoiled_value_decodes_or_is_refused(sent: list[CgmRecord], features: int, place: int, crc: E2eCrc) -> None:
    frame = bytearray(b"".join(cgm_measurement(record, features=features) for record in sent))
    bit = place % (8 * len(frame))
    frame[bit // 8] ^= 1 << bit % 8
    with suppress(DecodeError):
        [observed(record) for record in decode_cgm_measurements(bytes(frame), crc=crc)]


def test_more_than_a_value_can_hold_is_refused() -> None:
    most = cgm_measurement(CgmRecord(Decimal(100), 5), features=0) * 84 + bytes.fromhex("0800640005000000")
    assert len(most) == 512
    assert len(decode_cgm_measurements(most, crc=E2eCrc.ABSENT)) == 85
    frame = cgm_measurement(CgmRecord(Decimal(100), 5), features=0) * 84 + bytes.fromhex("090064000500000000")
    with pytest.raises(DecodeError) as refused:
        decode_cgm_measurements(frame, crc=E2eCrc.ABSENT)
    assert refused.value.reason is DecodeReason.TOO_LONG
