"""iBeacon: published frames, and a climate only of the beacons that measure one."""

from contextlib import suppress
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kanhu.edge.codecs.ibeacon import CYPRESS, IBeacon, decode_ibeacon, observe_ibeacon
from kanhu.edge.errors import DecodeError, DecodeReason
from kanhu.firmware_sim.wire.ibeacon import cypress_beacon, ibeacon
from tests.edge.readings import RESIDENT, TIMES
from tests.edge.vectors import Vector, name_of, vectors

_WORD, _BYTE = st.integers(0, 65_535), st.integers(0, 255)
_OTHER = bytes.fromhex("e2c56db5dffb48d2b060d0f5a71096e0")


@pytest.mark.parametrize("vector", vectors("ibeacon"), ids=name_of)
def test_published_frames(vector: Vector) -> None:
    told = decode_ibeacon(vector.frame)
    expected = vector.expected
    assert told.uuid.hex() == expected["uuid"]
    assert (told.major, told.minor, told.power_dbm) == (
        expected["major"], expected["minor"], expected["measured power"],
    )  # fmt: skip  # fields by rows
    warmth, damp = told.climate
    assert (warmth.value, damp.value) == (expected["cypress temperature"], expected["cypress humidity"])


@given(st.binary(min_size=16, max_size=16), _WORD, _WORD, st.integers(-128, 127))
def test_a_simulated_beacon_is_read_back(uuid: bytes, major: int, minor: int, power: int) -> None:
    assert decode_ibeacon(ibeacon(uuid, major, minor, power)) == IBeacon(uuid, major, minor, power)


@given(_BYTE, _BYTE)
def test_a_simulated_climate_is_read_back(warmth_code: int, damp_code: int) -> None:
    told = decode_ibeacon(cypress_beacon(7, warmth_code, damp_code))
    warmth, damp = told.climate
    assert told.uuid == CYPRESS
    assert warmth == ("temperature_c", (Decimal("175.72") * (warmth_code << 8)) / 65_536 - Decimal("46.85"))
    assert damp == ("humidity_percent", (Decimal(125) * (damp_code << 8)) / 65_536 - 6)


def test_a_sensor_of_cypress_is_observed_and_no_other_beacon_is() -> None:
    sensor = decode_ibeacon(cypress_beacon(7, 100, 120))
    found = observe_ibeacon(sensor, subject=RESIDENT, device="beacon", times=TIMES)
    assert {one.metric: one.series(one.metric)[0] for one in found} == {"room_temperature": 2179, "room_humidity": 5259}
    other = decode_ibeacon(ibeacon(_OTHER, 7, sensor.minor, -59))
    with pytest.raises(DecodeError) as refused:
        observe_ibeacon(other, subject=RESIDENT, device="beacon", times=TIMES)
    assert refused.value.reason is DecodeReason.NO_VALUE


@pytest.mark.parametrize(
    ("frame", "reason"),
    [
        (b"\x10\x05" + bytes(21), DecodeReason.NOT_SYNCHRONISED),
        (b"\x02\x14" + bytes(21), DecodeReason.NOT_SYNCHRONISED),
        (b"\x02\x15" + bytes(20), DecodeReason.SHORT),
        (b"\x02", DecodeReason.SHORT),
        (b"", DecodeReason.SHORT),
    ],
)
def test_what_is_no_whole_beacon_is_refused(frame: bytes, reason: DecodeReason) -> None:
    with pytest.raises(DecodeError) as refused:
        decode_ibeacon(frame)
    assert refused.value.reason is reason


@given(st.binary(max_size=300), st.sampled_from([b"", b"\x02\x15"]))
def test_any_bytes_decode_or_are_refused(frame: bytes, head: bytes) -> None:
    with suppress(DecodeError):
        decode_ibeacon(head + frame)
