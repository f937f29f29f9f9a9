"""A recording judged in virtual time: every way an alert can go, the account, and the same bytes whatever happens."""

import random
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kanhu.cloud.replay.command import replay
from kanhu.cloud.replay.outcome import Alert, Told
from kanhu.contract import ClockState, Priority, Quality, QualityLevel, QualityReason
from kanhu.contract.recording import Reaction, VillagePlan
from tests.cloud.recorded import (
    DAY_MS,
    HOUR_MS,
    MINUTE_MS,
    PROMPT,
    SECOND_MS,
    START_MS,
    Village,
    outcome,
    read,
    record,
)

MORNING_MS = START_MS + 9 * HOUR_MS
DOUBTFUL = Quality(QualityLevel.QUESTIONABLE, (QualityReason.WEAK_SIGNAL,))


def test_a_press_is_told_at_once_claimed_and_closed_by_the_doctor(tmp_path: Path) -> None:
    village = Village(plan=VillagePlan("v001", reactions=PROMPT))
    village.press(MORNING_MS)
    (alert,), (counts,) = outcome(tmp_path, village)
    assert alert.rule == "SOS"
    assert (alert.village, alert.gateway, alert.subject) == ("v001", "v001-home-1", "v001-r-1")
    assert alert.told == (
        Told(
            at_ms=MORNING_MS,
            own_ms=MORNING_MS,
            priority=Priority.HIGH,
            reason="opened",
            claimed_ms=MORNING_MS + MINUTE_MS,
        ),
    )
    assert (alert.closed_by, alert.outcome, alert.level) == ("v001-doctor", "true_action", 0)
    assert alert.closed_ms == MORNING_MS + 6 * MINUTE_MS
    assert counts.decisions == {"SOS.pressed": 1}
    assert (counts.readings, counts.stored, counts.duplicated, counts.refused, counts.findings) == (1, 1, 0, 0, 1)


def test_an_alert_that_nobody_takes_climbs_to_the_top_and_never_ends(tmp_path: Path) -> None:
    village = Village(plan=VillagePlan("v001", absences=((START_MS, START_MS + 9 * DAY_MS),), reactions=PROMPT))
    village.press(MORNING_MS)
    (alert,), (counts,) = outcome(tmp_path, village)
    assert alert.level == 3
    assert alert.closed_ms is None
    assert alert.told[0].claimed_ms is None
    assert counts.stages["stage.route.at_once"] == 1


def test_whoever_comes_back_takes_it_at_the_level_it_has_reached(tmp_path: Path) -> None:
    back_ms = MORNING_MS + 7 * MINUTE_MS
    village = Village(plan=VillagePlan("v001", absences=((START_MS, back_ms),), reactions=PROMPT))
    village.press(MORNING_MS)
    (alert,), _ = outcome(tmp_path, village)
    assert alert.told[0].claimed_ms == back_ms + MINUTE_MS
    assert (alert.level, alert.closed_by) == (1, "township")


def test_each_telling_meets_the_next_reaction_in_a_ring(tmp_path: Path) -> None:
    village = Village(plan=VillagePlan("v001", reactions=(Reaction(30, 60), Reaction(90, 60))))
    for number in range(3):
        village.press(MORNING_MS + number * HOUR_MS)
    alerts, _ = outcome(tmp_path, village)
    waits = [told.claimed_ms - told.at_ms for alert in alerts for told in alert.told if told.claimed_ms is not None]
    assert waits == [30 * SECOND_MS, 90 * SECOND_MS, 30 * SECOND_MS]


def test_a_press_after_the_first_was_taken_calls_again(tmp_path: Path) -> None:
    """Within ten minutes it is the same call for help; later, while the alert is open, it calls anew."""
    village = Village(plan=VillagePlan("v001", reactions=(Reaction(60, 3 * 3600),)))
    for minute in (0, 5, 30):
        village.press(MORNING_MS + minute * MINUTE_MS)
    (alert,), counts = outcome(tmp_path, village)
    assert [told.reason for told in alert.told] == ["opened", "called_again"]
    assert alert.told[1].at_ms == MORNING_MS + 30 * MINUTE_MS
    assert counts[0].decisions == {"SOS.pressed": 2, "SOS.repeated": 1}


def test_three_low_saturations_in_a_row_are_one_medium_alert_that_clears_by_itself_and_stays_for_a_person(
    tmp_path: Path,
) -> None:
    village = Village()
    for number, spo2 in enumerate((95, 90, 90, 90, 95, 96, 96)):
        village.oximetry(MORNING_MS + number * 10 * SECOND_MS, spo2)
    (alert,), _ = outcome(tmp_path, village)
    assert (alert.rule, alert.priority) == ("SPO2-LOW", "medium")
    assert alert.told[0].at_ms == MORNING_MS + 30 * SECOND_MS
    assert alert.ended_ms == MORNING_MS + 50 * SECOND_MS
    assert alert.closed_ms is None


def test_a_lower_saturation_rises_to_high_and_is_told_anew(tmp_path: Path) -> None:
    village = Village(plan=VillagePlan("v001", reactions=(Reaction(5, 3600),)))
    for number, spo2 in enumerate((90, 90, 90, 90, 84, 84, 84)):
        village.oximetry(MORNING_MS + number * 10 * SECOND_MS, spo2)
    (alert,), _ = outcome(tmp_path, village)
    assert [(told.reason, told.priority) for told in alert.told] == [("opened", "medium"), ("rose", "high")]
    assert [told.claimed_ms is not None for told in alert.told] == [True, True]
    assert alert.priority == "high"


def test_a_pressure_above_the_limit_raises_only_with_its_repeat(tmp_path: Path) -> None:
    village = Village()
    village.pressure(MORNING_MS, 190, 100)
    village.pressure(MORNING_MS + 2 * MINUTE_MS, 186, 98)
    village.pressure(MORNING_MS, 190, 100, number=2)
    village.pressure(MORNING_MS + HOUR_MS, 186, 98, number=2)
    (alert,), (counts,) = outcome(tmp_path, village)
    assert (alert.rule, alert.subject) == ("BP-SEVERE", "v001-r-1")
    assert alert.told[0].at_ms == MORNING_MS + 2 * MINUTE_MS
    assert counts.decisions["BP-SEVERE.window_expired"] >= 1


def test_ten_minutes_of_a_fast_heart_are_one_alert(tmp_path: Path) -> None:
    village = Village()
    for second in range(700):
        village.strap(MORNING_MS + second * SECOND_MS, 140 + second % 3)
    (alert,), _ = outcome(tmp_path, village)
    assert alert.rule == "HR-EXTREME"
    assert alert.told[0].at_ms == MORNING_MS + 600 * SECOND_MS


def test_irregular_windows_on_two_days_are_one_low_alert(tmp_path: Path) -> None:
    village, beats = Village(), random.Random("irregular")
    for day in range(2):
        at_ms = MORNING_MS + day * DAY_MS
        for _ in range(500):
            rr_ms = beats.randrange(420, 1150)
            at_ms += rr_ms
            village.strap(at_ms, 60_000 // rr_ms, [rr_ms])
    (alert,), _ = outcome(tmp_path, village, days=2)
    assert (alert.rule, alert.priority) == ("RHYTHM", "low")
    assert alert.told[0].at_ms >= MORNING_MS + DAY_MS


def test_a_lasting_change_of_two_vitals_is_one_low_alert_of_the_night(tmp_path: Path) -> None:
    """Judged at two in the morning, when what was read before midnight has arrived."""
    village = Village()
    for day in range(30):
        ill = day >= 20
        at_ms = MORNING_MS + day * DAY_MS
        village.pressure(at_ms, 124 + day % 5 + 34 * ill, 78 + day % 4 + 18 * ill)
        village.oximetry(at_ms + MINUTE_MS, 96 + day % 2 - 3 * ill)
    alerts, (counts,) = outcome(tmp_path, village, days=30)
    (trend,) = [alert for alert in alerts if alert.rule == "TREND"]
    assert trend.priority == "low"
    assert (trend.told[0].at_ms - START_MS) % DAY_MS == 2 * HOUR_MS
    assert trend.told[0].at_ms > START_MS + 21 * DAY_MS
    assert counts.stages["trend.as_usual"] > 0
    assert counts.stored == counts.readings == 60


def test_a_silent_gateway_is_technical_then_medium_for_the_watch_list_and_ends_when_heard(tmp_path: Path) -> None:
    village = Village(tags={"v001-r-1": ("lives_alone",)})
    village.plan = VillagePlan(
        "v001",
        silences=(
            village.silence(MORNING_MS, MORNING_MS + HOUR_MS, cause="power"),
            village.silence(MORNING_MS, MORNING_MS + HOUR_MS, number=2),
            village.silence(MORNING_MS + 3 * HOUR_MS, MORNING_MS + 3 * HOUR_MS + 100 * SECOND_MS),
        ),
    )
    alerts, _ = outcome(tmp_path, village)
    by_gateway = {alert.gateway: alert for alert in alerts}
    assert len(alerts) == 2, "a silence too short is none"
    first, second = by_gateway["v001-home-1"], by_gateway["v001-home-2"]
    assert [(told.priority, told.reason) for told in first.told] == [("technical", "opened"), ("medium", "rose")]
    assert 120 * SECOND_MS <= first.told[0].at_ms - MORNING_MS <= 181 * SECOND_MS
    assert 14 * MINUTE_MS <= first.told[1].at_ms - MORNING_MS <= 15 * MINUTE_MS + SECOND_MS
    assert (first.ended_ms, first.closed_ms) == (MORNING_MS + HOUR_MS, None), "people close what was medium"
    assert (second.ended_ms, second.closed_ms) == (MORNING_MS + HOUR_MS, MORNING_MS + HOUR_MS)
    assert (second.closed_by, second.outcome) == ("", "")


def test_what_was_found_behind_a_silent_link_arrives_late_and_counts_less(tmp_path: Path) -> None:
    """A high one older than half an hour is medium and late; one that is younger is as high as ever."""
    village = Village()
    village.plan = VillagePlan("v001", silences=(village.silence(MORNING_MS, MORNING_MS + HOUR_MS),))
    village.press(MORNING_MS + 5 * MINUTE_MS)
    village.press(MORNING_MS + 50 * MINUTE_MS)
    alerts, (counts,) = outcome(tmp_path, village)
    told = {one.own_ms: one for alert in alerts if alert.rule == "SOS" for one in alert.told}
    old, young = told[MORNING_MS + 5 * MINUTE_MS], told[MORNING_MS + 50 * MINUTE_MS]
    assert (old.at_ms, old.priority, old.late) == (MORNING_MS + HOUR_MS, "medium", True)
    assert (young.at_ms, young.priority, young.late) == (MORNING_MS + HOUR_MS, "high", False)
    assert counts.stored == 2


def test_what_waits_behind_a_silence_without_end_is_owed_not_lost(tmp_path: Path) -> None:
    village = Village()
    village.plan = VillagePlan("v001", silences=(village.silence(MORNING_MS, START_MS + 2 * DAY_MS),))
    village.oximetry(MORNING_MS - HOUR_MS, 97)
    village.oximetry(MORNING_MS + HOUR_MS, 97)
    village.press(MORNING_MS + 2 * HOUR_MS)
    alerts, (counts,) = outcome(tmp_path, village)
    assert {alert.rule for alert in alerts} == {"WATCH-LOST"}
    assert (counts.readings, counts.stored, counts.owed, counts.findings) == (3, 1, 2, 1)


def test_medium_at_night_sounds_in_the_morning_unless_the_person_lives_alone(tmp_path: Path) -> None:
    night_ms = START_MS + 3 * HOUR_MS
    village = Village(tags={"v001-r-2": ("lives_alone",)}, plan=VillagePlan("v001", reactions=PROMPT))
    for number in (1, 2):
        for window in range(3):
            village.oximetry(night_ms + window * 10 * SECOND_MS, 90, number=number)
    alerts, _ = outcome(tmp_path, village)
    by_subject = {alert.subject: alert.told[0] for alert in alerts}
    morning_ms = START_MS + 8 * HOUR_MS
    assert by_subject["v001-r-1"].held_until_ms == morning_ms
    assert by_subject["v001-r-1"].claimed_ms == morning_ms + MINUTE_MS
    assert by_subject["v001-r-2"].held_until_ms is None
    assert by_subject["v001-r-2"].claimed_ms == night_ms + 20 * SECOND_MS + MINUTE_MS


def test_a_reading_that_comes_again_is_recognised_and_raises_nothing_new(tmp_path: Path) -> None:
    """The same number of the same outbox, on another day of the recording, and behind a link that lost a receipt."""
    village = Village()
    village.plan = VillagePlan(
        "v001", silences=(village.silence(MORNING_MS + SECOND_MS, MORNING_MS + HOUR_MS, number=1),)
    )
    low = Village().oximetry(MORNING_MS - HOUR_MS, 97).observation.parts
    doubtful = village.add(MORNING_MS - HOUR_MS, "oximetry", *low, quality=DOUBTFUL)
    pressed = village.press(MORNING_MS)
    again = [type(one)(START_MS + DAY_MS + HOUR_MS, one.gateway, one.epoch, one.seq, one.observation)
             for one in (doubtful, pressed)]  # fmt: skip  # one list
    known = len(village.readings)
    village.readings += again
    replay(
        record(tmp_path / "recording", village, days=2, readings=known),
        tmp_path / "outcome",
        pack=None,
        jobs=1,
        progress=None,
    )
    alerts, (counts,) = read(tmp_path / "outcome")
    assert sorted(alert.rule for alert in alerts) == ["SOS", "WATCH-LOST"]
    assert [len(alert.told) for alert in alerts if alert.rule == "SOS"] == [1]
    assert (counts.readings, counts.stored, counts.duplicated) == (known, known, 0)
    assert counts.redelivered >= 3, "two of the recording, and what left just before the link went silent"
    assert "ingest.conflicts" not in counts.stages


def test_a_gateway_at_1970_is_judged_and_dated_by_its_heartbeat(tmp_path: Path) -> None:
    village = Village()
    village.press(MORNING_MS, ahead_ms=-MORNING_MS + 5000, clock=ClockState.UNSET, boot="c" * 32)
    for window in range(3):
        village.add(
            MORNING_MS + HOUR_MS + window * 10 * SECOND_MS,
            "oximetry",
            *village.oximetry(MORNING_MS + HOUR_MS, 90, number=2).observation.parts,
            ahead_ms=-MORNING_MS + 5000,
            clock=ClockState.UNSET,
            boot="c" * 32,
        )
    alerts, (counts,) = outcome(tmp_path, village)
    by_rule = {alert.rule: alert for alert in alerts}
    assert by_rule["SOS"].told[0].own_ms == MORNING_MS
    assert by_rule["SPO2-LOW"].told[0].own_ms == MORNING_MS + HOUR_MS + 20 * SECOND_MS
    assert not any(told.late for alert in alerts for told in alert.told)
    assert counts.stored == counts.readings


def test_a_reading_of_doubtful_quality_raises_nothing(tmp_path: Path) -> None:
    village = Village()
    for window in range(5):
        at_ms = MORNING_MS + window * 10 * SECOND_MS
        village.add(at_ms, "oximetry", *Village().oximetry(at_ms, 88).observation.parts, quality=DOUBTFUL)
    alerts, (counts,) = outcome(tmp_path, village)
    assert alerts == []
    assert counts.decisions == {"SPO2-LOW.quality_questionable": 5}


def test_alerts_stand_in_order_of_their_first_telling(tmp_path: Path) -> None:
    village = Village()
    village.press(MORNING_MS, number=2)
    village.press(MORNING_MS + SECOND_MS, number=1)
    village.press(MORNING_MS + 2 * HOUR_MS, number=2)
    alerts, _ = outcome(tmp_path, village)
    assert [alert.told[0].at_ms for alert in alerts] == sorted(alert.told[0].at_ms for alert in alerts)


@settings(max_examples=12, deadline=None)
@given(
    presses=st.lists(st.tuples(st.integers(0, DAY_MS - 1), st.integers(1, 2)), max_size=8),
    silences=st.lists(st.tuples(st.integers(0, DAY_MS), st.integers(1, 4 * HOUR_MS), st.integers(1, 2)), max_size=5),
    absences=st.lists(st.integers(0, 23), max_size=3, unique=True),
)
def test_every_reading_is_stored_refused_or_owed_and_every_press_is_told(
    tmp_path_factory: pytest.TempPathFactory,
    presses: list[tuple[int, int]],
    silences: list[tuple[int, int, int]],
    absences: list[int],
) -> None:
    village = Village()
    for at_ms, number in sorted(presses):
        village.press(START_MS + at_ms, number=number)
    village.plan = VillagePlan(
        "v001",
        silences=tuple(
            village.silence(START_MS + from_ms, START_MS + from_ms + length_ms, number=number)
            for from_ms, length_ms, number in silences
        ),
        absences=tuple((START_MS + hour * HOUR_MS, START_MS + (hour + 1) * HOUR_MS) for hour in sorted(absences)),
        reactions=PROMPT,
    )
    alerts, (counts,) = outcome(tmp_path_factory.mktemp("replay"), village)
    assert counts.readings == counts.stored + counts.owed
    assert (counts.duplicated, counts.refused) == (0, 0)
    if not counts.owed and presses:
        called = {alert.subject for alert in alerts if alert.rule == "SOS"}
        assert called == {village.resident(number) for _, number in presses}
    for alert in alerts:
        assert _rises(alert)


def _rises(alert: Alert) -> bool:
    times = [told.at_ms for told in alert.told]
    claims = [told.claimed_ms for told in alert.told if told.claimed_ms is not None]
    return times == sorted(times) and all(claim >= times[0] for claim in claims)
