"""MikroTik tags: published frames, signed acceleration, each flag, and the tag without a thermometer."""

from contextlib import suppress
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kanhu.edge.codecs.advertised import observe_advertised
from kanhu.edge.codecs.mikrotik import decode_mikrotik
from kanhu.edge.errors import DecodeError, DecodeReason
from kanhu.firmware_sim.wire.mikrotik import mikrotik_tag
from tests.edge.published_sensors import differences
from tests.edge.readings import RESIDENT, TIMES
from tests.edge.vectors import Vector, name_of, vectors

_SIGNED = st.integers(-32_768, 32_767)
_FLAGS = ("reed_closed", "tilted", "dropped", "impact_x", "impact_y", "impact_z")
_WORDS = ("switch", "tilt", "dropping", "impact x", "impact y", "impact z")
_AXES = tuple(f"acceleration_{axis}_m_s2" for axis in "xyz")
# The publisher reads the signed acceleration without its sign, and takes the length of that.
_READ_WITHOUT_SIGN = {"acceleration", "acceleration x", "acceleration y", "acceleration z"}


def tag(*, temperature: int = 0x19A1, flags: int = 0, battery: int = 98) -> bytes:
    return mikrotik_tag(
        acceleration_256ths=(0, -3, 1), temperature_256ths=temperature, uptime_s=6, flags=flags, battery=battery
    )


@pytest.mark.parametrize("vector", vectors("mikrotik"), ids=name_of)
def test_published_frames(vector: Vector) -> None:
    told = decode_mikrotik(vector.frame)
    words = {*_WORDS, "uptime", "version", "impact"}
    assert differences(told, vector, but={*words, *_READ_WITHOUT_SIGN}) == {}
    assert told.get("uptime_s") == vector.expected["uptime"]
    for name, word in zip(_FLAGS, _WORDS, strict=True):
        assert told.get(name) == vector.expected[word]
    for name, axis in zip(_AXES, "xyz", strict=True):
        signed = told.get(name)
        assert signed is not None
        assert signed + (256 if signed < 0 else 0) == vector.expected[f"acceleration {axis}"]


def test_the_frame_of_the_vendors_manual_reads_as_it_says() -> None:
    told = decode_mikrotik(bytes.fromhex("0100cea6000000000200a01c91085700005f"))
    assert [told.get(name) for name in _AXES] == [0, 0, Decimal("0.0078125")]
    assert told.get("battery_percent") == 95


@given(st.tuples(_SIGNED, _SIGNED, _SIGNED), st.integers(-32_767, 32_767), st.integers(0, 2**32 - 1))
def test_a_simulated_tag_is_read_back(axes: tuple[int, int, int], warmth: int, uptime: int) -> None:
    told = decode_mikrotik(
        mikrotik_tag(acceleration_256ths=axes, temperature_256ths=warmth, uptime_s=uptime, flags=0, battery=7)
    )
    assert [told.get(name) for name in _AXES] == [Decimal(one) / 256 for one in axes]
    assert told.get("temperature_c") == Decimal(warmth) / 256
    assert told.get("uptime_s") == uptime
    assert told.get("battery_percent") == 7


@pytest.mark.parametrize(("bit", "name"), list(enumerate(_FLAGS)))
def test_each_flag_is_told_alone(bit: int, name: str) -> None:
    told = decode_mikrotik(tag(flags=1 << bit))
    assert [told.get(one) for one in _FLAGS] == [int(one == name) for one in _FLAGS]


def test_a_dropped_tag_is_no_fall_of_a_person() -> None:
    told = decode_mikrotik(tag(flags=0xFF))
    found = observe_advertised(told.values, subject=RESIDENT, device="tag", times=TIMES)
    assert [one.metric for one in found] == ["room_temperature"]


def test_the_indoor_tag_has_no_temperature() -> None:
    assert decode_mikrotik(tag(temperature=-0x8000)).get("temperature_c") is None
    assert decode_mikrotik(tag(temperature=-0x7FFF)).get("temperature_c") == Decimal("-127.99609375")


def test_a_battery_above_full_is_not_told() -> None:
    assert decode_mikrotik(tag(battery=101)).get("battery_percent") is None


@pytest.mark.parametrize(
    ("head", "reason"),
    [
        (b"\1\1", DecodeReason.ENCRYPTED),
        (b"\0\0", DecodeReason.UNSUPPORTED_VERSION),
        (b"\2\0", DecodeReason.UNSUPPORTED_VERSION),
    ],
)
def test_an_encrypted_tag_and_another_version_are_refused(head: bytes, reason: DecodeReason) -> None:
    with pytest.raises(DecodeError) as refused:
        decode_mikrotik(head + tag()[2:])
    assert refused.value.reason is reason


@pytest.mark.parametrize("length", [0, 1, 2, 17])
def test_a_cut_frame_is_refused_as_short(length: int) -> None:
    with pytest.raises(DecodeError) as refused:
        decode_mikrotik(tag()[:length])
    assert refused.value.reason is DecodeReason.SHORT


@given(st.binary(max_size=300), st.sampled_from([b"", b"\1\0"]))
def test_any_bytes_decode_or_are_refused(frame: bytes, head: bytes) -> None:
    with suppress(DecodeError):
        decode_mikrotik(head + frame)
