"""Battery Level: one byte up to 100, and nothing else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kanhu.edge.codecs.battery import decode_battery_percent, observe_battery
from kanhu.edge.errors import DecodeError, DecodeReason
from kanhu.firmware_sim.wire.battery import battery_level
from tests.edge.readings import RESIDENT, TIMES
from tests.edge.vectors import Vector, name_of, vectors


@pytest.mark.parametrize("vector", vectors("battery"), ids=name_of)
def test_published_levels(vector: Vector) -> None:
    if "error" in vector.expected:
        with pytest.raises(DecodeError):
            decode_battery_percent(vector.frame)
        return
    assert decode_battery_percent(vector.frame) == vector.expected["battery_pct"]


@given(st.integers(0, 100))
def test_a_simulated_level_is_read_back_and_observed(percent: int) -> None:
    decoded = decode_battery_percent(battery_level(percent))
    assert decoded == percent
    assert observe_battery(decoded, subject=RESIDENT, device="strap", times=TIMES).value("battery") == percent


@pytest.mark.parametrize(
    ("frame", "reason"),
    [("", DecodeReason.SHORT), ("65", DecodeReason.RESERVED_VALUE), ("0f0f", DecodeReason.TOO_LONG)],
)
def test_no_byte_two_bytes_and_more_than_full_are_refused(frame: str, reason: DecodeReason) -> None:
    with pytest.raises(DecodeError) as refused:
        decode_battery_percent(bytes.fromhex(frame))
    assert refused.value.reason is reason


@given(st.binary(max_size=600))
def test_only_a_single_byte_up_to_a_hundred_decodes(frame: bytes) -> None:
    if len(frame) == 1 and frame[0] <= 100:
        assert decode_battery_percent(frame) == frame[0]
    else:
        with pytest.raises(DecodeError):
            decode_battery_percent(frame)
