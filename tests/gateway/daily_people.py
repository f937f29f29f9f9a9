"""People with whom something was agreed, on an outbox with a real judge and a clock that moves only when told."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from kanhu.contract import (
    Clock,
    ClockState,
    FakeClock,
    Finding,
    Lane,
    Observation,
    Part,
    Quality,
    Record,
    Subject,
    SubjectKind,
    SystemClock,
    Times,
)
from kanhu.edge.pipeline import SensingPipeline
from kanhu.gateway import Outbox
from kanhu.gateway.committer import Committer
from kanhu.gateway.config import BrokerConfig, ResidentConfig, UplinkConfig
from kanhu.gateway.daily.keeper import KEPT, DailyKeeper
from kanhu.gateway.daily.settings import INACT, InactivityConfig, MedicineConfig, Sign, WellCheckConfig, asked_of
from kanhu.gateway.daily.silence import Silence
from kanhu.gateway.daily.words import Reminder
from kanhu.gateway.device_clocks import DeviceClocks
from kanhu.gateway.intake import Intake
from kanhu.gateway.journal import Journal
from kanhu.gateway.timekeeping import Timekeeper
from kanhu.gateway.uplink import Uplink
from kanhu.vitals import Judge, Runs, core_pack, profile_from_tags

SHANGHAI = ZoneInfo("Asia/Shanghai")
RESIDENT = Subject(SubjectKind.RESIDENT, "r-0003")
DWELLING = Subject(SubjectKind.DWELLING, "home-03")
GOOD = Quality()
ALL_SIGNS = tuple(Sign)


def nobody_asks(state: object) -> None:  # the uplink of these tests is never connected
    raise AssertionError(state)


class Home:
    """One home over days; `at` is local time of 2 March 2026, or of a day after it.

    `known`: the card has known the person for long; else it is a new one.
    """

    def __init__(
        self,
        folder: Path,
        *,
        by: str | None = "08:00",
        signs: Sequence[Sign] = ALL_SIGNS,
        times: Sequence[str] = (),
        zone: ZoneInfo = SHANGHAI,
        start: str = "2026-03-02 05:00",
        state: ClockState = ClockState.SYNCED,
        known: bool = True,
        watched: bool = False,
    ) -> None:
        self.folder = folder
        self.zone = zone
        self.clock = FakeClock(self.instant(start), boot="1" * 32, state=state)
        well = None if by is None else WellCheckConfig(by=by, signs=tuple(signs))
        medicine = MedicineConfig(times=tuple(times)) if times else None
        self.watched = watched
        self.resident = ResidentConfig(id="r-0003", well_check=well, medicine=medicine)
        self.said: list[tuple[str, Reminder]] = []
        self.loudspeaker = True
        self.records: list[Record] = []
        self.boots = 1
        self.begin()
        if known:
            self.outbox.keep_text(KEPT, '{"r-0003":{}}')

    def instant(self, local: str) -> datetime:
        return datetime.fromisoformat(local).replace(tzinfo=self.zone).astimezone(UTC)

    def begin(self) -> None:
        clock: Clock = self.clock
        self.outbox = Outbox.open(self.folder / "outbox.db", clock=clock, max_bytes=1 << 22)
        self.committer = Committer(self.outbox)
        self.journal = Journal(None)
        self.timekeeper = Timekeeper((), clock=clock)
        uplink = Uplink(
            "home-03",
            self.committer,
            broker=BrokerConfig(),
            config=UplinkConfig(),
            heartbeat_s=60,
            clock=SystemClock(),
            status=nobody_asks,  # type: ignore[arg-type]  # it never is
            timekeeper=self.timekeeper,
        )
        clocks = DeviceClocks({}, zone=self.zone)
        self.intake = Intake(
            self.committer, journal=self.journal, uplink=uplink, timekeeper=self.timekeeper, clocks=clocks
        )
        profiles = {"r-0003": profile_from_tags("r-0003", ())}
        pipeline = SensingPipeline(Judge(core_pack(), Runs.GATEWAY, profiles, self.zone), profiles=profiles)
        pipeline.restore(self.outbox.states())
        self.intake.judge_with(pipeline)
        self.keeper = DailyKeeper(
            [self.resident],
            asked=asked_of(core_pack()),
            committer=self.committer,
            timekeeper=self.timekeeper,
            zone=self.zone,
            say=self.say,
            clock=clock,
            silence=self.silence() if self.watched else None,
        )
        self.intake.listeners.append(self.keeper)

    def silence(self) -> Silence:
        return Silence(
            RESIDENT.id,
            InactivityConfig(way_out=("front",)),
            asked=asked_of(core_pack(), INACT),
            committer=self.committer,
            zone=self.zone,
        )

    async def end(self) -> None:
        await self.committer.close()

    async def say(self, reminder: Reminder) -> bool:
        self.said.append((self.local(), reminder))
        return self.loudspeaker

    def local(self) -> str:
        return self.clock.now().astimezone(self.zone).strftime("%d %H:%M")

    async def until(self, local: str, *, every_s: float = 60) -> None:
        """Let time pass, with a look each minute of it."""
        while self.clock.now() < self.instant(local):
            await self.wait(every_s)

    async def wait(self, seconds: float) -> None:
        self.clock.advance(seconds)
        await self.keeper.look(self.intake)

    async def new_card(self) -> None:
        """The outbox is set aside, or the card is another one; the process begins without anything."""
        await self.end()
        for file in self.folder.glob("outbox.db*"):
            file.unlink()
        self.begin()

    async def restart(self) -> None:
        """The process is killed and starts again."""
        await self.end()
        self.begin()

    async def power_cut(self, *, until: str, shows: str | None = None, state: ClockState = ClockState.SYNCED) -> None:
        """Dark until then; afterwards the clock shows that, or something else."""
        await self.end()
        self.clock.advance((self.instant(until) - self.clock.now()) / timedelta(seconds=1))
        if shows is not None:
            self.clock.step_wall((self.instant(shows) - self.clock.now()) / timedelta(seconds=1))
        self.boots += 1
        self.clock.reboot(str(self.boots) * 32)
        self.clock.set_state(state)
        self.begin()
        await self.keeper.look(self.intake)

    async def observe(
        self,
        metric: str,
        step: int,
        *,
        subject: Subject = RESIDENT,
        device: str = "button-03",
        device_ms: int | None = None,
        quality: Quality = GOOD,
    ) -> None:
        """A device says something now; one nanosecond sets two apart."""
        self.clock.advance(1e-9)
        clock = self.clock
        times = Times(clock.wall_ms(), clock.mono_ns(), clock.boot, clock.state(), device_ms)
        await self.intake.accept(Observation(metric, (Part(metric, (step,)),), subject, device, times, quality))

    async def told(self) -> list[tuple[str, str, str]]:
        """Everything owed: metric and steps of observations, rule and phase of findings."""
        found = []
        for lane in (Lane.ALERT, Lane.LIVE):
            for _, record in await self.committer.call(lambda outbox, lane=lane: outbox.batch(lane)):  # type: ignore[misc]  # mypy cannot infer a lambda's default
                if isinstance(record, Finding):
                    found.append((record.rule, record.phase.value, record.priority.value))
                elif isinstance(record, Observation) and record.device == "daily-life":
                    found.append((record.metric, str(record.parts[0].steps[0]), record.subject.id))
        return found

    async def alerts(self) -> list[tuple[str, str, str]]:
        return [one for one in await self.told() if one[0] == "WELL-CHECK"]

    def prompts(self) -> list[str]:
        return [at for at, reminder in self.said if reminder is Reminder.WELL_CHECK]

    def reminders(self) -> list[str]:
        return [at for at, reminder in self.said if reminder is Reminder.MEDICINE]
