"""Blue Maestro: the published disc, every other model read back, and frost below zero."""

from contextlib import suppress
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kanhu.edge.codecs.blue_maestro import decode_blue_maestro
from kanhu.edge.errors import DecodeError, DecodeReason
from kanhu.firmware_sim.wire.blue_maestro import pebble, tempo_disc
from tests.edge.published_sensors import differences
from tests.edge.vectors import Vector, name_of, vectors

_WORD, _SIGNED, _PERCENT = st.integers(0, 65_535), st.integers(-32_768, 32_767), st.integers(0, 100)
_DISCS = (0x0D, 0x16, 0x17, 0x1B)


@pytest.mark.parametrize("vector", vectors("blue_maestro"), ids=name_of)
def test_published_frames(vector: Vector) -> None:
    told = decode_blue_maestro(vector.frame)
    assert differences(told, vector, but={"tempc2_dp"}) == {}
    assert told.get("dew_point_c") == vector.expected["tempc2_dp"]
    assert told.get("interval_s") == 3600
    assert told.get("log_count") == 6000


@given(st.sampled_from([0x16, 0x17]), _PERCENT, _WORD, _WORD, _SIGNED, _WORD, _SIGNED)
def test_a_simulated_disc_with_dew_point_is_read_back(
    model: int, charge: int, interval: int, logged: int, warmth: int, damp: int, dew: int
) -> None:
    told = decode_blue_maestro(
        tempo_disc(
            model, battery=charge, interval_s=interval, logged=logged, tenths_c=warmth, tenths_percent=damp, third=dew
        )
    )
    assert {one.name: one.value for one in told.values} == {
        "battery_percent": charge, "interval_s": interval, "log_count": logged, "temperature_c": Decimal(warmth) / 10,
        "humidity_percent": Decimal(damp) / 10, "dew_point_c": Decimal(dew) / 10,
    }  # fmt: skip  # fields by rows


@given(_SIGNED, _WORD, _WORD)
def test_a_simulated_disc_with_pressure_is_read_back(warmth: int, damp: int, pressure: int) -> None:
    told = decode_blue_maestro(
        tempo_disc(0x1B, battery=100, interval_s=60, logged=9, tenths_c=warmth, tenths_percent=damp, third=pressure)
    )
    assert told.get("temperature_c") == Decimal(warmth) / 10
    assert told.get("humidity_percent") == Decimal(damp) / 10
    assert told.get("pressure_hpa") == Decimal(pressure) / 10
    assert told.get("dew_point_c") is None


@given(_SIGNED, _PERCENT)
def test_a_simulated_disc_of_temperature_alone_is_read_back(warmth: int, charge: int) -> None:
    told = decode_blue_maestro(tempo_disc(0x0D, battery=charge, interval_s=60, logged=9, tenths_c=warmth))
    assert told.get("temperature_c") == Decimal(warmth) / 10
    assert told.get("battery_percent") == charge
    assert told.get("humidity_percent") is None


@given(st.integers(-400, 800), st.integers(0, 255), _WORD)
def test_a_simulated_pebble_tells_the_temperature_of_now(warmth: int, damp: int, pressure: int) -> None:
    told = decode_blue_maestro(pebble(tenths_c=warmth, percent=damp, hpa=pressure))
    assert [one.value for one in told.values] == [Decimal(warmth) / 10, damp, pressure]


def test_a_battery_above_full_is_not_told() -> None:
    told = decode_blue_maestro(tempo_disc(0x0D, battery=101, interval_s=60, logged=9, tenths_c=200))
    assert told.get("battery_percent") is None


@pytest.mark.parametrize("model", [0x00, 0x02, 0x18, 0x2A, 0xFF])
def test_another_model_is_refused(model: int) -> None:
    with pytest.raises(DecodeError) as refused:
        decode_blue_maestro(bytes((model,)) + bytes(20))
    assert refused.value.reason is DecodeReason.UNSUPPORTED_VERSION


@pytest.mark.parametrize(("model", "needed"), [(0x01, 10), (0x0D, 8), (0x16, 12), (0x17, 12), (0x1B, 12)])
def test_a_cut_frame_is_refused_as_short(model: int, needed: int) -> None:
    for length in (1, needed - 1):
        with pytest.raises(DecodeError) as refused:
            decode_blue_maestro((bytes((model,)) + bytes(20))[:length])
        assert refused.value.reason is DecodeReason.SHORT
    assert decode_blue_maestro((bytes((model,)) + bytes(20))[:needed]).values


@given(st.binary(max_size=300), st.sampled_from([b"", b"\1", *(bytes((one,)) for one in _DISCS)]))
def test_any_bytes_decode_or_are_refused(frame: bytes, head: bytes) -> None:
    with suppress(DecodeError):
        decode_blue_maestro(head + frame)
