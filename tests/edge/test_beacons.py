"""Beacons, doors and loggers by advertisement: published frames of each, their flags, and what is cut or foreign."""

from collections.abc import Callable
from contextlib import suppress
from decimal import ROUND_FLOOR, Decimal
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kanhu.edge.codecs import ela, relsib
from kanhu.edge.codecs.acconeer import decode_acconeer
from kanhu.edge.codecs.advertised import Advertisement, observe_advertised
from kanhu.edge.codecs.beewi import decode_beewi_door
from kanhu.edge.codecs.holyiot import decode_holyiot
from kanhu.edge.codecs.kkm import decode_kkm
from kanhu.edge.codecs.moko import decode_moko_pro, decode_mokobeacon
from kanhu.edge.codecs.teltonika_eye import decode_teltonika_eye
from kanhu.edge.codecs.thermobeacon import decode_thermobeacon
from kanhu.edge.errors import DecodeError, DecodeReason
from tests.edge.published_sensors import differences
from tests.edge.readings import RESIDENT, TIMES
from tests.edge.vectors import Vector, name_of, vectors

_HUNDREDTH = Decimal("0.01")
_AXES = ("accx", "accy", "accz")


def kkm(frame: bytes) -> Advertisement:
    return decode_kkm(frame).told


def ela_service(uuid: int, frame: bytes) -> Advertisement:
    return Advertisement(ela.decode_ela_service(uuid, frame))


def ela_manufacturer(frame: bytes) -> Advertisement:
    return Advertisement(ela.decode_ela_manufacturer(frame))


_VALID: list[tuple[Callable[[bytes], Advertisement], str]] = [
    (kkm, "21010f0e07192a224ffffcffec03eb"),
    (decode_holyiot, "4164c6b545f6f18e0606060100"),
    (decode_moko_pro, "60000a0100070100ff403ec00bf901f40c93fe3487"),
    (decode_mokobeacon, "64000000005085a000f0ffe003"),
    (decode_acconeer, "806400160001000000000000000000"),
    (decode_teltonika_eye, "01b708b4120ccb0bffc767"),
    (partial(ela_service, ela.MAGNET), "3b00"),
    (ela_manufacturer, "21120012e0"),
    (decode_beewi_door, "080c010664"),
    (partial(relsib.decode_relsib, relsib.WITH_BATTERY), "84000000b20a200a15030080f04700c2eb0b010b0300"),
    (partial(relsib.decode_relsib, relsib.TEXT), "33362e363020"),
    (decode_thermobeacon, "00001a110000f770580cf5016c0443090000"),
]


def test_frames_of_this_file_decode() -> None:
    for decode, frame in _VALID:
        assert decode(bytes.fromhex(frame)).values


@pytest.mark.parametrize("number", range(len(_VALID)))
def test_a_cut_frame_is_refused(number: int) -> None:
    decode, text = _VALID[number]
    frame = bytes.fromhex(text)
    for length in range(len(frame)):
        with suppress(DecodeError):  # what is behind the values may be cut off
            assert decode(frame[:length]) == decode(frame)
    with pytest.raises(DecodeError):
        decode(frame[: len(frame) // 2])


@given(st.sampled_from(_VALID), st.data())
def test_any_bytes_decode_or_are_refused(
    valid: tuple[Callable[[bytes], Advertisement], str], data: st.DataObject
) -> None:
    decode, text = valid
    frame = bytearray.fromhex(text)
    changed = data.draw(st.integers(0, 8 * len(frame) - 1))
    frame[changed // 8] ^= 1 << changed % 8
    for some in (
        bytes(frame),
        data.draw(st.binary(max_size=300)),
        bytes(frame[:2]) + data.draw(st.binary(max_size=40)),
    ):
        with suppress(DecodeError):
            decode(some)


@pytest.mark.parametrize("vector", vectors("kkm"), ids=name_of)
def test_published_kkm_and_bluecharm_frames(vector: Vector) -> None:
    told = kkm(vector.frame)
    assert differences(told, vector, but={*_AXES, "battery", "acceleration", "tempc", "hum"}) == {}
    for name, key in (("temperature_c", "tempc"), ("humidity_percent", "hum")):
        if key in vector.expected:  # this publisher cuts off behind two digits
            value = told.get(name)
            assert value is not None
            assert value.quantize(_HUNDREDTH, ROUND_FLOOR) == vector.expected[key]
    for axis in "xyz":
        if f"acc{axis}" in vector.expected:
            assert told.get(f"acceleration_{axis}_mg") == vector.expected[f"acc{axis}"]


def test_a_kkm_mask_with_unknown_bits_leaves_the_rest_unread_and_says_so() -> None:
    found = decode_kkm(bytes.fromhex("2101310e07ffff"))
    assert [value.name for value in found.told.values] == ["voltage_v"]
    assert found.unread == 0x30


@pytest.mark.parametrize("frame", ["2001010e07", "2102010e07", "10ee03"])
def test_another_eddystone_frame_is_refused(frame: str) -> None:
    with pytest.raises(DecodeError) as refused:
        decode_kkm(bytes.fromhex(frame))
    assert refused.value.reason in {DecodeReason.NOT_SYNCHRONISED, DecodeReason.UNSUPPORTED_VERSION}


@pytest.mark.parametrize("vector", vectors("holyiot"), ids=name_of)
def test_published_holyiot_frames(vector: Vector) -> None:
    assert differences(decode_holyiot(vector.frame), vector) == {}


@pytest.mark.parametrize(
    ("value", "name", "told"),
    [
        ("0115 32", "temperature_c", "21.50"),
        ("01ed 25", "temperature_c", "-19.37"),
        ("0252 08", "pressure_hpa", "1010.00"),
        ("0401 00", "vibration", "1"),
        ("0600 00", "button", "0"),
    ],
)
def test_each_kind_of_a_holyiot_value(value: str, name: str, told: str) -> None:
    frame = bytes.fromhex("4164c6b545f6f18e0606" + value)
    assert decode_holyiot(frame).get(name) == Decimal(told)


@pytest.mark.parametrize("kind", [0, 7, 255])
def test_a_reserved_kind_of_a_holyiot_value_is_refused(kind: int) -> None:
    with pytest.raises(DecodeError) as refused:
        decode_holyiot(bytes.fromhex("4164c6b545f6f18e0606") + bytes([kind, 0, 0]))
    assert refused.value.reason is DecodeReason.RESERVED_VALUE


def test_a_pressed_holyiot_button_calls_and_one_at_rest_does_not() -> None:
    pressed = decode_holyiot(bytes.fromhex("4164c6b545f6f18e0606060100"))
    (call,) = observe_advertised(pressed.values, subject=RESIDENT, device="pendant", times=TIMES)
    assert (call.metric, call.series("help_button")) == ("help_button", (1,))
    rest = decode_holyiot(bytes.fromhex("4164c6b545f6f18e0606060000"))
    with pytest.raises(DecodeError):
        observe_advertised(rest.values, subject=RESIDENT, device="pendant", times=TIMES)


@pytest.mark.parametrize(
    "vector", [one for one in vectors("moko") if one.given["kind"] == "service 0xFEAB"], ids=name_of
)
def test_published_beaconx_frames(vector: Vector) -> None:
    told = decode_moko_pro(vector.frame)
    assert told.get("voltage_v") == vector.expected["volt"]
    for axis in "xyz":
        count = told.get(f"axis_{axis}_count")
        assert count is not None
        assert count * Decimal("9.80665") / 10_000 == pytest.approx(
            vector.expected[f"{axis}_axis"], rel=Decimal("1e-9")
        )


@pytest.mark.parametrize(
    "vector", [one for one in vectors("moko") if one.given["kind"] != "service 0xFEAB"], ids=name_of
)
def test_mokobeacon_at_rest_measures_gravity_and_its_published_big_endian_values_are_not_followed(
    vector: Vector,
) -> None:
    told = decode_mokobeacon(vector.frame)
    assert told.get("battery_percent") == vector.expected["batt"]
    axes = [told.get(f"acceleration_{axis}_mg") for axis in "xyz"]
    assert axes == [160, -16, 992]
    assert sum(float(axis) ** 2 for axis in axes if axis is not None) ** 0.5 == pytest.approx(1000, abs=20)


def test_beaconx_tells_voltage_alone_and_climate() -> None:
    assert decode_moko_pro(bytes.fromhex("4000000bf9")).get("voltage_v") == Decimal("3.065")
    climate = decode_moko_pro(bytes.fromhex("70000000fd02260bf9"))
    assert (climate.get("temperature_c"), climate.get("humidity_percent")) == (Decimal("25.3"), Decimal(55))
    with pytest.raises(DecodeError):
        decode_moko_pro(bytes.fromhex("5000000bf9"))


@pytest.mark.parametrize("vector", vectors("acconeer"), ids=name_of)
def test_published_radar_frames(vector: Vector) -> None:
    told = decode_acconeer(vector.frame)
    assert differences(told, vector, but={"packet", "motion"}) == {}
    assert told.get("presence") == vector.expected.get("motion")  # its publisher calls presence motion


def test_a_radar_that_sees_nobody_says_so_and_another_model_is_refused() -> None:
    empty = decode_acconeer(bytes.fromhex("916400160000000000000000000000"))
    found = observe_advertised(empty.values, subject=RESIDENT, device="radar", times=TIMES)
    assert {one.metric: one.series(one.metric) for one in found} == {"presence": (0,), "room_temperature": (2200,)}
    with pytest.raises(DecodeError):
        decode_acconeer(bytes.fromhex("816400160000000000000000000000"))


@pytest.mark.parametrize("vector", vectors("teltonika_eye"), ids=name_of)
def test_published_eye_frames(vector: Vector) -> None:
    assert differences(decode_teltonika_eye(vector.frame), vector) == {}


@pytest.mark.parametrize(
    ("frame", "told"),
    [
        ("0100", {}),
        ("0101ff9c", {"temperature_c": "-1"}),
        ("010212", {"humidity_percent": "18"}),
        ("0104", {"magnet": "0"}),
        ("010c", {"magnet": "1"}),
        ("01108001", {"moving": "1", "movement_count": "1"}),
        ("0120f6ff4c", {"pitch_degrees": "-10", "roll_degrees": "-180"}),
        ("0140", {"battery_low": "1"}),
        ("018000", {"voltage_v": "2"}),
    ],
)
def test_each_flag_of_an_eye_frame(frame: str, told: dict[str, str]) -> None:
    values = decode_teltonika_eye(bytes.fromhex(frame)).values
    assert {one.name: one.value for one in values} == {name: Decimal(value) for name, value in told.items()}
