"""BTHome sensors: every object of the format, repeated ones, and what of them becomes a measure."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kanhu.edge.codecs.advertised import observe_advertised
from kanhu.edge.codecs.bthome import decode_bthome, sensed
from kanhu.edge.errors import DecodeError, DecodeReason
from kanhu.firmware_sim.wire.bthome_objects import OBJECTS, PLAIN_SLEEPY, bthome_object, bthome_service_data
from tests.edge.readings import RESIDENT, TIMES

_NUMBER_OF_OBJECTS = 88  # of fixed length, in the published table
_HALVES = {0x57: Decimal(-22), 0x58: Decimal("-7.7"), 0x42: Decimal("13.39"), 0x43: Decimal("13.39")}


@st.composite
def numbers(draw: st.DrawFn) -> tuple[int, Decimal]:
    """An object and a value that it can hold."""
    number = draw(st.sampled_from(sorted(OBJECTS)))
    size, signed, step = OBJECTS[number]
    lowest = -(2 ** (8 * size - 1)) if signed else 0
    highest = 2 ** (8 * size - signed) - 1
    return number, draw(st.integers(lowest, highest)) * step


@given(st.lists(numbers(), max_size=8))
def test_every_number_a_sensor_can_send_is_read_back(told: list[tuple[int, Decimal]]) -> None:
    packet = decode_bthome(bthome_service_data(bthome_object(number, value) for number, value in told))
    assert [(value.object_id, value.value) for value in packet.values] == told
    assert packet.unknown_object is None


@given(st.binary(max_size=60), st.sampled_from([0x53, 0x54]))
def test_text_and_raw_bytes_are_read_back(data: bytes, number: int) -> None:
    packet = decode_bthome(bthome_service_data([bthome_object(number, data)], information=PLAIN_SLEEPY))
    assert [value.value for value in packet.values] == [data]
    assert packet.sleepy


def test_the_table_holds_every_object_of_the_format() -> None:
    assert len(OBJECTS) == _NUMBER_OF_OBJECTS
    for number in OBJECTS:
        assert decode_bthome(bthome_service_data([bthome_object(number, Decimal(0))])).unknown_object is None


@pytest.mark.parametrize(("number", "value"), _HALVES.items())
def test_units_of_the_wire_become_those_of_the_table(number: int, value: Decimal) -> None:
    assert decode_bthome(bthome_service_data([bthome_object(number, value)])).values[0].value == value


def test_equal_names_are_counted_and_a_single_one_is_not() -> None:
    packet = decode_bthome(bytes.fromhex("4000010b0000004a0d0901330ce90c"))
    assert packet.indexes == (None, None, 1, None, 2)


def test_a_number_and_a_sign_of_one_name_are_counted_apart() -> None:
    packet = decode_bthome(bytes.fromhex("400b0000001001"))
    assert [value.name for value in packet.values] == ["power", "power"]
    assert packet.indexes == (None, None)


@pytest.mark.parametrize(
    ("frame", "measures"),
    [
        ("4002ca0903bf13", {"room_temperature": 2506, "room_humidity": 5055}),
        ("4045110158ea", {"room_temperature": 2730}),
        ("401a01", {"contact": 1}),
        ("401a001101", {"contact": 1}),
        ("402d00", {"contact": 0}),
        ("401b01", {"contact": 1}),
        ("402101", {"motion": 1}),
        ("402300", {"presence": 0}),
        ("402501", {"presence": 1}),
        ("402901", {"smoke": 1}),
        ("402001", {"water": 1}),
        ("401c01", {"gas": 1}),
        ("401701", {"carbon_monoxide": 1}),
    ],
)
def test_signs_and_climate_of_a_dwelling_become_measures(frame: str, measures: dict[str, int]) -> None:
    values = sensed(decode_bthome(bytes.fromhex(frame)))
    found = observe_advertised(values, subject=RESIDENT, device="sensor", times=TIMES)
    assert {one.metric: one.series(one.metric)[0] for one in found} == measures


@pytest.mark.parametrize("frame", ["40015d", "40", "40143302", "404b138a14", "400c020c"])
def test_what_is_no_measure_is_told_as_no_value(frame: str) -> None:
    with pytest.raises(DecodeError) as refused:
        observe_advertised(sensed(decode_bthome(bytes.fromhex(frame))), subject=RESIDENT, device="sensor", times=TIMES)
    assert refused.value.reason is DecodeReason.NO_VALUE
