"""ELA and BeeWi doors, Relsib and ThermoBeacon loggers: published frames, each kind of value, texts."""

from decimal import Decimal

import pytest

from kanhu.edge.codecs import ela, relsib
from kanhu.edge.codecs.advertised import Advertisement, Quantity
from kanhu.edge.codecs.beewi import decode_beewi_door
from kanhu.edge.codecs.thermobeacon import decode_thermobeacon
from kanhu.edge.errors import DecodeError, DecodeReason
from tests.edge.published_sensors import differences
from tests.edge.vectors import Vector, name_of, vectors


@pytest.mark.parametrize("vector", vectors("ela"), ids=name_of)
def test_published_ela_frames(vector: Vector) -> None:
    values: list[Quantity] = []
    for one in [vector.given, *vector.given.get("also", [])]:
        where, number = one["kind"].split()
        frame = bytes.fromhex(one["hex"])
        if where == "service":
            values += ela.decode_ela_service(int(number, 16), frame)
        else:
            values += ela.decode_ela_manufacturer(frame)
    assert differences(Advertisement(tuple(values)), vector) == {}


@pytest.mark.parametrize(
    ("frame", "told"),
    [
        ("12980a", {"temperature_c": "27.12"}),
        ("f10d", {"battery_percent": "13"}),
        ("f2070c", {"voltage_v": "3.079"}),
        ("212f0018fc", {"humidity_percent": "47", "temperature_c": "-10"}),
    ],
)
def test_each_kind_of_an_ela_value(frame: str, told: dict[str, str]) -> None:
    values = ela.decode_ela_manufacturer(bytes.fromhex(frame))
    assert {one.name: one.value for one in values} == {name: Decimal(value) for name, value in told.items()}


def magnet(frame: bytes) -> Advertisement:
    return Advertisement(ela.decode_ela_service(ela.MAGNET, frame))


def test_a_door_is_open_where_the_magnet_is_away() -> None:
    assert magnet(b"\x3a\x00").get("contact_open") == 1
    assert magnet(b"\x3b\x00").get("contact_open") == 0


@pytest.mark.parametrize("vector", vectors("beewi"), ids=name_of)
def test_published_beewi_frames(vector: Vector) -> None:
    assert differences(decode_beewi_door(vector.frame), vector) == {}


def test_a_closed_beewi_door_is_closed_and_another_model_is_refused() -> None:
    assert decode_beewi_door(bytes.fromhex("080c000664")).get("contact_open") == 0
    with pytest.raises(DecodeError):
        decode_beewi_door(bytes.fromhex("080d000664"))


@pytest.mark.parametrize("vector", vectors("relsib"), ids=name_of)
def test_published_relsib_frames(vector: Vector) -> None:
    told = relsib.decode_relsib(int(vector.given["kind"].split()[1], 16), vector.frame)
    assert differences(told, vector) == {}


def test_a_logger_without_a_reading_tells_none_of_it() -> None:
    told = relsib.decode_relsib(relsib.WITH_BATTERY, bytes.fromhex("0400000000800080008000 80f04600c2eb0b010b0300"))
    assert {value.name for value in told.values} == {"battery_percent"}


@pytest.mark.parametrize(
    ("text", "told"), [("36.60 ", "36.60"), ("+36.60", "36.60"), (" -5.25", "-5.25"), ("12    ", "12")]
)
def test_a_temperature_as_text_is_exact(text: str, told: str) -> None:
    assert relsib.decode_relsib(relsib.TEXT, text.encode()).get("temperature_c") == Decimal(told)


@pytest.mark.parametrize(
    "text", ["nan   ", "1e5   ", "inf   ", "      ", "3_6.60", "--5.25", "\x00\x00\x00\x00\x00\x00"]
)
def test_a_text_that_is_no_plain_number_is_refused(text: str) -> None:
    with pytest.raises(DecodeError) as refused:
        relsib.decode_relsib(relsib.TEXT, text.encode())
    assert refused.value.reason is DecodeReason.NOT_A_NUMBER


@pytest.mark.parametrize("vector", vectors("thermobeacon"), ids=name_of)
def test_published_thermobeacon_frames(vector: Vector) -> None:
    assert differences(decode_thermobeacon(vector.frame), vector, but={"battery"}) == {}


def test_a_thermobeacon_frame_of_no_form_is_refused() -> None:
    for length in (0, 17, 19, 21, 40):
        with pytest.raises(DecodeError):
            decode_thermobeacon(bytes(length))
