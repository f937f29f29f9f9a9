"""Health Thermometer: both units, every place on the body, no reading yet, and hostile bytes."""

from contextlib import suppress
from datetime import UTC, datetime
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kanhu.contract import Observation, QualityLevel, QualityReason
from kanhu.edge.codecs.thermometer import (
    Temperature,
    TemperatureSite,
    TemperatureUnit,
    decode_temperature,
    decode_temperature_type,
    observe_temperature,
)
from kanhu.edge.errors import DecodeError, DecodeReason
from kanhu.firmware_sim.wire.ieee_float import FloatSpecial
from kanhu.firmware_sim.wire.thermometer import (
    CelsiusReading,
    FahrenheitReading,
    MeasuringPlace,
    temperature_measurement,
    temperature_type,
)
from tests.edge.readings import RESIDENT, TIMES
from tests.edge.vectors import Vector, name_of, vectors

_AT = datetime(2026, 11, 22, 8, 30, 15, tzinfo=UTC)
_AT_MS = 1795336215000

numbers = st.integers(-0x7FFFFD, 0x7FFFFD).flatmap(
    lambda mantissa: st.integers(-128, 127).map(lambda exponent: Decimal(mantissa).scaleb(exponent))
)
times = st.none() | st.just(_AT)
places = st.none() | st.sampled_from(MeasuringPlace)
readings = st.builds(CelsiusReading, temperature=numbers, measured_at=times, place=places) | st.builds(
    FahrenheitReading, temperature=numbers, measured_at=times, place=places
)


def observed(record: Temperature, *, site: TemperatureSite | None = None) -> Observation:
    return observe_temperature(record, subject=RESIDENT, device="thermometer", times=TIMES, site=site)


@pytest.mark.parametrize("vector", vectors("thermometer"), ids=name_of)
def test_published_types(vector: Vector) -> None:
    site = decode_temperature_type(vector.frame)
    assert site.value == vector.expected["type_raw"]
    assert site.name.lower() == vector.expected["type"]


@given(readings, st.binary(max_size=3))
def test_a_simulated_reading_is_read_back_exactly(reading: CelsiusReading | FahrenheitReading, padding: bytes) -> None:
    frame = temperature_measurement(reading)
    record = decode_temperature(frame + padding)
    assert record.temperature == reading.temperature
    assert (record.unit is TemperatureUnit.FAHRENHEIT) is isinstance(reading, FahrenheitReading)
    assert (record.sent_at.local_ms if record.sent_at else None) == (_AT_MS if reading.measured_at else None)
    assert (record.site.value if record.site else None) == reading.place
    for length in range(len(frame)):
        with pytest.raises(DecodeError) as refused:
            decode_temperature(frame[:length])
        assert refused.value.reason is DecodeReason.SHORT
    with suppress(DecodeError):
        observed(record)


def test_a_hand_made_frame_with_every_field() -> None:
    record = decode_temperature(bytes.fromhex("066c0100ffea070b16081e0f01"))
    assert record.temperature == Decimal("36.4")
    observation = observed(record)
    assert observation.metric == "temperature_axillary"
    assert observation.value("temperature_axillary") == Decimal("36.4")
    assert observation.times.device_ms == _AT_MS
    assert observation.quality.level is QualityLevel.OK
    assert observation.quality.reasons == ()


def test_fahrenheit_becomes_celsius_exactly_and_is_rounded_once() -> None:
    record = decode_temperature(bytes.fromhex("01da0300ff"))  # 98.6
    assert record.celsius == 37
    uneven = decode_temperature(bytes.fromhex("01e80300ff"))  # 100.0
    assert uneven.celsius == Fraction(340, 9)
    assert observed(uneven).value("temperature") == Decimal("37.78")


@pytest.mark.parametrize(
    ("place", "metric"),
    [
        (1, "temperature_axillary"),
        (2, "temperature"),
        (3, "temperature_ear"),
        (5, "temperature"),
        (6, "temperature_oral"),
        (7, "temperature"),
        (9, "temperature_ear"),
        (0, "temperature"),
        (10, "temperature"),
    ],
)
def test_the_place_on_the_body_decides_the_metric(place: int, metric: str) -> None:
    assert observed(decode_temperature(bytes.fromhex("046c0100ff") + bytes([place]))).metric == metric


@pytest.mark.parametrize("place", [MeasuringPlace.FINGER, MeasuringPlace.TOE])
def test_skin_of_finger_or_toe_is_never_body_temperature(place: MeasuringPlace) -> None:
    record = decode_temperature(temperature_measurement(CelsiusReading(Decimal("29.1"), place=place)))
    with pytest.raises(DecodeError) as refused:
        observed(record)
    assert refused.value.reason is DecodeReason.NO_VALUE


def test_a_constant_type_serves_where_the_frame_has_none_and_yields_where_it_has_one() -> None:
    bare = decode_temperature(bytes.fromhex("006c0100ff"))
    assert observed(bare, site=TemperatureSite.MOUTH).metric == "temperature_oral"
    typed = decode_temperature(bytes.fromhex("046c0100ff03"))
    assert observed(typed, site=TemperatureSite.MOUTH).metric == "temperature_ear"


@pytest.mark.parametrize("special", FloatSpecial)
def test_no_reading_yet_is_absent_and_never_observed(special: FloatSpecial) -> None:
    record = decode_temperature(temperature_measurement(FahrenheitReading(special)))
    assert record.temperature is None
    assert record.celsius is None
    with pytest.raises(DecodeError) as refused:
        observed(record)
    assert refused.value.reason is DecodeReason.NO_VALUE


@pytest.mark.parametrize("word", ["0100007f", "ffffff7f"])
def test_a_number_no_thermometer_can_mean_is_refused(word: str) -> None:
    with pytest.raises(DecodeError) as refused:
        observed(decode_temperature(bytes.fromhex("00" + word)))
    assert refused.value.reason is DecodeReason.INFINITE


def test_an_unset_clock_is_named_and_lowers_nothing() -> None:
    observation = observed(decode_temperature(bytes.fromhex("026c0100ffda070101000000")))
    assert observation.quality.reasons == (QualityReason.DEVICE_CLOCK_UNSET,)
    assert observation.quality.level is QualityLevel.OK


@pytest.mark.parametrize("place", MeasuringPlace)
def test_a_simulated_type_is_read_back(place: MeasuringPlace) -> None:
    assert decode_temperature_type(temperature_type(place)).value == place


@pytest.mark.parametrize("frame", ["", "00", "0a", "0303"])
def test_a_type_that_is_none_is_refused(frame: str) -> None:
    with pytest.raises(DecodeError):
        decode_temperature_type(bytes.fromhex(frame))


@given(st.binary(max_size=20) | st.binary(min_size=500, max_size=520))
def test_any_bytes_decode_or_are_refused(frame: bytes) -> None:
    with suppress(DecodeError):
        observed(decode_temperature(frame))
    with suppress(DecodeError):
        decode_temperature_type(frame)
    if len(frame) > 512:
        with pytest.raises(DecodeError):
            decode_temperature(frame)


@given(readings, st.integers(0, 319))
def test_a_frame_with_a_flipped_bit_decodes_or_is_refused(
    reading: CelsiusReading | FahrenheitReading, bit: int
) -> None:
    frame = bytearray(temperature_measurement(reading))
    frame[bit // 8 % len(frame)] ^= 1 << bit % 8
    with suppress(DecodeError):
        observed(decode_temperature(bytes(frame)))
