"""Faulty devices: what leaves them instead of a message."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kanhu.firmware_sim.devices.spoiler import Spoiler
from kanhu.firmware_sim.scenario.model import DeviceFault, Fault

_WHOLE = bytes(range(1, 15))


def _spoiler(what: DeviceFault, *, amount: float = 0.0, at_s: float = 10, for_s: float = 20) -> Spoiler:
    return Spoiler([Fault(at_s=at_s, for_s=for_s, on="device cuff-01", what=what.value, amount=amount)], seed="1")


@pytest.mark.parametrize("what", DeviceFault)
def test_a_device_is_sound_before_and_after_its_fault(what: DeviceFault) -> None:
    spoiler = _spoiler(what, amount=1)
    assert [spoiler.messages(_WHOLE, at_s) for at_s in (0, 9.9, 30, 100)] == [[_WHOLE]] * 4
    assert spoiler.delay_s(9.9) == spoiler.delay_s(30) == 0


@given(st.binary(min_size=1, max_size=40))
def test_a_truncated_message_is_a_beginning_of_itself(message: bytes) -> None:
    (sent,) = _spoiler(DeviceFault.TRUNCATED, amount=1).messages(message, 15)
    assert message.startswith(sent)
    assert 0 < len(sent) < max(2, len(message))


@given(st.binary(min_size=1, max_size=40))
def test_a_flipped_message_differs_in_one_bit(message: bytes) -> None:
    (sent,) = _spoiler(DeviceFault.FLIPPED, amount=1).messages(message, 15)
    differences = [one ^ other for one, other in zip(message, sent, strict=True)]
    assert sum(difference.bit_count() for difference in differences) == 1


def test_a_stuck_device_says_the_same_until_it_is_sound_again() -> None:
    spoiler = _spoiler(DeviceFault.STUCK)
    sent = [spoiler.messages(bytes([number]), at_s) for number, at_s in ((1, 5), (2, 12), (3, 20), (4, 29), (5, 31))]
    assert sent == [[b"\1"], [b"\2"], [b"\2"], [b"\2"], [b"\5"]]


def test_a_chattering_device_says_each_message_many_times() -> None:
    assert _spoiler(DeviceFault.CHATTERING, amount=3).messages(_WHOLE, 15) == [_WHOLE] * 3


def test_a_slow_device_is_late() -> None:
    assert _spoiler(DeviceFault.SLOW, amount=4).delay_s(15) == 4


def test_a_share_of_messages_is_spoilt_the_same_for_the_same_seed() -> None:
    one, other = (
        [_spoiler(DeviceFault.TRUNCATED, amount=0.5).messages(_WHOLE, 15) for _ in range(1)] for _ in range(2)
    )
    assert one == other
    spoiler = _spoiler(DeviceFault.TRUNCATED, amount=0.5)
    spoilt = sum(spoiler.messages(_WHOLE, 15) != [_WHOLE] for _ in range(400))
    assert 150 < spoilt < 250
