"""What makes one reading: 600 packets of an oximeter, the repeats of one press."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kanhu.contract import Observation, QualityLevel, QualityReason
from kanhu.edge.codecs.cms50d import decode_cms50d
from kanhu.edge.errors import DecodeError, DecodeReason
from kanhu.edge.folding import REPEAT_WINDOW_S, WINDOW_PACKETS, ButtonFold, OximeterWindow
from tests.edge.readings import RESIDENT, TIMES
from tests.edge.test_cms50d import packet_of


def fold(packets: list[bytes]) -> Observation:
    window = OximeterWindow()
    for packet in packets:
        assert not window.full
        window.add(decode_cms50d(packet))
    assert window.full
    observation = window.fold(subject=RESIDENT, device="oximeter", times=TIMES)
    assert window.packets == 0
    return observation


def test_600_calm_packets_are_one_good_reading() -> None:
    observation = fold([packet_of(spo2=96 + (n % 2), pulse=70 + n % 5) for n in range(WINDOW_PACKETS)])
    assert observation.metric == "oximetry"
    assert observation.value("spo2") == Decimal("96.5")
    assert observation.value("pulse_oximeter") == 72
    assert observation.quality.level is QualityLevel.OK


@given(st.lists(st.integers(94, 98), min_size=600, max_size=600))
def test_the_reading_is_the_median_of_its_packets(values: list[int]) -> None:
    ordered = sorted(values)
    observation = fold([packet_of(spo2=value) for value in values])
    assert observation.value("spo2") == Decimal(ordered[299] + ordered[300]) / 2


@pytest.mark.parametrize(
    ("packet", "reason"),
    [
        (packet_of(first=0x10), QualityReason.FINGER_OUT),
        (packet_of(third=0x10), QualityReason.FINGER_OUT),
        (packet_of(third=0x20), QualityReason.SEARCHING),
        (packet_of(spo2=127), QualityReason.NOT_A_NUMBER),
        (packet_of(pulse=255), QualityReason.NOT_A_NUMBER),
    ],
)
def test_one_packet_that_is_not_valid_makes_the_window_questionable(packet: bytes, reason: QualityReason) -> None:
    observation = fold([packet_of()] * 599 + [packet])
    assert observation.quality.level is QualityLevel.QUESTIONABLE
    assert observation.quality.reasons == (reason,)
    assert observation.value("spo2") == 97


def test_packets_that_are_not_valid_never_move_the_median() -> None:
    observation = fold([packet_of(spo2=60, third=0x20)] * 400 + [packet_of(spo2=96)] * 200)
    assert observation.value("spo2") == 96


def test_a_window_without_one_valid_packet_is_refused() -> None:
    with pytest.raises(DecodeError) as refused:
        fold([packet_of(spo2=127, pulse=255, third=0x20)] * WINDOW_PACKETS)
    assert refused.value.reason is DecodeReason.NO_VALID_PACKETS


@pytest.mark.parametrize(
    "packets",
    [
        [packet_of(spo2=97)] * 450 + [packet_of(spo2=88)] * 150,
        [packet_of(pulse=60)] * 450 + [packet_of(pulse=120)] * 150,
    ],
)
def test_values_that_jump_within_ten_seconds_are_unstable(packets: list[bytes]) -> None:
    observation = fold(packets)
    assert observation.quality.reasons == (QualityReason.UNSTABLE,)


def test_a_single_outlier_is_not_unstable() -> None:
    assert fold([packet_of(spo2=97)] * 590 + [packet_of(spo2=80)] * 10).quality.level is QualityLevel.OK


def test_a_slow_fall_of_saturation_stays_a_good_reading() -> None:
    falling = [packet_of(spo2=97 - n // 200) for n in range(WINDOW_PACKETS)]
    assert fold(falling).quality.level is QualityLevel.OK


def test_a_mostly_weak_signal_is_questionable() -> None:
    weak = [packet_of(signal=2)] * 301 + [packet_of(signal=6)] * 299
    assert fold(weak).quality.reasons == (QualityReason.WEAK_SIGNAL,)
    assert fold([packet_of(signal=2)] * 299 + [packet_of(signal=6)] * 301).quality.reasons == ()


def test_a_window_that_was_cut_leaves_nothing_behind() -> None:
    window = OximeterWindow()
    for _ in range(10):
        window.add(decode_cms50d(packet_of(spo2=70, third=0x20)))
    assert window.cut() == 10
    assert window.cut() == 0
    for _ in range(WINDOW_PACKETS):
        window.add(decode_cms50d(packet_of()))
    assert window.fold(subject=RESIDENT, device="oximeter", times=TIMES).quality.reasons == ()


def test_repeats_of_one_press_are_one_press() -> None:
    fold_ = ButtonFold()
    heard = [fold_.is_new(7, mono_ns=n * 100_000_000) for n in range(50)]
    assert heard == [True] + [False] * 49


def test_another_packet_id_is_another_press() -> None:
    fold_ = ButtonFold()
    assert [fold_.is_new(packet_id, mono_ns=0) for packet_id in (1, 2, 1, 2, 3)] == [True, True, False, False, True]


def test_an_id_that_returns_after_the_window_is_a_new_press() -> None:
    fold_ = ButtonFold()
    window_ns = int(REPEAT_WINDOW_S * 1e9)
    assert fold_.is_new(5, mono_ns=0)
    assert not fold_.is_new(5, mono_ns=window_ns)
    assert not fold_.is_new(5, mono_ns=2 * window_ns), "each hearing extends the window"
    assert fold_.is_new(5, mono_ns=3 * window_ns + 1)


@given(st.lists(st.binary(min_size=1, max_size=3), max_size=600))
def test_the_memory_of_a_fold_is_bounded(events: list[bytes]) -> None:
    fold_ = ButtonFold()
    for number, event in enumerate(events):
        fold_.is_new(event, mono_ns=number)
    assert len(fold_._heard_ns) <= 257


def test_256_presses_in_a_row_are_256_readings_and_the_next_round_too() -> None:
    fold_ = ButtonFold()
    first = sum(fold_.is_new(n % 256, mono_ns=n * 1_000_000_000) for n in range(512))
    assert first == 512
