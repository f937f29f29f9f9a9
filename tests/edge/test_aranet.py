"""Aranet sensors: published frames of all four models, marks of what was not measured, and readings that stay home."""

from contextlib import suppress
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kanhu.edge.codecs.aranet import decode_aranet
from kanhu.edge.errors import DecodeError, DecodeReason
from kanhu.firmware_sim.wire.aranet import aranet2, aranet4, aranet_radiation, aranet_radon
from tests.edge.published_sensors import differences
from tests.edge.vectors import Vector, name_of, vectors

_OWN = {
    "ago": "measured_ago_s", "interval": "interval_s", "radiation_rate": "radiation_rate_nsv_h",
    "radiation_total": "radiation_dose_nsv", "radiation_duration": "radiation_duration_s",
    "radon_concentration": "radon_bq_m3",
}  # fmt: skip  # a table reads by rows
_LIMITS = ("humidity_too_low", "humidity_too_high", "temperature_too_low", "temperature_too_high")
_WORD, _BYTE, _PERCENT = st.integers(0, 65_535), st.integers(0, 255), st.integers(0, 100)
_MEASURED = st.integers(0, 0x7FFF)
_TWENTIETHS = st.integers(-0x4000, 0x3FFF)
_FOUR = {
    "co2": 844, "twentieths_c": 526, "tenths_hpa": 8032, "percent": 17, "battery": 98, "colour": 1, "interval_s": 300,
    "ago_s": 177, "count": 54,
}  # fmt: skip  # fields by rows
_TWO = {
    "twentieths_c": 410, "tenths_percent": 522, "battery": 59, "limits": 0, "interval_s": 120, "ago_s": 82, "count": 100
}  # fmt: skip  # fields by rows


@pytest.mark.parametrize("vector", vectors("aranet"), ids=name_of)
def test_published_frames(vector: Vector) -> None:
    told = decode_aranet(vector.frame)
    # Aranet4-Python rounds the temperature to tenths.
    assert differences(told, vector, but={*_OWN, "temperature", "status_temperature", "status_humidity"}) == {}
    if "temperature" in vector.expected:
        assert told.get("temperature_c") == pytest.approx(vector.expected["temperature"], rel=0, abs=Decimal("0.05"))
    for key, name in _OWN.items():
        if key in vector.expected:
            assert told.get(name) == vector.expected[key]
    over, under = vector.expected.get("status_temperature"), vector.expected.get("status_humidity")
    if over is not None:
        assert (over, under) == ("OVER", "UNDER")
        assert [told.get(name) for name in _LIMITS] == [1, 0, 0, 1]


@given(
    st.fixed_dictionaries(
        {"co2": _MEASURED, "twentieths_c": _TWENTIETHS, "tenths_hpa": _MEASURED, "percent": _BYTE, "battery": _PERCENT,
         "colour": _BYTE, "interval_s": _WORD, "ago_s": _WORD, "count": _BYTE}
    )
)  # fmt: skip  # fields by rows
def test_a_simulated_aranet4_is_read_back(sent: dict[str, Any]) -> None:
    told = decode_aranet(aranet4(**sent))
    assert {one.name: one.value for one in told.values} == {
        "carbon_dioxide_ppm": sent["co2"], "temperature_c": Decimal(sent["twentieths_c"]) / 20,
        "pressure_hpa": Decimal(sent["tenths_hpa"]) / 10, "humidity_percent": sent["percent"],
        "battery_percent": sent["battery"], "level": sent["colour"], "interval_s": sent["interval_s"],
        "measured_ago_s": sent["ago_s"], "advertisement_count": sent["count"],
    }  # fmt: skip  # fields by rows


@given(
    st.fixed_dictionaries(
        {"radon": _MEASURED, "twentieths_c": _TWENTIETHS, "tenths_hpa": _MEASURED, "tenths_percent": _MEASURED,
         "battery": _PERCENT, "colour": _BYTE, "interval_s": _WORD, "ago_s": _WORD, "count": _BYTE}
    )
)  # fmt: skip  # fields by rows
def test_a_simulated_radon_sensor_is_read_back(sent: dict[str, Any]) -> None:
    told = decode_aranet(aranet_radon(**sent))
    assert {one.name: one.value for one in told.values} == {
        "radon_bq_m3": sent["radon"], "temperature_c": Decimal(sent["twentieths_c"]) / 20,
        "pressure_hpa": Decimal(sent["tenths_hpa"]) / 10, "humidity_percent": Decimal(sent["tenths_percent"]) / 10,
        "battery_percent": sent["battery"], "level": sent["colour"], "interval_s": sent["interval_s"],
        "measured_ago_s": sent["ago_s"], "advertisement_count": sent["count"],
    }  # fmt: skip  # fields by rows


@given(_TWENTIETHS, _MEASURED, st.integers(0, 15))
def test_a_simulated_aranet2_is_read_back_with_each_limit(warmth: int, damp: int, limits: int) -> None:
    told = decode_aranet(aranet2(**{**_TWO, "twentieths_c": warmth, "tenths_percent": damp, "limits": limits}))
    assert told.get("temperature_c") == Decimal(warmth) / 20
    assert told.get("humidity_percent") == Decimal(damp) / 10
    assert [told.get(name) for name in _LIMITS] == [limits >> bit & 1 for bit in range(4)]
    assert (told.get("pressure_hpa"), told.get("radon_bq_m3"), told.get("level")) == (None, None, None)


@given(st.integers(0, 2**32 - 1), st.integers(0, 2**32 - 1), _WORD, _PERCENT, _WORD, _WORD, _BYTE)
def test_a_simulated_dose_is_read_back(
    dose: int, duration: int, rate: int, charge: int, interval: int, ago: int, count: int
) -> None:
    frame = aranet_radiation(
        dose_nsv=dose, duration_s=duration, rate_nsv_h=rate, battery=charge, interval_s=interval, ago_s=ago, count=count
    )
    assert {one.name: one.value for one in decode_aranet(frame).values} == {
        "radiation_dose_nsv": dose, "radiation_duration_s": duration, "radiation_rate_nsv_h": rate,
        "battery_percent": charge, "interval_s": interval, "measured_ago_s": ago, "advertisement_count": count,
    }  # fmt: skip  # fields by rows


@pytest.mark.parametrize(
    ("field", "word", "name"),
    [
        ("co2", 0x8000, "carbon_dioxide_ppm"),
        ("co2", 0xFFFF, "carbon_dioxide_ppm"),
        ("tenths_hpa", 0x8001, "pressure_hpa"),
        ("twentieths_c", 0x4000, "temperature_c"),
        ("twentieths_c", -0x4001, "temperature_c"),
        ("battery", 101, "battery_percent"),
    ],
)
def test_what_was_not_measured_is_not_told_and_the_rest_is(field: str, word: int, name: str) -> None:
    told = decode_aranet(aranet4(**{**_FOUR, field: word}))
    assert told.get(name) is None
    assert len(told.values) == len(_FOUR) - 1


def test_a_humidity_that_was_not_measured_is_not_told() -> None:
    told = decode_aranet(aranet2(**{**_TWO, "tenths_percent": 0x8000}))
    assert told.get("humidity_percent") is None
    assert told.get("temperature_c") == Decimal("20.5")


@pytest.mark.parametrize(
    "frame",
    [
        "210a0400000000",
        "010e0401000c0f014c030e02601f1162012c01b10036",
        "01010404010000000000990100000a02003b007800520064",
        "020126040100d03300006c60060082000063002c01580072",
    ],
)
def test_a_sensor_that_keeps_its_readings_to_itself_has_no_value(frame: str) -> None:
    with pytest.raises(DecodeError) as refused:
        decode_aranet(bytes.fromhex(frame))
    assert refused.value.reason is DecodeReason.NO_VALUE


@pytest.mark.parametrize("kind", [0, 4, 0xFF])
def test_another_type_is_refused(kind: int) -> None:
    frame = bytes((kind,)) + aranet2(**_TWO)[1:]
    with pytest.raises(DecodeError) as refused:
        decode_aranet(frame)
    assert refused.value.reason is DecodeReason.UNSUPPORTED_VERSION


@pytest.mark.parametrize("length", [0, 1, 6, 8, 21, 23])
def test_a_cut_frame_is_refused_as_short(length: int) -> None:
    with pytest.raises(DecodeError) as refused:
        decode_aranet(aranet2(**_TWO)[:length])
    assert refused.value.reason is DecodeReason.SHORT


@given(
    st.binary(max_size=300) | st.binary(min_size=22, max_size=24), st.sampled_from([b"", b"\1\x21", b"\2\x21", b"\x21"])
)
def test_any_bytes_decode_or_are_refused(frame: bytes, head: bytes) -> None:
    with suppress(DecodeError):
        decode_aranet((head + frame)[: max(len(frame), 1)])


def test_the_highest_bit_of_an_aranet4_battery_is_no_part_of_its_charge() -> None:
    assert decode_aranet(aranet4(**{**_FOUR, "battery": 0x80 | 98})).get("battery_percent") == 98
