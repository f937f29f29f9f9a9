"""TREND, told as stories: one vital learns and signals, two agree or one repeats, and only then a finding is made."""

from contextlib import suppress
from datetime import date, timedelta
from decimal import Decimal

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kanhu.contract import ClockState, Evidence, Phase, Priority, Times
from kanhu.vitals import DecisionReason as R
from kanhu.vitals import Language, PackRefused, Rule, StateRefused, core_pack, render
from kanhu.vitals.baselines import Direction, TrendAgreement, TrendDetector, TrendSignal
from tests.vitals.story import RESIDENT

FIRST = date(2026, 3, 1)
# A calm person: the same ten days again and again.
CALM = [Decimal(value) for value in (70, 72, 69, 71, 73, 70, 68, 71, 72, 70)]


def rule(rule_id: str = "TREND") -> Rule:
    found = core_pack().rule(rule_id)
    assert found is not None
    return found


def day(number: int) -> date:
    return FIRST + timedelta(days=number)


def lived(days: int, state: bytes = b"") -> TrendDetector:
    detector = TrendDetector(rule(), "heart_rate", state)
    for number in range(days):
        detector.update(day(number), CALM[number % 10])
    return detector


STATES = {days: lived(days).state() for days in (5, 20, 70)}


def times(number: int) -> Times:
    return Times(1_772_000_000_000 + number * 86_400_000, number, "county", ClockState.SYNCED)


def signal(metric: str, number: int, direction: Direction = Direction.ABOVE) -> TrendSignal:
    return TrendSignal(metric, direction, Evidence(metric, 1, "county", "county", number, number))


def test_fewer_than_fourteen_readings_only_learn() -> None:
    detector = TrendDetector(rule(), "heart_rate")
    for number in range(14):
        value = Decimal(200) if number == 13 else CALM[number % 10]
        assert detector.update(day(number), value).reason is R.LEARNING
    assert detector.update(day(14), Decimal(70)).reason is R.AS_USUAL


def test_calm_person_never_signals() -> None:
    detector = TrendDetector(rule(), "heart_rate")
    answers = {detector.update(day(number), CALM[number % 10]).reason for number in range(400)}
    assert answers == {R.LEARNING, R.AS_USUAL}


@pytest.mark.parametrize(("value", "direction"), [(90, Direction.ABOVE), (52, Direction.BELOW)])
def test_lasting_shift_signals_within_days_and_says_which_way(value: int, direction: Direction) -> None:
    detector = lived(60)
    answers = [detector.update(day(60 + number), Decimal(value)).reason for number in range(5)]
    assert answers == [R.AS_USUAL] * 4 + [R.SHIFTED]
    assert detector.direction is direction
    assert detector.update(day(65), Decimal(value)).reason is R.SHIFTED


def test_return_to_usual_is_seen_within_days_however_long_the_shift_lasted() -> None:
    detector = lived(60)
    for number in range(60, 160):
        detector.update(day(number), Decimal(110))
    assert detector.direction is Direction.ABOVE
    answers = [detector.update(day(160 + number), CALM[number % 10]).reason for number in range(40)]
    assert answers[:1] == [R.SHIFTED]
    assert set(answers[7:]) == {R.AS_USUAL}


def test_while_still_learning_more_is_needed() -> None:
    # Before 60 readings the sum has to pass 10.2 instead of 8.5: one day more at the most that a day adds.
    early, complete = lived(20), lived(60)
    found = []
    for detector, start in ((early, 20), (complete, 60)):
        number = 0
        while detector.update(day(start + number), Decimal(110)).reason is not R.SHIFTED:
            number += 1
        found.append(number)
    assert found[0] > found[1] == 4


def test_single_artefact_does_not_signal() -> None:
    detector = lived(60)
    assert detector.update(day(60), Decimal(300)).reason is R.AS_USUAL
    answers = {detector.update(day(61 + number), CALM[number]).reason for number in range(10)}
    assert answers == {R.AS_USUAL}


def test_level_follows_a_slow_drift_without_a_signal() -> None:
    detector = lived(60)
    answers = set()
    for number in range(300):
        drifted = CALM[number % 10] + (Decimal(number) / 100).quantize(Decimal("0.1"))
        answers.add(detector.update(day(60 + number), drifted).reason)
    assert answers == {R.AS_USUAL}


def test_day_is_taken_once_and_in_order() -> None:
    detector = lived(20)
    before = detector.state()
    assert detector.update(day(19), Decimal(70)).reason is R.DUPLICATE
    assert detector.update(day(3), Decimal(70)).reason is R.OUT_OF_ORDER
    assert detector.state() == before


@pytest.mark.parametrize("summary", ["NaN", "Infinity", "-Infinity", "1e400", "19", "301", "-5"])
def test_absurd_summaries_never_enter_a_baseline(summary: str) -> None:
    detector = lived(20)
    before = detector.state()
    assert detector.update(day(20), Decimal(summary)).reason is R.OUT_OF_RANGE
    assert detector.state() == before


@given(st.lists(st.decimals(20, 300, places=1), max_size=90), st.integers(0, 90))
@settings(max_examples=60)
def test_restart_anywhere_changes_no_answer(summaries: list[Decimal], at: int) -> None:
    whole, parted = TrendDetector(rule(), "heart_rate"), TrendDetector(rule(), "heart_rate")
    for number, summary in enumerate(summaries):
        if number == at:
            parted = TrendDetector(rule(), "heart_rate", parted.state())
        assert whole.update(day(number), summary) == parted.update(day(number), summary)
    assert whole.state() == parted.state()
    assert len(whole.state()) < 700


@given(st.binary(min_size=1, max_size=60))
def test_any_bytes_restore_or_are_refused(state: bytes) -> None:
    with suppress(StateRefused):
        TrendDetector(rule(), "heart_rate", state).update(day(1), Decimal(70))
    with suppress(StateRefused):
        TrendAgreement(rule(), RESIDENT, state).update(day(1), [], times(1))


@given(st.sampled_from([5, 20, 70]), st.data())
@settings(max_examples=60)
def test_damaged_state_restores_or_is_refused(days: int, data: st.DataObject) -> None:
    state = bytearray(STATES[days])
    for _ in range(data.draw(st.integers(1, 3))):
        state[data.draw(st.integers(0, len(state) - 1))] = data.draw(st.integers(0, 255))
    with suppress(StateRefused):
        TrendDetector(rule(), "heart_rate", bytes(state)).update(day(80), Decimal(70))


def test_state_of_another_version_is_refused() -> None:
    table = msgspec.msgpack.decode(lived(3).state())
    assert isinstance(table, list)
    with pytest.raises(StateRefused, match="version 2"):
        TrendDetector(rule(), "heart_rate", msgspec.msgpack.encode([2, *table[1:]]))


def test_vital_or_rule_that_is_not_in_the_pack_is_refused() -> None:
    with pytest.raises(PackRefused):
        TrendDetector(rule(), "news2")
    with pytest.raises(PackRefused):
        TrendDetector(rule("SOS"), "heart_rate")
    with pytest.raises(PackRefused):
        TrendAgreement(rule("SOS"), RESIDENT)


def test_two_vitals_of_different_groups_on_one_day_make_a_low_finding() -> None:
    agreement = TrendAgreement(rule(), RESIDENT)
    signals = [signal("spo2", 1, Direction.BELOW), signal("heart_rate", 1)]
    decision = agreement.update(day(1), signals, times(1))
    assert decision.reason is R.CONFIRMED
    finding = decision.finding
    assert finding is not None
    assert (finding.priority, finding.phase) == (Priority.LOW, Phase.START)
    assert finding.params == {"changes": "heart_rate:above,spo2:below"}
    assert "heart rate above usual, oxygen saturation below usual" in render(core_pack(), finding, Language.EN).text


def test_two_vitals_that_measure_the_same_are_one() -> None:
    agreement = TrendAgreement(rule(), RESIDENT)
    for pair in (("heart_rate", "pulse_oximeter"), ("systolic", "diastolic")):
        fresh = TrendAgreement(rule(), RESIDENT)
        assert fresh.update(day(1), [signal(metric, 1) for metric in pair], times(1)).reason is R.CONFIRMING
    assert agreement.update(day(1), [signal("mood", 1)], times(1)).reason is R.AS_USUAL


def test_one_vital_repeats_the_next_day_or_says_nothing() -> None:
    agreement = TrendAgreement(rule(), RESIDENT)
    below = Direction.BELOW
    told = [
        agreement.update(day(1), [signal("weight", 1)], times(1)),
        agreement.update(day(3), [signal("weight", 3)], times(3)),
        agreement.update(day(4), [signal("weight", 4, below)], times(4)),
        agreement.update(day(5), [], times(5)),
        agreement.update(day(6), [signal("weight", 6)], times(6)),
    ]
    assert [decision.reason for decision in told] == [R.CONFIRMING] * 3 + [R.AS_USUAL, R.CONFIRMING]
    agreement = TrendAgreement(rule(), RESIDENT, agreement.state())
    assert agreement.update(day(7), [signal("weight", 7)], times(7)).reason is R.CONFIRMED


def test_said_once_in_fourteen_days() -> None:
    agreement = TrendAgreement(rule(), RESIDENT)
    reasons = [
        agreement.update(day(number), [signal("weight", number)], times(number)).reason for number in range(1, 18)
    ]
    assert reasons == [R.CONFIRMING, R.CONFIRMED] + [R.ALREADY_RAISED] * 13 + [R.CONFIRMED, R.ALREADY_RAISED]
    assert agreement.update(day(17), [], times(17)).reason is R.DUPLICATE
    assert agreement.update(day(2), [], times(2)).reason is R.OUT_OF_ORDER


def test_trend_that_is_not_approved_says_nothing() -> None:
    shadow = msgspec.structs.replace(rule(), approved_by="")
    agreement = TrendAgreement(shadow, RESIDENT)
    both = [signal("weight", 1), signal("spo2", 1)]
    assert agreement.update(day(1), both, times(1)).reason is R.SHADOW
