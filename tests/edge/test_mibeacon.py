"""MiBeacon: published advertisements, its frame, and hostile bytes."""

from contextlib import suppress
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kanhu.edge.codecs.mibeacon import Mibeacon, decode_mibeacon, observe_mibeacon
from kanhu.edge.codecs.mibeacon_encrypted import decode_mibeacon_encrypted
from kanhu.edge.errors import DecodeError, DecodeReason
from kanhu.firmware_sim.wire import mibeacon as wire
from tests.edge.readings import RESIDENT, TIMES
from tests.edge.vectors import Vector, name_of, vectors

_ADDRESS = bytes.fromhex("582d343b2ebf")
_THERMOMETER, _ANY = 0x01AA, 0x7FFF
_NAMES = {
    "temperature": "temperature_c", "tempc": "temperature_c", "humidity": "humidity_percent",
    "hum": "humidity_percent", "battery": "battery_percent", "batt": "battery_percent",
    "illuminance": "illuminance_lx", "conductivity": "conductivity_us_cm", "formaldehyde": "formaldehyde_mg_m3",
    "for": "formaldehyde_mg_m3", "motion": "motion", "moisture detected": "water_leak", "smoke": "smoke",
    "opening": "contact_open", "door": "contact_open", "bed occupancy": "bed_occupied", "occupancy": "presence",
    "no motion time": "idle_s", "counter": "brush_count", "score": "brush_score", "toothbrush": "brushing",
    "door left open": "left_open", "pry the door": "pried", "device forcibly removed": "forced",
}  # fmt: skip  # a table reads by rows
_NOT_IN_THE_FRAME = {
    # Of four frames that were sent to the parser only the last stands in the file.
    "test_Xiaomi_HHCCJCY01_all_values": {"Temperature", "Illuminance", "Conductivity"},
    # The heat of a body, which its publishers estimate from two measured temperatures.
    "test_Xiaomi_MMC_T201_1": {"temperature", "Temperature"},
}
_CUT_OFF = {"test_Xiaomi_LYWSD03MMC_encrypted"}  # to whole percent, by one of the publishers
_WRONG_KEY = {"test_Xiaomi_RTCGQ02LM"}


def _decoded(vector: Vector) -> Mibeacon:
    key, address = vector.given.get("key"), vector.given.get("address", "")
    if key is None:
        return decode_mibeacon(vector.frame)
    return decode_mibeacon_encrypted(vector.frame, key=bytes.fromhex(key), address=bytes.fromhex(address)).beacon


def _compared(vector: Vector) -> dict[str, tuple[Any, Any]]:
    told = _decoded(vector).told
    found: dict[str, tuple[Any, Any]] = {}
    for key, expected in vector.expected.items():
        name = _NAMES.get(key.lower())
        if key == "Moisture":
            name = "water_leak" if isinstance(expected, bool) else "soil_moisture_percent"
        if name is None or isinstance(expected, dict) or key in _NOT_IN_THE_FRAME.get(vector.name, ()):
            continue
        value = told.get(name)
        if name == "humidity_percent" and value is not None and vector.name in _CUT_OFF and key == "Humidity":
            value = Decimal(int(value))
        found[key] = (Decimal(str(int(expected) if isinstance(expected, bool) else expected)), value)
    return found


@pytest.mark.parametrize("vector", vectors("mibeacon"), ids=name_of)
def test_published_advertisements(vector: Vector) -> None:
    if vector.name in _WRONG_KEY and vector.given["key"].startswith("ffd8"):
        with pytest.raises(DecodeError):
            _decoded(vector)
        return
    for key, (expected, decoded) in _compared(vector).items():
        assert decoded is not None, key
        assert decoded == pytest.approx(expected, rel=Decimal("1e-6")), key


def test_a_thermometer_on_the_skin_tells_what_it_measured_and_no_heat_of_the_body() -> None:
    told = decode_mibeacon(bytes.fromhex("7022db006fc16fddf9810009002005c60d630d51")).told
    assert (told.get("skin_c"), told.get("board_c")) == (Decimal("35.26"), Decimal("34.27"))
    assert told.get("battery_percent") == 81
    assert told.get("body_temperature_c") is None


def test_most_published_fields_are_compared() -> None:
    compared = sum(len(_compared(vector)) for vector in vectors("mibeacon") if vector.name not in _WRONG_KEY)
    assert compared > 70


@pytest.mark.parametrize("vector", vectors("mibeacon"), ids=name_of)
def test_published_counters_and_addresses(vector: Vector) -> None:
    head = decode_head(vector.frame)
    if "packet" in vector.expected:
        assert head.head.counter == vector.expected["packet"]
    if head.head.address is not None and "address" in vector.given:
        assert head.head.address.hex() == vector.given["address"]


def decode_head(frame: bytes) -> Mibeacon:
    """The head alone: as if the object were not there."""
    return decode_mibeacon(bytes([frame[0] & ~0x40]) + frame[1:])


@given(
    st.integers(-400, 1000), st.integers(0, 1000), st.integers(0, 100), st.integers(0, 255),
    st.none() | st.just(_ADDRESS), st.none() | st.integers(0, 255), st.integers(2, 15),
)  # fmt: skip  # fields by rows
def test_simulated_climate_is_read_back(
    tenths_c: int, tenths_percent: int, percent: int, counter: int, address: bytes | None, capability: int | None,
    version: int,
) -> None:  # fmt: skip  # fields by rows
    head = wire.BeaconHead(_THERMOMETER, counter, version=version, address=address, capability=capability)
    objects = wire.climate_object(tenths_c, tenths_percent) + wire.battery_object(percent)
    told = decode_mibeacon(wire.plain_beacon(head, objects)).told
    assert (told.address, told.packet) == (address, counter)
    assert told.get("temperature_c") == Decimal(tenths_c) / 10
    assert told.get("humidity_percent") == Decimal(tenths_percent) / 10
    assert told.get("battery_percent") == percent


def _told(product: int, objects: bytes) -> Mibeacon:
    return decode_mibeacon(wire.plain_beacon(wire.BeaconHead(product, 7), objects))


def test_unknown_objects_are_passed_over_and_named() -> None:
    beacon = _told(_ANY, wire.beacon_object(0x7777, b"\x01\x02") + wire.battery_object(56))
    assert beacon.unknown == (0x7777,)
    assert beacon.told.get("battery_percent") == 56


def test_an_advertisement_without_object_says_only_that_the_device_is_there() -> None:
    beacon = decode_mibeacon(bytes.fromhex("3030dd0301ffeeddccbbaa0d"))
    assert beacon.head.address == bytes.fromhex("aabbccddeeff")
    assert (beacon.objects, beacon.told.values) == ((), ())


@pytest.mark.parametrize(
    ("frame", "reason"),
    [
        ("485985", DecodeReason.SHORT),
        ("5859850a01000102030405", DecodeReason.ENCRYPTED),
        ("c0509b0a01", DecodeReason.UNSUPPORTED_VERSION),
        ("40109b0a01", DecodeReason.UNSUPPORTED_VERSION),
        ("5050aa0101ffeeddccbb", DecodeReason.SHORT),
        ("6050aa0101", DecodeReason.SHORT),
        ("6050aa010120ff", DecodeReason.SHORT),
        ("4050aa01010d1004b400", DecodeReason.SHORT),
        ("4050aa0101" + "00" * 300, DecodeReason.TOO_LONG),
    ],
)
def test_a_frame_that_cannot_be_read_is_refused_with_its_reason(frame: str, reason: DecodeReason) -> None:
    with pytest.raises(DecodeError) as refused:
        decode_mibeacon(bytes.fromhex(frame))
    assert refused.value.reason is reason


@given(st.binary(max_size=300), st.sampled_from([b"", bytes.fromhex("4050aa0107"), bytes.fromhex("5050b60307")]))
def test_any_bytes_decode_or_are_refused(frame: bytes, head: bytes) -> None:
    with suppress(DecodeError):
        observe_mibeacon(decode_mibeacon(head + frame), subject=RESIDENT, device="beacon", times=TIMES)


_IDS = st.sampled_from([*range(0x0001, 0x0013), *range(0x1001, 0x1020), 0x2000, 0x2001, 0x2003, 0x3003]) | st.builds(
    lambda series, low: series << 8 | low,
    st.sampled_from([0x48, 0x4A, 0x4C, 0x4E, 0x50, 0x54, 0x56, 0x58, 0x5A, 0x64, 0x6E]), st.integers(0, 255),
)  # fmt: skip  # fields by rows
_PRODUCTS = st.sampled_from([0x01AA, 0x0153, 0x03B6, 0x04E1, 0x0DFD, 0x1568, 0x1949, 0x1C10, 0x3A61, 0x5968, 0x6375])


@given(_PRODUCTS, st.lists(st.tuples(_IDS, st.binary(max_size=10)), max_size=4))
def test_any_objects_of_any_length_are_read_or_passed_over(product: int, objects: list[tuple[int, bytes]]) -> None:
    payload = b"".join(wire.beacon_object(name, data) for name, data in objects)
    beacon = _told(product, payload)
    assert [(one.id, one.data) for one in beacon.objects] == objects
    with suppress(DecodeError):
        observe_mibeacon(beacon, subject=RESIDENT, device="beacon", times=TIMES)


@given(st.integers(0, 255), st.data())
def test_a_changed_or_cut_advertisement_decodes_or_is_refused(counter: int, data: st.DataObject) -> None:
    head = wire.BeaconHead(_THERMOMETER, counter, address=_ADDRESS, capability=0x20)
    frame = bytearray(wire.plain_beacon(head, wire.climate_object(251, 480) + wire.press_object(0, 1)))
    with pytest.raises(DecodeError):
        decode_mibeacon(bytes(frame[: data.draw(st.integers(0, 13))]))
    bit = data.draw(st.integers(0, 8 * len(frame) - 1))
    frame[bit // 8] ^= 1 << bit % 8
    with suppress(DecodeError):
        observe_mibeacon(
            decode_mibeacon(bytes(frame[: data.draw(st.integers(0, len(frame)))])), subject=RESIDENT, device="beacon",
            times=TIMES,
        )  # fmt: skip  # fields by rows
