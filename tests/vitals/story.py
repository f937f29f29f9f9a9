"""One home in virtual time: devices report, the judge answers, boxes restart; nobody waits.

Here lives the teller of the stories. Not here: any expectation.
"""

import csv
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

from kanhu.contract import (
    ClockState,
    Context,
    FakeClock,
    Finding,
    Motion,
    Observation,
    Part,
    Quality,
    QualityLevel,
    QualityReason,
    Subject,
    SubjectKind,
    Times,
)
from kanhu.vitals import Decision, DecisionReason, Judge, Profile, RulePack, Runs, core_pack

SHANGHAI = timezone(timedelta(hours=8))
RESIDENT = Subject(SubjectKind.RESIDENT, "r-0003")
DWELLING = Subject(SubjectKind.DWELLING, "home-03")
GOOD = Quality()
ANYHOW = Context()
LOOSE = Quality(QualityLevel.QUESTIONABLE, (QualityReason.WEAK_SIGNAL,))
MOVING = Context(motion=Motion.MOVING)
VECTORS = Path(__file__).parent.parent / "vectors" / "rr"

# 10:00 in Shanghai
MORNING = datetime(2026, 3, 2, 2, 0, tzinfo=UTC)


class Story:
    """Devices of one resident, and the judge of the gateway."""

    def __init__(self, *profiles: Profile, pack: RulePack | None = None, start: datetime = MORNING) -> None:
        self.clock = FakeClock(start, boot="boot-1")
        self.pack = core_pack() if pack is None else pack
        self.profiles = {profile.subject: profile for profile in profiles}
        self.judge = Judge(self.pack, Runs.GATEWAY, self.profiles, SHANGHAI)
        self.findings: list[Finding] = []

    def wait(self, seconds: float) -> None:
        """Let time pass."""
        self.clock.advance(seconds)

    def restart(self) -> None:
        """The process is killed and starts again from what was stored."""
        state = self.judge.state(RESIDENT.id)
        self.judge = Judge(self.pack, Runs.GATEWAY, self.profiles, SHANGHAI)
        self.judge.restore(RESIDENT.id, state)

    def reboot(self, boot: str, *, dark_s: float = 30, clock: ClockState = ClockState.SYNCED) -> None:
        """The box loses power and comes back after `dark_s`."""
        self.clock.advance(dark_s)
        self.clock.reboot(boot)
        self.clock.set_state(clock)
        self.restart()

    def times(self) -> Times:
        """Now, as the gateway stamps it."""
        clock = self.clock
        return Times(clock.wall_ms(), clock.mono_ns(), clock.boot, clock.state())

    def take(self, observation: Observation) -> list[Decision]:
        """Hand one observation to the judge."""
        decisions = self.judge.judge(observation)
        self.findings += [decision.finding for decision in decisions if decision.finding is not None]
        return decisions

    def told(self, rule: str) -> list[Finding]:
        """What one rule found, in order."""
        return [finding for finding in self.findings if finding.rule == rule]

    def oximeter(self, spo2: float, *, quality: Quality = GOOD, context: Context = ANYHOW) -> list[DecisionReason]:
        """A window of ten seconds is read."""
        parts = (Part("spo2", (round(spo2 * 10),)), Part("pulse_oximeter", (720,)))
        return self._answers("SPO2-LOW", self._observed("oximetry", parts, "oximeter-03", quality, context))

    def cuff(self, systolic: float, diastolic: float, *, quality: Quality = GOOD) -> list[DecisionReason]:
        """A cuff reports one measurement."""
        parts = (Part("systolic", (round(systolic * 100),)), Part("diastolic", (round(diastolic * 100),)))
        return self._answers("BP-SEVERE", self._observed("bp", parts, "cuff-03", quality, ANYHOW))

    def press(self, *, value: int = 1, quality: Quality = GOOD) -> list[DecisionReason]:
        """The help button is pressed."""
        parts = (Part("help_button", (value,)),)
        return self._answers("SOS", self._observed("help_button", parts, "button-03", quality, ANYHOW))

    def sensor(self, metric: str, value: int, *, rule: str, quality: Quality = GOOD) -> list[DecisionReason]:
        """A sensor of danger reports."""
        parts = (Part(metric, (value,)),)
        return self._answers(rule, self._observed(metric, parts, "sensor-03", quality, ANYHOW))

    def room(self, celsius: float, *, subject: Subject = DWELLING, quality: Quality = GOOD) -> list[DecisionReason]:
        """A thermometer on the wall reports; answers of both rules about rooms, cold first."""
        parts = (Part("room_temperature", (round(celsius * 100),)),)
        observation = Observation("room_temperature", parts, subject, "room-03", self.times(), quality)
        return [decision.reason for decision in self.take(observation)]

    def well_check(self, step: int, *, quality: Quality = GOOD) -> list[DecisionReason]:
        """The gateway says that the agreed sign did not come (1), or that it came (0)."""
        parts = (Part("well_check", (step,)),)
        return self._answers("WELL-CHECK", self._observed("well_check", parts, "daily-life", quality, ANYHOW))

    def strap(self, heart_rate: int, *, quality: Quality = GOOD, context: Context = ANYHOW) -> list[DecisionReason]:
        """A strap notifies a heart rate without intervals."""
        parts = (Part("heart_rate", (heart_rate,)),)
        return self._answers("HR-EXTREME", self._observed("heart_rhythm", parts, "strap-03", quality, context))

    def strap_for(self, seconds: int, heart_rate: int, *, quality: Quality = GOOD) -> list[DecisionReason]:
        """A strap notifies the same heart rate each second; the last answers count."""
        answers: list[DecisionReason] = []
        for _ in range(seconds):
            self.wait(1)
            answers = self.strap(heart_rate, quality=quality)
        return answers

    def beats(self, intervals_ms: Iterable[int], *, context: Context = ANYHOW) -> list[DecisionReason]:
        """A strap notifies after every beat; all answers of the rule, in order."""
        answers = []
        for interval_ms in intervals_ms:
            self.wait(interval_ms / 1000)
            parts = (Part("heart_rate", (round(60_000 / interval_ms),)), Part("rr_interval", (interval_ms * 128,)))
            observation = self._observed("heart_rhythm", parts, "strap-03", GOOD, context)
            answers += self._answers("RHYTHM", observation)
        return answers

    def _observed(
        self, metric: str, parts: tuple[Part, ...], device: str, quality: Quality, context: Context
    ) -> Observation:
        return Observation(metric, parts, RESIDENT, device, self.times(), quality, context)

    def _answers(self, rule: str, observation: Observation) -> list[DecisionReason]:
        return [decision.reason for decision in self.take(observation) if decision.rule == rule]


def intervals(name: str) -> Sequence[int]:
    """Intervals of a real heart, in milliseconds; tests/vectors/rr/README.md says whose."""
    with (VECTORS / f"{name}.csv").open(newline="") as file:
        return [int(row["rr_ms"]) for row in csv.DictReader(file)]
