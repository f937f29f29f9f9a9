"""FLOAT: published words, exact decimals, and words that stand for no number."""

from contextlib import suppress
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kanhu.edge.codecs.ieee_float import decode_float, decode_float_or_absent
from kanhu.edge.errors import DecodeError, DecodeReason
from kanhu.firmware_sim.wire.ieee_float import FloatSpecial, ieee_float
from tests.edge.vectors import Vector, name_of, vectors

_SPECIAL = {
    0x007FFFFF: DecodeReason.NOT_A_NUMBER,
    0x00800000: DecodeReason.NOT_AT_THIS_RESOLUTION,
    0x007FFFFE: DecodeReason.INFINITE,
    0x00800002: DecodeReason.INFINITE,
    0x00800001: DecodeReason.RESERVED_VALUE,
}


@pytest.mark.parametrize("vector", vectors("ieee_float"), ids=name_of)
def test_published_words(vector: Vector) -> None:
    assert decode_float(vector.frame, 0, field="value") == vector.expected["value"]


@given(st.integers(-0x7FFFFD, 0x7FFFFD), st.integers(-128, 127), st.binary(max_size=3))
def test_a_float_is_an_exact_decimal_wherever_it_stands(mantissa: int, exponent: int, before: bytes) -> None:
    value = Decimal(mantissa).scaleb(exponent)
    assert decode_float(before + ieee_float(value), len(before), field="value") == value


@pytest.mark.parametrize(("word", "reason"), _SPECIAL.items())
def test_a_word_for_no_number_is_refused_by_its_reason(word: int, reason: DecodeReason) -> None:
    with pytest.raises(DecodeError) as refused:
        decode_float(word.to_bytes(4, "little"), 0, field="value")
    assert refused.value.reason is reason


@pytest.mark.parametrize("special", FloatSpecial)
def test_a_simulated_word_for_no_number_is_absent(special: FloatSpecial) -> None:
    assert decode_float_or_absent(ieee_float(special), 0, field="value") is None


def test_a_reserved_word_is_never_merely_absent() -> None:
    with pytest.raises(DecodeError) as refused:
        decode_float_or_absent(bytes.fromhex("01008000"), 0, field="value")
    assert refused.value.reason is DecodeReason.RESERVED_VALUE


def test_the_special_mantissas_with_another_exponent_are_numbers() -> None:
    assert decode_float(bytes.fromhex("ffff7fff"), 0, field="value") == Decimal("838860.7")


@given(st.binary(max_size=8), st.integers(-2, 9))
def test_any_bytes_decode_or_are_refused(frame: bytes, offset: int) -> None:
    with suppress(DecodeError):
        decode_float_or_absent(frame, offset, field="value")
    if offset < 0 or offset + 4 > len(frame):
        with pytest.raises(DecodeError) as refused:
            decode_float(frame, offset, field="value")
        assert refused.value.reason is DecodeReason.SHORT
