"""Whatever bytes arrive, a codec answers with a record or with DecodeError, and nothing else."""

import random
from collections.abc import Callable
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kanhu.edge.codecs.blood_pressure import decode_blood_pressure, decode_cuff_pressure, observe_blood_pressure
from kanhu.edge.codecs.bthome import decode_bthome, observe_press
from kanhu.edge.codecs.cms50d import decode_cms50d
from kanhu.edge.codecs.heart_rate import decode_heart_rate, observe_heart_rate
from kanhu.edge.codecs.sfloat import decode_sfloat
from kanhu.edge.errors import DecodeError
from tests.edge.readings import RESIDENT, TIMES

_STRINGS = 20_000


def _cuff(frame: bytes) -> object:
    return observe_blood_pressure(decode_blood_pressure(frame), subject=RESIDENT, device="cuff", times=TIMES)


def _strap(frame: bytes) -> object:
    return observe_heart_rate(decode_heart_rate(frame), subject=RESIDENT, device="strap", times=TIMES)


def _button(frame: bytes) -> object:
    return observe_press(decode_bthome(frame), subject=RESIDENT, device="button", times=TIMES)


def _sfloat(frame: bytes) -> object:
    return decode_sfloat(frame, 0, field="value")


_CODECS = [_cuff, decode_cuff_pressure, _strap, _button, decode_cms50d, _sfloat]


@pytest.mark.parametrize("codec", _CODECS)
def test_twenty_thousand_random_strings_decode_or_are_refused(codec: Callable[[bytes], object]) -> None:
    source = random.Random(20_261_122)
    outcomes = {"decoded": 0, "refused": 0}
    for _ in range(_STRINGS):
        frame = source.randbytes(source.randrange(24))
        try:
            codec(frame)
        except DecodeError:
            outcomes["refused"] += 1
        else:
            outcomes["decoded"] += 1
    assert min(outcomes.values()) > 0, outcomes


@pytest.mark.parametrize("codec", _CODECS)
@given(frame=st.binary(max_size=600))
@settings(max_examples=80)
def test_any_bytes_decode_or_are_refused(codec: Callable[[bytes], object], frame: bytes) -> None:
    with suppress(DecodeError):
        codec(frame)


@given(st.binary(max_size=40))
def test_bthome_objects_behind_a_good_header_decode_or_are_refused(objects: bytes) -> None:
    with suppress(DecodeError):
        decode_bthome(b"\x40" + objects)
