"""NMEA 0183: sentences, what of them is a measured position, and the stream they come in."""

from contextlib import suppress
from datetime import UTC, date, datetime, time
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kanhu.edge.codecs.nmea import MOST_BYTES, decode_nmea, decode_nmea_fix
from kanhu.edge.codecs.nmea_frames import NmeaFraming
from kanhu.edge.codecs.nmea_layouts import LAYOUTS
from kanhu.edge.errors import DecodeError, DecodeReason
from kanhu.firmware_sim.wire import nmea as wire
from tests.edge.vectors import Vector, name_of, vectors

_GLL = b"$GPGLL,4916.45,N,12311.12,W,225444,A,*1D"
_STEPS = 60 * 10_000
_moments = st.datetimes(datetime(1980, 1, 1), datetime(2079, 12, 31)).map(  # noqa: DTZ001  # a zone follows
    lambda at: at.replace(microsecond=at.microsecond // 10_000 * 10_000, tzinfo=UTC)
)
_north = st.integers(-90 * _STEPS, 90 * _STEPS)
_east = st.integers(-180 * _STEPS, 180 * _STEPS)
_words = st.text("ABCDEFNSWE0123456789.-", max_size=8)
_sentences = st.builds(
    lambda kind, fields: wire.sentence(f"GN{kind}", *fields),
    st.sampled_from(sorted(LAYOUTS)),
    st.lists(_words, max_size=20),
)


def reason_of(line: bytes) -> DecodeReason:
    with pytest.raises(DecodeError) as refused:
        decode_nmea(line)
    return refused.value.reason


def valid(*fields: str) -> bool | None:
    return decode_nmea(wire.sentence(*fields)).valid


@pytest.mark.parametrize("vector", vectors("nmea"), ids=name_of)
def test_published_sentences(vector: Vector) -> None:
    sentence = decode_nmea(vector.frame)
    told = {
        **sentence.values,
        "talker": sentence.talker,
        "is_valid": sentence.valid,
        "latitude": sentence.latitude_deg,
        "longitude": sentence.longitude_deg,
    }
    clocks = {
        "time(hour=17, minute=28, second=14, UTC)": time(17, 28, 14, tzinfo=UTC),
        "time(hour=22, minute=54, second=46, UTC)": time(22, 54, 46, tzinfo=UTC),
        "date(1994, 11, 19)": date(1994, 11, 19),
        "datetime(1994, 11, 19, 22, 54, 46, UTC)": datetime(1994, 11, 19, 22, 54, 46, tzinfo=UTC),
    }
    for name, value in vector.expected.items():
        found = sentence.measured_at if name == "datetime" else told[name]
        if name in {"latitude", "longitude"}:
            assert isinstance(found, Decimal)
            assert abs(found - value) < Decimal("1e-12")
        else:
            assert found == (clocks.get(value, value))


@given(_moments, _north, _east, st.integers(0, 90_000))
def test_simulated_fixes_are_read_back(at: datetime, north: int, east: int, altitude: int) -> None:
    fix = decode_nmea_fix(wire.rmc(at, latitude=north, longitude=east))
    assert (fix.measured_at, fix.time_of_day, fix.altitude_m) == (at, at.timetz(), None)
    assert abs(fix.latitude_deg * _STEPS - north) < Decimal("1e-9")
    assert abs(fix.longitude_deg * _STEPS - east) < Decimal("1e-9")
    higher = decode_nmea_fix(wire.gga(at, latitude=north, longitude=east, altitude_dm=altitude))
    assert higher.altitude_m == Decimal(altitude) / 10
    assert (higher.latitude_deg, higher.longitude_deg) == (fix.latitude_deg, fix.longitude_deg)
    assert (higher.measured_at, higher.time_of_day) == (None, at.timetz())


@given(st.binary(max_size=300))
def test_any_bytes_are_refused_or_decoded(line: bytes) -> None:
    for decode in (decode_nmea, decode_nmea_fix):
        with suppress(DecodeError):
            decode(line)


@given(_sentences)
def test_any_sound_sentence_is_refused_or_decoded(line: bytes) -> None:
    with suppress(DecodeError):
        sentence = decode_nmea(line)
        assert sentence.checked
        assert sentence.valid in {True, False, None}
        assert sentence.measured_at is None or sentence.day is not None


@given(st.data())
def test_a_flipped_bit_is_refused_or_leaves_a_sentence_without_checksum(data: st.DataObject) -> None:
    flipped = bytearray(_GLL)
    bit = data.draw(st.integers(0, 8 * len(_GLL) - 1))
    flipped[bit // 8] ^= 1 << bit % 8
    with suppress(DecodeError):
        sentence = decode_nmea(bytes(flipped))
        # The dollar is not summed, hexadecimal digits have two cases, and a star that was lost is no checksum.
        assert not sentence.checked or bytes(flipped[1:]).upper() == _GLL[1:]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"", DecodeReason.NOT_SYNCHRONISED),
        (b"$", DecodeReason.NOT_SYNCHRONISED),
        (b"$GPGLL,\xe4*00", DecodeReason.NOT_SYNCHRONISED),
        (b"$GPGLL,a\nb", DecodeReason.NOT_SYNCHRONISED),
        (_GLL[:-2] + b"1E", DecodeReason.CHECKSUM_WRONG),
        (b"$GPTXT," + b"A" * MOST_BYTES, DecodeReason.TOO_LONG),
        (wire.sentence("GPGST", "172860"), DecodeReason.RESERVED_VALUE),
        (wire.sentence("GPGST", "17"), DecodeReason.RESERVED_VALUE),
        (wire.sentence("GPGST", "", "1e5"), DecodeReason.RESERVED_VALUE),
        (wire.sentence("GPGGA", "", "", "", "", "", "1.5"), DecodeReason.RESERVED_VALUE),
        (wire.sentence("GPRMC", "", "A", "", "", "", "", "", "", "310226"), DecodeReason.RESERVED_VALUE),
        (wire.sentence("GPRMC", "", "A", "", "", "", "", "", "", "1"), DecodeReason.RESERVED_VALUE),
        (wire.sentence("GPZDA", "", "32", "1", "2026"), DecodeReason.RESERVED_VALUE),
        (wire.sentence("GPGLL", "4960.00", "N"), DecodeReason.RESERVED_VALUE),
        (wire.sentence("GPGLL", "9000.01", "N"), DecodeReason.RESERVED_VALUE),
        (wire.sentence("GPGLL", "4916.45", "E"), DecodeReason.RESERVED_VALUE),
        (wire.sentence("GPGLL", "4916.45", ""), DecodeReason.RESERVED_VALUE),
        (wire.sentence("GPGLL", "", "", "18000.01", "W"), DecodeReason.RESERVED_VALUE),
    ],
)
def test_a_line_that_is_none_is_refused_by_name(line: bytes, reason: DecodeReason) -> None:
    assert reason_of(line) is reason


def test_a_sentence_without_checksum_is_told_as_such_and_is_no_fix() -> None:
    assert not decode_nmea(_GLL[:-3]).checked
    with pytest.raises(DecodeError, match="checksum_wrong"):
        decode_nmea_fix(_GLL[:-3])
    assert decode_nmea_fix(_GLL).time_of_day == time(22, 54, 44, tzinfo=UTC)


@pytest.mark.parametrize("quality", [0, 6, 7, 8])
def test_a_position_estimated_typed_in_or_simulated_is_no_fix(quality: int) -> None:
    at = datetime(2026, 1, 1, tzinfo=UTC)
    with pytest.raises(DecodeError, match="no_value"):
        decode_nmea_fix(wire.gga(at, latitude=1, longitude=1, quality=quality))


@pytest.mark.parametrize(("status", "mode"), [("V", "A"), ("A", "N"), ("A", "S"), ("A", "E"), ("A", "M")])
def test_a_receiver_that_warns_has_no_fix(status: str, mode: str) -> None:
    at = datetime(2026, 1, 1, tzinfo=UTC)
    with pytest.raises(DecodeError, match="no_value"):
        decode_nmea_fix(wire.rmc(at, latitude=1, longitude=1, valid=status, mode=mode))


def test_a_valid_sentence_without_a_position_is_no_fix() -> None:
    for line in (wire.sentence("GPGLL", "", "", "", "", "", "A"), wire.sentence("GPHDT", "1.0", "T")):
        with pytest.raises(DecodeError):
            decode_nmea_fix(line)


def test_each_type_says_in_its_own_way_whether_it_is_valid() -> None:
    assert [valid("GPGSA", "A", mode) for mode in "123"] == [False, True, True]
    assert [valid("GPGGA", "", "", "", "", "", quality) for quality in ("", "0", "1", "5")] == [
        False,
        False,
        True,
        True,
    ]
    assert [valid("GNGNS", "", "", "", "", "", mode) for mode in ("", "NN", "NA", "D")] == [False, False, True, True]
    assert valid("XXVBW", "1.2", "3.4", "A", "5.6", "7.8", "A")
    assert not valid("XXVBW", "1.2", "3.4", "A", "5.6", "7.8", "V")
    assert valid("GNRMC", *["", "A", *[""] * 9], "A", "V") is False
    assert valid("GNRMC", *["", "A", *[""] * 9], "A", "S") is True
    assert valid("IIMWV", "271.0", "R", "000.2", "N", "A")
    assert valid("GPGST") is None


def test_offsets_of_a_datum_are_no_position() -> None:
    sentence = decode_nmea(b"$GPDTM,999,CH95,0.08,N,0.07,E,-47.7,W84*1C")
    assert (sentence.latitude_deg, sentence.values["lat"]) == (None, "0.08")


def test_date_and_time_stand_together_in_zda() -> None:
    sentence = decode_nmea(wire.sentence("GPZDA", "010203.05", "06", "07", "2008", "-08", "30"))
    assert sentence.measured_at == datetime(2008, 7, 6, 1, 2, 3, 50_000, tzinfo=UTC)
    assert (sentence.values["local_zone"], sentence.values["local_zone_minutes"]) == (-8, 30)
    assert decode_nmea(wire.sentence("GPZDA", "010203")).measured_at is None


def test_years_of_two_digits_begin_in_1980() -> None:
    years = {text: decode_nmea(wire.sentence("GPRMC", *[""] * 8, f"0101{text}")).day for text in ("79", "80")}
    assert years == {"79": date(2079, 1, 1), "80": date(1980, 1, 1)}


def test_questions_and_sentences_of_makers_are_told_apart() -> None:
    assert decode_nmea(wire.sentence("CCGPQ", "GGA")).asked == ("GP", "GGA")
    own = decode_nmea(wire.sentence("PGRME", "15.0", "M"))
    assert (own.talker, own.type, own.fields, own.values, own.asked) == ("P", "GRME", ("15.0", "M"), {}, None)
    assert decode_nmea(wire.sentence("PRMC", "x")).valid is None


@pytest.mark.parametrize("kind", sorted(LAYOUTS))
def test_a_makers_own_sentence_named_like_a_common_one_says_nothing_of_a_fix(kind: str) -> None:
    line = wire.sentence(f"P{kind}", "1")
    assert (decode_nmea(line).values, decode_nmea(line).valid) == ({}, None)
    with pytest.raises(DecodeError, match="reserved_value"):
        decode_nmea_fix(line)


def test_a_makers_own_sentence_asks_nothing() -> None:
    assert decode_nmea(wire.sentence("PGPQ", "GGA")).asked is None


def test_a_type_that_no_layout_names_keeps_its_fields() -> None:
    assert decode_nmea(wire.sentence("GPXYZ", "1", "", "2")).fields == ("1", "", "2")


def cut(stream: bytes, step: int) -> tuple[list[bytes], int]:
    framing = NmeaFraming()
    found = [line for at in range(0, len(stream), step) for line in framing.feed(stream[at : at + step])]
    return found + framing.end(), framing.bad_bytes


@given(
    st.lists(_sentences, max_size=6), st.integers(1, 90), st.binary(max_size=20).filter(lambda noise: b"$" not in noise)
)
def test_sentences_in_any_pieces_are_the_same_sentences(sent: list[bytes], step: int, noise: bytes) -> None:
    assert cut(noise + b"".join(sent), step) == (sent, len(noise))


@given(st.binary(max_size=600), st.integers(1, 90))
def test_every_byte_belongs_to_a_sentence_or_is_counted(stream: bytes, step: int) -> None:
    found, bad_bytes = cut(stream, step)
    assert sum(map(len, found)) + bad_bytes == len(stream)


@pytest.mark.parametrize(
    "wrong", [b"$GPGLL,4916", b"$GPGLL,A*00\r\n", b"$GPGLL,A\r\n", b"$", b"$" + b"A" * MOST_BYTES, b"$\xff\n"]
)
@pytest.mark.parametrize("step", [1, 7, 500])
def test_the_next_sentence_is_not_lost_behind_a_broken_one(wrong: bytes, step: int) -> None:
    assert cut(wrong + _GLL + b"\r\n", step) == ([_GLL + b"\r\n"], len(wrong))


@given(st.binary(max_size=900))
def test_no_more_than_one_sentence_is_held(stream: bytes) -> None:
    framing = NmeaFraming()
    found = framing.feed(b"$" + stream)
    assert 1 + len(stream) - framing.bad_bytes - sum(map(len, found)) < MOST_BYTES


@pytest.mark.parametrize("step", [1, 1000])
def test_a_sentence_longer_than_the_longest_is_none_in_any_pieces(step: int) -> None:
    longest = wire.sentence("GNTXT", "A" * (MOST_BYTES - 12))
    assert cut(longest, step) == ([longest], 0)
    longer = wire.sentence("GNTXT", "A" * (MOST_BYTES - 11))
    assert cut(longer + _GLL + b"\r\n", step) == ([_GLL + b"\r\n"], len(longer))
