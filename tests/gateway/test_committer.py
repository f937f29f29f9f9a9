"""One thread for the card: whoever waits shares a commit, and one failure is nobody else's."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import pytest

from kanhu.contract import FakeClock, Finding, Lane, Record
from kanhu.gateway import Outbox, OutboxFailed, OutboxFull
from kanhu.gateway.committer import Committer
from tests.gateway.records import heart_rate, sos


def open_at(file: Path, *, max_bytes: int = 1 << 22) -> Outbox:
    return Outbox.open(file, clock=FakeClock(), max_bytes=max_bytes)


async def test_waiting_readings_share_a_commit_and_each_learns_its_own_number(tmp_path: Path) -> None:
    outbox = open_at(tmp_path / "outbox.db")
    commits = 0
    accept = outbox.accept

    def counted(*arguments: object, **named: object) -> list[int]:
        nonlocal commits
        commits += 1
        return accept(*arguments, **named)  # type: ignore[arg-type]  # passed through

    outbox.accept = counted  # type: ignore[method-assign]  # counts the transactions
    committer = Committer(outbox)
    answers = await asyncio.gather(*(committer.accept([(Lane.LIVE, heart_rate(number))]) for number in range(50)))
    assert sorted(seq for (seq,) in answers) == list(range(1, 51))
    stored = await committer.call(lambda outbox: dict(outbox.batch(Lane.LIVE)))
    assert [stored[seq] for (seq,) in answers] == [heart_rate(number) for number in range(50)]
    assert commits < 10
    await committer.close()


async def test_a_lone_reading_is_committed_at_once_the_next_waits_for_company_and_an_alert_for_nobody(
    tmp_path: Path,
) -> None:
    committer = Committer(open_at(tmp_path / "outbox.db"), pause_s=3600)
    async with asyncio.timeout(20):
        assert await committer.accept([(Lane.LIVE, heart_rate(1))]) == [1]
        waiting = [asyncio.create_task(committer.accept([(Lane.LIVE, heart_rate(number))])) for number in (2, 3)]
        await committer.call(Outbox.owed)
        assert not any(task.done() for task in waiting)
        assert await committer.accept([(Lane.ALERT, sos(1))]) == [4]
        assert await asyncio.gather(*waiting) == [[2], [3]]
        left = asyncio.create_task(committer.accept([(Lane.LIVE, heart_rate(5))]))
        await committer.call(Outbox.owed)
        assert not left.done()
        await committer.close()
        assert await left == [5], "a stop does not wait for company either"


async def test_who_waits_for_each_answer_is_not_held_up_for_company(tmp_path: Path) -> None:
    """A cuff that empties its memory of a thousand readings would else take a hundred seconds."""
    committer = Committer(open_at(tmp_path / "outbox.db"), pause_s=0.2)
    loop = asyncio.get_running_loop()
    began_s = loop.time()
    for number in range(100):
        await committer.accept([(Lane.LIVE, heart_rate(number))])
    assert loop.time() - began_s < 100 * 0.2 / 2, "one pause shows that nobody else comes"
    for _ in range(100):
        await committer.refuse("strap-03", reason="short")
    await committer.close()


async def fill_with_alerts(committer: Committer) -> None:
    with suppress(OutboxFull):
        for start in range(0, 10_000, 100):
            await committer.accept([(Lane.ALERT, sos(number)) for number in range(start, start + 100)])


async def test_one_too_many_does_not_fail_the_alert_beside_it(tmp_path: Path) -> None:
    outbox = open_at(tmp_path / "outbox.db", max_bytes=64 * 4096)
    committer = Committer(outbox)
    await fill_with_alerts(committer)
    reading, alert = await asyncio.gather(
        committer.accept([(Lane.LIVE, heart_rate(number)) for number in range(500)]),
        committer.accept([(Lane.ALERT, sos(99_999))]),
        return_exceptions=True,
    )
    assert isinstance(reading, OutboxFull)
    assert isinstance(alert, list)
    await committer.close()


async def test_no_state_outruns_a_finding_that_was_not_stored(tmp_path: Path) -> None:
    outbox = open_at(tmp_path / "outbox.db")
    accept = outbox.accept

    def refuses_findings(records: Sequence[tuple[Lane, Record]], **named: object) -> list[int]:
        if any(isinstance(record, Finding) for _, record in records):
            raise OutboxFailed("EIO")
        return accept(records, **named)  # type: ignore[arg-type]  # passed through

    outbox.accept = refuses_findings  # type: ignore[method-assign]  # the card fails now and then
    committer = Committer(outbox)
    await committer.accept([(Lane.LIVE, heart_rate(1))], states={"r-0003": b"before"})
    answers = await asyncio.gather(
        committer.accept([(Lane.ALERT, heart_rate(2)), (Lane.ALERT, sos(2))], states={"r-0003": b"raised"}),
        committer.accept([(Lane.LIVE, heart_rate(3))], states={"r-0003": b"raised before"}),
        committer.accept([(Lane.LIVE, heart_rate(3))], states={"r-0004": b"another person"}),
        return_exceptions=True,
    )
    assert isinstance(answers[0], OutboxFailed)
    assert all(isinstance(answer, list) for answer in answers[1:])
    await committer.accept([(Lane.LIVE, heart_rate(4))], states={"r-0003": b"raised long ago"})
    with pytest.raises(OutboxFailed, match="not stored yet"):  # who has nothing but states is not told that they are
        await committer.accept([], states={"r-0003": b"resumed"})
    await committer.accept([], states={"r-0004": b"another person"})
    assert await committer.states() == {"r-0003": b"before", "r-0004": b"another person"}
    await committer.accept([(Lane.LIVE, heart_rate(5))], states={"r-0003": b"from there on"})
    assert (await committer.states())["r-0003"] == b"from there on"
    await committer.close()


async def test_a_cancelled_caller_does_not_undo_the_commit(tmp_path: Path) -> None:
    committer = Committer(open_at(tmp_path / "outbox.db"))
    waiting = asyncio.create_task(committer.accept([(Lane.LIVE, heart_rate(1))]))
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.wait({waiting})
    await committer.accept([(Lane.LIVE, heart_rate(2))])
    assert (await committer.call(Outbox.owed)).total == 2
    await committer.close()
