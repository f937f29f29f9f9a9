"""NMEA 0183: what pynmea2 shows, positions in both halves of the world, and lines that are none."""

from contextlib import suppress
from datetime import UTC, date, datetime, time
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kanhu.edge.codecs.nmea import decode_nmea, is_valid, position_of
from kanhu.edge.errors import DecodeError, DecodeReason
from kanhu.firmware_sim.wire.nmea import nmea, rmc

# Knio/pynmea2@13e309b
_RMC = b"$GPRMC,225446,A,4916.45,N,12311.12,W,000.5,054.7,191194,020.3,E*68"
_GLL = b"$GPGLL,4916.45,N,12311.12,W,225444,A,*1D"
_GST = b"$GPGST,172814.0,0.006,0.023,0.020,273.6,0.023,0.020,0.031*6A"


def test_published_sentences() -> None:
    found = decode_nmea(_RMC)
    assert (found.talker, found.type, is_valid(found)) == ("GP", "RMC", True)
    assert (found.time(0), found.date(8)) == (time(22, 54, 46, tzinfo=UTC), date(1994, 11, 19))
    position = position_of(found)
    assert position is not None
    assert float(position.latitude) == pytest.approx(49.274166666666666)
    assert float(position.longitude) == pytest.approx(-123.18533333333333)
    assert position.at == datetime(1994, 11, 19, 22, 54, 46, tzinfo=UTC)
    assert is_valid(decode_nmea(_GLL)) is True
    assert decode_nmea(_GST).number(4) == Decimal("273.6")


@pytest.mark.parametrize("half", ["N", "S"])
@given(degrees=st.integers(0, 89), minutes=st.integers(0, 59_999_999))
def test_a_position_is_read_back(half: str, degrees: int, minutes: int) -> None:
    wire = f"{degrees:02d}{minutes // 1_000_000:02d}.{minutes % 1_000_000:06d}"
    line = rmc("010203", valid=True, latitude=(wire, half), longitude=("10530.000000", "E"), ddmmyy="010326")
    position = position_of(decode_nmea(line))
    assert position is not None
    sign = 1 if half == "N" else -1
    assert position.latitude == sign * (degrees + Decimal(minutes) / 1_000_000 / 60)
    assert position.longitude == Decimal("105.5")


def test_a_receiver_that_does_not_stand_by_it_and_a_line_without_a_checksum_have_no_position() -> None:
    lost = rmc("010203", valid=False, latitude=("3030.0", "N"), longitude=("10530.0", "E"), ddmmyy="010326")
    assert position_of(decode_nmea(lost)) is None
    assert position_of(decode_nmea(_RMC.partition(b"*")[0])) is None
    assert position_of(decode_nmea(nmea("GNGGA", ["010203", "3030.0", "N", "10530.0", "E", "0", "0"]))) is None
    assert position_of(decode_nmea(nmea("BDGGA", ["010203", "3030.0", "N", "10530.0", "E", "1", "7"]))) is not None


@pytest.mark.parametrize(
    ("latitude", "half"), [("9100.0", "N"), ("3030.0", "X"), ("-3030.0", "N"), ("", "N"), ("1e9", "N"), ("nan", "N")]
)
def test_a_place_that_is_none_is_no_position(latitude: str, half: str) -> None:
    line = rmc("010203", valid=True, latitude=(latitude, half), longitude=("10530.0", "E"), ddmmyy="010326")
    assert position_of(decode_nmea(line)) is None


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (_RMC[:-2] + b"69", DecodeReason.CHECKSUM_WRONG),
        (_RMC.replace(b"4916.45", b"4916.46"), DecodeReason.CHECKSUM_WRONG),
        (_RMC[:-2], DecodeReason.NOT_SYNCHRONISED),
        (b"", DecodeReason.NOT_SYNCHRONISED),
        (b"$GP,1", DecodeReason.NOT_SYNCHRONISED),
        (b"\xff\xfe$", DecodeReason.NOT_SYNCHRONISED),
        (b"$GPRMC," + b"9" * 600, DecodeReason.TOO_LONG),
    ],
)
def test_a_line_that_is_none_is_refused_by_name(line: bytes, reason: DecodeReason) -> None:
    with pytest.raises(DecodeError) as refused:
        decode_nmea(line)
    assert refused.value.reason is reason


@pytest.mark.parametrize("text", ["240000", "126000", "1234", "12345a", "123456.x", "９９9999"])
def test_a_time_that_is_none_is_no_time(text: str) -> None:
    sentence = decode_nmea(nmea("GPZDA", [text.encode("ascii", "ignore").decode() or "x"]))
    assert sentence.time(0) is None


def test_a_fraction_of_a_second_is_kept() -> None:
    assert decode_nmea(nmea("GPZDA", ["123456.25"])).time(0) == time(12, 34, 56, 250_000, tzinfo=UTC)


@given(fields=st.lists(st.text(st.characters(codec="ascii", exclude_characters="*,\r\n"), max_size=14), max_size=20))
def test_any_fields_are_read_without_complaint(fields: list[str]) -> None:
    sentence = decode_nmea(nmea("GPRMC", fields))
    assert sentence.fields == (tuple(fields) if fields else ())
    position_of(sentence)
    for place in range(20):
        sentence.number(place)
        sentence.date(place)


@given(frame=st.binary(max_size=120))
def test_any_bytes_are_decoded_or_refused(frame: bytes) -> None:
    with suppress(DecodeError):
        decode_nmea(frame)
