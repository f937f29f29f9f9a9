"""Advertised quantities: which become measures, and how several of a kind are told."""

from decimal import Decimal

import pytest

from kanhu.edge.codecs.advertised import Advertisement, Quantity, observe_advertised, piece
from kanhu.edge.errors import DecodeError, DecodeReason
from tests.edge.readings import RESIDENT, TIMES


def observed(*values: tuple[str, str]) -> dict[str, int]:
    found = observe_advertised(
        [Quantity(name, Decimal(value)) for name, value in values], subject=RESIDENT, device="sensor", times=TIMES
    )
    assert all(one.times == TIMES and one.device == "sensor" for one in found)
    return {one.metric: one.series(one.metric)[0] for one in found}


@pytest.mark.parametrize(
    ("name", "value", "metric", "step"),
    [
        ("temperature_c", "-25.3", "room_temperature", -2530),
        ("temperature_c", "0.005", "room_temperature", 0),
        ("temperature_c", "0.015", "room_temperature", 2),
        ("humidity_percent", "53.49", "room_humidity", 5349),
        ("motion", "0", "motion", 0),
        ("motion", "1", "motion", 1),
        ("presence", "1", "presence", 1),
        ("contact_open", "0", "contact", 0),
        ("contact_open", "1", "contact", 1),
        ("smoke", "1", "smoke", 1),
        ("water_leak", "1", "water", 1),
        ("gas_leak", "1", "gas", 1),
        ("carbon_monoxide", "1", "carbon_monoxide", 1),
        ("button", "1", "help_button", 1),
    ],
)
def test_each_measure_comes_in_its_own_steps(name: str, value: str, metric: str, step: int) -> None:
    assert observed((name, value)) == {metric: step}


@pytest.mark.parametrize("name", ["illuminance_lx", "voltage_v", "acceleration_x_mg", "battery_percent", "button"])
def test_what_is_no_measure_is_told_as_no_value(name: str) -> None:
    with pytest.raises(DecodeError) as refused:
        observed((name, "0"))
    assert refused.value.reason is DecodeReason.NO_VALUE


def test_one_open_door_of_two_is_open_and_the_first_temperature_counts() -> None:
    told = [("contact_open", "1"), ("contact_open", "0"), ("temperature_c", "20"), ("temperature_c", "5")]
    assert observed(*told) == {"contact": 1, "room_temperature": 2000}
    assert observed(("contact_open", "0"), ("contact_open", "1")) == {"contact": 1}


def test_an_untold_quantity_is_none_and_no_zero() -> None:
    told = Advertisement((Quantity("motion", Decimal(0)),))
    assert told.get("motion") == 0
    assert told.get("temperature_c") is None


def test_a_piece_behind_the_end_and_a_frame_longer_than_any_are_refused() -> None:
    assert piece(b"abc", 1, 2) == b"bc"
    with pytest.raises(DecodeError) as short:
        piece(b"abc", 1, 3)
    assert short.value.reason is DecodeReason.SHORT
    with pytest.raises(DecodeError) as long:
        piece(bytes(256), 0, 1)
    assert long.value.reason is DecodeReason.TOO_LONG
