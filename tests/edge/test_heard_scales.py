"""Scales and pulses that are only heard: what publishers showed, what their simulators say, and any other bytes."""

from collections.abc import Callable
from contextlib import suppress
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kanhu.edge.codecs.heard_pulse import decode_polar, decode_wristband, decode_wristband_steps, decode_xoss
from kanhu.edge.codecs.heard_scales import (
    HeardScale,
    decode_amazfit_scale,
    decode_laica,
    decode_skale,
    decode_xiaogui,
)
from kanhu.edge.codecs.vitafit import Vitafit, decode_vitafit
from kanhu.edge.errors import DecodeError, DecodeReason
from kanhu.firmware_sim.wire.heard_pulse import polar_frame, wristband_frame, xoss_frame
from kanhu.firmware_sim.wire.heard_scales import amazfit_frame, laica_impedance, laica_weight, xiaogui_frame
from kanhu.firmware_sim.wire.vitafit import vitafit_impedance, vitafit_weight

_ADDRESS = bytes.fromhex("A0915EBE2BA0")
_LAICA, _XIAOGUI = 0xA0AC, 0xA3C0
_VALID: list[tuple[Callable[[bytes], object], bytes]] = [
    (decode_amazfit_scale, amazfit_frame(17_060, tenths_ohm=5172, heart_rate_bpm=104, settled=True)),
    (lambda frame: decode_xiaogui(_XIAOGUI, frame), xiaogui_frame(630, tenths_ohm=5003, state=0x21, address=_ADDRESS)),
    (lambda frame: decode_laica(_LAICA, frame), laica_weight(61_230, final=True, address=_ADDRESS)),
    (decode_vitafit, vitafit_weight(8500, settled=True)),
    (decode_polar, polar_frame(70)),
    (decode_xoss, xoss_frame(63, battery_percent=97)),
    (decode_wristband, wristband_frame(125, address=_ADDRESS)),
    (decode_skale, bytes.fromhex("d70400ff")),
    (decode_wristband_steps, bytes.fromhex("ac1e0000")),
]


@pytest.mark.parametrize(
    ("company", "frame", "expected"),
    [
        # custom-components/ble_monitor@5690220: Laica; its weight of 13.0 is rounded, and the final bit is not set
        (0xA0AC, "a02bbe5e91a0a02c92140dbf", HeardScale(Decimal("12.980"), settled=False, address=_ADDRESS)),
    ],
)
def test_a_published_laica_frame_is_opened_and_is_not_final(company: int, frame: str, expected: HeardScale) -> None:
    assert decode_laica(company, bytes.fromhex(frame)) == expected


@pytest.mark.parametrize(
    ("company", "frame", "weight", "settled", "ohm"),
    [
        (0x24C0, "000000000a01245f5a29e5e094", "0.00", False, None),
        (0xA3C0, "0276138b0002215f5a29e5e094", "63.0", True, "500.3"),
    ],
)
def test_published_xiaogui_frames(company: int, frame: str, weight: str, settled: bool, ohm: str | None) -> None:
    scale = decode_xiaogui(company, bytes.fromhex(frame))
    assert (scale.weight_kg, scale.settled) == (Decimal(weight), settled)
    assert scale.impedance_ohm == (None if ohm is None else Decimal(ohm))
    assert scale.address == bytes.fromhex("5F5A29E5E094")


def test_a_published_amazfit_frame() -> None:
    scale = decode_amazfit_scale(bytes.fromhex("ba82e6c7fc3414a442bf46ec68000462bba30100"))
    assert scale == HeardScale(Decimal("85.3"), settled=True, impedance_ohm=Decimal("517.2"), heart_rate_bpm=104)


@pytest.mark.parametrize(
    ("frame", "expected"),
    [
        ("5a0a26100100002121437eaa", Vitafit(Decimal("85.15"), settled=False, impedance_ohm=None)),
        ("5a0a26100200002121340aaa", Vitafit(Decimal("85.00"), settled=True, impedance_ohm=None)),
        ("5a0b261100000000000185b8aa", Vitafit(None, settled=None, impedance_ohm=389)),
    ],
)
def test_published_vitafit_frames(frame: str, expected: Vitafit) -> None:
    assert decode_vitafit(bytes.fromhex(frame)) == expected


def test_a_kitchen_scale_weighs_less_than_nothing_too() -> None:
    assert [decode_skale(bytes.fromhex(frame)) for frame in ("60fcffff", "d70400ff")] == [
        Decimal("-92.8"),
        Decimal("123.9"),
    ]


@given(weight=st.integers(0, 0xFFFF), ohm=st.integers(0, 0xFFFF), pulse=st.integers(0, 255), settled=st.booleans())
def test_an_amazfit_weight_is_read_back_and_told_settled_only_once_it_rests(
    weight: int, ohm: int, pulse: int, settled: bool
) -> None:
    frame = amazfit_frame(weight, tenths_ohm=ohm, heart_rate_bpm=pulse, settled=settled)
    scale = decode_amazfit_scale(frame)
    assert (scale.weight_kg, scale.settled) == (Decimal(weight) / 200, settled)
    assert scale.impedance_ohm == (Decimal(ohm) / 10 if settled else None)
    assert scale.heart_rate_bpm == (pulse or None if settled else None)


@given(grams=st.integers(0, 0x3FFFF), final=st.booleans())
def test_a_laica_weight_is_read_back(grams: int, final: bool) -> None:
    scale = decode_laica(_LAICA, laica_weight(grams, final=final, address=_ADDRESS))
    assert (scale.weight_kg, scale.settled, scale.address) == (Decimal(grams) / 1000, final, _ADDRESS)


def test_a_laica_impedance_is_no_weight() -> None:
    scale = decode_laica(_LAICA, laica_impedance(511, address=_ADDRESS))
    assert (scale.weight_kg, scale.settled, scale.impedance_ohm) == (None, False, Decimal(511))


@pytest.mark.parametrize("place", range(6, 11))
def test_a_changed_byte_of_a_laica_weight_is_found(place: int) -> None:
    frame = bytearray(laica_weight(61_230, final=True, address=_ADDRESS))
    frame[place] ^= 0x04
    with pytest.raises(DecodeError) as refused:
        decode_laica(_LAICA, bytes(frame))
    assert refused.value.reason is DecodeReason.CHECKSUM_WRONG


@given(weight=st.integers(0, 0xFFFF), state=st.sampled_from((0x20, 0x21, 0x24, 0x25)))
def test_a_xiaogui_weight_is_read_back_in_the_step_of_its_model(weight: int, state: int) -> None:
    scale = decode_xiaogui(_XIAOGUI, xiaogui_frame(weight, tenths_ohm=1, state=state, address=_ADDRESS))
    step = Decimal("0.1") if state < 0x24 else Decimal("0.01")
    assert (scale.weight_kg, scale.settled) == (weight * step, bool(state & 1))
    assert scale.packet == 0xA300 | state


@given(weight=st.integers(0, 0xFFFF), settled=st.booleans(), ohm=st.integers(0, 0xFFFF))
def test_vitafit_frames_are_read_back(weight: int, settled: bool, ohm: int) -> None:
    assert decode_vitafit(vitafit_weight(weight, settled=settled)) == Vitafit(
        Decimal(weight) / 100, settled=settled, impedance_ohm=None
    )
    assert decode_vitafit(vitafit_impedance(ohm)).impedance_ohm == (ohm or None)


def test_published_pulses() -> None:
    assert decode_polar(bytes.fromhex("3b164446")).get("heart_rate_bpm") == 70
    xoss = decode_xoss(bytes.fromhex("0161063f"))
    assert (xoss.get("heart_rate_bpm"), xoss.get("battery_percent")) == (Decimal(63), Decimal(97))
    band = decode_wristband(bytes.fromhex("0202017dffffffffffffffffffffffffff02aabbccddeeff"))
    assert (band.get("heart_rate_bpm"), band.address) == (Decimal(125), bytes.fromhex("aabbccddeeff"))
    assert decode_wristband_steps(bytes.fromhex("8d230000")).get("step_count") == 9101


@pytest.mark.parametrize("bpm", [None, 40, 200])
def test_a_wristband_that_is_not_worn_tells_no_rate(bpm: int | None) -> None:
    told = decode_wristband(wristband_frame(bpm, address=_ADDRESS))
    assert told.get("heart_rate_bpm") == bpm
    assert told.address == _ADDRESS


@pytest.mark.parametrize(
    ("call", "reason"),
    [
        (lambda: decode_xiaogui(0x24C1, bytes(13)), DecodeReason.NOT_SYNCHRONISED),
        (lambda: decode_xiaogui(_XIAOGUI, bytes(13)), DecodeReason.RESERVED_VALUE),
        (lambda: decode_laica(0xA1AC, bytes(12)), DecodeReason.NOT_SYNCHRONISED),
        (lambda: decode_vitafit(vitafit_weight(1, settled=True)[:-1]), DecodeReason.SHORT),
        (lambda: decode_vitafit(b"\x5a\x0a\x26\x10\x02\x00\x00\x21\x21\x34\x0b\xaa"), DecodeReason.CHECKSUM_WRONG),
        (lambda: decode_polar(b"\x3b\x16\x44"), DecodeReason.SHORT),
    ],
)
def test_what_is_none_of_these_is_refused_by_name(call: Callable[[], object], reason: DecodeReason) -> None:
    with pytest.raises(DecodeError) as refused:
        call()
    assert refused.value.reason is reason


@pytest.mark.parametrize("place", range(len(_VALID)))
@given(data=st.data())
def test_any_bytes_are_decoded_or_refused(place: int, data: st.DataObject) -> None:
    decode, valid = _VALID[place]
    frame = bytearray(valid)
    frame[data.draw(st.integers(0, len(frame) - 1))] ^= data.draw(st.integers(0, 255))
    for each in (bytes(frame), valid[: data.draw(st.integers(0, len(valid)))], data.draw(st.binary(max_size=40))):
        with suppress(DecodeError):
            decode(each)
