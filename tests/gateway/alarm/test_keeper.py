"""The alarm, told as stories on a fake clock: nobody confirms a call for help."""

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from kanhu.contract import AlarmStatus, Alone, Finding, Lane, Phase, Priority
from kanhu.contract.actions import ACTED_LOCALLY, ActionOutcome
from kanhu.gateway import Outbox, OutboxFailed
from kanhu.gateway.alarm import ladder
from kanhu.gateway.alarm.acting import Acknowledgement, Message, Result
from kanhu.gateway.alarm.book import Alarm, Channel
from tests.gateway.alarm.ways import FAILED, WELL, Bench, ToldWay, actions_of
from tests.gateway.records import heart_rate, sos


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Callable[..., Bench]]:
    """Return a function that makes a bench with these ways."""
    made: list[Bench] = []

    def make(*ways: ToldWay, kind: type[Outbox] = Outbox) -> Bench:
        made.append(Bench(tmp_path, *ways, kind=kind))
        return made[-1]

    yield make
    for one in made:
        await one.stop()


async def test_a_receipt_in_time_keeps_the_house_quiet(bench: Callable[..., Bench]) -> None:
    voice = ToldWay()
    night = bench(voice)
    seq = await night.raise_sos()
    await night.wait(59)
    await night.confirm(seq)
    await night.wait(120)
    assert voice.told == []
    assert await night.counted() == {"receipted": 1}


async def test_without_a_receipt_every_way_is_told_once_the_time_is_over(bench: Callable[..., Bench]) -> None:
    voice, doctor = ToldWay(), ToldWay("sms", "village_doctor")
    doctor.answer = Result(ActionOutcome.SENT, references=(7,))
    night = bench(voice, doctor)
    await night.raise_sos()
    await night.wait(59)
    assert voice.told == doctor.told == []
    await night.wait(2)
    assert voice.told == doctor.told == [Message.CALL]
    report = (await night.findings())[-1]
    assert (report.alert_id, report.reason, report.phase) == ("alert-1", ACTED_LOCALLY, Phase.CONTINUE)
    assert {action.partition(" +")[0] for action in report.actions} == {"voice done", "sms:village_doctor sent"}
    assert night.announced.count(Lane.ALERT) == 2
    assert (await night.counted())["overdue"] == 2


async def test_it_is_told_again_as_the_county_escalates_and_not_after_the_receipt(bench: Callable[..., Bench]) -> None:
    voice = ToldWay()
    night = bench(voice)
    seq = await night.raise_sos()
    told_at = []
    for second in range(0, 17 * 60, 5):
        before = len(voice.told)
        night.clock.advance(5)
        await night.settle()
        if len(voice.told) > before:
            told_at.append(second)
    assert [round((at - told_at[0]) / 60) for at in told_at] == [0, 5, 10, 15]
    await night.confirm(seq)
    await night.wait(20 * 60)
    assert len(voice.told) == 4


@pytest.mark.parametrize("change", [{"priority": Priority.MEDIUM}, {"phase": Phase.END}, {"reason": ACTED_LOCALLY}])
async def test_only_what_is_high_and_new_arms_an_alarm(bench: Callable[..., Bench], change: dict[str, Any]) -> None:
    voice = ToldWay()
    night = bench(voice)
    await night.raise_sos(**change)
    await night.wait(70)
    assert voice.told == []
    assert night.committer.alarms_open == 0


async def test_a_failure_is_tried_three_times_and_the_next_step_comes_all_the_same(bench: Callable[..., Bench]) -> None:
    voice, light = ToldWay(), ToldWay("light")
    voice.answer = FAILED
    night = bench(voice, light)
    await night.raise_sos()
    await night.wait(60 + 200)
    assert len(voice.told) == 3
    assert len(light.told) == 1, "one way that fails delays no other"
    await night.wait(250)
    assert len(voice.told) == 4
    assert "voice failed:program_missing +60" in actions_of(await night.findings())


async def test_the_heartbeat_tells_what_the_box_does_alone_and_what_of_it_is_broken(
    bench: Callable[..., Bench],
) -> None:
    voice, doctor, family = ToldWay(), ToldWay("sms", "village_doctor"), ToldWay("sms", "family")
    doctor.answer = Result(ActionOutcome.SENT, references=(7,))
    family.answer = Result(ActionOutcome.FAILED, "send_refused_500")
    voice.hold = asyncio.Event()
    night = bench(voice, doctor, family)
    fitted = ("voice", "sms:village_doctor", "sms:family")
    seq = await night.raise_sos()
    await night.wait(50)
    assert await night.standing() == AlarmStatus(fitted), "nothing is begun before the county had its time"
    await night.wait(12)
    said = await night.standing()
    told = {"voice": "under_way", "sms:village_doctor": "sent", "sms:family": "failed"}
    assert said == AlarmStatus(fitted, {"modem": "send_refused_500"}, (Alone("alert-1", told),))
    voice.answer = FAILED
    voice.hold.set()
    night.reports[7] = True
    await night.wait(2)
    await night.restart()
    said = await night.standing()
    assert said.alone[0].ways == {"voice": "failed", "sms:village_doctor": "delivered", "sms:family": "failed"}
    assert said.faults["voice"] == "program_missing", "a restart mends nothing"
    voice.answer, family.answer = WELL, doctor.answer
    await night.wait(62)
    assert (await night.standing()).faults == {}
    await night.call_off()
    await night.wait(2)
    await night.confirm(seq, *range(1, 40))
    assert await night.standing() == AlarmStatus(fitted)


async def test_fine_takes_back_what_was_told_and_ends_the_alarm(bench: Callable[..., Bench]) -> None:
    voice, doctor = ToldWay(), ToldWay("sms", "village_doctor")
    doctor.answer = FAILED
    night = bench(voice, doctor)
    await night.raise_sos()
    await night.wait(62)
    await night.call_off()
    await night.wait(3)
    assert voice.told == [Message.CALL, Message.CALLED_OFF]
    assert doctor.told == [Message.CALL], "who was never reached is not told that nothing is the matter"
    assert night.committer.alarms_open == 0
    assert "button called_off" in " ".join(actions_of(await night.findings()))
    await night.wait(600)
    assert len(voice.told) == 2


async def test_what_cannot_be_taken_back_is_given_up_after_three_tries(bench: Callable[..., Bench]) -> None:
    voice = ToldWay()
    night = bench(voice)
    await night.raise_sos()
    await night.wait(62)
    voice.answer = FAILED
    await night.call_off()
    await night.wait(200)
    assert voice.told.count(Message.CALLED_OFF) == ladder.MOST_FAILURES
    assert night.committer.alarms_open == 0


async def test_a_receipt_in_the_middle_of_an_act_does_not_hide_that_it_was_done(bench: Callable[..., Bench]) -> None:
    voice = ToldWay()
    voice.hold = asyncio.Event()
    night = bench(voice)
    seq = await night.raise_sos()
    await night.wait(62)
    await night.confirm(seq)
    voice.hold.set()
    await night.wait(2)
    assert "voice done" in " ".join(actions_of(await night.findings()))
    assert night.committer.alarms_open == 0


async def test_fine_before_anything_was_told_leaves_the_house_quiet(bench: Callable[..., Bench]) -> None:
    voice = ToldWay()
    night = bench(voice)
    await night.raise_sos()
    await night.wait(20)
    await night.call_off()
    await night.wait(120)
    assert voice.told == []
    assert (await night.counted())["called_off"] == 1
    assert [finding.phase for finding in await night.findings()] == [Phase.START, Phase.END], "nothing is hidden"


async def test_a_condition_that_ended_is_told_once_and_not_again(bench: Callable[..., Bench]) -> None:
    voice = ToldWay()
    night = bench(voice)
    await night.raise_sos()
    await night.wait(20)
    await night.raise_sos(phase=Phase.END, reason="cleared")
    await night.wait(900)
    assert voice.told == [Message.CALL]
    assert (await night.counted())["condition_ended"] == 1


async def test_a_kill_in_the_middle_of_an_act_repeats_it_once_and_says_that_its_end_is_unknown(
    bench: Callable[..., Bench],
) -> None:
    voice = ToldWay()
    voice.hold = asyncio.Event()
    night = bench(voice)
    await night.raise_sos()
    await night.wait(62)
    assert len(voice.told) == 1
    voice.hold = None
    await night.restart()
    await night.wait(3)
    assert len(voice.told) == 2
    await night.restart()
    await night.wait(60)
    assert len(voice.told) == 2, "what is known to be done is not done again"
    actions = [action.partition(" +")[0] for action in actions_of(await night.findings())]
    assert actions == ["voice unknown", "voice done"]


async def test_an_act_that_takes_the_power_down_is_not_repeated_for_ever(bench: Callable[..., Bench]) -> None:
    modem = ToldWay("sms", "family")
    modem.hold = asyncio.Event()
    night = bench(modem)
    await night.raise_sos()
    await night.wait(62)
    for _ in range(6):
        await night.restart()
        await night.wait(5)
    assert len(modem.told) == ladder.MOST_FAILURES


@pytest.mark.parametrize(("dark_s", "told_after_s"), [(5, 60), (86_400, 60)])
async def test_after_a_power_cut_the_time_counts_from_the_boot_whatever_the_wall_clock_says(
    bench: Callable[..., Bench], dark_s: int, told_after_s: int
) -> None:
    voice = ToldWay()
    night = bench(voice)
    await night.raise_sos()
    await night.wait(30)
    await night.stop()
    night.clock.step_wall(dark_s - 10 * 365 * 86_400)
    night.clock.reboot("2" * 32)
    night.start()
    await night.wait(told_after_s - 2)
    assert voice.told == []
    await night.wait(4)
    assert voice.told == [Message.CALL]
    assert (await night.counted())["overdue_after_boot"] == 1
    assert actions_of(await night.findings()) == ("voice done +?",)


async def test_what_was_told_before_a_power_cut_is_not_told_again_at_once(bench: Callable[..., Bench]) -> None:
    voice = ToldWay()
    night = bench(voice)
    await night.raise_sos()
    await night.wait(62)
    await night.stop()
    night.clock.reboot("2" * 32)
    night.start()
    await night.wait(290)
    assert len(voice.told) == 1
    await night.wait(15)
    assert len(voice.told) == 2


async def test_a_press_after_the_receipt_is_waited_for_anew(bench: Callable[..., Bench]) -> None:
    voice = ToldWay()
    night = bench(voice)
    await night.confirm(await night.raise_sos())
    await night.wait(5)
    await night.raise_sos(phase=Phase.CONTINUE)
    await night.wait(62)
    assert voice.told == [Message.CALL]


async def test_a_delivery_report_reaches_the_county_too(bench: Callable[..., Bench]) -> None:
    doctor = ToldWay("sms", "village_doctor")
    doctor.answer = Result(ActionOutcome.SENT, references=(7, 8))
    night = bench(doctor)
    await night.raise_sos()
    await night.wait(62)
    night.reports = {7: True, 99: True}
    await night.wait(2)
    night.reports = {8: True}
    await night.wait(2)
    said = [action.partition(" +")[0] for action in actions_of(await night.findings())]
    assert said == ["sms:village_doctor sent", "sms:village_doctor delivered"]


async def test_who_answers_that_they_see_to_it_has_an_hour_of_quiet(bench: Callable[..., Bench]) -> None:
    voice, doctor = ToldWay(), ToldWay("sms", "village_doctor")
    doctor.answer = Result(ActionOutcome.SENT, references=(7,))
    night = bench(voice, doctor)
    await night.raise_sos()
    night.answers = [Acknowledgement("village_doctor", None)]
    await night.wait(62)
    assert len(voice.told) == 1, "an answer before anything was told is no answer to it"
    night.answers = [Acknowledgement("village_doctor", "r-0099"), Acknowledgement("family", None)]
    await night.wait(2)
    assert "acknowledged" not in " ".join(actions_of(await night.findings()))
    night.answers = [Acknowledgement("village_doctor", "r-0003")]
    await night.wait(3)
    assert actions_of(await night.findings())[-1].startswith("sms:village_doctor acknowledged +")
    night.clock.advance(3590)
    await night.wait(2)
    assert len(voice.told) == len(doctor.told) == 1
    await night.wait(10)
    assert len(voice.told) == len(doctor.told) == 2


async def test_a_house_with_nothing_fitted_counts_that_and_goes_on(bench: Callable[..., Bench]) -> None:
    night = bench()
    await night.raise_sos()
    await night.wait(62)
    assert await night.counted() == {"nothing_fitted": 1}
    assert night.committer.alarms_open == 0


async def test_the_ladder_ends_by_itself_after_a_day(bench: Callable[..., Bench]) -> None:
    voice = ToldWay()
    night = bench(voice)
    seq = await night.raise_sos()
    alarm = await night.committer.call(lambda outbox: outbox.alarms.read("alert-1"))
    assert alarm is not None
    channel = Channel(step=len(ladder.PAUSES_S), boot=night.clock.boot)
    near_end = msgspec.structs.replace(alarm, channels={"voice": channel})
    await night.committer.call(lambda outbox: outbox.record_alarms([near_end]))
    await night.wait(3)
    assert len(voice.told) == 1
    assert (await night.counted())["ladder_ended"] == 1
    assert sum(ladder.PAUSES_S) == 24 * 3600
    del seq


async def test_a_card_that_dies_does_not_silence_the_alarm(bench: Callable[..., Bench]) -> None:
    class DyingOutbox(Outbox):
        dead = False

        def record_alarms(self, alarms: object, **kept: object) -> None:
            if self.dead:
                raise OutboxFailed("the card takes nothing")
            super().record_alarms(alarms, **kept)  # type: ignore[arg-type]  # handed on as it came

    voice = ToldWay()
    night = bench(voice, kind=DyingOutbox)
    await night.raise_sos()
    assert isinstance(night.outbox, DyingOutbox)
    night.outbox.dead = True
    night.keeper.sound([msgspec.structs.replace(sos(2), times=heart_rate(0).times)])
    await night.wait(62)
    assert voice.told == [Message.CALL] * 2, "one that was stored, and one that the card would not take at all"
    await night.wait(5)
    assert len(voice.told) == 2
    night.outbox.dead = False
    await night.wait(300)
    assert len(voice.told) == 4
    assert {finding.alert_id for finding in await night.findings()} == {"alert-1", "alert-2"}


async def test_an_alert_that_only_memory_held_is_quiet_once_the_county_has_it(bench: Callable[..., Bench]) -> None:
    voice = ToldWay()
    night = bench(voice)
    known: set[str] = set()
    night.keeper._confirmed = known.__contains__
    first, second = (msgspec.structs.replace(sos(number), times=heart_rate(0).times) for number in (1, 2))
    called = [first, msgspec.structs.replace(second, rule="SPO2-LOW")]
    night.keeper.sound(called)
    await night.wait(5)
    known.add(called[0].alert_id)
    await night.wait(60)
    assert voice.told == [Message.CALL], "the one that the county does not have"


async def test_a_look_that_was_overtaken_tells_nobody_twice(bench: Callable[..., Bench]) -> None:
    voice = ToldWay()
    voice.hold = asyncio.Event()
    night = bench(voice)
    await night.raise_sos()
    await night.wait(62)
    (stale,) = await night.committer.call(lambda outbox: outbox.alarms.running())
    voice.hold.set()
    await night.settle()
    await night.settle()
    await night.keeper._attend(stale)
    await night.settle()
    assert len(voice.told) == 1
    assert "voice unknown" not in " ".join(actions_of(await night.findings()))


async def test_a_way_that_is_broken_itself_is_a_failure_like_others(bench: Callable[..., Bench]) -> None:
    class BrokenWay(ToldWay):
        async def tell(self, message: Message, finding: Finding) -> Result:
            await super().tell(message, finding)
            raise ZeroDivisionError

    voice, light = BrokenWay(), ToldWay("light")
    night = bench(voice, light)
    await night.raise_sos()
    await night.wait(62 + 200)
    assert len(voice.told) == ladder.MOST_FAILURES
    assert len(light.told) == 1
    assert "voice failed:fault +60" in actions_of(await night.findings())


async def test_fear_on_a_dead_card_does_not_become_a_flood_of_messages(bench: Callable[..., Bench]) -> None:
    class DeadOutbox(Outbox):
        def record_alarms(self, *_: object, **__: object) -> None:
            raise OutboxFailed("the card takes nothing")

    doctor = ToldWay("sms", "village_doctor")
    night = bench(doctor, kind=DeadOutbox)
    night.keeper.sound([msgspec.structs.replace(sos(number), times=heart_rate(0).times) for number in range(30)])
    await night.wait(90)
    assert len(doctor.told) == 1


async def test_the_light_goes_back_to_normal_at_the_start_and_after_the_last_alarm(bench: Callable[..., Bench]) -> None:
    light = ToldWay("light")
    night = bench(light)
    await night.wait(2)
    assert light.rested == 1
    seq = await night.raise_sos()
    await night.wait(62)
    assert light.rested == 1
    await night.confirm(seq)
    await night.wait(3)
    assert light.rested == 2


async def test_actions_stay_few_however_long_the_night(bench: Callable[..., Bench]) -> None:
    night = bench(ToldWay())
    await night.raise_sos()
    many = tuple(f"voice done +{second}" for second in range(200))

    def add(outbox: Outbox) -> None:
        alarm = outbox.alarms.read("alert-1")
        assert isinstance(alarm, Alarm)
        outbox.record_alarms([msgspec.structs.replace(alarm, actions=many[:48])])

    await night.committer.call(add)
    await night.wait(62)
    actions = actions_of(await night.findings())
    assert len(actions) == 48
    assert actions[0] == many[0]
    assert actions[-1].startswith("voice done +6")
