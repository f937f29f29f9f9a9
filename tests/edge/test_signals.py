"""Frames of samples become stretches of signal: what comes out is what went in, and a hole is never bridged."""

import struct
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kanhu.contract import QualityReason, Subject, SubjectKind, Waveform, decode_record, encode_record
from kanhu.edge.codecs.polar_pmd import EPOCH_UNIX_MS
from kanhu.edge.errors import DecodeError, DecodeReason
from kanhu.edge.signals import Gathered, SignalFold, stretch_of
from tests.edge.readings import RESIDENT, TIMES

_FIRST_NS = 599_616_023_171_427_290
_FRAME = 73
_FRAME_NS = _FRAME * 1_000_000_000 // 130


def numbers(first: int, count: int = _FRAME) -> list[tuple[int]]:
    return [(number,) for number in range(first, first + count)]


def fed(*frames: tuple[int, int], stretch_s: int = 1) -> tuple[list[Gathered], SignalFold]:
    """Frames of 73 samples, each as its number and how much later than due it was taken, in nanoseconds."""
    fold = SignalFold(130, 1, stretch_s=stretch_s)
    ended: list[Gathered] = []
    for number, late_ns in frames:
        ended += fold.add(_FIRST_NS + number * _FRAME_NS + late_ns, numbers(number * _FRAME))
    return ended, fold


def test_a_stretch_is_full_after_its_seconds_and_the_next_joins() -> None:
    ended, fold = fed(*((number, 0) for number in range(4)))
    assert [len(one.axes[0]) for one in ended] == [2 * _FRAME, 2 * _FRAME]
    assert [one.joins for one in ended] == [False, True]
    assert ended[0].axes[0] + ended[1].axes[0] == tuple(range(4 * _FRAME))
    assert [one.last_ns for one in ended] == [_FIRST_NS + _FRAME_NS, _FIRST_NS + 3 * _FRAME_NS]
    assert fold.cut() == ()


def test_a_lost_frame_ends_the_stretch_and_nothing_is_put_in_its_place() -> None:
    ended, fold = fed((0, 0), (2, 0), stretch_s=10)
    assert ended == [Gathered((tuple(range(_FRAME)),), _FIRST_NS, 130_000, joins=False)]
    assert fold.cut() == (
        Gathered((tuple(range(2 * _FRAME, 3 * _FRAME)),), _FIRST_NS + 2 * _FRAME_NS, 130_000, joins=False),
    )


@pytest.mark.parametrize("late_ns", [-_FRAME_NS, -3 * _FRAME_NS, 60_000_000, -60_000_000, 86_400_000_000_000])
def test_a_clock_that_was_set_or_a_frame_out_of_order_ends_the_stretch(late_ns: int) -> None:
    ended, _ = fed((0, 0), (1, late_ns), stretch_s=10)
    assert [len(one.axes[0]) for one in ended] == [_FRAME]


@pytest.mark.parametrize("rate_hz", [128.7, 129.9, 130.1691, 131.3])
def test_the_rate_is_the_one_that_the_strap_runs_at(rate_hz: float) -> None:
    fold = SignalFold(130, 1)
    ended: list[Gathered] = []
    for number in range(40):
        last_ns = _FIRST_NS + round((number + 1) * _FRAME * 1e9 / rate_hz)
        ended += fold.add(last_ns, numbers(number * _FRAME))
    assert [one.rate_millihertz for one in ended] == [pytest.approx(rate_hz * 1000, abs=1)] * 2
    assert [one.joins for one in ended] == [False, True]


def test_after_a_hole_the_rate_is_measured_anew() -> None:
    fold = SignalFold(50, 3)
    for number in (0, 1, 5, 6):
        ended = fold.add(_FIRST_NS + number * 720_000_000, [(1, 2, 3)] * 36)
        assert [len(one.axes[0]) for one in ended] == ([72] if number == 5 else [])
    (rest,) = fold.cut()
    assert (rest.rate_millihertz, rest.joins, rest.axes) == (50_000, False, ((1,) * 72, (2,) * 72, (3,) * 72))


@pytest.mark.parametrize("beyond", [32_768, -32_769])
def test_a_sample_that_no_waveform_can_say_is_refused_and_never_cut_down(beyond: int) -> None:
    fold = SignalFold(130, 1)
    fold.add(_FIRST_NS, numbers(0))
    with pytest.raises(DecodeError) as refused:
        fold.add(_FIRST_NS + _FRAME_NS, [(0,)] * (_FRAME - 1) + [(beyond,)])
    assert refused.value.reason is DecodeReason.INFINITE
    ended = fold.add(_FIRST_NS + 2 * _FRAME_NS, numbers(0))
    assert [one.axes for one in ended] == [(tuple(range(_FRAME)),)], "the refused frame is a hole"


@given(
    st.lists(
        st.tuples(st.integers(9, 75), st.sampled_from(["joins", "lost", "again", "set"]), st.integers(-9_000, 9_000)),
        min_size=1,
        max_size=60,
    )
)
def test_whatever_comes_every_sample_comes_out_once_and_in_order(frames: list[tuple[int, str, int]]) -> None:
    fold, at_ns, sent = SignalFold(50, 2, stretch_s=1), _FIRST_NS, 0
    ended: list[Gathered] = []
    for count, what, jitter_ns in frames:
        at_ns += {"joins": 1, "lost": 2, "again": 0, "set": -5}[what] * count * 20_000_000
        ended += fold.add(at_ns + jitter_ns, [(number, -number) for number in range(sent, sent + count)])
        sent += count
    ended += fold.cut()
    assert [number for one in ended for number in one.axes[0]] == list(range(sent))
    assert all(one.axes[1] == tuple(-number for number in one.axes[0]) for one in ended)
    assert all(one.rate_millihertz > 0 for one in ended)
    for before, after in pairwise(ended):
        spent_ns = len(after.axes[0]) * 1_000_000_000_000 / after.rate_millihertz
        assert not after.joins or after.last_ns - spent_ns == pytest.approx(before.last_ns, abs=1_000_000)


def test_a_stretch_travels_as_the_contract_says() -> None:
    gathered = Gathered(((-5, 0, 32_767), (1, 2, -32_768)), _FIRST_NS, 130_169, joins=True)
    stretch = stretch_of(
        gathered, metrics=("ecg", "acceleration_x"), subject=RESIDENT, device="s-1", times=TIMES, epoch_ms=EPOCH_UNIX_MS
    )
    assert stretch.joins
    assert [one.metric for one in stretch.waveforms] == ["ecg", "acceleration_x"]
    for waveform, axis in zip(stretch.waveforms, gathered.axes, strict=True):
        again = decode_record(encode_record(waveform))
        assert isinstance(again, Waveform)
        assert again == waveform
        assert struct.unpack("<3h", again.samples) == axis
        assert (again.rate_millihertz, again.step_nano, again.subject) == (130_169, 1_000_000, RESIDENT)
        assert again.times.arrival_ms == TIMES.arrival_ms
        assert again.times.device_ms == 1_546_300_823_171, "2019-01-01 and 23.171 s: a strap whose clock nobody set"


def test_a_stretch_of_nobody_known_is_questionable() -> None:
    nobody = Subject(SubjectKind.UNIDENTIFIED, "s-1.0")
    stretch = stretch_of(
        Gathered(((0,),), 0, 130_000, joins=False),
        metrics=("ecg",),
        subject=nobody,
        device="s-1",
        times=TIMES,
        epoch_ms=EPOCH_UNIX_MS,
    )
    assert stretch.waveforms[0].quality.reasons == (QualityReason.IDENTITY_UNKNOWN,)
