"""A card is replaced in the middle of a story: the next one goes on from what the county kept, over what is unmeasured.

In the stories gateway and county are whole but for the network between them, which is a method call, and the clock is
the test's. The last test is the way itself: real programs, a real broker, certificates.
"""

import asyncio
import shutil
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, closing
from datetime import timedelta, timezone
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from kanhu.cloud.desk.model import ActResult, Outcome
from kanhu.cloud.ingest.door import Message
from kanhu.contract import (
    Envelope,
    FakeClock,
    Lane,
    Observation,
    Part,
    StatesAsked,
    Subject,
    SubjectKind,
    SystemClock,
    Times,
    decode_states,
    encode_envelope,
)
from kanhu.edge.pipeline import SensingPipeline
from kanhu.gateway import Outbox, OutboxError, load_config
from kanhu.gateway.committer import Committer
from kanhu.gateway.config import BrokerConfig, UplinkConfig
from kanhu.gateway.device_clocks import DeviceClocks
from kanhu.gateway.doctor import examine
from kanhu.gateway.intake import Intake
from kanhu.gateway.journal import Journal
from kanhu.gateway.states import RESUMED, StateLane
from kanhu.gateway.timekeeping import Timekeeper
from kanhu.gateway.uplink import Uplink
from kanhu.harness.prove.gatehouse_rig import Rig, rig
from kanhu.vitals import Judge, Runs, core_pack
from tests.cloud.town import COUNTY, Town, heartbeat, only
from tests.gateway.records import heart_rate
from tests.gateway.sender import until
from tests.vitals.story import intervals

GATEWAY = "home-01"
RESIDENT = Subject(SubjectKind.RESIDENT, "r-0001")
DAY_S = 86_400
WINDOWS = intervals("afdb_06995_fibrillation")[:400]
"""Three windows of an irregular pulse."""
BEATS_A_NOTICE = 8


Fresh = Callable[[], Awaitable["Card"]]


class Card:
    """One card in the box: its outbox, its judge, and its way to the county."""

    def __init__(self, town: Town, folder: Path) -> None:
        folder.mkdir()
        self.town = town
        self.clock = town.clock
        self.outbox = Outbox.open(folder / "outbox.db", clock=self.clock, max_bytes=1 << 22)
        self.committer = Committer(self.outbox)
        self.journal = Journal(None)
        timekeeper = Timekeeper((), clock=self.clock)
        uplink = Uplink(
            GATEWAY,
            self.committer,
            broker=BrokerConfig(),
            config=UplinkConfig(),
            heartbeat_s=60,
            clock=self.clock,
            status=lambda _: pytest.fail("nobody asks"),
            timekeeper=timekeeper,
        )
        clocks = DeviceClocks({}, zone=ZoneInfo("Asia/Shanghai"))
        self.intake = Intake(self.committer, journal=self.journal, uplink=uplink, timekeeper=timekeeper, clocks=clocks)
        judge = Judge(core_pack(), Runs.GATEWAY, {}, timezone(timedelta(hours=8)))
        self.intake.judge_with(SensingPipeline(judge, profiles={}))
        self.lane = StateLane(GATEWAY, self.committer, clock=self.clock)
        self.lane.judged_by(self.intake)
        self.intake.on_states = lambda judged, decides: self.lane.changed(judged.states, decides=decides)
        self.answers = True
        self.bytes: list[int] = []
        self._speaking: asyncio.Task[None] | None = None

    async def say(self, wire: bytes) -> None:
        """What the broker would carry; a county that keeps no states answers nothing."""
        self.bytes.append(len(wire))
        if isinstance(decode_states(wire), StatesAsked) and not self.answers:
            return
        message = Message(f"kanhu/v1/up/{GATEWAY}/state", wire, retained=False)
        for answer in self.town.answers(message).states:
            self.bytes.append(len(answer.wire))
            await self.lane.hear(answer.wire)

    async def connect(self) -> None:
        """Heartbeat, then the lane of states."""
        self.town.deliver(heartbeat(GATEWAY, self.clock.wall_ms(), epoch=self.outbox.epoch))
        self._speaking = asyncio.create_task(self.lane.speak(self.say, most_bytes=lambda: 4096))
        if self.answers:
            await until(lambda: self.outbox.text("states") == "own")

    async def deliver(self) -> None:
        """Everything owed reaches the county."""
        for lane in (Lane.ALERT, Lane.LIVE):
            rows = await self.committer.call(lambda outbox, lane=lane: outbox.batch(lane))  # type: ignore[misc]  # mypy cannot infer a lambda's default
            if rows:
                body = encode_envelope(Envelope(GATEWAY, self.outbox.epoch, tuple(rows)))
                self.town.deliver(Message(f"kanhu/v1/up/{GATEWAY}/{lane.value}", body, retained=False))
                await self.committer.call(
                    lambda outbox, seqs=[seq for seq, _ in rows]: outbox.quarantine(seqs, reason="not_encodable")  # type: ignore[misc]  # the same
                )

    async def keep(self) -> None:
        """What a clean stop does: all that changed is sent, and answered."""
        self.lane.finish()
        await asyncio.wait_for(self.lane.idle(), 10)

    async def die(self) -> None:
        """The card is taken out: nothing more is said."""
        if self._speaking is not None:
            self._speaking.cancel()
            await asyncio.wait({self._speaking})
            self._speaking = None
            await self.committer.close()

    async def take(self, metric: str, *parts: Part, device: str, subject: Subject = RESIDENT) -> None:
        clock = self.clock
        times = Times(clock.wall_ms(), clock.mono_ns(), clock.boot, clock.state())
        await self.intake.accept(Observation(metric, parts, subject, device, times))

    async def irregular(self) -> None:
        """A strap reports an irregular pulse for as long as three windows take."""
        for at in range(0, len(WINDOWS), BEATS_A_NOTICE):
            beats = WINDOWS[at : at + BEATS_A_NOTICE]
            self.clock.advance(sum(beats) / 1000)
            rate = Part("heart_rate", (round(60_000 * len(beats) / sum(beats)),))
            intervals_part = Part("rr_interval", tuple(128 * beat for beat in beats))
            await self.take("heart_rhythm", rate, intervals_part, device="strap-01")

    async def oxygen(self, percent: int, *, times: int = 1, subject: Subject = RESIDENT) -> None:
        """An oximeter reports a value each minute."""
        parts = (Part("spo2", (10 * percent,)), Part("pulse_oximeter", (720,)))
        for _ in range(times):
            await self.take("oximetry", *parts, device="oxi-01", subject=subject)
            self.clock.advance(60)


@pytest.fixture
def town(tmp_path: Path) -> Town:
    town = Town(tmp_path / "county", FakeClock())
    town.connected()
    return town


@pytest.fixture
async def card(town: Town, tmp_path: Path) -> AsyncIterator[Fresh]:
    """Return a function that puts a fresh card into the box, which boots with it."""
    async with AsyncExitStack() as cards:
        count = 0

        async def make() -> Card:
            nonlocal count
            count += 1
            town.clock.reboot(f"{count:032x}")
            made = Card(town, tmp_path / f"card-{count}")
            cards.push_async_callback(made.die)
            await made.lane.begin()
            return made

        yield make


def rules_on_board(town: Town) -> list[str]:
    return sorted(row.rule for row in town.board())


@pytest.mark.parametrize("county_answers", [True, False], ids=["restored", "broken: no restore"])
async def test_two_days_of_an_irregular_pulse_end_in_their_finding_on_two_cards(
    town: Town, card: Fresh, *, county_answers: bool
) -> None:
    first = await card()
    await first.connect()
    await first.irregular()
    await first.deliver()
    await first.keep()
    await first.die()
    town.clock.advance(DAY_S)
    second = await card()
    second.answers = county_answers
    await second.connect()
    await second.irregular()
    await second.deliver()
    assert rules_on_board(town) == (["RHYTHM"] if county_answers else [])
    assert second.outbox.notes().get(RESUMED) == (1 if county_answers else None)


async def test_readings_before_the_answer_count_as_well(town: Town, card: Fresh) -> None:
    first = await card()
    await first.connect()
    await first.irregular()
    await first.keep()
    await first.die()
    town.clock.advance(DAY_S)
    second = await card()
    await second.irregular()  # there is no link yet
    assert rules_on_board(town) == []
    await second.connect()
    await second.irregular()
    await second.deliver()
    assert rules_on_board(town) == ["RHYTHM"]


async def _low_oxygen_then_another_card(town: Town, card: Fresh) -> Card:
    first = await card()
    await first.connect()
    await first.oxygen(84, times=3)
    await first.deliver()
    assert rules_on_board(town) == ["SPO2-LOW"]
    await first.keep()
    await first.die()
    town.clock.advance(600)
    return await card()


async def test_a_finding_that_was_open_is_still_open_is_not_doubled_and_ends_by_its_own_end(
    town: Town, card: Fresh
) -> None:
    second = await _low_oxygen_then_another_card(town, card)
    await second.connect()
    row = only(town.board())
    await second.oxygen(84, times=3)
    await second.deliver()
    assert only(town.board()).id == row.id
    await second.oxygen(97, times=12)
    await second.deliver()
    state = town.state(row.id)
    assert state is not None
    assert state.condition.value == "absent"


async def test_a_finding_that_somebody_closed_meanwhile_is_not_raised_again(town: Town, card: Fresh) -> None:
    second = await _low_oxygen_then_another_card(town, card)
    desk, row = town.county.services.desk, only(town.board())
    desk.claim(COUNTY, row.id, key="claim")
    assert desk.close(COUNTY, row.id, outcome=Outcome.TRUE_ACTION, note="", key="close") is ActResult.DONE
    await second.connect()
    await second.oxygen(84, times=3)
    await second.deliver()
    assert town.board() == ()


async def test_a_finding_that_never_reached_the_county_is_raised_anew(town: Town, card: Fresh) -> None:
    first = await card()
    await first.connect()
    await first.oxygen(84, times=3)  # and its alert is lost with the card
    await first.keep()
    await first.die()
    town.clock.advance(600)
    second = await card()
    await second.connect()
    await second.oxygen(84, times=3)
    await second.deliver()
    assert rules_on_board(town) == ["SPO2-LOW"]


async def test_states_of_thirty_people_are_small(town: Town, card: Fresh) -> None:
    first = await card()
    await first.connect()
    await first.irregular()
    for number in range(1, 31):
        subject = Subject(SubjectKind.RESIDENT, f"r-{number:04}")
        await first.oxygen(81 + number % 5, times=3, subject=subject)
        pressure = (Part("systolic", (18_400,)), Part("diastolic", (11_200,)))
        await first.take("bp", *pressure, device="cuff-01", subject=subject)
    raw = sum(map(len, first.outbox.states().values()))
    first.bytes.clear()
    await first.keep()
    sent = sum(first.bytes)
    assert max(first.bytes) <= 4096
    assert sent <= 8 * 1024, f"{sent} bytes for thirty people, {raw} before compression"


async def _gateway(config: Path, *words: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "kanhu.gateway.cli", *words, "--config", str(config),
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip  # a command line reads as a line


async def _enrol(county: Rig, config: Path) -> None:
    text = await county.command("gateway", "invite", GATEWAY)
    enrolling = await _gateway(config, "enrol", "--token", text)
    said, _ = await enrolling.communicate()
    assert enrolling.returncode == 0, said.decode()


async def _run_until(config: Path, holds: Callable[[], bool]) -> None:
    running = await _gateway(config, "run")
    try:
        await until(holds, within_s=90)
    finally:
        running.terminate()
        said, _ = await running.communicate()
    assert running.returncode == 0, said.decode()


def _noted(file: Path) -> dict[str, int]:
    if not file.exists():
        return {}
    try:
        outbox = Outbox.look(file, clock=SystemClock(), max_bytes=1 << 22)
    except OutboxError:  # it is being made
        return {}
    try:
        return outbox.notes()
    finally:
        outbox.close()


@pytest.mark.broker
@pytest.mark.timeout(300)
async def test_a_card_enrolled_anew_gets_the_states_of_the_one_before_over_its_certificate(tmp_path: Path) -> None:
    (tmp_path / "county").mkdir()
    box = tmp_path / "box" / "outbox.db"
    judge = Judge(core_pack(), Runs.GATEWAY, {}, timezone(timedelta(hours=8)))
    async with rig(tmp_path / "county", "embedded", broken=None) as county:
        config = tmp_path / "gateway.toml"
        config.write_text(
            f'gateway = "{GATEWAY}"\ndata = "box"\ntimezone = "Asia/Shanghai"\n[broker]\nhost = "localhost"\n'
            f"port = {county.broker_port}\ntls = true\n",
            encoding="utf-8",
        )
        await _enrol(county, config)
        with closing(Outbox.open(box, clock=SystemClock(), max_bytes=1 << 22)) as outbox:
            outbox.accept([(Lane.LIVE, heart_rate(1))], states={"r-0001": judge.state("r-0001")})
        await _run_until(config, lambda: bool(county.rows("SELECT 1 FROM checkpoint WHERE subject = 'r-0001'")))
        shutil.rmtree(box.parent)
        await _enrol(county, config)
        await _run_until(config, lambda: _noted(box).get(RESUMED) == 1)
    with closing(Outbox.look(box, clock=SystemClock(), max_bytes=1 << 22)) as outbox:
        assert "r-0001" in outbox.states()
    checks = {check.name: check for check in await examine(load_config(config), clock=SystemClock())}
    assert "went on from those of 1 people" in checks["states"].found
