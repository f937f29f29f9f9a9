"""Xiaomi's scales: published advertisements, what is no settled weight of a person, sealed scales, hostile bytes."""

from contextlib import suppress
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kanhu.contract import QualityReason
from kanhu.edge.codecs.mi_scale import (
    MiScale,
    MiScaleUnit,
    decode_mi_body_scale,
    decode_mi_scale,
    observe_mi_scale,
)
from kanhu.edge.codecs.mi_scale_s400 import SealedScale, decode_mi_scale_s400, observe_sealed_scale
from kanhu.edge.errors import DecodeError, DecodeReason
from kanhu.firmware_sim.errors import NotEncodable
from kanhu.firmware_sim.wire import mi_scale as wire
from kanhu.firmware_sim.wire import mi_scale_s400 as s400
from kanhu.firmware_sim.wire import mibeacon
from tests.edge.readings import RESIDENT, TIMES
from tests.edge.vectors import Vector, name_of, vectors

_AT = datetime(2026, 11, 22, 8, 30, 15, tzinfo=UTC)
_AT_MS = 1795336215000
_STEPS = {"kg": Decimal("0.005"), "lb": Decimal("0.0045359237"), "jin": Decimal("0.005")}
_KEY, _ADDRESS = bytes(range(16)), bytes.fromhex("846493a5e601")


def _decoded(frame: bytes) -> MiScale:
    return decode_mi_scale(frame) if len(frame) == 10 else decode_mi_body_scale(frame)


def _observed_g(record: MiScale) -> int:
    return observe_mi_scale(record, subject=RESIDENT, device="scale", times=TIMES).parts[0].steps[0]


@pytest.mark.parametrize("vector", vectors("mi_scale"), ids=name_of)
def test_published_advertisements(vector: Vector) -> None:
    record, expected = _decoded(vector.frame), vector.expected
    assert record.shown == expected.get("non-stabilized weight", expected.get("weight"))
    unit = expected.get("weight unit", expected.get("unit"))
    assert record.unit.value == unit
    if "weighing_mode" in expected:
        assert record.thing is (expected["weighing_mode"] == "object")
    if "stabilized" in expected:
        assert (record.stable, record.removed) == (bool(expected["stabilized"]), bool(expected["weight removed"]))
    assert record.impedance_ohm == expected.get("impedance")


@given(st.builds(
    wire.ScaleMoment, weight_steps=st.integers(0, 0xFFFF), measured_at=st.just(_AT),
    unit=st.sampled_from(wire.ScaleUnit), stable=st.booleans(), removed=st.booleans(),
    impedance_ohm=st.none() | st.integers(0, 0xFFFF),
))  # fmt: skip  # fields by rows
def test_a_simulated_weighing_is_read_back(moment: wire.ScaleMoment) -> None:
    for frame in (wire.scale_frame(moment), wire.body_scale_frame(moment)):
        record = _decoded(frame)
        assert record.weight_kg == moment.weight_steps * _STEPS[moment.unit]
        assert (record.unit.value, record.stable, record.removed) == (moment.unit, moment.stable, moment.removed)
        assert record.sent_at.local_ms == _AT_MS
        assert record.thing is False
        assert record.impedance_ohm == (moment.impedance_ohm if len(frame) == 13 else None)
        if moment.stable and not moment.removed and moment.weight_steps:
            assert abs(_observed_g(record) - record.weight_kg * 1000) <= Decimal("0.5")
        else:
            with pytest.raises(DecodeError) as refused:
                _observed_g(record)
            assert refused.value.reason is DecodeReason.NO_VALUE


def test_a_settled_weight_keeps_the_clock_of_the_scale() -> None:
    record = decode_mi_scale(wire.scale_frame(wire.ScaleMoment(12_350, _AT)))
    seen = observe_mi_scale(record, subject=RESIDENT, device="scale", times=TIMES)
    assert (seen.metric, seen.parts[0].steps, seen.times.device_ms) == ("weight", (61_750,), _AT_MS)
    early = wire.ScaleMoment(12_350, datetime(2015, 1, 1, tzinfo=UTC))
    unset = observe_mi_scale(decode_mi_scale(wire.scale_frame(early)), subject=RESIDENT, device="scale", times=TIMES)
    assert unset.quality.reasons == (QualityReason.DEVICE_CLOCK_UNSET,)


@pytest.mark.parametrize("frame", ["637607e607020e10293a", "0724e607020e10293a0000ce04"])
def test_a_thing_on_the_scale_is_no_weight_of_a_person(frame: str) -> None:
    record = _decoded(bytes.fromhex(frame))
    assert record.thing
    with pytest.raises(DecodeError):
        _observed_g(record)


@pytest.mark.parametrize("frame", ["337233e607020e10293a", "0024e607020e10293a0000f136"])
def test_two_units_or_none_are_refused(frame: str) -> None:
    with pytest.raises(DecodeError) as refused:
        _decoded(bytes.fromhex(frame))
    assert refused.value.reason is DecodeReason.RESERVED_VALUE


def test_a_body_scale_in_jin_weighs_half_kilograms() -> None:
    record = decode_mi_body_scale(bytes.fromhex("0264e607020e10293a0000f136"))
    assert (record.unit, record.shown, record.weight_kg) == (MiScaleUnit.JIN, Decimal("140.65"), Decimal("70.325"))


@given(st.binary(max_size=600))
def test_any_bytes_decode_or_are_refused(frame: bytes) -> None:
    for decode, length in ((decode_mi_scale, 10), (decode_mi_body_scale, 13)):
        with suppress(DecodeError):
            _observed_g(decode(frame[:length]))
        if len(frame) != length:
            with pytest.raises(DecodeError) as refused:
                decode(frame)
            assert refused.value.reason is (DecodeReason.SHORT if len(frame) < length else DecodeReason.TOO_LONG)


@pytest.mark.parametrize("vector", vectors("mi_scale_s400"), ids=name_of)
def test_published_advertisements_of_the_sealed_scale(vector: Vector) -> None:
    key, address = bytes.fromhex(vector.given["key"]), bytes.fromhex(vector.given["address"])
    if "error" in vector.expected:
        with pytest.raises(DecodeError) as refused:
            decode_mi_scale_s400(vector.frame, key=key, address=address)
        assert refused.value.reason is DecodeReason.NO_VALUE
        return
    record = decode_mi_scale_s400(vector.frame, key=key, address=address)
    assert (record.weight_kg or 0) == vector.expected["weight_kg"]
    if "impedance_low_ohm" in vector.expected:
        assert record.impedance_ohm == vector.expected["impedance_low_ohm"]
        assert record.heart_rate_bpm is None


_weighings = st.builds(
    s400.Weighing, hundredths_kg=st.none() | st.integers(0, 20479), heart_bpm=st.none() | st.integers(51, 176),
    tenths_ohm=st.none() | st.integers(0, 16383), profile=st.integers(0, 255), at_s=st.integers(0, 2**32 - 1),
)  # fmt: skip  # fields by rows


@given(_weighings, st.integers(0, 2**32 - 1))
def test_a_simulated_sealed_weighing_is_read_back(weighing: s400.Weighing, counter: int) -> None:
    frame = s400.s400_frame(weighing, counter=counter, key=_KEY, sender=_ADDRESS)
    record = decode_mi_scale_s400(frame, key=_KEY, address=_ADDRESS)
    tenths = (weighing.hundredths_kg or 0) // 10
    assert record.weight_kg == (None if tenths in {0, 2047} else Decimal(tenths) / 10)
    assert record.impedance_ohm == (Decimal(weighing.tenths_ohm) / 10 if weighing.tenths_ohm else None)
    assert (record.profile, record.heart_rate_bpm, record.at_s) == (
        weighing.profile, weighing.heart_bpm, weighing.at_s,
    )  # fmt: skip  # fields by rows


@given(_weighings, st.integers(0, 2**32 - 1))
def test_a_simulated_weighing_of_the_smaller_sealed_scale_is_read_back(weighing: s400.Weighing, counter: int) -> None:
    frame = s400.s200_frame(weighing, counter=counter, key=_KEY, sender=_ADDRESS)
    record = decode_mi_scale_s400(frame, key=_KEY, address=_ADDRESS)
    weighed = Decimal(weighing.hundredths_kg) / 100 if weighing.hundredths_kg else None
    assert record == SealedScale(weighing.profile, weighed, None, None, weighing.at_s)


@pytest.mark.parametrize("weighing", [
    s400.Weighing(20_480), s400.Weighing(None, heart_bpm=49), s400.Weighing(None, heart_bpm=178),
    s400.Weighing(None, tenths_ohm=16_384), s400.Weighing(None, profile=256), s400.Weighing(None, at_s=-1),
])  # fmt: skip  # a table reads by rows
def test_the_simulator_sends_no_weighing_that_has_no_place_in_the_frame(weighing: s400.Weighing) -> None:
    with pytest.raises(NotEncodable):
        s400.s400_frame(weighing, counter=1, key=_KEY, sender=_ADDRESS)


def _sealed(name: int, data: bytes) -> bytes:
    payload = mibeacon.beacon_object(name, data)
    return mibeacon.sealed_beacon(mibeacon.BeaconHead(0x4C04, 9), payload, key=_KEY, sender=_ADDRESS)


def test_the_smaller_sealed_scale_weighs_in_hundredths() -> None:
    frame = _sealed(0x4E16, bytes.fromhex("01511800008a1b1169"))
    record = decode_mi_scale_s400(frame, key=_KEY, address=_ADDRESS)
    assert record == SealedScale(1, Decimal("62.25"), None, None, 0x69111B8A)
    seen = observe_sealed_scale(record, subject=RESIDENT, device="scale", times=TIMES)
    assert (seen.metric, seen.parts[0].steps) == ("weight", (62_250,))


def test_a_packet_without_weight_becomes_no_observation() -> None:
    record = decode_mi_scale_s400(_sealed(0x6E16, bytes(9)), key=_KEY, address=_ADDRESS)
    assert record.settled is False
    with pytest.raises(DecodeError) as refused:
        observe_sealed_scale(record, subject=RESIDENT, device="scale", times=TIMES)
    assert refused.value.reason is DecodeReason.NO_VALUE


def test_a_sealed_advertisement_without_weighing_is_no_value() -> None:
    with pytest.raises(DecodeError) as refused:
        decode_mi_scale_s400(_sealed(0x100A, b"\x40"), key=_KEY, address=_ADDRESS)
    assert refused.value.reason is DecodeReason.NO_VALUE


@pytest.mark.parametrize(
    ("kg", "bpm", "ohm", "settled"),
    [
        ("70", None, None, True), ("70", 72, None, True), (None, None, "500", True), ("70", None, "500", False),
        (None, 72, "500", False), (None, 72, None, False), (None, None, None, False),
    ],
)  # fmt: skip  # a table reads by rows
def test_a_weighing_has_settled_with_its_second_impedance_or_in_shoes(
    kg: str | None, bpm: int | None, ohm: str | None, settled: bool
) -> None:
    record = SealedScale(1, Decimal(kg) if kg else None, bpm, Decimal(ohm) if ohm else None, 0)
    assert record.settled is settled


@given(st.binary(max_size=300), st.binary(max_size=20), st.binary(max_size=8))
def test_any_bytes_of_a_sealed_scale_open_or_are_refused(frame: bytes, key: bytes, address: bytes) -> None:
    with suppress(DecodeError):
        decode_mi_scale_s400(b"\x48\x59\xd5\x3b" + frame, key=key, address=address)


@given(st.integers(0, 9 * 8 - 1), st.sampled_from([0x4E16, 0x6E16]))
def test_any_changed_bit_of_an_opened_weighing_reads_or_is_refused(bit: int, name: int) -> None:
    data = bytearray(bytes.fromhex("01511800008a1b1169"))
    data[bit // 8] ^= 1 << bit % 8
    record = decode_mi_scale_s400(_sealed(name, bytes(data)), key=_KEY, address=_ADDRESS)
    assert (record.profile, record.at_s) == (data[0], int.from_bytes(data[5:], "little"))


@given(_weighings, st.data())
def test_a_sealed_weighing_that_was_changed_or_cut_on_the_way_is_refused(
    weighing: s400.Weighing, data: st.DataObject
) -> None:
    frame = bytearray(s400.s400_frame(weighing, counter=7, key=_KEY, sender=_ADDRESS))
    cut = data.draw(st.integers(0, len(frame) - 1))
    bit = data.draw(st.integers(2 * 8, 8 * len(frame) - 1))
    with pytest.raises(DecodeError):
        decode_mi_scale_s400(bytes(frame[:cut]), key=_KEY, address=_ADDRESS)
    frame[bit // 8] ^= 1 << bit % 8
    with pytest.raises(DecodeError):
        decode_mi_scale_s400(bytes(frame), key=_KEY, address=_ADDRESS)


@given(st.integers(0, 23 * 8 - 1))
def test_any_changed_bit_of_a_weighing_reads_or_is_refused(bit: int) -> None:
    moment = wire.ScaleMoment(12_350, _AT, impedance_ohm=500)
    both = bytearray(wire.scale_frame(moment) + wire.body_scale_frame(moment))
    both[bit // 8] ^= 1 << bit % 8
    with suppress(DecodeError):
        _observed_g(decode_mi_scale(bytes(both[:10])))
    with suppress(DecodeError):
        _observed_g(decode_mi_body_scale(bytes(both[10:])))
