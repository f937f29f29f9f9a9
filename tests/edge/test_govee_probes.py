"""Govee's thermometers with probes: published frames, every form by the simulator's bytes, and empty sockets."""

from contextlib import suppress
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kanhu.edge.codecs.govee import COMPANIES
from kanhu.edge.codecs.govee_probes import SEEN, Probe, decode_govee_probes
from kanhu.edge.errors import DecodeError, DecodeReason
from kanhu.firmware_sim.wire import govee as wire
from tests.edge.vectors import Vector, name_of, vectors

_COUNT = st.integers(0, 0x7FFF)
_TWO, _THREE = st.tuples(_COUNT, _COUNT), st.tuples(_COUNT, _COUNT, _COUNT)
_PAIR = st.sampled_from([0x01, 0x41, 0x81, 0xC1, 0x02, 0x42, 0x82, 0xC2])
_MODELS = st.sampled_from([None, 5055, 5075, 5181, 5182, 5183, 5184, 5185, 5191, 5198])
_PUBLISHED = [one for one in vectors("govee") if int(one.given["kind"].split("0x")[1], 16) not in COMPANIES]


def model_in(vector: Vector) -> int:
    return int(vector.expected["type"][1:])


def degrees(count: int) -> Decimal:
    return Decimal(count) / 100


@pytest.mark.parametrize("vector", _PUBLISHED, ids=name_of)
def test_published_frames(vector: Vector) -> None:
    told = decode_govee_probes(vector.frame, model=model_in(vector))
    compared = 0
    for probe in told.probes:
        for name, value in (
            (f"temperature probe {probe.number}", probe.temperature_c),
            (f"temperature alarm probe {probe.number}", probe.high_alarm_c),
            (f"low temperature alarm probe {probe.number}", probe.low_alarm_c),
        ):
            if name in vector.expected:  # the publisher tells zero for what is not there
                assert (value or Decimal(0)) == Decimal(str(vector.expected[name])), name
                compared += 1
    assert compared == sum("probe" in name for name in vector.expected)
    for name, whole in (("temperature", told.ambient_c), ("battery", told.battery_percent)):
        assert whole == vector.expected.get(name)


def test_the_published_frames_are_of_most_models() -> None:
    assert {model_in(one) for one in _PUBLISHED} == {5055, 5182, 5183, 5184, 5185, 5191, 5198}


@given(_TWO)
def test_simulated_single_probe_is_read_back(probe: tuple[int, int]) -> None:
    told = decode_govee_probes(wire.one_probe_frame(probe), model=5181)
    assert told.probes == (Probe(1, degrees(probe[0]), degrees(probe[1])),)


@given(_PAIR, _TWO, _TWO)
def test_simulated_pairs_are_read_back(group: int, one: tuple[int, int], two: tuple[int, int]) -> None:
    first = 1 if group & 1 else 3
    told = decode_govee_probes(wire.two_probes_frame(group, one, two), model=5184)
    assert told.probes == (
        Probe(first, degrees(one[0]), degrees(one[1])),
        Probe(first + 1, degrees(two[0]), degrees(two[1])),
    )


@given(_PAIR, _THREE, _THREE)
def test_simulated_pairs_with_lower_alarms_are_read_back(
    group: int, one: tuple[int, int, int], two: tuple[int, int, int]
) -> None:
    first = 1 if group & 1 else 3
    frame = wire.four_probes_frame(group, one, two)
    assert decode_govee_probes(frame, model=5198).probes == (
        Probe(first, *map(degrees, one)),
        Probe(first + 1, *map(degrees, two)),
    )
    assert decode_govee_probes(frame, model=5185).probes == (
        Probe(1, degrees(one[0]), degrees(one[1])),
        Probe(2, degrees(two[0]), degrees(two[1])),
    )


@given(_TWO, _COUNT)
def test_simulated_grill_is_read_back(probe: tuple[int, int], ambient: int) -> None:
    told = decode_govee_probes(wire.grill_frame(probe, ambient), model=5191)
    assert told.probes == (Probe(1, degrees(probe[0]), degrees(probe[1])),)
    assert told.ambient_c == degrees(ambient)


@given(st.integers(0, 2), _THREE, _THREE, st.integers(1, 100))
def test_simulated_six_probes_are_read_back_also_without_the_model(
    group: int, one: tuple[int, int, int], two: tuple[int, int, int], charge: int
) -> None:
    told = decode_govee_probes(wire.six_probes_frame(group, one, two, charge))
    assert told.model == 5055
    assert told.battery_percent == charge
    assert told.probes == tuple(
        Probe(1 + 2 * group + more, Decimal(warmth), Decimal(high), Decimal(low))
        for more, (warmth, low, high) in enumerate((one, two))
    )


def test_an_empty_socket_and_an_alarm_that_is_not_set_are_not_told() -> None:
    assert decode_govee_probes(wire.one_probe_frame((-1, -1)), model=5183).probes == (Probe(1, None, None),)
    assert decode_govee_probes(wire.grill_frame((-1, -1), -1), model=5191).ambient_c is None
    six = decode_govee_probes(wire.six_probes_frame(2, (-1, -1, -1), (26, -1, -1), 0))
    assert six.probes == (Probe(5, None), Probe(6, Decimal(26)))
    assert six.battery_percent is None


def test_the_commonest_model_of_its_length_is_taken_where_nobody_says_which() -> None:
    assert decode_govee_probes(wire.one_probe_frame((1, 2))).model == 5183
    assert decode_govee_probes(wire.two_probes_frame(1, (1, 2), (3, 4))).model == 5184
    assert decode_govee_probes(wire.four_probes_frame(1, (1, 2, 3), (4, 5, 6))).model == 5198


def test_a_glued_beacon_is_cut_off() -> None:
    frame = wire.one_probe_frame((2100, 4900))
    assert decode_govee_probes(frame + wire.BEACON, model=5183) == decode_govee_probes(frame, model=5183)


@pytest.mark.parametrize(
    ("frame", "model", "reason"),
    [
        (b"", None, DecodeReason.SHORT),
        (wire.one_probe_frame((1, 2))[:-1], None, DecodeReason.SHORT),
        (wire.one_probe_frame((1, 2))[:-1], 5183, DecodeReason.SHORT),
        (wire.one_probe_frame((1, 2)) + b"\x00", 5183, DecodeReason.TOO_LONG),
        (wire.one_probe_frame((1, 2)) + b"\x00", None, DecodeReason.UNSUPPORTED_VERSION),
        (wire.one_probe_frame((1, 2)), 5075, DecodeReason.UNSUPPORTED_VERSION),
        (bytes([0x83, 1, 0, 1, 2]) + bytes(9), 5183, DecodeReason.NOT_SYNCHRONISED),
        (wire.two_probes_frame(3, (1, 2), (3, 4)), 5184, DecodeReason.RESERVED_VALUE),
        (wire.four_probes_frame(0, (1, 2, 3), (4, 5, 6)), 5198, DecodeReason.RESERVED_VALUE),
        (wire.six_probes_frame(3, (1, 2, 3), (4, 5, 6), 50), 5055, DecodeReason.RESERVED_VALUE),
        (bytes(256), None, DecodeReason.TOO_LONG),
    ],
)
def test_what_is_none_of_its_forms_is_refused(frame: bytes, model: int | None, reason: DecodeReason) -> None:
    with pytest.raises(DecodeError) as refused:
        decode_govee_probes(frame, model=model)
    assert refused.value.reason is reason


_VALID = [
    wire.one_probe_frame((2100, 4900)), wire.two_probes_frame(1, (2100, 4900), (2200, -1)),
    wire.four_probes_frame(2, (2100, 4900, -1), (2200, -1, -1)), wire.grill_frame((2100, 4900), 2800),
    wire.six_probes_frame(1, (26, 20, 60), (25, -1, -1), 60),
]  # fmt: skip  # frames by rows


@given(st.sampled_from(_VALID), st.integers(0, 159), st.integers(0, 20), _MODELS)
def test_cut_and_flipped_frames_decode_or_are_refused(frame: bytes, bit: int, cut: int, model: int | None) -> None:
    flipped = bytearray(frame)
    flipped[bit // 8 % len(frame)] ^= 1 << bit % 8
    for hostile in (bytes(flipped), frame[:cut]):
        with suppress(DecodeError):
            decode_govee_probes(hostile, model=model)


@given(st.sampled_from([b"", b"\x83\x01\x00\x01\x01"]), st.binary(max_size=300), _MODELS)
def test_any_bytes_decode_or_are_refused(head: bytes, rest: bytes, model: int | None) -> None:
    with suppress(DecodeError):
        decode_govee_probes(head + rest, model=model)


def test_every_model_that_was_met_is_decoded() -> None:
    for model in SEEN.values():
        with pytest.raises(DecodeError) as refused:
            decode_govee_probes(b"", model=model)
        assert refused.value.reason is DecodeReason.SHORT
