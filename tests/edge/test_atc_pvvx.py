"""Thermometers with ATC1441 or pvvx firmware: published frames, all forms, sealed and plain."""

from contextlib import suppress
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kanhu.edge.codecs.atc_pvvx import decode_atc, decode_atc_encrypted, split_sealed_atc
from kanhu.edge.errors import DecodeError, DecodeReason
from kanhu.firmware_sim.wire.atc_pvvx import Climate, atc1441_frame, atc1441_sealed, pvvx_frame, pvvx_sealed
from tests.edge.published_sensors import differences
from tests.edge.vectors import Vector, name_of, vectors

_ADDRESS = bytes.fromhex("a4c1388d18b2")
_KEY = bytes.fromhex("b9ea895fac7eea6d30532432a516f3a3")
_SEALED = bytes.fromhex("11d603fbfa7b6dfb1e26fd")

_CLIMATES = st.builds(
    Climate,
    hundredths_c=st.integers(-4000, 8000), hundredths_percent=st.integers(0, 10_000),
    millivolt=st.integers(0, 65_535), battery_percent=st.integers(0, 100), counter=st.integers(0, 255),
    flags=st.integers(0, 31),
)  # fmt: skip  # fields by rows


@pytest.mark.parametrize("vector", vectors("atc_pvvx"), ids=name_of)
def test_published_frames(vector: Vector) -> None:
    key = vector.given.get("key")
    if "cipher" in vector.expected:
        sealed = split_sealed_atc(vector.frame)
        pieces = (sealed.ciphertext.hex(), f"{sealed.counter:02x}", sealed.tag.hex())
        assert pieces == tuple(vector.expected[name] for name in ("cipher", "ctr", "mic"))
        return
    if key is None:
        assert differences(decode_atc(vector.frame), vector) == {}
        return
    address = bytes.fromhex(vector.given["address"])
    told = decode_atc_encrypted(vector.frame, key=bytes.fromhex(key), address=address)
    assert differences(told, vector, but={"voltage"}) == {}  # estimated from the battery by its publisher
    assert told.get("voltage_v") is None


@given(_CLIMATES, st.binary(min_size=6, max_size=6))
def test_simulated_pvvx_frame_is_read_back(climate: Climate, address: bytes) -> None:
    told = decode_atc(pvvx_frame(climate, address=address))
    assert (told.address, told.packet) == (address, climate.counter)
    assert told.get("temperature_c") == Decimal(climate.hundredths_c) / 100
    assert told.get("humidity_percent") == Decimal(climate.hundredths_percent) / 100
    assert told.get("voltage_v") == Decimal(climate.millivolt) / 1000
    assert told.get("battery_percent") == climate.battery_percent
    assert told.get("input_high") == climate.flags & 1
    assert told.get("output_on") == climate.flags >> 1 & 1


@given(_CLIMATES, st.binary(min_size=6, max_size=6))
def test_simulated_atc1441_frame_is_read_back(climate: Climate, address: bytes) -> None:
    told = decode_atc(atc1441_frame(climate, address=address))
    assert (told.address, told.packet) == (address, climate.counter)
    assert told.get("temperature_c") == Decimal(climate.hundredths_c // 10) / 10
    assert told.get("humidity_percent") == climate.hundredths_percent // 100
    assert told.get("voltage_v") == Decimal(climate.millivolt) / 1000


@given(_CLIMATES)
def test_simulated_sealed_frames_are_read_back(climate: Climate) -> None:
    fine = decode_atc_encrypted(pvvx_sealed(climate, address=_ADDRESS, key=_KEY), key=_KEY, address=_ADDRESS)
    assert fine.get("temperature_c") == Decimal(climate.hundredths_c) / 100
    assert (fine.packet, fine.address) == (climate.counter, _ADDRESS)
    flagless = Climate(climate.hundredths_c, climate.hundredths_percent, 0, climate.battery_percent, 5, 1)
    coarse = decode_atc_encrypted(atc1441_sealed(flagless, address=_ADDRESS, key=_KEY), key=_KEY, address=_ADDRESS)
    assert coarse.get("temperature_c") == Decimal((climate.hundredths_c + 4000) // 50) / 2 - 40
    assert coarse.get("humidity_percent") == Decimal(climate.hundredths_percent // 50) / 2
    assert coarse.get("battery_percent") == climate.battery_percent
    assert coarse.get("output_on") == 1


@pytest.mark.parametrize("frame", [_SEALED, bytes(8)])
def test_a_sealed_frame_without_key_is_refused_as_encrypted(frame: bytes) -> None:
    with pytest.raises(DecodeError) as refused:
        decode_atc(frame)
    assert refused.value.reason is DecodeReason.ENCRYPTED


@pytest.mark.parametrize(("key", "address"), [(bytes(16), _ADDRESS), (_KEY, bytes(6)), (_KEY, b""), (b"", _ADDRESS)])
def test_another_key_or_sender_opens_nothing(key: bytes, address: bytes) -> None:
    with pytest.raises(DecodeError) as refused:
        decode_atc_encrypted(_SEALED, key=key, address=address)
    assert refused.value.reason is DecodeReason.ENCRYPTED


@given(st.integers(0, 8 * len(_SEALED) - 1))
def test_any_changed_bit_of_a_sealed_frame_is_noticed(bit: int) -> None:
    changed = bytearray(_SEALED)
    changed[bit // 8] ^= 1 << bit % 8
    with pytest.raises(DecodeError):
        decode_atc_encrypted(bytes(changed), key=_KEY, address=_ADDRESS)


@pytest.mark.parametrize("length", [length for length in range(40) if length not in {6, 13, 15}])
def test_a_length_of_no_form_is_refused(length: int) -> None:
    with pytest.raises(DecodeError):
        decode_atc(bytes(length))


def test_a_battery_above_full_is_not_told() -> None:
    assert decode_atc(bytes.fromhex("2fdedf38c1a47c090d11350cff4b05")).get("battery_percent") is None


@given(st.binary(max_size=300))
def test_any_bytes_decode_or_are_refused(frame: bytes) -> None:
    for decode in (decode_atc, split_sealed_atc):
        with suppress(DecodeError):
            decode(frame)
    with suppress(DecodeError):
        decode_atc_encrypted(frame, key=_KEY, address=_ADDRESS)
