"""What the objects of a MiBeacon mean: the door, motion, smoke, bed, lock and buttons of a dwelling."""

from decimal import Decimal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from kanhu.edge.codecs.mibeacon import FingerEvent, LockEvent, Mibeacon, decode_mibeacon, observe_mibeacon
from kanhu.edge.codecs.mibeacon_presses import Press, PressKind
from kanhu.edge.errors import DecodeError, DecodeReason
from kanhu.firmware_sim.wire import mibeacon as wire
from tests.edge.readings import RESIDENT, TIMES

_MOTION_SENSOR, _SMOKE_SENSOR, _ANY = 0x0A8D, 0x0997, 0x7FFF


def _told(product: int, objects: bytes) -> Mibeacon:
    return decode_mibeacon(wire.plain_beacon(wire.BeaconHead(product, 7), objects))


def _metrics(beacon: Mibeacon) -> dict[str, int]:
    seen = observe_mibeacon(beacon, subject=RESIDENT, device="beacon", times=TIMES)
    assert len({one.metric for one in seen}) == len(seen), "one metric twice"
    return {one.metric: one.parts[0].steps[0] for one in seen}


@given(st.integers(0, 2**32 - 1))
@example(30)
@example(31)
def test_nobody_moved_for_more_than_half_a_minute_is_no_motion(seconds: int) -> None:
    beacon = _told(_MOTION_SENSOR, wire.idle_object(seconds))
    assert beacon.told.get("idle_s") == seconds
    assert _metrics(beacon) == {"motion": int(seconds <= 30)}


def test_a_set_time_without_motion_is_no_motion_however_short() -> None:
    assert _metrics(_told(_MOTION_SENSOR, wire.beacon_object(0x101B, bytes([10, 0, 0, 0])))) == {"motion": 0}
    assert _metrics(_told(_MOTION_SENSOR, wire.beacon_object(0x101B, b"\x01"))) == {"motion": 0}


@pytest.mark.parametrize(("lux", "light"), [(0, 0), (1, 0), (100, 1), (256, 1)])
def test_a_sensor_that_knows_only_bright_and_dark_tells_no_lux(lux: int, light: int) -> None:
    told = _told(_MOTION_SENSOR, wire.motion_object(lux)).told
    assert (told.get("motion"), told.get("light")) == (Decimal(1), Decimal(light))
    assert told.get("illuminance_lx") is None
    assert _told(0x0A83, wire.motion_object(lux)).told.get("illuminance_lx") == lux


@pytest.mark.parametrize(("state", "opened"), [(0, 1), (1, 0), (2, 1), (3, None), (4, None)])
def test_a_door_sensor_that_was_reset_does_not_know_its_door(state: int, opened: int | None) -> None:
    assert _told(_ANY, wire.door_object(state)).told.get("contact_open") == opened


@pytest.mark.parametrize(("state", "opened"), [(0, 1), (1, 0), (2, 1), (3, None), (4, 1), (5, None)])
def test_a_door_that_was_knocked_at_or_is_stuck_may_be_open_or_closed(state: int, opened: int | None) -> None:
    beacon = _told(_ANY, wire.beacon_object(0x0007, bytes([state])))
    assert beacon.told.get("contact_open") == opened
    assert beacon.told.get("door_event") == state


def test_the_time_behind_an_event_is_told_and_not_taken_for_its_value() -> None:
    told = _told(_ANY, wire.beacon_object(0x0007, bytes.fromhex("01e96c7c65"))).told
    assert (told.get("contact_open"), told.get("at_s")) == (Decimal(0), Decimal(0x657C6CE9))


@pytest.mark.parametrize(("state", "smoke"), [(0, 0), (1, 1), (2, None), (3, None), (4, None)])
def test_a_failure_or_test_of_a_smoke_sensor_is_no_fire(state: int, smoke: int | None) -> None:
    beacon = _told(_SMOKE_SENSOR, wire.smoke_object(state))
    assert beacon.told.get("smoke") == smoke
    assert beacon.told.get("smoke_state") == state
    if smoke is None:
        with pytest.raises(DecodeError) as refused:
            _metrics(beacon)
        assert refused.value.reason is DecodeReason.NO_VALUE
    else:
        assert _metrics(beacon) == {"smoke": smoke}


@pytest.mark.parametrize(("state", "gas"), [(0, 0), (1, 1), (2, None), (3, None), (4, None), (5, None), (6, None)])
@pytest.mark.parametrize("name", [0x000E, 0x1016])
def test_an_aged_cold_or_tested_gas_sensor_is_no_leak(name: int, state: int, gas: int | None) -> None:
    assert _told(_ANY, wire.beacon_object(name, bytes([state]))).told.get("gas_leak") == gas


@pytest.mark.parametrize(
    ("name", "data", "metrics"),
    [
        (0x0003, "01", {"motion": 1}),
        (0x000C, "01", {"water": 1}),
        (0x1014, "00", {"water": 0}),
        (0x000D, "01", {"smoke": 1}),
        (0x101C, "01", {"bed_occupancy": 1}),
        (0x101C, "00", {"bed_occupancy": 0}),
        (0x4E16, "01", {"bed_occupancy": 1}),
        (0x4E17, "01", {"bed_occupancy": 0}),
        (0x5A16, "02", {"bed_occupancy": 0}),
        (0x484E, "01", {"presence": 1}),
        (0x483C, "00", {"presence": 0}),
        (0x4804, "01", {"contact": 1}),
        (0x4A12, "02", {"contact": 0}),
        (0x480C, "00", {"contact": 1}),
        (0x4A0F, "01", {"contact": 1}),
        (0x4A1A, "01", {"contact": 1}),
        (0x100F, "00", {"contact": 1}),
        (0x4818, "3c00", {"motion": 0}),
        (0x4801, "9a99c941", {"room_temperature": 2520}),
        (0x4808, "00004042", {"room_humidity": 4800}),
        (0x4A08, "00006443", {"motion": 1}),
        (0x000A, "a70e", {"temperature": 3751}),
        (0x4A0C, "", {"help_button": 1}),
    ],
)
def test_each_object_of_a_dwelling_becomes_its_metric(name: int, data: str, metrics: dict[str, int]) -> None:
    assert _metrics(_told(_ANY, wire.beacon_object(name, bytes.fromhex(data)))) == metrics


def test_a_safe_box_says_open_and_closed_the_other_way_round() -> None:
    assert _told(0x09B0, wire.beacon_object(0x100F, b"\x01")).told.get("contact_open") == 1
    assert _told(_ANY, wire.beacon_object(0x100F, b"\x01")).told.get("contact_open") == 0
    assert _told(_ANY, wire.beacon_object(0x100F, b"\xff")).told.values == ()


def test_a_temperature_that_is_no_number_tells_nothing() -> None:
    for word in ("0000c07f", "0000807f", "000080ff"):
        assert _told(_ANY, wire.beacon_object(0x4801, bytes.fromhex(word))).told.values == ()


def test_a_battery_above_full_is_not_told() -> None:
    assert _told(_ANY, wire.battery_object(101)).told.get("battery_percent") is None


def test_an_occupancy_sensor_counts_two_as_nobody_and_others_as_somebody() -> None:
    assert _told(0x4683, wire.beacon_object(0x484E, b"\x02")).told.get("presence") == 0
    assert _told(_ANY, wire.beacon_object(0x484E, b"\x02")).told.get("presence") == 1


@pytest.mark.parametrize(
    ("product", "objects", "expected"),
    [
        (_ANY, wire.press_object(3, 2), (Press("3", PressKind.LONG),)),
        (0x07BF, wire.press_object(0, 1), (Press("", PressKind.DOUBLE),)),
        (0x1568, wire.press_object(0, 1), (Press("", PressKind.LONG),)),
        (0x1568, wire.press_object(0, 2), (Press("", PressKind.DOUBLE),)),
        (0x1569, wire.press_object(2, 0), (Press("left", PressKind.SINGLE), Press("right", PressKind.SINGLE))),
        (0x0DFD, wire.press_object(4, 0), (Press("middle", PressKind.SINGLE), Press("right", PressKind.SINGLE))),
        (0x04E1, wire.press_object(1, 0), (Press("", PressKind.LEFT),)),
        (0x03B6, wire.beacon_object(0x1001, b"\x00\x02\x03"), (Press("", PressKind.SINGLE, 2),)),
        (0x03B6, wire.beacon_object(0x1001, b"\x00\xff\x04"), (Press("", PressKind.LEFT, 1),)),
        (0x03B6, wire.beacon_object(0x1001, b"\x02\x00\x04"), (Press("", PressKind.RIGHT_PRESSED, 2),)),
        (0x5968, wire.beacon_object(0x4A0D, b"\x01"), (Press("right", PressKind.DOUBLE),)),
        (0x1949, wire.beacon_object(0x4E0E, b"\x03"), (Press("left", PressKind.LONG), Press("right", PressKind.LONG))),
        (0x1C10, wire.beacon_object(0x4E0C, b"\x0f"), (Press("", PressKind.DOUBLE),)),
        (0x3A61, wire.beacon_object(0x560C, b"\x02"), (Press("mid_left", PressKind.SINGLE),)),
        (0x2387, wire.beacon_object(0x4E0E, b""), (Press("", PressKind.LONG),)),
        (0x20DB, wire.beacon_object(0x5A16, b"\x03"), (Press("", PressKind.DOUBLE),)),
    ],
)
def test_buttons_are_numbered_as_their_product_numbers_them(
    product: int, objects: bytes, expected: tuple[Press, ...]
) -> None:
    assert _told(product, objects).presses == expected


@pytest.mark.parametrize("product", [0x0997, 0x0863, 0x0A8D, 0x0153, 0x03B6, 0x04E1])
def test_the_test_button_of_a_sensor_and_a_remote_of_a_lamp_call_nobody(product: int) -> None:
    beacon = _told(product, wire.press_object(0, 0))
    assert len(beacon.presses) == 1
    with pytest.raises(DecodeError):
        _metrics(beacon)


def test_a_press_of_a_kind_that_is_not_known_calls_nobody() -> None:
    beacon = _told(_ANY, wire.press_object(0, 9))
    assert beacon.presses == (Press("0", PressKind.UNKNOWN),)
    assert beacon.told.values == ()


def test_a_lock_tells_what_it_did_and_whose_key_it_was() -> None:
    beacon = decode_mibeacon(bytes.fromhex("50449e0643918aeb441fd70b000920020001807c442f61"))
    assert beacon.lock == LockEvent(action=0, method=2, key=0x80010002, at_s=0x612F447C)
    assert beacon.told.values == ()


def test_a_finger_tells_its_key_and_whether_it_matched() -> None:
    assert _told(_ANY, wire.beacon_object(0x0006, bytes.fromhex("0200000001"))).finger == FingerEvent(2, 1)


@pytest.mark.parametrize(
    ("name", "data", "left_open"),
    [
        (0x1019, "00", None), (0x1019, "01", 0), (0x1019, "02", 1), (0x0007, "00", None), (0x0007, "01", 0),
        (0x0007, "02", 1), (0x4A1A, "01", 1), (0x4804, "02", 0),
    ],
)  # fmt: skip  # a table reads by rows
def test_a_door_that_was_not_closed_in_time_was_left_open(name: int, data: str, left_open: int | None) -> None:
    assert _told(_ANY, wire.beacon_object(name, bytes.fromhex(data))).told.get("left_open") == left_open


@pytest.mark.parametrize(("state", "pried"), [(0, None), (1, 0), (2, None), (4, 1)])
def test_a_door_that_was_pried_open_says_so_until_it_is_closed(state: int, pried: int | None) -> None:
    assert _told(_ANY, wire.beacon_object(0x0007, bytes([state]))).told.get("pried") == pried
