"""Polar's streams: frames that its SDK, its specification and a real H10 have shown, and an independent encoder."""

from contextlib import suppress
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kanhu.edge.codecs.polar_pmd import (
    AccelerationFrame,
    AccelerationUnit,
    EcgFrame,
    decode_pmd_frame,
    milli_g,
)
from kanhu.edge.codecs.polar_pmd_control import (
    PmdAnswer,
    PmdCode,
    PmdMeasurement,
    PmdOperation,
    PmdSetting,
    PmdSettings,
    PmdStopped,
    decode_pmd_control,
    decode_pmd_features,
    decode_pmd_settings,
    encode_pmd_settings_request,
    encode_pmd_start,
    encode_pmd_stop,
)
from kanhu.edge.errors import DecodeError, DecodeReason
from kanhu.firmware_sim.errors import NotEncodable
from kanhu.firmware_sim.wire.polar_pmd import (
    Pmd,
    PmdError,
    PmdOp,
    SettingType,
    acceleration_frame,
    compressed_acceleration_frame,
    ecg_frame,
    pmd_answer,
    pmd_factor,
    pmd_features,
    pmd_settings,
)
from tests.edge.vectors import Vector, name_of, vectors

times_ns = st.integers(0, 2**64 - 1)
words = st.integers(-(2**15), 2**15 - 1)
sample_of_three = st.tuples(words, words, words)


def listed(expected: dict[str, Any], key: str) -> dict[int, Any]:
    return {int(place): value for place, value in expected.get(key, {}).items()}


@pytest.mark.parametrize("case", vectors("polar_pmd"), ids=name_of)
def test_published_frames(case: Vector) -> None:
    if "error" in case.expected:
        with pytest.raises(DecodeError) as refused:
            decode_pmd_frame(case.frame)
        assert refused.value.reason.value == case.expected["error"]
        return
    frame = decode_pmd_frame(case.frame)
    assert frame.last_ns == case.expected.get("last_ns", frame.last_ns)
    if isinstance(frame, EcgFrame):
        assert len(frame.microvolts) == case.expected["samples"]
        assert all(frame.microvolts[place] == value for place, value in listed(case.expected, "microvolts").items())
        return
    assert len(frame.steps) == case.expected["samples"]
    assert all(frame.steps[place] == tuple(value) for place, value in listed(case.expected, "steps").items())
    scaled = milli_g(frame, Fraction(case.expected.get("factor", 1)))
    assert all(scaled[place] == tuple(value) for place, value in listed(case.expected, "milli_g").items())


def test_a_real_strap_stamps_the_last_sample_and_runs_at_130_hz_give_or_take() -> None:
    fifth, sixth = (decode_pmd_frame(case.frame) for case in vectors("polar_pmd") if "real H10" in case.name)
    assert isinstance(sixth, EcgFrame)
    assert len(sixth.microvolts) * 1e9 / (sixth.last_ns - fifth.last_ns) == pytest.approx(130.17, abs=0.01)


@pytest.mark.parametrize("case", vectors("polar_pmd_control"), ids=name_of)
def test_published_answers(case: Vector) -> None:
    word = decode_pmd_control(case.frame)
    if "stopped" in case.expected:
        assert word == PmdStopped(tuple(case.expected["stopped"]))
        return
    assert isinstance(word, PmdAnswer)
    told = {"operation": word.operation, "measurement": word.measurement, "code": word.code, "more": word.more}
    assert told == {field: case.expected[field] for field in told}
    if "settings_error" in case.expected:
        with pytest.raises(DecodeError) as refused:
            decode_pmd_settings(word.parameters)
        assert refused.value.reason.value == case.expected["settings_error"]
    elif "settings" in case.expected:
        settings = decode_pmd_settings(word.parameters)
        assert {setting.name: list(values) for setting, values in settings.values.items()} == case.expected["settings"]
        assert float(settings.factor) == pytest.approx(float(case.expected.get("factor", 1)), rel=1e-9)


@pytest.mark.parametrize("case", vectors("polar_pmd_settings"), ids=name_of)
def test_published_settings(case: Vector) -> None:
    settings = decode_pmd_settings(case.frame)
    assert {setting.name: list(values) for setting, values in settings.values.items()} == case.expected["settings"]


def test_the_published_requests() -> None:
    assert encode_pmd_settings_request(PmdMeasurement.ACCELERATION) == bytes.fromhex("0102")
    assert encode_pmd_settings_request(PmdMeasurement.ECG) == bytes.fromhex("0100")
    ecg = {PmdSetting.RESOLUTION_BITS: 14, PmdSetting.RATE_HZ: 130}
    assert encode_pmd_start(PmdMeasurement.ECG, ecg) == bytes.fromhex("02000001820001010e00")  # of a real H10
    sense = {
        PmdSetting.RATE_HZ: 52,
        PmdSetting.RESOLUTION_BITS: 16,
        PmdSetting.RANGE_G: 8,
        PmdSetting.CHANNELS: 3,
    }
    assert encode_pmd_start(PmdMeasurement.ACCELERATION, sense) == bytes.fromhex("0202000134000101100002010800040103")
    assert encode_pmd_stop(PmdMeasurement.ECG) == bytes.fromhex("0300")


def test_what_an_h10_says_it_has_is_read() -> None:
    # The value of a real H10 (phdiethelm/h10_ecg), and of a Verity Sense (the specification).
    assert decode_pmd_features(bytes.fromhex("0f05" + "00" * 15)) == {PmdMeasurement.ECG, PmdMeasurement.ACCELERATION}
    assert decode_pmd_features(bytes.fromhex("0f6e" + "00" * 15)) == {1, 2, 3, 5, 6}
    assert pmd_features([Pmd.ECG, Pmd.ACC]) == bytes.fromhex("0f05" + "00" * 15)


@pytest.mark.parametrize(
    "chosen", [{PmdSetting.FACTOR: 1}, {PmdSetting.RATE_HZ: 65_536}, {PmdSetting.CHANNELS: -1}], ids=str
)
def test_a_start_that_cannot_be_written_is_a_mistake_of_the_caller(chosen: dict[PmdSetting, int]) -> None:
    with pytest.raises(ValueError, match=r"factor|does not fit"):
        encode_pmd_start(PmdMeasurement.ECG, chosen)


@given(times_ns, st.lists(st.integers(-(2**23), 2**23 - 1), min_size=1, max_size=160))
def test_an_ecg_of_the_simulator_is_read_back_exactly(last_ns: int, microvolts: list[int]) -> None:
    assert decode_pmd_frame(ecg_frame(last_ns, microvolts)) == EcgFrame(last_ns, tuple(microvolts))


@given(times_ns, st.lists(sample_of_three, min_size=1, max_size=80), st.sampled_from([2, 3]))
def test_accelerations_of_the_simulator_are_read_back_exactly(
    last_ns: int, samples: list[tuple[int, int, int]], width: int
) -> None:
    frame = acceleration_frame(last_ns, samples[:55], width=width)
    assert decode_pmd_frame(frame) == AccelerationFrame(last_ns, AccelerationUnit.MILLI_G, tuple(samples[:55]))


def test_accelerations_of_one_byte_are_read_back_exactly() -> None:
    frame = decode_pmd_frame(acceleration_frame(7, [(-128, 0, 127)], width=1))
    assert frame == AccelerationFrame(7, AccelerationUnit.MILLI_G, ((-128, 0, 127),))
    with pytest.raises(NotEncodable):
        acceleration_frame(7, [(128, 0, 0)], width=1)


@given(times_ns, st.lists(sample_of_three, min_size=1, max_size=60), st.integers(1, 255), st.sampled_from([0, 1]))
def test_compressed_accelerations_of_the_simulator_are_read_back_exactly(
    last_ns: int, samples: list[tuple[int, int, int]], block: int, frame_type: int
) -> None:
    frame = decode_pmd_frame(compressed_acceleration_frame(last_ns, samples, frame_type=frame_type, block=block))
    unit = AccelerationUnit.MILLI_G if frame_type else AccelerationUnit.FACTOR_G
    assert frame == AccelerationFrame(last_ns, unit, tuple(samples))


@pytest.mark.parametrize(
    ("frame", "reason"),
    [
        ("", DecodeReason.SHORT),
        ("00" * 600, DecodeReason.TOO_LONG),
        ("00" * 10 + "0102", DecodeReason.SHORT),
        ("02" + "00" * 8 + "01" + "0102030405", DecodeReason.SHORT),
        ("02" + "00" * 8 + "80" + "0102030405", DecodeReason.SHORT),
        ("02" + "00" * 8 + "80" + "010203040506" + "08", DecodeReason.SHORT),
        ("02" + "00" * 8 + "80" + "010203040506" + "0801ff", DecodeReason.SHORT),
        ("02" + "00" * 8 + "80" + "010203040506" + "00ff", DecodeReason.RESERVED_VALUE),
        ("02" + "00" * 8 + "80" + "010203040506" + "21ff", DecodeReason.RESERVED_VALUE),
        ("01" + "00" * 8 + "00" + "010203", DecodeReason.UNSUPPORTED_VERSION),
        ("02" + "00" * 8 + "03" + "010203", DecodeReason.UNSUPPORTED_VERSION),
        ("00" + "00" * 8 + "80" + "010203", DecodeReason.UNSUPPORTED_VERSION),
    ],
)
def test_a_frame_that_is_none_is_refused_by_name(frame: str, reason: DecodeReason) -> None:
    with pytest.raises(DecodeError) as refused:
        decode_pmd_frame(bytes.fromhex(frame))
    assert refused.value.reason is reason


@pytest.mark.parametrize(
    ("parameters", "reason"),
    [
        ("0003", DecodeReason.SHORT),
        ("000182000001", DecodeReason.RESERVED_VALUE),
        ("0001820001", DecodeReason.SHORT),
        ("0600", DecodeReason.RESERVED_VALUE),
        ("05010000c07f", DecodeReason.NOT_A_NUMBER),
        ("05010000807f", DecodeReason.NOT_A_NUMBER),
        ("050100000080", DecodeReason.RESERVED_VALUE),
        ("00" * 3000, DecodeReason.TOO_LONG),
    ],
)
def test_settings_that_are_none_are_refused_by_name(parameters: str, reason: DecodeReason) -> None:
    with pytest.raises(DecodeError) as refused:
        decode_pmd_settings(bytes.fromhex(parameters))
    assert refused.value.reason is reason


@pytest.mark.parametrize(
    ("decode", "value", "reason"),
    [
        (decode_pmd_control, "", DecodeReason.SHORT),
        (decode_pmd_control, "f00100", DecodeReason.SHORT),
        (decode_pmd_control, "0f05", DecodeReason.RESERVED_VALUE),
        (decode_pmd_control, "f0" * 513, DecodeReason.TOO_LONG),
        (decode_pmd_features, "0f", DecodeReason.SHORT),
        (decode_pmd_features, "f005", DecodeReason.RESERVED_VALUE),
        (decode_pmd_features, "0f" * 513, DecodeReason.TOO_LONG),
    ],
)
def test_a_word_of_the_control_point_that_is_none_is_refused_by_name(
    decode: Any, value: str, reason: DecodeReason
) -> None:
    with pytest.raises(DecodeError) as refused:
        decode(bytes.fromhex(value))
    assert refused.value.reason is reason


def test_answers_of_the_simulator_are_read_back() -> None:
    offered = {SettingType.SAMPLE_RATE: (25, 50), SettingType.RANGE: (8,), SettingType.CHANNELS: (3,)}
    frame = pmd_answer(PmdOp.GET, Pmd.ACC, parameters=pmd_settings(offered), more=1)
    word = decode_pmd_control(frame)
    assert isinstance(word, PmdAnswer)
    assert (word.operation, word.measurement, word.code, word.more) == (PmdOperation.SETTINGS, 2, 0, True)
    expected = {PmdSetting.RATE_HZ: (25, 50), PmdSetting.RANGE_G: (8,), PmdSetting.CHANNELS: (3,)}
    assert decode_pmd_settings(word.parameters) == PmdSettings(expected)
    refusal = decode_pmd_control(pmd_answer(PmdOp.START, Pmd.ECG, PmdError.INVALID_MTU))
    assert refusal == PmdAnswer(PmdOperation.START, PmdMeasurement.ECG, PmdCode.INVALID_MTU, more=False, parameters=b"")


def test_the_factor_is_exactly_the_float_that_was_sent() -> None:
    settings = decode_pmd_settings(pmd_factor(0.000244))
    assert settings.factor == Fraction(0xFFDA40, 1 << 36)  # 0x397FDA40, as the specification writes it
    assert milli_g(AccelerationFrame(0, AccelerationUnit.FACTOR_G, ((4098, -4098, 0),)), settings.factor) == (
        (999, -999, 0),
    )


@given(st.binary(max_size=600))
def test_any_bytes_decode_or_are_refused(data: bytes) -> None:
    for decode in (decode_pmd_frame, decode_pmd_control, decode_pmd_settings, decode_pmd_features):
        with suppress(DecodeError):
            decode(data)


@given(st.binary(max_size=500), st.sampled_from([0, 1, 2, 0x80, 0x81]), st.sampled_from([0, 2]))
def test_any_content_behind_a_good_head_decodes_or_is_refused(content: bytes, frame_type: int, kind: int) -> None:
    with suppress(DecodeError):
        frame = decode_pmd_frame(bytes([kind, *bytes(8), frame_type]) + content)
        samples = frame.microvolts if isinstance(frame, EcgFrame) else frame.steps
        assert 0 < len(samples) <= 8 * 512
