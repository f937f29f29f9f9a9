"""The change stream wakes whoever waits, from any thread, and never holds anybody longer than told."""

import asyncio

import pytest

from kanhu.cloud.api.events import starts_after
from kanhu.cloud.stream import ChangeStream


async def test_an_announcement_from_another_thread_wakes_all_who_wait() -> None:
    stream = ChangeStream()
    waiting = [asyncio.create_task(stream.wait(0, timeout_s=30)) for _ in range(3)]
    await asyncio.sleep(0)
    await asyncio.to_thread(stream.announce, 4)
    assert await asyncio.wait_for(asyncio.gather(*waiting), 5) == [4, 4, 4]


async def test_what_was_announced_before_is_not_waited_for() -> None:
    stream = ChangeStream()
    stream.announce(2)
    assert await asyncio.wait_for(stream.wait(1, timeout_s=30), 5) == 2


async def test_a_quiet_stream_returns_in_time_for_its_beat() -> None:
    stream = ChangeStream()
    stream.announce(2)
    assert await asyncio.wait_for(stream.wait(2, timeout_s=0.01), 5) == 2


@pytest.mark.parametrize("junk", ["", "abc", "-1", "1e3", "１", " 7", "0x7"])
def test_a_last_event_id_that_is_no_number_is_as_good_as_none(junk: str) -> None:
    assert starts_after(junk, after=None, newest=9) == 9
    assert starts_after(junk, after=4, newest=9) == 4


def test_a_last_event_id_goes_first_however_long_it_is() -> None:
    assert starts_after("7", after=4, newest=9) == 7
    assert starts_after("9" * 5000, after=4, newest=9) > 9, "from beyond the log: the stream begins with a reset"
