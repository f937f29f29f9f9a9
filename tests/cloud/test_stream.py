"""The change stream wakes whoever waits, from any thread, and never holds anybody longer than told."""

import asyncio

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
