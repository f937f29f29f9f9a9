"""Checks of 16 bits: published values, the simulator's long division, and what a wrong one does."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kanhu.edge.codecs.crc import E2eCrc, check_e2e_crc, crc16_ccitt_false, crc16_mcrf4xx
from kanhu.edge.errors import DecodeError, DecodeReason
from kanhu.firmware_sim.wire.crc import ccitt_false, e2e_crc
from tests.edge.vectors import Vector, name_of, vectors

_ALGORITHMS = {
    "E2E-CRC (CRC-16/MCRF4XX)": crc16_mcrf4xx,
    "CRC-16/CCITT-FALSE": crc16_ccitt_false,
    "LifeScan CRC-CCITT": crc16_ccitt_false,
}


@pytest.mark.parametrize("vector", vectors("crc"), ids=name_of)
def test_published_values(vector: Vector) -> None:
    compute = _ALGORITHMS[vector.given["protocol"]]
    assert f"{compute(vector.frame):04x}" == vector.expected["crc16"]


@given(st.binary(max_size=64))
def test_both_agree_with_long_division(message: bytes) -> None:
    assert crc16_mcrf4xx(message).to_bytes(2, "little") == e2e_crc(message)
    assert crc16_ccitt_false(message).to_bytes(2, "little") == ccitt_false(message)


@given(st.binary(min_size=1, max_size=32), st.integers(0, 10_000))
def test_one_bit_that_flips_is_found(message: bytes, place: int) -> None:
    frame = bytearray(message + e2e_crc(message))
    assert check_e2e_crc(bytes(frame), len(message), crc=E2eCrc.PRESENT)
    bit = place % (8 * len(frame))
    frame[bit // 8] ^= 1 << bit % 8
    with pytest.raises(DecodeError) as refused:
        check_e2e_crc(bytes(frame), len(message), crc=E2eCrc.PRESENT)
    assert refused.value.reason is DecodeReason.CHECKSUM_WRONG


@given(st.binary(max_size=32))
def test_a_device_without_crc_may_pad(message: bytes) -> None:
    for padding in (b"", b"\x00", b"\x00\x00", b"\x01\x02\x03"):
        assert not check_e2e_crc(message + padding, len(message), crc=E2eCrc.ABSENT)


def test_an_unread_feature_word_is_made_up_by_the_length() -> None:
    message = b"\x1c\x1a\x01"
    assert not check_e2e_crc(message, 3, crc=E2eCrc.BY_LENGTH)
    assert check_e2e_crc(message + e2e_crc(message), 3, crc=E2eCrc.BY_LENGTH)
    for rest in (b"\x00", b"\x00\x00", b"\x00\x00\x00"):
        with pytest.raises(DecodeError) as refused:
            check_e2e_crc(message + rest, 3, crc=E2eCrc.BY_LENGTH)
        wrong = DecodeReason.CHECKSUM_WRONG if len(rest) == 2 else DecodeReason.NOT_SYNCHRONISED
        assert refused.value.reason is wrong


@pytest.mark.parametrize("rest", [b"", b"\x00"])
def test_a_crc_that_is_missing_is_no_frame(rest: bytes) -> None:
    with pytest.raises(DecodeError) as refused:
        check_e2e_crc(b"\x01\x02" + rest, 2, crc=E2eCrc.PRESENT)
    assert refused.value.reason is DecodeReason.SHORT


@pytest.mark.parametrize(("frame", "reason"), [(b"\x01", DecodeReason.SHORT), (bytes(513), DecodeReason.TOO_LONG)])
def test_lengths_are_looked_at_first(frame: bytes, reason: DecodeReason) -> None:
    with pytest.raises(DecodeError) as refused:
        check_e2e_crc(frame, 2, crc=E2eCrc.ABSENT)
    assert refused.value.reason is reason
