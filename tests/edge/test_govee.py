"""Govee hygrometers: published frames, every form by the simulator's bytes, and what is not told."""

from contextlib import suppress
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kanhu.edge.codecs.advertised import steps_of
from kanhu.edge.codecs.govee import COMPANIES, decode_govee, model_of
from kanhu.edge.errors import DecodeError, DecodeReason
from kanhu.edge.kinds.sensor_govee import KIND
from kanhu.edge.ways import Heard
from kanhu.firmware_sim.wire import govee as wire
from tests.edge.published_sensors import differences
from tests.edge.vectors import Vector, name_of, vectors

_OWN, _LOW, _FLAGGED = COMPANIES
_TENTHS_C = st.integers(-400, 999)
_TENTHS_PERCENT = st.integers(0, 999)
_HUNDREDTHS_C = st.integers(-4000, 10_000)
_HUNDREDTHS_PERCENT = st.integers(0, 10_000)
_BATTERY = st.integers(0, 100)
_MODELS = st.sampled_from([None, 5075, 5106, 5108, 5112, 5140])


def company_of(vector: Vector) -> int:
    return int(vector.given["kind"].split("0x")[1], 16)


_HYGROMETERS = [one for one in vectors("govee") if company_of(one) in COMPANIES]


@pytest.mark.parametrize("vector", _HYGROMETERS, ids=name_of)
def test_published_frames(vector: Vector) -> None:
    told = decode_govee(company_of(vector), vector.frame, model=model_of(vector.given.get("device")))
    if vector.expected["type"] == "H5178-outdoor":
        assert [(one.name, one.value) for one in told.values] == [
            ("remote_temperature_c", Decimal(str(vector.expected["temperature"]))),
            ("remote_humidity_percent", Decimal(str(vector.expected["humidity"]))),
            ("remote_battery_percent", vector.expected["battery"]),
            ("sensor_number", vector.expected["sensor id"]),
        ]
        return
    # Theengs leaves the digits of the humidity on a temperature below zero.
    cut = {"tempc"} if str(vector.expected.get("tempc")) == "-7.3481" else set()
    assert differences(told, vector, but={"mac", *cut}) == {}
    if cut:
        assert told.get("temperature_c") == Decimal("-7.3")


def test_the_published_frames_are_of_every_company() -> None:
    assert {company_of(one) for one in _HYGROMETERS} == set(COMPANIES)


@given(_TENTHS_C, _TENTHS_PERCENT, _BATTERY)
def test_simulated_packed_forms_are_read_back(warmth: int, damp: int, charge: int) -> None:
    for company, frame in (
        (_OWN, wire.h5075_frame(warmth, damp, charge)),
        (_LOW, wire.h5101_frame(warmth, damp, charge)),
        (_LOW, wire.h5178_frame(0, warmth, damp, charge)),
    ):
        told = decode_govee(company, frame, model=5101)
        assert told.get("temperature_c") == Decimal(warmth) / 10
        assert told.get("humidity_percent") == Decimal(damp) / 10
        assert told.get("battery_percent") == charge


@given(_HUNDREDTHS_C, _HUNDREDTHS_PERCENT, _BATTERY)
def test_simulated_hundredths_are_read_back(warmth: int, damp: int, charge: int) -> None:
    for company, frame in (
        (_OWN, wire.h5074_frame(warmth, damp, charge)),
        (_OWN, wire.h5051_frame(warmth, damp, charge)),
        (_FLAGGED, wire.h5179_frame(warmth, damp, charge)),
    ):
        told = decode_govee(company, frame)
        assert told.get("temperature_c") == Decimal(warmth) / 100
        assert told.get("humidity_percent") == Decimal(damp) / 100
        assert told.get("battery_percent") == charge


@given(_TENTHS_C, _TENTHS_PERCENT, st.integers(0, 999))
def test_simulated_air_monitor_is_read_back_under_its_name(warmth: int, damp: int, dust: int) -> None:
    told = decode_govee(_LOW, wire.h5106_frame(warmth, damp, dust), model=5106)
    assert told.get("temperature_c") == Decimal(warmth) / 10
    assert told.get("humidity_percent") == Decimal(damp) / 10
    assert told.get("pm25_ug_m3") == dust
    assert told.get("battery_percent") is None


@given(_TENTHS_C, _TENTHS_PERCENT, st.integers(0, 0xFFFF))
def test_simulated_carbon_dioxide_monitor_is_read_back_under_its_name(warmth: int, damp: int, ppm: int) -> None:
    told = decode_govee(_LOW, wire.h5140_frame(warmth, damp, ppm, 0), model=5140)
    assert told.get("temperature_c") == Decimal(warmth) / 10
    assert told.get("humidity_percent") == Decimal(damp) / 10
    assert told.get("carbon_dioxide_ppm") == ppm


@given(st.integers(154, 500), _TENTHS_PERCENT, st.integers(0, 999))
def test_an_air_monitor_in_a_room_is_not_taken_for_a_hygrometer_while_its_name_is_not_heard(
    warmth: int, damp: int, dust: int
) -> None:
    with pytest.raises(DecodeError) as refused:
        decode_govee(_LOW, wire.h5106_frame(warmth, damp, dust))
    assert refused.value.reason is DecodeReason.UNSUPPORTED_VERSION


def test_a_hygrometer_is_read_without_its_name() -> None:
    assert decode_govee(_LOW, wire.h5101_frame(600, 400, 60)).get("temperature_c") == 60


def test_a_carbon_dioxide_monitor_that_failed_tells_nothing() -> None:
    assert decode_govee(_LOW, wire.h5140_frame(210, 400, 900, 1), model=5140).values == ()


def test_a_probe_thermometer_tells_no_humidity() -> None:
    told = decode_govee(_LOW, wire.h5108_frame(-182, 400, 77, 0), model=5108)
    assert [(one.name, one.value) for one in told.values] == [
        ("temperature_c", Decimal("-18.2")),
        ("battery_percent", 77),
    ]


@pytest.mark.parametrize(
    ("probe", "names"),
    [
        (0x41, ["probe_1_temperature_c", "probe_1_humidity_percent", "battery_percent"]),
        (0x82, ["probe_2_temperature_c", "battery_percent"]),
    ],
)
def test_what_probes_measure_is_not_the_room(probe: int, names: list[str]) -> None:
    told = decode_govee(_LOW, wire.h5108_frame(35, 400, 77, probe), model=5112)
    assert [one.name for one in told.values] == names
    assert steps_of(told.values) == {}


def test_a_probe_of_no_number_is_refused() -> None:
    with pytest.raises(DecodeError) as refused:
        decode_govee(_LOW, wire.h5108_frame(35, 400, 77, 0x43), model=5112)
    assert refused.value.reason is DecodeReason.RESERVED_VALUE


def test_without_its_name_eight_bytes_tell_what_all_models_share() -> None:
    told = decode_govee(_LOW, wire.h5140_frame(211, 400, 900, 0))
    assert [(one.name, one.value) for one in told.values] == [("temperature_c", Decimal("21.1"))]


def test_what_an_outer_sensor_measures_is_not_the_room() -> None:
    told = decode_govee(_LOW, wire.h5178_frame(1, -120, 800, 55))
    assert told.get("remote_temperature_c") == -12
    assert steps_of(told.values) == {}
    assert set(steps_of(decode_govee(_LOW, wire.h5178_frame(0, 210, 400, 55)).values)) == {
        "room_temperature",
        "room_humidity",
    }


@pytest.mark.parametrize(
    ("company", "frame", "model"),
    [
        (_OWN, wire.h5075_frame(210, 400, 0x80 | 60), None),
        (_LOW, wire.h5101_frame(210, 400, 0x80 | 60), None),
        (_LOW, wire.h5178_frame(0, 210, 400, 0x80 | 60), None),
        (_LOW, wire.h5108_frame(210, 400, 0x80 | 60, 0), 5108),
        (_OWN, wire.h5075_frame(1001, 400, 60), None),
        (_OWN, wire.h5075_frame(-401, 400, 60), None),
        (_OWN, wire.h5074_frame(10_001, 4000, 60), None),
        (_OWN, wire.h5074_frame(2100, 10_001, 60), None),
    ],
)
def test_a_failed_sensor_tells_its_battery_and_no_climate(company: int, frame: bytes, model: int | None) -> None:
    told = decode_govee(company, frame, model=model)
    assert told.get("battery_percent") == 60
    assert steps_of(told.values) == {}


def test_a_battery_above_full_is_not_told() -> None:
    assert decode_govee(_OWN, wire.h5074_frame(2100, 4000, 101)).get("battery_percent") is None


def test_a_glued_beacon_is_cut_off() -> None:
    frame = wire.h5075_frame(210, 400, 60)
    assert decode_govee(_OWN, frame + wire.BEACON) == decode_govee(_OWN, frame)


@pytest.mark.parametrize(
    ("company", "frame", "reason"),
    [
        (_OWN, b"", DecodeReason.SHORT),
        (_OWN, bytes(5), DecodeReason.SHORT),
        (_OWN, bytes(8), DecodeReason.UNSUPPORTED_VERSION),
        (_OWN, bytes(256), DecodeReason.TOO_LONG),
        (0x004C, bytes(6), DecodeReason.UNSUPPORTED_VERSION),
        (_LOW, bytes(6), DecodeReason.NOT_SYNCHRONISED),
        (_FLAGGED, bytes(9), DecodeReason.NOT_SYNCHRONISED),
    ],
)
def test_what_is_none_of_its_forms_is_refused(company: int, frame: bytes, reason: DecodeReason) -> None:
    with pytest.raises(DecodeError) as refused:
        decode_govee(company, frame)
    assert refused.value.reason is reason


@pytest.mark.parametrize(
    ("name", "model"),
    [("GVH5075_1234", 5075), ("Govee_H5074_1234", 5074), ("B51784505", 5178), ("GV5140A2D6", 5140), ("Kettle", None),
     ("", None), (None, None)],
)  # fmt: skip  # names by rows
def test_the_model_stands_in_the_name(name: str | None, model: int | None) -> None:
    assert model_of(name) == model


def test_the_kind_reads_the_name_and_leaves_other_makers_alone() -> None:
    air = Heard({}, {0x004C: bytes(20), _LOW: wire.h5106_frame(210, 400, 12)}, "GVH5106_1234")
    told = KIND.decode(air, key=None, address=bytes(6))
    assert told is not None
    assert steps_of(told.values) == {"room_temperature": 2100, "room_humidity": 4000}
    assert KIND.decode(Heard({}, {0x004C: bytes(20)}), key=None, address=bytes(6)) is None


_VALID = [
    (_OWN, wire.h5075_frame(210, 400, 60)), (_OWN, wire.h5074_frame(2100, 4000, 60)),
    (_LOW, wire.h5101_frame(210, 400, 60)), (_LOW, wire.h5108_frame(210, 400, 60, 0x41)),
    (_LOW, wire.h5178_frame(1, 210, 400, 60)), (_FLAGGED, wire.h5179_frame(2100, 4000, 60)),
]  # fmt: skip  # frames by rows


@given(st.sampled_from(_VALID), st.integers(0, 71), st.integers(0, 9), _MODELS)
def test_cut_and_flipped_frames_decode_or_are_refused(
    valid: tuple[int, bytes], bit: int, cut: int, model: int | None
) -> None:
    company, frame = valid
    flipped = bytearray(frame)
    flipped[bit // 8 % len(frame)] ^= 1 << bit % 8
    for hostile in (bytes(flipped), frame[:cut]):
        with suppress(DecodeError):
            decode_govee(company, hostile, model=model)


@given(st.sampled_from([*COMPANIES, 0x004C]), st.sampled_from([b"", b"\x01\x01", b"\xec\x00"]), st.binary(max_size=300),
       _MODELS)  # fmt: skip  # strategies by rows
def test_any_bytes_decode_or_are_refused(company: int, head: bytes, rest: bytes, model: int | None) -> None:
    with suppress(DecodeError):
        decode_govee(company, head + rest, model=model)
