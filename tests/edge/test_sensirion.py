"""Sensirion gadgets: published frames, every type of sample read back, and what is no sample."""

from contextlib import suppress
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kanhu.edge.codecs.advertised import observe_advertised
from kanhu.edge.codecs.sensirion import decode_sensirion
from kanhu.edge.errors import DecodeError, DecodeReason
from kanhu.firmware_sim.wire.sensirion import SAMPLE_TYPES, sensirion_gadget
from tests.edge.readings import RESIDENT, TIMES
from tests.edge.vectors import Vector, name_of, vectors

_PUBLISHED = {
    "temperature": "temperature_c", "tempc": "temperature_c", "humidity": "humidity_percent", "hum": "humidity_percent",
    "co2": "carbon_dioxide_ppm",
}  # fmt: skip  # a table reads by rows
_VALUES = {
    "t": Decimal("21.5"), "rh": Decimal("43.25"), "co2": Decimal(812), "voc": Decimal(101), "nox": Decimal(3),
    "hcho": Decimal("17.4"), "pm1": Decimal("4.1"), "pm25": Decimal("6.3"), "pm4": Decimal("7.2"),
    "pm10": Decimal("9.9"), "velocity": Decimal("1.5"),
}  # fmt: skip  # a table reads by rows
_NAMES = {
    "t": "temperature_c", "rh": "humidity_percent", "co2": "carbon_dioxide_ppm", "voc": "voc_index", "nox": "nox_index",
    "hcho": "formaldehyde_ppb", "pm1": "pm1_ug_m3", "pm25": "pm25_ug_m3", "pm4": "pm4_ug_m3", "pm10": "pm10_ug_m3",
    "velocity": "air_velocity_m_s",
}  # fmt: skip  # a table reads by rows
_TOLD = {
    3: "t rh voc", 4: "t rh", 6: "t rh", 8: "t rh co2", 10: "t rh co2", 12: "t rh co2 pm25", 14: "t rh hcho",
    16: "t rh voc pm25", 20: "t rh co2 voc pm25 hcho", 22: "t rh voc nox", 24: "t rh voc nox pm25",
    26: "t rh co2 voc nox pm25", 28: "t rh co2 pm25", 30: "t rh voc pm25", 32: "t rh co2 voc pm25 hcho",
    34: "pm1 pm25 pm4 pm10", 36: "co2", 38: "velocity t",
}  # fmt: skip  # a table reads by rows


@pytest.mark.parametrize("vector", vectors("sensirion"), ids=name_of)
def test_published_frames(vector: Vector) -> None:
    told = decode_sensirion(vector.frame)
    compared = [key for key in vector.expected if key in _PUBLISHED]
    assert len(compared) == len(told.values)
    rounded = Decimal("0.005") if "temperature" in vector.expected else Decimal("1e-7")  # ble_monitor rounds
    for key in compared:
        assert told.get(_PUBLISHED[key]) == pytest.approx(Decimal(vector.expected[key]), rel=0, abs=rounded)


@pytest.mark.parametrize("sample", SAMPLE_TYPES)
def test_each_type_of_sample_tells_its_own_quantities_in_its_own_order(sample: int) -> None:
    told = decode_sensirion(sensirion_gadget(sample, 0x1234, _VALUES))
    slots = _TOLD[sample].split()
    assert [one.name for one in told.values] == [_NAMES[slot] for slot in slots]
    for slot, one in zip(slots, told.values, strict=True):
        assert one.value == pytest.approx(_VALUES[slot], rel=0, abs=Decimal("0.008"))


@given(st.decimals(-45, 130, places=2), st.decimals(0, 100, places=2), st.integers(0, 65_535))
def test_a_simulated_climate_is_read_back_within_half_a_step(warmth: Decimal, damp: Decimal, co2: int) -> None:
    told = decode_sensirion(sensirion_gadget(10, 1, {"t": warmth, "rh": damp, "co2": Decimal(co2)}))
    assert told.get("temperature_c") == pytest.approx(warmth, rel=0, abs=Decimal("0.0014"))
    assert told.get("humidity_percent") == pytest.approx(damp, rel=0, abs=Decimal("0.0008"))
    assert told.get("carbon_dioxide_ppm") == co2


def test_heat_above_the_half_of_the_words_is_no_frost() -> None:
    told = decode_sensirion(sensirion_gadget(4, 1, {"t": Decimal(55), "rh": Decimal(20)}))
    assert told.get("temperature_c") == pytest.approx(Decimal(55), abs=Decimal("0.0014"))


def test_a_climate_is_observed_in_its_metrics() -> None:
    told = decode_sensirion(bytes.fromhex("0006e2e7036a1c65"))
    found = observe_advertised(told.values, subject=RESIDENT, device="gadget", times=TIMES)
    assert {one.metric: one.series(one.metric)[0] for one in found} == {"room_temperature": 2747, "room_humidity": 4337}


@pytest.mark.parametrize(
    ("frame", "reason"),
    [
        ("ff00e2e7036a1c65", DecodeReason.NO_VALUE),
        ("0106e2e7036a1c65", DecodeReason.UNSUPPORTED_VERSION),
        ("0005e2e7036a1c65", DecodeReason.UNSUPPORTED_VERSION),
        ("0006e2e7036a1c", DecodeReason.SHORT),
        ("0006", DecodeReason.SHORT),
        ("00", DecodeReason.SHORT),
    ],
)
def test_what_is_no_whole_sample_is_refused(frame: str, reason: DecodeReason) -> None:
    with pytest.raises(DecodeError) as refused:
        decode_sensirion(bytes.fromhex(frame))
    assert refused.value.reason is reason


@given(st.binary(max_size=300), st.sampled_from([b"", *(bytes((0, one)) for one in SAMPLE_TYPES)]))
def test_any_bytes_decode_or_are_refused(frame: bytes, head: bytes) -> None:
    with suppress(DecodeError):
        decode_sensirion(head + frame)
