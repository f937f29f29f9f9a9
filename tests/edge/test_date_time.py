"""A device's own clock on the wire: published layout, hostile bytes, and the simulator's opinion."""

from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kanhu.edge.codecs.date_time import clock_error_s, decode_date_time, encode_current_time, encode_date_time
from kanhu.edge.errors import DecodeError
from kanhu.firmware_sim.wire import current_time, date_time

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_moments = st.datetimes(datetime(1970, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001  # as hypothesis wants them


def test_the_published_layout() -> None:
    # Monday 2 March 2026, 08:30:15.5
    local_ms = (datetime(2026, 3, 2, 8, 30, 15, 500_000, tzinfo=UTC) - _EPOCH) // timedelta(milliseconds=1)
    assert encode_date_time(local_ms) == bytes.fromhex("ea07 03 02 08 1e 0f")
    assert encode_current_time(local_ms) == bytes.fromhex("ea07 03 02 08 1e 0f 01 80 02")


@pytest.mark.parametrize("frame", ["00000000000000", "ea070002081e0f", "ea07031f081e3c", "ea070302191e0f"])
def test_a_clock_that_nobody_set_has_no_time(frame: str) -> None:
    assert decode_date_time(bytes.fromhex(frame)) is None


@given(st.binary(max_size=16))
def test_any_bytes_decode_or_are_refused(frame: bytes) -> None:
    with suppress(DecodeError):
        decode_date_time(frame)


@given(_moments)
def test_the_simulator_means_the_same(moment: datetime) -> None:
    local_ms = (moment - _EPOCH) // timedelta(milliseconds=1)
    assert encode_date_time(local_ms) == date_time(moment)
    assert encode_current_time(local_ms)[:8] == current_time(moment)[:8]
    assert decode_date_time(date_time(moment)) == local_ms // 1000 * 1000


def test_an_error_is_only_what_is_certain() -> None:
    known = (100_000, 104_000)
    assert [clock_error_s(at, known) for at in (90_000, 100_000, 103_000, 104_000, 404_000)] == [-10, 0, 0, 0, 300]
