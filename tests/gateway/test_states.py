"""Detector states on their way: small, one page at a time, and nothing that is not for this card changes anything."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path

import msgspec
import pytest

from kanhu.contract import (
    Checkpoint,
    FakeClock,
    Lane,
    StateKept,
    StateRefusal,
    StatesAsked,
    StatesGiven,
    StatesKept,
    StatesSent,
    decode_states,
    encode_states,
)
from kanhu.contract.states import StatesMessage, sealed
from kanhu.edge.pipeline import Resumed
from kanhu.gateway import Outbox
from kanhu.gateway.committer import Committer
from kanhu.gateway.states import EVERY_S, RESUMED, SOON_S, StateLane
from kanhu.vitals import Judge, Runs, core_pack
from tests.gateway.broker import Broker
from tests.gateway.county import County
from tests.gateway.records import heart_rate, sos
from tests.gateway.sender import Sender, until

GATEWAY = "home-03"
OLD = "a" * 32
STATE = Judge(core_pack(), Runs.GATEWAY, {}, FakeClock().now().tzinfo or pytest.fail("no zone")).state("r-0003")


class Remembering:
    """A judge that keeps what it is given."""

    def __init__(self) -> None:
        self.given: dict[str, tuple[str, bytes]] = {}
        self.ended: frozenset[str] = frozenset()

    async def resume(
        self, states: Mapping[str, tuple[str, bytes]], *, ended: frozenset[str], unknown: frozenset[str]
    ) -> Resumed:
        self.given |= states
        self.ended |= ended | unknown
        return Resumed({subject: state for subject, (_, state) in states.items()}, {}, {})


class Bench:
    """One outbox with its lane, and a county that says what the test says."""

    def __init__(self, folder: Path) -> None:
        self.clock = FakeClock()
        self.folder = folder
        self.judge = Remembering()
        self.said: list[StatesMessage] = []
        self.speaking: asyncio.Task[None] | None = None
        self.most_bytes = 4096

    async def open(self) -> None:
        self.outbox = Outbox.open(self.folder / "outbox.db", clock=self.clock, max_bytes=1 << 22)
        self.committer = Committer(self.outbox)
        self.lane = StateLane(GATEWAY, self.committer, clock=self.clock)
        self.lane.judged_by(self.judge)
        await self.lane.begin()

    async def say(self, wire: bytes) -> None:
        self.said.append(decode_states(wire))

    def connect(self) -> None:
        self.speaking = asyncio.create_task(self.lane.speak(self.say, most_bytes=lambda: self.most_bytes))

    async def close(self) -> None:
        if self.speaking is not None:
            self.speaking.cancel()
            await asyncio.wait({self.speaking})
        await self.committer.close()

    async def commit(self, *subjects: str, decides: bool = False, number: int = 1) -> None:
        records = [(Lane.LIVE, heart_rate(number))]
        await self.committer.accept(records, states=dict.fromkeys(subjects, STATE))
        self.lane.changed(subjects, decides=decides)

    async def asked(self, count: int = 1) -> StatesAsked:
        await until(lambda: sum(isinstance(one, StatesAsked) for one in self.said) >= count)
        last = self.said[-1]
        assert isinstance(last, StatesAsked)
        return last

    async def sent(self, count: int = 1) -> StatesSent:
        await until(lambda: sum(isinstance(one, StatesSent) for one in self.said) >= count)
        last = self.said[-1]
        assert isinstance(last, StatesSent)
        return last

    async def give(self, *checkpoints: Checkpoint, nonce: str, more: bool = False) -> None:
        epoch = self.committer.epoch
        await self.lane.hear(encode_states(StatesGiven(GATEWAY, epoch, nonce, checkpoints, more=more)))

    async def keep(self, sent: StatesSent, refused: StateRefusal | None = None) -> None:
        answers = tuple(StateKept(one.subject, one.seq, refused) for one in sent.checkpoints)
        await self.lane.hear(encode_states(StatesKept(GATEWAY, sent.epoch, answers)))

    async def settled(self) -> None:
        """The first question of this card is answered: there was none before it."""
        self.connect()
        await self.give(nonce=(await self.asked()).nonce)

    async def pass_time(self, seconds: float) -> None:
        """Let virtual time pass, once all that was due before is done."""
        await until(lambda: self.lane._due_in_s() > 0)  # nothing outside shows it
        self.clock.advance(seconds)
        self.lane._wake.set()  # the clock of a test wakes nobody

    async def notes(self) -> dict[str, int]:
        return await self.committer.call(Outbox.notes)


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    bench = Bench(tmp_path)
    await bench.open()
    yield bench
    await bench.close()


def kept(subject: str = "r-0003", *, gateway: str = GATEWAY, epoch: str = OLD, seq: int = 7) -> Checkpoint:
    return sealed(gateway, Checkpoint(subject, epoch, seq, 1_790_000_000_000, (), STATE, b""))


async def test_a_fresh_card_asks_until_it_is_answered_and_never_again(bench: Bench) -> None:
    bench.connect()
    first = await bench.asked()
    await bench.give(kept(), nonce=first.nonce, more=True)
    second = await bench.asked(2)
    assert (second.after, second.nonce == first.nonce) == ("r-0003", False)
    await bench.give(kept("r-0004"), nonce=second.nonce)
    assert bench.judge.given == dict.fromkeys(("r-0003", "r-0004"), (f"{OLD}:7", STATE))
    assert (await bench.notes())[RESUMED] == 2
    await bench.close()
    await bench.open()
    bench.connect()
    await bench.commit("r-0003")
    assert not [one for one in bench.said[2:] if isinstance(one, StatesAsked)]


async def test_a_card_that_was_in_use_before_there_was_this_lane_asks_nothing(bench: Bench) -> None:
    await bench.commit("r-0003")
    await bench.committer.call(lambda outbox: outbox.keep_text("states", ""))
    await bench.close()
    await bench.open()
    bench.connect()
    assert [one.subject for one in (await bench.sent()).checkpoints] == ["r-0003"]


async def test_a_fresh_card_that_took_readings_before_its_first_connection_still_asks(bench: Bench) -> None:
    await bench.commit("r-0003")
    await bench.close()
    await bench.open()
    bench.connect()
    await bench.asked()


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        (kept(gateway="home-04"), "corrupt"),
        (msgspec.structs.replace(kept(), state=STATE + b"\x00"), "corrupt"),
        (msgspec.structs.replace(kept(), seq=8), "corrupt"),
    ],
)
async def test_a_state_that_is_not_to_the_bit_of_this_gateway_is_refused_and_counted(
    bench: Bench, given: Checkpoint, reason: str
) -> None:
    bench.connect()
    asked = await bench.asked()
    await bench.give(given, kept("r-0004"), nonce=asked.nonce)
    assert list(bench.judge.given) == ["r-0004"]
    assert (await bench.notes())[f"states_refused_{reason}"] == 1


async def test_an_answer_to_no_question_or_to_another_card_changes_nothing(bench: Bench) -> None:
    bench.connect()
    asked = await bench.asked()
    hear = bench.lane.hear
    await hear(encode_states(StatesGiven(GATEWAY, OLD, asked.nonce, (kept(),))))
    await hear(encode_states(StatesGiven("home-04", bench.committer.epoch, asked.nonce, (kept(gateway="home-04"),))))
    await bench.give(kept(), nonce="another")
    await hear(b"KS\x02\x00nonsense")
    await hear(encode_states(asked))
    assert bench.judge.given == {}
    await bench.give(kept(), nonce=asked.nonce)
    await bench.give(kept("r-0004"), nonce=asked.nonce)  # the same answer, replayed
    assert list(bench.judge.given) == ["r-0003"]
    notes = await bench.notes()
    assert {name: notes[name] for name in notes if name.startswith("states_refused_")} == {
        "states_refused_foreign": 5,
        "states_refused_unknown_version": 1,
    }


async def test_what_changed_goes_up_once_a_day_and_only_that(bench: Bench) -> None:
    await bench.settled()
    await bench.commit("r-0003", "r-0004")
    await bench.pass_time(EVERY_S)
    first = await bench.sent()
    assert [one.subject for one in first.checkpoints] == ["r-0003", "r-0004"]
    assert {(one.epoch, one.seq) for one in first.checkpoints} == {(bench.committer.epoch, 1)}
    await bench.keep(first)
    await bench.commit("r-0004", number=2)
    await bench.pass_time(EVERY_S)
    assert [one.subject for one in (await bench.sent(2)).checkpoints] == ["r-0004"]


async def test_a_change_that_decides_a_finding_goes_up_within_minutes(bench: Bench) -> None:
    await bench.settled()
    await bench.commit("r-0003")
    await bench.commit("r-0004", decides=True, number=2)
    await bench.pass_time(SOON_S / 2)
    await bench.pass_time(SOON_S / 2)
    assert [one.subject for one in (await bench.sent()).checkpoints] == ["r-0004"]


async def test_a_stop_sends_what_changed_and_waits_for_the_answer(bench: Bench) -> None:
    await bench.settled()
    await bench.commit("r-0003")
    await bench.pass_time(0)
    bench.lane.finish()
    idle = asyncio.create_task(bench.lane.idle())
    sent = await bench.sent()
    assert not idle.done()
    await bench.keep(sent)
    await asyncio.wait_for(idle, 10)


async def test_a_slow_link_gets_one_state_at_a_time(bench: Bench) -> None:
    bench.most_bytes = 1
    await bench.settled()
    await bench.commit("r-0003", "r-0004")
    await bench.pass_time(EVERY_S)
    first = await bench.sent()
    assert len(first.checkpoints) == 1
    await bench.keep(first)
    assert len((await bench.sent(2)).checkpoints) == 1


@pytest.mark.parametrize("page", [1, 2])
async def test_what_changes_while_pages_are_under_way_is_sent_again(bench: Bench, page: int) -> None:
    bench.most_bytes = 1
    await bench.settled()
    await bench.commit("r-0003", "r-0004", decides=True)
    await bench.pass_time(SOON_S)
    sent = await bench.sent()
    changed = "r-0003" if page == 1 else "r-0004"
    await bench.commit(changed, decides=True, number=2)
    await bench.keep(sent)
    await bench.keep(await bench.sent(2))
    await bench.pass_time(SOON_S)
    again = await bench.sent(3)
    assert [(one.subject, one.seq) for one in again.checkpoints] == [(changed, 2)]
    await bench.keep(again)
    bench.lane.finish()
    await asyncio.wait_for(bench.lane.idle(), 10)
    assert sum(isinstance(one, StatesSent) for one in bench.said) == 3


async def test_what_the_county_refuses_is_counted_and_not_sent_for_ever(bench: Bench) -> None:
    await bench.settled()
    await bench.commit("r-0003")
    await bench.pass_time(EVERY_S)
    await bench.keep(await bench.sent(), StateRefusal.OLDER)
    await until(lambda: "states_refused_by_county_older" in bench.outbox.notes())
    bench.lane.finish()
    await asyncio.wait_for(bench.lane.idle(), 10)
    assert sum(isinstance(one, StatesSent) for one in bench.said) == 1


@pytest.mark.broker
async def test_states_wait_for_a_connection_and_until_no_alert_is_owed(
    broker: Broker, sender: Callable[..., Sender]
) -> None:
    gateway = sender(broker.port)
    async with County(broker.port, answers=False) as county:
        await gateway.accept([sos(1)], lane=Lane.ALERT)
        saying = asyncio.create_task(gateway.uplink.say_state(b"state"))
        gateway.start()
        await until(lambda: county.stored)
        await asyncio.sleep(0)
        assert county.states == []
        assert not saying.done()
        county.answers = True
        await county.send_receipt(GATEWAY, gateway.epoch)
        await until(lambda: county.states == [b"state"])
        await asyncio.wait_for(saying, 10)


@pytest.mark.broker
async def test_what_comes_on_the_lane_of_states_is_no_receipt(broker: Broker, sender: Callable[..., Sender]) -> None:
    gateway = sender(broker.port)
    heard: list[bytes] = []
    gateway.uplink.answers.on_states = heard.append
    async with County(broker.port) as county:
        gateway.start()
        await gateway.accept([heart_rate(1)])
        await gateway.settled()
        await county.publish_state(GATEWAY, b"nonsense")
        await until(lambda: heard == [b"nonsense"])
    assert "bad_receipts" not in gateway.uplink.notes.values
