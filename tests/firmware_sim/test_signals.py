"""Recorded signals at another rate, and the strap that streams them, held against its specification's own examples."""

import math
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kanhu.firmware_sim.bodies.signals import (
    ACCELERATION,
    ECG,
    RecordedSignal,
    load_signal,
    resting_acceleration,
    resting_ecg,
)
from kanhu.firmware_sim.devices.polar_strap import FIRST_TIME_NS, PolarStrap
from kanhu.firmware_sim.wire.polar_pmd import PmdError

_RECORDING = Path(__file__).resolve().parents[1] / "vectors" / "signals" / "mitdb_106_ecg.csv"
_START_ECG = bytes.fromhex("02000001820001010e00")  # of the transcript of a real H10
_START_ACC = bytes.fromhex("0202020108000001c80001011000")  # of the specification, 200 Hz
_S = 1_000_000_000


def sine(hz: float, rate_hz: int, seconds: int = 4, height: int = 1000) -> RecordedSignal:
    samples = tuple(
        (round(height * math.sin(2 * math.pi * hz * number / rate_hz)),) for number in range(rate_hz * seconds)
    )
    return RecordedSignal(ECG, Fraction(rate_hz), samples)


def height(signal: RecordedSignal, rate_hz: int) -> int:
    """Of the middle half, away from the ends."""
    values = [value for (value,) in signal.at(rate_hz)]
    return max(map(abs, values[len(values) // 4 : -len(values) // 4]))


@pytest.mark.parametrize(("hz", "rate_hz"), [(1, 360), (10, 360), (40, 360), (50, 300), (55, 1000)])
def test_what_fits_the_new_rate_stays_as_high_as_it_was(hz: float, rate_hz: int) -> None:
    assert height(sine(hz, rate_hz), 130) == pytest.approx(1000, rel=0.02)


@pytest.mark.parametrize(("hz", "rate_hz"), [(75, 360), (120, 360), (100, 300), (400, 1000)])
def test_what_does_not_fit_is_not_folded_down(hz: float, rate_hz: int) -> None:
    assert height(sine(hz, rate_hz), 130) < 10


def test_a_slow_recording_gets_no_new_content_at_a_faster_rate() -> None:
    faster = sine(5, 50).at(130)
    wanted = [1000 * math.sin(2 * math.pi * 5 * number / 130) for number in range(len(faster))]
    middle = slice(len(faster) // 4, -len(faster) // 4)
    assert [value for (value,) in faster][middle] == pytest.approx(wanted[middle], abs=15)


@given(st.integers(-30_000, 30_000), st.integers(2, 40), st.integers(1, 1000), st.integers(1, 300))
@settings(deadline=None)
def test_a_constant_stays_what_it_is_and_no_moment_is_added(level: int, count: int, before: int, after: int) -> None:
    signal = RecordedSignal(ECG, Fraction(before), ((level,),) * count)
    resampled = signal.at(after)
    assert set(resampled) == {(level,)}
    assert Fraction(len(resampled) - 1, after) <= Fraction(count - 1, before) < Fraction(len(resampled), after)


def test_at_its_own_rate_a_recording_is_what_it_was() -> None:
    signal = load_signal(_RECORDING)
    assert (signal.columns, len(signal.samples)) == (ECG, 12 * 360)
    assert signal.rate_hz == Fraction(360)
    assert signal.at(360) == signal.samples
    assert len(signal.at(130)) == 1560


def test_a_resting_body_has_a_beat_and_one_g() -> None:
    ecg = [value for (value,) in resting_ecg().samples]
    high = [value > 500 for value in ecg]
    assert sum(after and not before for before, after in pairwise([*high, high[0]])) == 17, "68 a minute for 15 s"
    assert all(math.hypot(*sample) == pytest.approx(1000, abs=30) for sample in resting_acceleration().samples)


def test_the_strap_answers_as_the_specification_shows() -> None:
    strap = PolarStrap()
    said = {
        "0102": "f0010200000004190032006400c800010110000203020004000800",
        "0100": "f0010000000001820001010e00",
        _START_ECG.hex(): "f00200000000",
        _START_ACC.hex(): "f00202000000",
        "0302": "f003020000",
    }
    for request, answer in said.items():
        assert strap.asked(bytes.fromhex(request), att_mtu=232, now_ns=0).hex() == answer


@pytest.mark.parametrize(
    ("request_", "error"),
    [
        ("01", PmdError.INVALID_LENGTH),
        ("0101", PmdError.INVALID_MEASUREMENT_TYPE),
        ("0900", PmdError.INVALID_OP_CODE),
        ("0200", PmdError.INVALID_PARAMETER),  # as a real H10 answered
        ("0200000182000101", PmdError.INVALID_PARAMETER),
        ("02000001820001010e00020108", PmdError.INVALID_PARAMETER),
        ("02000001c80001010e00", PmdError.INVALID_SAMPLE_RATE),
        ("020000018200010110" + "00", PmdError.INVALID_RESOLUTION),
        ("0202020110000001c80001011000", PmdError.INVALID_RANGE),
        ("0300", PmdError.ALREADY_IN_STATE),
    ],
)
def test_the_strap_refuses_what_the_specification_says(request_: str, error: PmdError) -> None:
    strap = PolarStrap()
    assert strap.asked(bytes.fromhex(request_), att_mtu=232, now_ns=0)[3] == error
    assert strap.due(60 * _S) == []


def test_the_strap_wants_messages_of_some_size_and_starts_once() -> None:
    strap = PolarStrap()
    assert strap.asked(_START_ECG, att_mtu=23, now_ns=0)[3] == PmdError.INVALID_MTU
    assert strap.asked(_START_ECG, att_mtu=70, now_ns=0)[3] == PmdError.SUCCESS
    assert strap.asked(_START_ECG, att_mtu=70, now_ns=0)[3] == PmdError.ALREADY_IN_STATE


@pytest.mark.parametrize(("att_mtu", "samples"), [(70, 19), (232, 73), (517, 73)])
def test_a_frame_is_as_long_as_its_message_and_stamped_with_its_last_sample(att_mtu: int, samples: int) -> None:
    strap = PolarStrap()
    strap.asked(_START_ECG, att_mtu=att_mtu, now_ns=5 * _S)
    due_ns = 5 * _S + -(-samples * _S // 130)
    assert strap.due(due_ns - 1) == []
    (frame,) = strap.due(due_ns)
    assert len(frame) == 10 + 3 * samples
    assert int.from_bytes(frame[1:9], "little") == FIRST_TIME_NS + 5 * _S + samples * _S // 130
    assert strap.due(due_ns) == []
    strap.unlinked()
    assert strap.due(due_ns + 60 * _S) == []


def test_a_recording_is_played_again_from_its_beginning() -> None:
    walk = RecordedSignal(ACCELERATION, Fraction(200), tuple((number, -number, 7) for number in range(50)))
    strap = PolarStrap([walk])
    strap.asked(_START_ACC, att_mtu=232, now_ns=0)
    frames = strap.due(_S)
    played = [
        int.from_bytes(frame[at : at + 2], "little", signed=True) for frame in frames for at in range(10, len(frame), 6)
    ]
    assert played == [number % 50 for number in range(5 * 36)]
