"""A device's time by the Elapsed Time Service: read where two sources agree what it means, else unknown."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kanhu.edge.codecs.elapsed_time import ELAPSED_TIME_BYTES, ElapsedTime, decode_elapsed_time
from kanhu.edge.errors import DecodeError, DecodeReason
from kanhu.firmware_sim.wire.ghs import elapsed_time

_UNIX_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EIGHT_2024 = 1_717_488_000_000  # 2024-06-04 08:00, which ets_app.c of STMicroelectronics begins with as 0x2DF18600


@given(
    st.datetimes(datetime(2000, 1, 2), datetime(2200, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001  # zone is given
    st.none() | st.integers(-48, 56).map(lambda quarters: quarters * timedelta(minutes=15)),
    st.binary(max_size=4),
)
def test_a_simulated_time_is_read_back_as_the_local_time_it_shows(
    at: datetime, zone: timedelta | None, before: bytes
) -> None:
    at = at.replace(microsecond=0)
    frame = before + elapsed_time(at, zone=zone)
    time = decode_elapsed_time(frame, len(before))
    assert time.local_ms == (at - _UNIX_EPOCH) // timedelta(milliseconds=1)
    assert time.clock_unset is (at.year < 2021)


@pytest.mark.parametrize(
    ("flags", "zone", "local_ms"),
    [
        (0x20, 0, _EIGHT_2024),
        (0x30, 0, _EIGHT_2024),
        (0x32, 32, _EIGHT_2024 + 8 * 3_600_000),
        (0x32, -19, _EIGHT_2024 - 17_100_000),
        (0x22, 0, None),  # UTC, and nobody says where
        (0x32, 57, None),  # no zone is so far east
        (0x32, -128, None),
        (0x30, 4, None),  # one source adds the zone to a local time, the other has added it
        (0x24, 0, None),  # a part of a second, which they number differently
        (0x28, 0, None),
        (0x00, 0, None),  # counted before the clock was set
        (0x21, 0, None),  # ticks
        (0x60, 0, None),  # a flag of a draft
        (0xA0, 0, None),
    ],
)
def test_a_time_is_read_where_the_sources_agree_and_unknown_elsewhere(
    flags: int, zone: int, local_ms: int | None
) -> None:
    frame = bytes([flags]) + 0x2DF18600.to_bytes(6, "little") + b"\x06" + zone.to_bytes(1, signed=True)
    assert decode_elapsed_time(frame, 0) == ElapsedTime(local_ms)


def test_a_time_before_any_device_in_use_says_that_the_clock_is_unset() -> None:
    assert decode_elapsed_time(b"\x20" + bytes(8), 0) == ElapsedTime(946_684_800_000)
    assert ElapsedTime(946_684_800_000).clock_unset
    assert not ElapsedTime(None).clock_unset


@pytest.mark.parametrize("count", range(ELAPSED_TIME_BYTES))
def test_a_short_time_is_refused(count: int) -> None:
    with pytest.raises(DecodeError) as refused:
        decode_elapsed_time(bytes(count), 0)
    assert refused.value.reason is DecodeReason.SHORT
