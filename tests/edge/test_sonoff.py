"""Sonoff remotes: the published press, every button and press under every seed, and no press out of noise."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kanhu.edge.codecs.advertised import observe_advertised
from kanhu.edge.codecs.sonoff import Model, Press, Sonoff, decode_sonoff
from kanhu.edge.errors import DecodeError, DecodeReason
from kanhu.firmware_sim.wire.sonoff import sonoff_press
from tests.edge.readings import RESIDENT, TIMES
from tests.edge.vectors import Vector, name_of, vectors

_NUMBER = bytes.fromhex("5ad50922")
_BYTE = st.integers(0, 255)


def pressed(*, model: int = 0x47, button: int = 0, press: int = 0) -> bytes:
    return sonoff_press(model=model, number=_NUMBER, button=button, press=press, count=801, seed=0x7B, sequence=1)


@pytest.mark.parametrize("vector", vectors("sonoff"), ids=name_of)
def test_published_frames(vector: Vector) -> None:
    told = decode_sonoff(vector.frame)
    assert vector.expected["six btn switch top left"] == "toggle"
    assert vector.expected["button switch"] == "single press"
    number = bytes.fromhex(vector.expected["mac"])[2:]
    assert told == Sonoff(Model.R5, number, 0, Press.SINGLE, vector.expected["packet"])


@given(
    st.sampled_from([(0x46, 0), (0x46, 1), (0x46, 2), *((0x47, one) for one in range(6))]), st.integers(0, 2),
    st.binary(min_size=4, max_size=4), st.integers(0, 2**32 - 1), _BYTE, _BYTE,
)  # fmt: skip  # fields by rows
def test_a_simulated_press_is_read_back(
    which: tuple[int, int], press: int, number: bytes, count: int, seed: int, sequence: int
) -> None:
    model, button = which
    frame = sonoff_press(
        model=model, number=number, button=button, press=press, count=count, seed=seed, sequence=sequence
    )
    assert decode_sonoff(frame) == Sonoff(Model(model), number, button, Press(press), count)


def test_a_press_calls_for_help_and_the_same_count_is_the_same_press() -> None:
    told = decode_sonoff(pressed()).told
    (call,) = observe_advertised(told.values, subject=RESIDENT, device="remote", times=TIMES)
    assert (call.metric, call.series("help_button")[0], told.packet) == ("help_button", 1, 801)


@pytest.mark.parametrize(
    ("frame", "reason"),
    [
        (pressed(model=0x45), DecodeReason.UNSUPPORTED_VERSION),
        (pressed(model=0x46, button=3), DecodeReason.RESERVED_VALUE),
        (pressed(button=6), DecodeReason.RESERVED_VALUE),
        (pressed(press=3), DecodeReason.RESERVED_VALUE),
        (pressed()[:25], DecodeReason.SHORT),
        (pressed()[:8], DecodeReason.SHORT),
        (b"", DecodeReason.SHORT),
    ],
)
def test_what_is_no_known_press_is_refused(frame: bytes, reason: DecodeReason) -> None:
    with pytest.raises(DecodeError) as refused:
        decode_sonoff(frame)
    assert refused.value.reason is reason


@given(st.binary(max_size=300), st.sampled_from([b"", pressed()[:9], pressed()[:16], pressed()[:19]]))
def test_any_bytes_decode_or_are_refused(frame: bytes, head: bytes) -> None:
    with suppress(DecodeError):
        decode_sonoff(head + frame)
