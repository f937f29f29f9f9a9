"""RuuviTag: published frames of all formats, what was not measured, and numbers at their limits."""

from contextlib import suppress
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kanhu.edge.codecs.ruuvi import decode_ruuvi, decode_ruuvi_url
from kanhu.edge.errors import DecodeError, DecodeReason
from kanhu.firmware_sim.wire.ruuvi import ruuvi_raw_v1, ruuvi_raw_v2
from tests.edge.published_sensors import differences
from tests.edge.vectors import Vector, name_of, vectors

_ADDRESS = bytes.fromhex("cbb8334c884f")
_AXES = st.tuples(*[st.integers(-32_767, 32_767)] * 3)
# Estimated from the voltage; computed from the axes; of Theengs, a tenth of what the maker's unit says.
_NOT_COMPARED = {"battery", "acceleration", "accx", "accy", "accz"}


@pytest.mark.parametrize("vector", vectors("ruuvi"), ids=name_of)
def test_published_frames(vector: Vector) -> None:
    decode = decode_ruuvi_url if vector.given["kind"].startswith("service") else decode_ruuvi
    told = decode(vector.frame)
    assert differences(told, vector, but=_NOT_COMPARED) == {}
    for axis in "xyz":
        if f"acc{axis}" in vector.expected:
            told_mg = told.get(f"acceleration_{axis}_mg")
            assert told_mg is not None
            tenth = told_mg * Decimal("9.80665") / 10_000
            assert tenth == pytest.approx(vector.expected[f"acc{axis}"], rel=Decimal("1e-9"))


@given(
    st.integers(-32_767, 32_767), st.integers(0, 65_534), st.integers(50_000, 115_534), _AXES,
    st.integers(1600, 3646), st.integers(-20, 10), st.integers(0, 254), st.integers(0, 65_534),
)  # fmt: skip  # fields by rows
def test_simulated_raw_v2_is_read_back(
    warmth: int,
    damp: int,
    pascal: int,
    axes: tuple[int, int, int],
    millivolt: int,
    power: int,
    moves: int,
    sequence: int,
) -> None:
    told = decode_ruuvi(
        ruuvi_raw_v2(
            two_hundredths_c=warmth, four_hundredths_percent=damp, pascal=pascal, axes_mg=axes, millivolt=millivolt,
            transmit_dbm=2 * power, movements=moves, sequence=sequence, address=_ADDRESS,
        )
    )  # fmt: skip  # fields by rows
    assert (told.address, told.packet) == (_ADDRESS, sequence)
    assert told.get("temperature_c") == Decimal(warmth) / 200
    assert told.get("humidity_percent") == Decimal(damp) / 400
    assert told.get("pressure_hpa") == Decimal(pascal) / 100
    assert [told.get(f"acceleration_{axis}_mg") for axis in "xyz"] == list(axes)
    assert told.get("voltage_v") == Decimal(millivolt) / 1000
    assert told.get("transmit_power_dbm") == 2 * power
    assert told.get("movement_count") == moves


@given(st.integers(0, 255), st.integers(-12_799, 12_799), st.integers(50_000, 115_535), _AXES, st.integers(0, 65_535))
def test_simulated_raw_v1_is_read_back(
    damp: int, hundredths_c: int, pascal: int, axes: tuple[int, int, int], millivolt: int
) -> None:
    told = decode_ruuvi(ruuvi_raw_v1(damp, hundredths_c, pascal, axes, millivolt))
    assert told.get("temperature_c") == Decimal(hundredths_c) / 100
    assert told.get("humidity_percent") == Decimal(damp) / 2
    assert told.get("pressure_hpa") == Decimal(pascal) / 100
    assert [told.get(f"acceleration_{axis}_mg") for axis in "xyz"] == list(axes)
    assert told.get("voltage_v") == Decimal(millivolt) / 1000


def test_what_was_not_measured_is_not_told() -> None:
    told = decode_ruuvi(bytes.fromhex("058000ffffffff800080008000ffffffffffffffffffffff"))
    assert (told.values, told.address, told.packet) == ((), None, None)


@pytest.mark.parametrize("frame", ["07", "0412fc5394", "00"])
def test_another_format_is_refused(frame: str) -> None:
    with pytest.raises(DecodeError) as refused:
        decode_ruuvi(bytes.fromhex(frame))
    assert refused.value.reason is DecodeReason.UNSUPPORTED_VERSION


@pytest.mark.parametrize(
    "frame", ["0512fc5394c37c0004fffc040cac364200cdcbb8334c88", "03291a1ece1efc18f94202ca0b", "", "05"]
)
def test_a_cut_frame_is_refused_as_short(frame: str) -> None:
    with pytest.raises(DecodeError) as refused:
        decode_ruuvi(bytes.fromhex(frame))
    assert refused.value.reason is DecodeReason.SHORT


@pytest.mark.parametrize(
    "url", [b"\x10\xee\x03example/#AjwYAMFf", b"\x20\xee\x03ruu.vi/#AjwYAMFf", b"\x10\xee\x03ruu.vi/#A",
            b"\x10\xee\x03ruu.vi/#AAAAAAAA", b"\x10\xee\x03ruu.vi/#????????", b"\x10\xee\x03ruu.vi/#A=======", b""],
)  # fmt: skip  # frames by rows
def test_an_address_that_is_none_of_ruuvi_is_refused(url: bytes) -> None:
    with pytest.raises(DecodeError):
        decode_ruuvi_url(url)


@given(st.binary(max_size=300), st.sampled_from([b"", b"\x03", b"\x05", b"\x10\xee\x03ruu.vi/#"]))
def test_any_bytes_decode_or_are_refused(frame: bytes, head: bytes) -> None:
    for decode in (decode_ruuvi, decode_ruuvi_url):
        with suppress(DecodeError):
            decode(head + frame)
