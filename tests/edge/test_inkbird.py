"""Inkbird: published frames of hygrometers and probes, other models by hand-made frames, and what is no room."""

from contextlib import suppress
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kanhu.edge.codecs.advertised import steps_of
from kanhu.edge.codecs.inkbird import decode_inkbird, decode_inkbird_probes
from kanhu.edge.errors import DecodeError, DecodeReason
from kanhu.edge.kinds.sensor_inkbird import KIND
from kanhu.edge.ways import Heard
from kanhu.firmware_sim.wire.inkbird import iam_t2_frame, ibbq_frame, ibs_th_frame, ith_frame
from tests.edge.published_sensors import differences
from tests.edge.vectors import Vector, name_of, vectors

_ADDRESS = bytes.fromhex("0062a1b2c3d4")
_PUBLISHED = vectors("inkbird")
_SMALL = [vector for vector in _PUBLISHED if len(vector.frame) == 9]
_MEAT = [vector for vector in _PUBLISHED if len(vector.frame) != 9]
_VALID = [
    ibs_th_frame(2130, 4400, 80), ith_frame(_ADDRESS, 213, 440, 80), iam_t2_frame(_ADDRESS, 213, 440, 700),
    ibbq_frame(_ADDRESS, (200, None)), ibbq_frame(_ADDRESS, (200, 1, 2, 3)),
]  # fmt: skip  # frames by rows


@pytest.mark.parametrize("vector", _SMALL, ids=name_of)
def test_published_hygrometers(vector: Vector) -> None:
    told = decode_inkbird(vector.frame)
    assert differences(told, vector, but={"extprobe", "temperature probe 1", "tempc", "temperature"}) == {}
    outside = vector.expected.get("extprobe", "temperature probe 1" in vector.expected)
    names = ("tempc", "temperature", "temperature probe 1")
    stated = next(vector.expected[key] for key in names if key in vector.expected)
    assert told.get("probe_temperature_c" if outside else "temperature_c") == stated
    assert told.get("temperature_c" if outside else "probe_temperature_c") is None


@pytest.mark.parametrize("vector", _MEAT, ids=name_of)
def test_published_probes(vector: Vector) -> None:
    probes = decode_inkbird_probes(vector.frame)
    assert probes.address.hex().upper() == vector.expected["mac"]
    stated = [vector.expected[key] for key in sorted(vector.expected) if key.startswith("temperature probe")]
    assert stated
    assert [one or 0 for one in probes.temperatures_c][: len(stated)] == stated


@given(st.integers(-32_768, 32_767), st.integers(1, 10_000), st.integers(0, 100), st.integers(0, 3))
def test_a_simulated_small_hygrometer_is_read_back(warmth: int, damp: int, charge: int, probe: int) -> None:
    told = decode_inkbird(ibs_th_frame(warmth, damp, charge, probe=probe))
    assert told.get("probe_temperature_c" if probe else "temperature_c") == Decimal(warmth) / 100
    assert told.get("humidity_percent") == Decimal(damp) / 100
    assert told.get("battery_percent") == charge


@given(st.integers(-32_768, 32_767), st.integers(1, 1000), st.integers(0, 100))
def test_a_simulated_large_hygrometer_is_read_back(warmth: int, damp: int, charge: int) -> None:
    told = decode_inkbird(ith_frame(_ADDRESS, warmth, damp, charge))
    assert told.address == _ADDRESS
    assert told.get("temperature_c") == Decimal(warmth) / 10
    assert told.get("humidity_percent") == Decimal(damp) / 10
    assert told.get("battery_percent") == charge


@given(st.integers(-32_768, 32_767), st.integers(1, 1000), st.integers(0, 65_535))
def test_a_simulated_air_monitor_is_read_back(warmth: int, damp: int, ppm: int) -> None:
    told = decode_inkbird(iam_t2_frame(_ADDRESS, warmth, damp, ppm))
    assert told.get("temperature_c") == Decimal(warmth) / 10
    assert told.get("humidity_percent") == Decimal(damp) / 10
    assert told.get("carbon_dioxide_ppm") == ppm
    assert told.get("battery_percent") is None


@given(st.sampled_from([1, 2, 4, 6]).flatmap(
    lambda count: st.lists(st.none() | st.integers(0, 3000) | st.integers(-300, -11), min_size=count, max_size=count)
))  # fmt: skip  # one strategy
def test_simulated_probes_are_read_back(tenths: list[int | None]) -> None:
    probes = decode_inkbird_probes(ibbq_frame(_ADDRESS, tuple(tenths)))
    assert probes.address == _ADDRESS
    assert probes.temperatures_c == tuple(None if one is None else Decimal(one) / 10 for one in tenths)


@given(st.binary(max_size=300), st.sampled_from([b"", b"T2\x00\x62", bytes(4), b"\x01" + bytes(3)]))
def test_any_bytes_decode_or_are_refused(frame: bytes, head: bytes) -> None:
    for decode in (decode_inkbird, decode_inkbird_probes):
        with suppress(DecodeError):
            decode(head + frame)


@given(st.sampled_from([9, 12, 14, 17, 18, 22]).flatmap(lambda size: st.binary(min_size=size, max_size=size)))
def test_any_bytes_of_a_known_length_decode_or_are_refused(frame: bytes) -> None:
    for decode in (decode_inkbird, decode_inkbird_probes):
        with suppress(DecodeError):
            decode(frame)


@given(st.sampled_from(_VALID), st.integers(0, 71))
def test_a_flipped_bit_decodes_or_is_refused(frame: bytes, bit: int) -> None:
    flipped = (int.from_bytes(frame, "big") ^ 1 << bit).to_bytes(len(frame), "big")
    for decode in (decode_inkbird, decode_inkbird_probes):
        with suppress(DecodeError):
            decode(flipped)


@pytest.mark.parametrize("length", range(9))
def test_a_cut_frame_is_refused_as_short(length: int) -> None:
    with pytest.raises(DecodeError) as refused:
        decode_inkbird(ibs_th_frame(2130, 4400, 80)[:length])
    assert refused.value.reason is DecodeReason.SHORT


def test_an_air_monitor_that_shows_fahrenheit_is_told_in_celsius() -> None:
    assert decode_inkbird(iam_t2_frame(_ADDRESS, 698, 440, 700, unit_fahrenheit=1)).get("temperature_c") == 21


def test_a_pool_is_no_room() -> None:
    told = decode_inkbird(ith_frame(_ADDRESS, 251, 0, 60))
    assert told.get("probe_temperature_c") == Decimal("25.1")
    assert told.get("battery_percent") == 60
    assert steps_of(told.values) == {}


@pytest.mark.parametrize(("flags", "name"), [("01000000000000", "shows_fahrenheit"), ("00001000000000", "battery_low")])
def test_each_flag_of_a_pool_thermometer_stands_in_its_own_byte(flags: str, name: str) -> None:
    told = decode_inkbird(ith_frame(_ADDRESS, 251, 0, 60, flags=bytes.fromhex(flags)))
    assert [one for one in ("shows_fahrenheit", "battery_low") if told.get(one)] == [name]


@pytest.mark.parametrize("raw", [0, 0xFFFF])
def test_a_sensor_without_hygrometer_tells_no_humidity(raw: int) -> None:
    told = decode_inkbird(ibs_th_frame(2130, raw, 80))
    assert told.get("temperature_c") == Decimal("21.3")
    assert told.get("humidity_percent") is None


def test_zero_degrees_without_humidity_is_a_corrupt_advertisement() -> None:
    with pytest.raises(DecodeError) as refused:
        decode_inkbird(ibs_th_frame(0, 0xFFFF, 80))
    assert refused.value.reason is DecodeReason.NO_VALUE


@pytest.mark.parametrize(
    "frame",
    [ibs_th_frame(2130, 10_001, 80), ith_frame(_ADDRESS, 213, 1001, 80), iam_t2_frame(_ADDRESS, 213, 1001, 700)],
    ids=["small", "large", "air"],
)
def test_a_humidity_above_all_refuses_the_whole_advertisement(frame: bytes) -> None:
    with pytest.raises(DecodeError) as refused:
        decode_inkbird(frame)
    assert refused.value.reason is DecodeReason.RESERVED_VALUE


def test_a_battery_above_full_is_not_told() -> None:
    assert decode_inkbird(ibs_th_frame(2130, 4400, 0xEF)).get("battery_percent") is None


def test_an_address_behind_the_other_head_stands_backwards() -> None:
    frame = b"\x01" + ibbq_frame(_ADDRESS[::-1], (215, 220))[1:]
    assert decode_inkbird_probes(frame).address == _ADDRESS


def test_a_probe_that_tells_all_ones_is_not_plugged_in() -> None:
    assert decode_inkbird_probes(ibbq_frame(_ADDRESS, (-1, 220))).temperatures_c == (None, Decimal(22))


def test_four_probes_for_meat_are_no_large_hygrometer() -> None:
    with pytest.raises(DecodeError) as refused:
        decode_inkbird(ibbq_frame(_ADDRESS, (200, 200, 200, 200)))
    assert refused.value.reason is DecodeReason.UNSUPPORTED_VERSION


@pytest.mark.parametrize(
    ("frame", "reason"),
    [
        (ith_frame(_ADDRESS, 213, 440, 80), DecodeReason.NOT_SYNCHRONISED),
        (ibbq_frame(_ADDRESS, (1, 2, 3)), DecodeReason.UNSUPPORTED_VERSION),
    ],
)
def test_what_is_no_thermometer_for_meat_is_refused(frame: bytes, reason: DecodeReason) -> None:
    with pytest.raises(DecodeError) as refused:
        decode_inkbird_probes(frame)
    assert refused.value.reason is reason


def test_the_kind_takes_its_data_from_the_company() -> None:
    frame = ibs_th_frame(2130, 4400, 80)
    told = KIND.decode(Heard({}, {int.from_bytes(frame[:2], "little"): frame[2:]}), key=None, address=bytes(6))
    assert told is not None
    assert steps_of(told.values) == {"room_temperature": 2130, "room_humidity": 4400}


def test_the_kind_passes_over_data_of_another_length() -> None:
    assert KIND.decode(Heard({}, {0x004C: bytes(20)}), key=None, address=bytes(6)) is None


def test_an_old_company_still_held_by_the_radio_gives_no_reading() -> None:
    frame = ibs_th_frame(2130, 4400, 80)
    with pytest.raises(DecodeError) as refused:
        KIND.decode(Heard({}, {2130: frame[2:], 2131: frame[2:]}), key=None, address=bytes(6))
    assert refused.value.reason is DecodeReason.NOT_SYNCHRONISED
