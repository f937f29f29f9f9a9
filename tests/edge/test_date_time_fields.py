"""Date Time field by field: unknown parts stay unknown, and an impossible time spoils no reading."""

from contextlib import suppress
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kanhu.edge.codecs.date_time import decode_date_time
from kanhu.edge.codecs.date_time_fields import DateTimeFields, date_time_fields_as_sent, decode_date_time_fields
from kanhu.edge.errors import DecodeError, DecodeReason
from kanhu.firmware_sim.wire.date_time import date_time
from tests.edge.vectors import Vector, name_of, vectors


@pytest.mark.parametrize("vector", vectors("date_time_fields"), ids=name_of)
def test_published_times(vector: Vector) -> None:
    assert decode_date_time_fields(vector.frame) == DateTimeFields(**vector.expected)


@given(st.datetimes(datetime(1582, 1, 1), datetime(9999, 12, 31)))  # noqa: DTZ001  # a device's time has no zone
def test_a_simulated_time_is_read_back(at: datetime) -> None:
    fields = decode_date_time_fields(date_time(at))
    assert fields == DateTimeFields(at.year, at.month, at.day, at.hour, at.minute, at.second)
    assert fields.local_ms == int(at.replace(tzinfo=UTC, microsecond=0).timestamp()) * 1000
    assert fields.clock_unset is (at.year < 2021)


@given(st.binary(min_size=7, max_size=9))
def test_the_moment_is_the_one_that_the_other_decoder_tells(frame: bytes) -> None:
    assert date_time_fields_as_sent(frame, 0).local_ms == decode_date_time(frame)


def test_a_year_month_or_day_of_zero_is_unknown() -> None:
    fields = decode_date_time_fields(bytes.fromhex("0000000014293b"))
    assert fields == DateTimeFields(None, None, None, 20, 41, 59)
    assert fields.local_ms is None
    assert fields.clock_unset


@pytest.mark.parametrize(
    "impossible",
    ["2d06040114293b", "ea070d01000000", "ea070c20000000", "ea070c01180000", "ea070c01003c00", "ea070c0100003c"],
)
def test_a_field_outside_its_range_is_refused_alone_and_kept_in_a_measurement(impossible: str) -> None:
    frame = bytes.fromhex(impossible)
    with pytest.raises(DecodeError) as refused:
        decode_date_time_fields(frame)
    assert refused.value.reason is DecodeReason.RESERVED_VALUE
    assert date_time_fields_as_sent(b"\x00" + frame, 1).clock_unset


@given(st.binary(max_size=12), st.integers(-1, 8))
def test_any_bytes_decode_or_are_refused(frame: bytes, offset: int) -> None:
    with suppress(DecodeError):
        decode_date_time_fields(frame)
    if offset < 0 or offset + 7 > len(frame):
        with pytest.raises(DecodeError) as refused:
            date_time_fields_as_sent(frame, offset)
        assert refused.value.reason is DecodeReason.SHORT
