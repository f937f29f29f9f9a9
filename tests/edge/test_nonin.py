"""Nonin oximeters: live packets, seconds, spot checks, what of them is a reading, and the streams they come in."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kanhu.contract import Observation, QualityLevel, QualityReason
from kanhu.edge.codecs import nonin, nonin_seconds, nonin_values
from kanhu.edge.codecs.nonin_frames import NoninPacketFraming, NoninSecondFraming, NoninSpotCheckFraming
from kanhu.edge.errors import DecodeError, DecodeReason
from kanhu.firmware_sim.wire import nonin as wire
from tests.edge.readings import RESIDENT, TIMES
from tests.edge.vectors import vectors

_FLAT = [0] * 25
_NOON = datetime(2026, 3, 4, 12, 30, 15, tzinfo=UTC)
_PACKET = wire.packet_2(wire.Values(), _FLAT)
_SPOT = wire.spot_check(wire.Values(smartpoint=True), at=_NOON)
_pulse = st.integers(1, 510)
_spo2 = st.integers(1, 100)
_flag = st.booleans()
_values = st.builds(
    wire.Values, _pulse, _spo2, _pulse, _spo2, _pulse, _spo2, _pulse, _spo2, _spo2, _spo2,
    st.integers(0, 127), st.integers(0, 0x3FFF), _flag, _flag,
)  # fmt: skip
_statuses = st.builds(wire.Status, _flag, _flag, _flag, _flag, _flag, _flag)


def told(packet: nonin.NoninPacket) -> wire.Values:
    return wire.Values(
        packet.pulse_bpm or 0, packet.spo2_percent or 0, packet.pulse_display_bpm or 0,
        packet.spo2_display_percent or 0, packet.pulse_extended_bpm or 0, packet.spo2_extended_percent or 0,
        packet.pulse_extended_display_bpm or 0, packet.spo2_extended_display_percent or 0,
        packet.spo2_fast_percent or 0, packet.spo2_beat_percent or 0,
        packet.revision, packet.timer, packet.smartpoint, packet.low_battery,
    )  # fmt: skip


def reason_of(frame: bytes, decode: object = nonin.decode_nonin_packet) -> DecodeReason:
    assert callable(decode)
    with pytest.raises(DecodeError) as refused:
        decode(frame)
    return refused.value.reason


def test_the_published_frames_and_packet_are_read_and_the_wrong_checksum_is_refused() -> None:
    four, wrong, packet = (vector.frame for vector in vectors("nonin"))
    frames = [nonin.decode_nonin_frame(four[at : at + 5]) for at in range(0, len(four), 5)]
    assert [frame.value for frame in frames] == [0, 72, 97, 48]
    assert [frame.sync for frame in frames] == [True, False, False, False]
    assert reason_of(wrong[5:], nonin.decode_nonin_frame) is DecodeReason.CHECKSUM_WRONG
    assert told(nonin.decode_nonin_packet(packet)) == wire.Values()


@given(_values, _statuses, st.lists(st.integers(0, 255), min_size=25, max_size=25))
def test_simulated_packets_of_format_2_are_read_back(
    values: wire.Values, status: wire.Status, pleth: list[int]
) -> None:
    packet = nonin.decode_nonin_packet(wire.packet_2(values, pleth, status))
    assert told(packet) == values
    assert [frame.pleth for frame in packet.frames] == pleth
    first = packet.frames[0]
    assert status == wire.Status(
        first.artifact, first.out_of_track, first.sensor_alarm, first.sensor_disconnected, first.red_perfusion,
        first.green_perfusion,
    )  # fmt: skip


@given(_values, st.lists(st.integers(0, 0xFFFF), min_size=25, max_size=25))
def test_simulated_packets_of_format_7_are_read_back(values: wire.Values, pleth: list[int]) -> None:
    packet = nonin.decode_nonin_packet_7(wire.packet_7(values, pleth))
    assert told(packet) == values
    assert [frame.pleth for frame in packet.frames] == pleth


@given(_values, _statuses)
def test_simulated_seconds_are_read_back(values: wire.Values, status: wire.Status) -> None:
    second = nonin_seconds.decode_nonin_second(wire.second_8(values, status))
    assert (second.pulse_bpm, second.spo2_percent) == (values.pulse_bpm, values.spo2_percent)
    assert (second.sensor_alarm, second.smartpoint, second.low_battery) == (
        status.sensor_alarm,
        values.smartpoint,
        values.low_battery,
    )
    assert (second.artifact, second.out_of_track) == (status.artifact, status.out_of_track)
    assert second.sensor_disconnected == status.sensor_disconnected
    assert second.low_perfusion == (status.red and not status.green)
    assert second.marginal_perfusion == (status.red and status.green)
    old = nonin_seconds.decode_nonin_second(wire.second_1(values.pulse_bpm, values.spo2_percent, status))
    assert old == replace(second, sensor_alarm=None, smartpoint=None, low_battery=None)


@given(_values, st.datetimes(datetime(2000, 1, 1), datetime(2099, 12, 31)), _flag, _flag)  # noqa: DTZ001  # a clock without zone
def test_simulated_spot_checks_are_read_back(values: wire.Values, at: datetime, memory: bool, nothing: bool) -> None:
    sent = wire.spot_check(values, at=at, from_memory=memory, no_measurement=nothing)
    check = nonin_seconds.decode_nonin_spot_check(sent)
    seconds = at.replace(microsecond=0, tzinfo=UTC).timestamp()
    assert check == nonin_seconds.NoninSpotCheck(
        values.pulse_bpm,
        values.spo2_percent,
        int(seconds) * 1000,
        values.smartpoint,
        nothing,
        memory,
        values.low_battery,
    )


@pytest.mark.parametrize("pulse", [127, 128, 255, 256, 321])
def test_a_pulse_has_nine_bits(pulse: int) -> None:
    values = wire.Values(pulse_bpm=pulse)
    assert nonin.decode_nonin_packet(wire.packet_2(values, _FLAT)).pulse_bpm == pulse
    assert nonin_seconds.decode_nonin_second(wire.second_8(values)).pulse_bpm == pulse


@pytest.mark.parametrize(("pulse", "spo2"), [(511, 127), (0, 0), (511, 101)])
def test_values_that_are_none_are_absent_and_no_reading(pulse: int, spo2: int) -> None:
    values = wire.Values(pulse_bpm=pulse, spo2_percent=spo2, smartpoint=True)
    packet = nonin.decode_nonin_packet(wire.packet_2(values, _FLAT))
    second = nonin_seconds.decode_nonin_second(wire.second_8(values))
    check = nonin_seconds.decode_nonin_spot_check(wire.spot_check(values, at=_NOON))
    for record in (packet, second, check):
        assert (record.pulse_bpm, record.spo2_percent) == (None, None)
    observers: list[Callable[[], Observation]] = [
        lambda: nonin_values.observe_nonin(packet, subject=RESIDENT, device="o", times=TIMES),
        lambda: nonin_values.observe_nonin(second, subject=RESIDENT, device="o", times=TIMES),
        lambda: nonin_seconds.observe_nonin_spot_check(check, subject=RESIDENT, device="o", times=TIMES),
    ]
    for observe in observers:
        with pytest.raises(DecodeError) as refused:
            observe()
        assert refused.value.reason is DecodeReason.NO_VALUE


def test_a_pulse_of_more_than_nine_bits_in_a_spot_check_is_none() -> None:
    data = bytearray(_SPOT)
    data[16] += 2
    data[-2] = (data[-2] + 2) & 0xFF
    assert nonin_seconds.decode_nonin_spot_check(bytes(data)).pulse_bpm is None


@pytest.mark.parametrize(
    ("status", "reasons"),
    [
        (wire.STEADY, ()),
        (wire.Status(green=True), ()),
        (wire.Status(green=True, red=True), ()),
        (wire.Status(red=True), (QualityReason.LOW_PERFUSION,)),
        (wire.Status(artifact=True), (QualityReason.UNSTABLE,)),
        (wire.Status(out_of_track=True), (QualityReason.SEARCHING,)),
    ],
)
def test_what_the_device_doubts_is_questionable_and_says_why(
    status: wire.Status, reasons: tuple[QualityReason, ...]
) -> None:
    packet = nonin.decode_nonin_packet(wire.packet_2(wire.Values(), _FLAT, status))
    second = nonin_seconds.decode_nonin_second(wire.second_8(wire.Values(), status))
    for reading in (
        nonin_values.observe_nonin(packet, subject=RESIDENT, device="o", times=TIMES),
        nonin_values.observe_nonin(second, subject=RESIDENT, device="o", times=TIMES),
    ):
        assert reading.quality.reasons == reasons
        assert reading.quality.level is (QualityLevel.QUESTIONABLE if reasons else QualityLevel.OK)
        assert [reading.value("spo2"), reading.value("pulse_oximeter")] == [Decimal(97), Decimal(72)]


@pytest.mark.parametrize("status", [wire.Status(sensor_alarm=True), wire.Status(sensor_disconnected=True)])
def test_values_kept_after_the_finger_left_are_no_reading(status: wire.Status) -> None:
    packet = nonin.decode_nonin_packet(wire.packet_2(wire.Values(), _FLAT, status))
    second = nonin_seconds.decode_nonin_second(wire.second_8(wire.Values(), status))
    observers: list[Callable[[], Observation]] = [
        lambda: nonin_values.observe_nonin(packet, subject=RESIDENT, device="o", times=TIMES),
        lambda: nonin_values.observe_nonin(second, subject=RESIDENT, device="o", times=TIMES),
    ]
    for observe in observers:
        with pytest.raises(DecodeError) as refused:
            observe()
        assert refused.value.reason is DecodeReason.NO_CONTACT


def test_a_spot_check_carries_the_time_of_the_device_and_its_judgement() -> None:
    check = nonin_seconds.decode_nonin_spot_check(_SPOT)
    reading = nonin_seconds.observe_nonin_spot_check(check, subject=RESIDENT, device="o", times=TIMES)
    assert reading.times.device_ms == int(_NOON.timestamp()) * 1000
    assert reading.quality.level is QualityLevel.OK
    loose = nonin_seconds.observe_nonin_spot_check(
        replace(check, smartpoint=False), subject=RESIDENT, device="o", times=TIMES
    )
    assert loose.quality.reasons == (QualityReason.UNSTABLE,)
    with pytest.raises(DecodeError, match="no_value"):
        nonin_seconds.observe_nonin_spot_check(
            replace(check, no_measurement=True), subject=RESIDENT, device="o", times=TIMES
        )


@pytest.mark.parametrize("month", ["00", "13", "0a"])
def test_a_spot_check_at_no_moment_has_no_time(month: str) -> None:
    data = bytes.fromhex(f"2026{month}04123015000200004800610000"[:28])
    frame = nonin_seconds.SPOT_CHECK_HEAD + b"\0\x0e" + data + bytes([sum(data) & 0xFF, 3])
    assert nonin_seconds.decode_nonin_spot_check(frame).measured_at_ms is None


def test_data_that_later_devices_add_to_a_spot_check_is_left_unread() -> None:
    data = _SPOT[6:20] + b"\x01\x02"
    longer = nonin_seconds.SPOT_CHECK_HEAD + b"\0\x10" + data + bytes([sum(data) & 0xFF, 3])
    assert nonin_seconds.decode_nonin_spot_check(longer) == nonin_seconds.decode_nonin_spot_check(_SPOT)


@pytest.mark.parametrize(
    ("frame", "reason"),
    [
        (_PACKET[:-1], DecodeReason.SHORT),
        (_PACKET + b"\0", DecodeReason.TOO_LONG),
        (_PACKET[5:] + _PACKET[:5], DecodeReason.NOT_SYNCHRONISED),
        (_PACKET[:5] * 2 + _PACKET[10:], DecodeReason.NOT_SYNCHRONISED),
        (_PACKET[:-1] + b"\0", DecodeReason.CHECKSUM_WRONG),
        (b"\x02\x81\0\0\x83" + _PACKET[5:], DecodeReason.NOT_SYNCHRONISED),
        (b"\x01\x01\0\0\x02" + _PACKET[5:], DecodeReason.NOT_SYNCHRONISED),
    ],
)
def test_a_packet_that_is_none_is_refused_by_name(frame: bytes, reason: DecodeReason) -> None:
    assert reason_of(frame) is reason


_DECODERS = [
    nonin.decode_nonin_frame, nonin.decode_nonin_frame_7, nonin.decode_nonin_packet, nonin.decode_nonin_packet_7,
    nonin_seconds.decode_nonin_second, nonin_seconds.decode_nonin_spot_check,
]  # fmt: skip


@given(st.binary(max_size=160), st.sampled_from(_DECODERS))
def test_any_bytes_are_refused_or_decoded(frame: bytes, decode: object) -> None:
    assert callable(decode)
    with suppress(DecodeError):
        decode(frame)


@given(st.sampled_from([(_PACKET, _DECODERS[2]), (wire.packet_7(wire.Values(), _FLAT), _DECODERS[3])]), st.data())
def test_a_packet_cut_short_or_with_a_flipped_bit_is_refused(pair: tuple[bytes, object], data: st.DataObject) -> None:
    packet, decode = pair
    assert reason_of(packet[: data.draw(st.integers(0, len(packet) - 1))], decode)
    bit = data.draw(st.integers(0, 8 * len(packet) - 1))
    flipped = bytearray(packet)
    flipped[bit // 8] ^= 1 << bit % 8
    assert reason_of(bytes(flipped), decode)


@given(st.data())
def test_a_spot_check_cut_short_or_with_a_flipped_bit_is_refused(data: st.DataObject) -> None:
    decode = nonin_seconds.decode_nonin_spot_check
    assert reason_of(_SPOT[: data.draw(st.integers(0, len(_SPOT) - 1))], decode)
    bit = data.draw(st.integers(0, 8 * len(_SPOT) - 1))
    flipped = bytearray(_SPOT)
    flipped[bit // 8] ^= 1 << bit % 8
    assert reason_of(bytes(flipped), decode)


def cut(framing: object, stream: bytes, step: int) -> list[bytes]:
    assert isinstance(framing, NoninPacketFraming | NoninSecondFraming | NoninSpotCheckFraming)
    found = [one for at in range(0, len(stream), step) for one in framing.feed(stream[at : at + step])]
    return found + (framing.end() or [])


_packets = st.lists(st.builds(wire.packet_2, _values, st.just(_FLAT), _statuses), max_size=4)


@given(_packets, st.integers(1, 200), st.binary(max_size=30).filter(lambda noise: 1 not in noise))
def test_packets_in_any_pieces_are_the_same_packets(sent: list[bytes], step: int, noise: bytes) -> None:
    framing = NoninPacketFraming(status_at=1)
    assert cut(framing, noise + b"".join(sent), step) == sent
    assert framing.bad_bytes == len(noise)


@given(st.integers(1, 200), st.integers(0, 124))
def test_a_lost_byte_costs_its_packet_and_never_the_next(step: int, lost: int) -> None:
    for status_at, packet in ((1, _PACKET), (0, wire.packet_7(wire.Values(), list(range(300, 325))))):
        framing = NoninPacketFraming(status_at=status_at)
        assert cut(framing, packet[:lost] + packet[lost + 1 :] + packet * 2, step) == [packet] * 2
        assert framing.bad_bytes == 124


@given(st.binary(max_size=700), st.integers(1, 50))
def test_every_byte_belongs_to_a_frame_or_is_counted(stream: bytes, step: int) -> None:
    for framing in (
        NoninPacketFraming(status_at=0),
        NoninPacketFraming(status_at=1),
        NoninSecondFraming(),
        NoninSecondFraming(second_bytes=3),
        NoninSpotCheckFraming(),
    ):
        found = cut(framing, stream, step)
        assert sum(map(len, found)) + framing.bad_bytes == len(stream)


@given(st.lists(st.builds(wire.second_8, _values, _statuses), max_size=9), st.integers(1, 9))
def test_seconds_in_any_pieces_are_the_same_seconds(sent: list[bytes], step: int) -> None:
    framing = NoninSecondFraming()
    assert cut(framing, b"\x01\x02" + _cut_second(sent) + b"".join(sent), step) == sent
    assert framing.bad_bytes == 2 + len(_cut_second(sent))


def _cut_second(sent: list[bytes]) -> bytes:
    """A second whose end was lost; the next one tells."""
    return sent[0][:3] if sent else b""


def test_a_length_of_seconds_that_no_format_has_is_refused() -> None:
    with pytest.raises(ValueError, match="5 bytes"):
        NoninSecondFraming(second_bytes=5)


@given(st.integers(1, 60), st.sampled_from([b"\0", b"\0\x02\0", _SPOT[:-1] + b"\x04", _SPOT[:-2] + b"\0\x03"]))
def test_spot_checks_are_found_again_behind_what_is_none(step: int, wrong: bytes) -> None:
    framing = NoninSpotCheckFraming()
    assert cut(framing, wrong + _SPOT * 2, step) == [_SPOT] * 2
    assert framing.bad_bytes == len(wrong)
