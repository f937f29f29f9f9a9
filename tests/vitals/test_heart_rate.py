"""HR-EXTREME, told as stories."""

from collections.abc import Iterable
from itertools import cycle, islice, pairwise
from random import Random

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kanhu.contract import ClockState, Phase, Priority
from kanhu.vitals import DecisionReason as R
from kanhu.vitals import RulePack, core_pack
from kanhu.vitals.rules.records import Sustained
from tests.vitals.story import LOOSE, MOVING, RESIDENT, Story


def test_ten_minutes_over_the_limit_raise_and_a_second_less_does_not() -> None:
    story = Story()
    story.strap(131)
    assert story.strap_for(599, 131) == [R.CONFIRMING]
    assert story.strap_for(1, 131) == [R.CONFIRMED]
    [finding] = story.findings
    assert finding.priority is Priority.MEDIUM
    assert finding.params["minutes"] == "10"
    assert finding.params["heart_rate_limit"] == "≤ 40 / ≥ 131"


def test_low_side_raises_too_and_sides_do_not_add_up() -> None:
    story = Story()
    story.strap_for(400, 131)
    story.strap_for(400, 40)
    assert story.findings == []
    assert story.strap_for(201, 40) == [R.CONFIRMED]


# Each second of a fast irregular pulse: five of eight readings at the limit, the middle one 135.
IRREGULAR = (150, 142, 128, 137, 120, 145, 133, 126)
DIPS = [rate for rate in IRREGULAR if rate < 131]


def beat(story: Story, rates: Iterable[int]) -> list[R]:
    """A strap notifies these rates, one a second; all answers."""
    answers = []
    for rate in rates:
        story.wait(1)
        answers += story.strap(rate)
    return answers


def asking_for(share: float) -> RulePack:
    """The shipped pack, with another share of the time at the limit."""
    pack = core_pack()
    rules = []
    for rule in pack.rules:
        confirm = rule.confirm
        if isinstance(confirm, Sustained):
            confirm = msgspec.structs.replace(confirm, share=share)
        rules.append(msgspec.structs.replace(rule, confirm=confirm))
    return msgspec.structs.replace(pack, rules=tuple(rules))


def test_fast_irregular_pulse_raises_after_ten_minutes() -> None:
    story = Story()
    answers = beat(story, islice(cycle(IRREGULAR), 600))
    assert set(answers) == {R.CONFIRMING}
    assert beat(story, [150]) == [R.CONFIRMED]
    [finding] = story.findings
    assert finding.phase is Phase.START
    assert finding.params["minutes"] == "10"
    assert finding.params["heart_rate"] == "150"


def test_asking_for_every_reading_would_miss_a_fast_irregular_pulse() -> None:
    story = Story(pack=asking_for(1))
    assert R.NOT_CONFIRMED in beat(story, islice(cycle(IRREGULAR), 3600))
    assert story.told("HR-EXTREME") == []


def test_it_is_never_raised_by_a_reading_inside() -> None:
    story = Story()
    beat(story, islice(cycle(IRREGULAR), 600))
    assert beat(story, DIPS) == [R.CONFIRMING] * 3
    assert beat(story, [131]) == [R.CONFIRMED]
    assert [piece.steps for piece in story.findings[0].evidence] == [150, 131]


@pytest.mark.parametrize("seed", range(5))
def test_pulse_that_wavers_around_125_raises_nothing(seed: int) -> None:
    story = Story()
    pulse = Random(seed)
    beat(story, (round(pulse.gauss(125, 5)) for _ in range(1800)))
    assert story.findings == []


@pytest.mark.parametrize(("at_limit", "raises"), [(4, False), (5, True), (6, True)], ids=["less", "half", "more"])
def test_half_of_the_time_at_the_limit_is_enough_and_less_is_not(at_limit: int, raises: bool) -> None:
    story = Story()
    beat(story, islice(cycle([131] * at_limit + [130] * (10 - at_limit)), 1200))
    assert bool(story.findings) is raises


def test_odd_milliseconds_take_nothing_from_half_of_the_time() -> None:
    story = Story()
    for rate in islice(cycle((131, 130)), 603):
        story.wait(0.999)
        assert story.strap(rate) in ([R.CONFIRMING], [R.CONFIRMED])
    assert len(story.findings) == 1


def test_dips_of_a_slow_pulse_do_not_hide_it_either() -> None:
    story = Story()
    beat(story, islice(cycle((38, 40, 44, 39, 47)), 602))
    assert [finding.params["heart_rate"] for finding in story.findings] == ["38"]


def test_one_reading_inside_does_not_begin_anew() -> None:
    story = Story()
    story.strap_for(590, 140)
    assert beat(story, [130]) == [R.CONFIRMING]
    assert beat(story, [140] * 10)[-1] is R.CONFIRMED


def test_too_little_of_the_time_at_the_limit_begins_anew() -> None:
    story = Story()
    story.strap_for(60, 140)
    assert story.strap_for(60, 120) == [R.CONFIRMING]
    assert beat(story, [120]) == [R.NOT_CONFIRMED]
    assert story.strap_for(600, 140) == [R.CONFIRMING]
    assert story.strap_for(1, 140) == [R.CONFIRMED]


def test_pulse_that_calmed_down_is_not_raised_by_one_late_reading() -> None:
    story = Story()
    story.strap_for(500, 137)
    assert story.strap_for(120, 75) == [R.CONFIRMING]
    assert beat(story, [75, 131]) == [R.WINDOW_EXPIRED, R.CONFIRMING]
    assert story.findings == []


def test_one_reading_on_the_other_side_begins_anew() -> None:
    story = Story()
    story.strap_for(590, 140)
    assert beat(story, [40]) == [R.NOT_CONFIRMED, R.CONFIRMING]
    story.strap_for(590, 140)
    assert story.findings == []


def test_time_of_a_hole_counts_half_with_one_end_at_the_limit() -> None:
    story = Story()
    story.strap(140)
    for rate, answer in ((120, R.CONFIRMING), (120, R.NOT_CONFIRMED)):
        story.wait(60)
        assert story.strap(rate) == [answer]


def test_fast_irregular_pulse_raises_at_the_same_second_over_restarts_and_a_reboot() -> None:
    story = Story()
    beat(story, islice(cycle(IRREGULAR), 300))
    story.reboot("boot-2", dark_s=60)
    for rate in islice(cycle(IRREGULAR), 240):
        assert beat(story, [rate]) == [R.CONFIRMING]
        story.restart()
    assert beat(story, [150]) == [R.CONFIRMED]


def test_questionable_readings_change_nothing_in_an_irregular_run() -> None:
    story = Story()
    for rate in islice(cycle(IRREGULAR), 300):
        assert beat(story, [rate]) == [R.CONFIRMING]
        for doubted in (60, 200):
            story.wait(0.5)
            assert story.strap(doubted, quality=LOOSE) == [R.QUALITY_QUESTIONABLE]
    assert beat(story, [150]) == [R.CONFIRMED]


def test_run_takes_the_same_few_bytes_however_many_readings_it_has() -> None:
    story = Story()
    beat(story, IRREGULAR)
    early = len(story.judge.state(RESIDENT.id))
    beat(story, islice(cycle(IRREGULAR), 584))
    assert len(story.judge.state(RESIDENT.id)) <= early + 24
    assert early < 500  # of two rules


Reading = tuple[int, int]


def at_limit_of(readings: list[Reading]) -> tuple[float, float, float]:
    """Counted anew from all readings of a run: its length, its time at the limit, the longest time without."""
    reached_s, away_s, longest_s = 0.0, 0.0, 0.0
    for (_, before), (passed_s, rate) in pairwise(readings):
        reached_s += passed_s * ((before >= 131) + (rate >= 131)) / 2
        away_s += passed_s
        longest_s = max(longest_s, away_s)
        away_s = 0.0 if rate >= 131 else away_s
    return sum(passed_s for passed_s, _ in readings[1:]), reached_s, longest_s


@given(st.lists(st.tuples(st.integers(5, 60), st.sampled_from([90, 125, 131, 135, 150])), min_size=30, max_size=60))
def test_whatever_is_raised_was_at_the_limit_for_half_of_ten_minutes(readings: list[Reading]) -> None:
    story = Story()
    began: dict[int, int] = {}
    for index, (passed_s, rate) in enumerate(readings):
        story.wait(passed_s)
        began[story.times().mono_ns] = index
        if story.strap(rate) != [R.CONFIRMED]:
            continue
        [finding] = story.told("HR-EXTREME")
        run = readings[began[finding.evidence[0].mono_ns] : index + 1]
        lasted_s, reached_s, longest_s = at_limit_of(run)
        assert lasted_s >= 600
        assert reached_s >= lasted_s / 2
        assert longest_s <= 120
        return


def test_questionable_readings_in_between_neither_count_nor_break() -> None:
    story = Story()
    story.strap_for(300, 140)
    assert story.strap_for(60, 200, quality=LOOSE) == [R.QUALITY_QUESTIONABLE]
    assert story.strap_for(241, 140) == [R.CONFIRMED]


def test_hole_longer_than_two_minutes_begins_anew() -> None:
    story = Story()
    story.strap_for(300, 140)
    story.strap_for(120, 60, quality=LOOSE)
    story.wait(1)
    assert story.strap(140) == [R.WINDOW_EXPIRED, R.CONFIRMING]
    story.strap_for(500, 140)
    assert story.findings == []


def test_ten_questionable_minutes_raise_nothing() -> None:
    story = Story()
    story.strap(140)
    story.strap_for(700, 180, quality=LOOSE)
    assert story.findings == []


def test_exercise_does_not_count() -> None:
    story = Story()
    for _ in range(700):
        story.wait(1)
        assert story.strap(150, context=MOVING) == [R.MOVING]


def test_short_reboot_of_the_gateway_does_not_begin_anew() -> None:
    story = Story()
    story.strap_for(300, 140)
    story.reboot("boot-2", dark_s=60)
    assert story.strap_for(240, 140) == [R.CONFIRMING]
    assert story.strap_for(1, 140) == [R.CONFIRMED]


def test_reboot_without_a_set_clock_begins_anew() -> None:
    story = Story()
    story.strap_for(300, 140)
    story.reboot("boot-2", dark_s=60, clock=ClockState.UNSET)
    story.strap_for(400, 140)
    assert story.findings == []
    assert story.strap_for(201, 140) == [R.CONFIRMED]


def test_clears_five_inside_for_ten_minutes() -> None:
    story = Story()
    story.strap_for(601, 135)
    assert story.strap_for(700, 127) == [R.HOLDING]
    assert story.strap_for(600, 126) == [R.CLEARING]
    assert story.strap_for(1, 126) == [R.CLEARED]
    assert [finding.phase for finding in story.told("HR-EXTREME")] == [Phase.START, Phase.END]
