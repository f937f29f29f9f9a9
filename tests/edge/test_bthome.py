"""BTHome: every published packet, and what counts as a press."""

from collections import Counter
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kanhu.contract import EventWord
from kanhu.edge.codecs.bthome import decode_bthome, observe_press
from kanhu.edge.errors import DecodeError, DecodeReason
from tests.edge.readings import RESIDENT, TIMES
from tests.edge.vectors import Vector, name_of, vectors

_EVENTS = {"press": 1, "triple_press": 3, "hold_press": 0x80}
_NOT_VALUES = {"firmware", "type", "mac"}
_ROTATE_LEFT_3 = 0x0301


def expected_values(expected: dict[str, Any]) -> Counter[object]:
    values: Counter[object] = Counter()
    for name, value in expected.items():
        if name in _NOT_VALUES or value == "no packet id":
            continue
        if name == "text":
            values[value.encode()] += 1
        elif name == "Raw":
            values[bytes.fromhex(value)] += 1
        elif name == "Dimmer":
            values[Decimal(_ROTATE_LEFT_3)] += 1
        elif isinstance(value, dict):
            values[Decimal(_EVENTS[value["event_type"]])] += 1
        else:
            values[Decimal(value)] += 1
    return values


@pytest.mark.parametrize("vector", vectors("bthome"), ids=name_of)
def test_published_packets(vector: Vector) -> None:
    if vector.given["encrypted"]:
        with pytest.raises(DecodeError) as refused:
            decode_bthome(vector.frame)
        assert refused.value.reason is DecodeReason.ENCRYPTED
        return
    packet = decode_bthome(vector.frame)
    no_event = [value for value in packet.values if value.name == "button" and value.value == 0]
    assert Counter(value.value for value in packet.values if value not in no_event) == expected_values(vector.expected)


def test_a_button_with_packet_id_and_battery_is_read_whole() -> None:
    packet = decode_bthome(bytes.fromhex("440021015e3a01"))
    assert (packet.packet_id, packet.battery_percent, packet.pressed, packet.sleepy) == (33, 94, True, True)
    press = observe_press(packet, subject=RESIDENT, device="button", times=TIMES)
    assert press.metric == "help_button"
    assert press.series("help_button") == (1,)


@pytest.mark.parametrize("event", [*range(1, 7), 0x80, 0x7F])
def test_any_way_of_pressing_is_a_press(event: int) -> None:
    assert decode_bthome(bytes([0x40, 0x3A, event])).pressed


def test_no_event_is_no_press() -> None:
    packet = decode_bthome(bytes.fromhex("4000093a00"))
    assert not packet.pressed
    with pytest.raises(DecodeError):
        observe_press(packet, subject=RESIDENT, device="button", times=TIMES)


def test_one_pressed_button_of_several_is_a_press() -> None:
    assert decode_bthome(bytes.fromhex("403a003a013a03")).buttons == (0, 1, 3)


@pytest.mark.parametrize("information", [0x00, 0x20, 0x60, 0xE0])
def test_another_version_is_refused(information: int) -> None:
    with pytest.raises(DecodeError) as refused:
        decode_bthome(bytes([information, 0x3A, 0x01]))
    assert refused.value.reason is DecodeReason.UNSUPPORTED_VERSION


def test_an_unknown_object_ends_reading_and_is_named() -> None:
    packet = decode_bthome(bytes.fromhex("40015dfe5d0903b718"))
    assert packet.battery_percent == 93
    assert packet.unknown_object == 0xFE


@given(st.sampled_from(["440021015e3a01", "4002ca0903bf13", "40530c48656c6c6f20576f726c6421"]))
def test_a_packet_cut_within_an_object_is_refused_as_short(text: str) -> None:
    frame = bytes.fromhex(text)
    with pytest.raises(DecodeError) as refused:
        decode_bthome(frame[:-1])
    assert refused.value.reason is DecodeReason.SHORT


def test_a_battery_above_full_is_not_told() -> None:
    assert decode_bthome(bytes([0x40, 0x01, 101])).battery_percent is None


@pytest.mark.parametrize(
    ("events", "fine", "step"),
    [
        ([0x04], 0x04, 2),
        ([0x02], 0x02, 2),
        ([0x00, 0x04], 0x04, 2),
        ([0x04, 0x01], 0x04, 1),
        ([0x01], 0x04, 1),
        ([0x80], 0x04, 1),
        ([0x04], None, 1),
    ],
)
def test_fine_is_told_only_by_the_way_of_pressing_that_was_named(
    events: list[int], fine: int | None, step: int
) -> None:
    packet = decode_bthome(bytes([0x40, *(byte for event in events for byte in (0x3A, event))]))
    said = {} if fine is None else {fine: EventWord.FINE}
    press = observe_press(packet, subject=RESIDENT, device="button", times=TIMES, said=said)
    assert press.series("help_button") == (step,)


@pytest.mark.parametrize(
    ("codes", "metric", "step"),
    [
        (bytes([0x3A, 0x04]), "well_check", 0),
        (bytes([0x3A, 0x02]), "dosage", 1),
        (bytes([0x3A, 0x01]), "help_button", 1),
        (bytes([0x3A, 0x04, 0x3A, 0x01]), "help_button", 1),
        (bytes([0x3A, 0x04, 0x3A, 0x02]), "help_button", 1),
    ],
)
def test_agreed_press_gives_the_sign_or_the_dose_and_any_doubt_is_a_call(codes: bytes, metric: str, step: int) -> None:
    packet = decode_bthome(bytes([0x44]) + codes)
    said = {0x04: EventWord.SIGN_GIVEN, 0x02: EventWord.DOSE_TAKEN}
    press = observe_press(packet, subject=RESIDENT, device="button", times=TIMES, said=said)
    assert (press.metric, press.series(metric)) == (metric, (step,))
