"""Bodies and beats: the same seed gives the same person, and real beats are replayed as they were recorded."""

from collections.abc import Iterator
from itertools import islice, pairwise
from pathlib import Path
from statistics import fmean, stdev

import pytest

from kanhu.firmware_sim import RecordRefused
from kanhu.firmware_sim.bodies import (
    Beat,
    BeatSource,
    Body,
    RecordedBeats,
    SinusBeats,
    load_recorded_beats,
)
from kanhu.firmware_sim.scenario.model import Condition, Resident

_DAY_S = 86_400.0
_HOUR_S = 3600.0
_MORNING_S = 9 * 3600.0
_DATA = Path(__file__).parents[2] / "harness" / "data"
_RECORDING = _DATA / "rr_af" / "afdb_05121.csv"
_EXTRA_BEATS = ("mitdb_116.csv", "mitdb_119.csv")


def _resident(**values: object) -> Resident:
    return Resident(id="r-0001", age_years=78, sex="f", **values)  # type: ignore[arg-type]  # fields of the struct


def test_the_same_seed_gives_the_same_person() -> None:
    one, same, other = (Body(_resident(), seed=seed) for seed in ("1", "1", "2"))
    moments = [_MORNING_S + 61 * turn for turn in range(50)]
    assert [one.at(moment) for moment in moments] == [same.at(moment) for moment in moments]
    assert [one.at(moment) for moment in moments] != [other.at(moment) for moment in moments]


def test_pressure_and_rate_dip_at_night() -> None:
    body = Body(_resident(), seed="1")
    night = [body.at(3 * 3600 + second) for second in range(0, 3600, 60)]
    afternoon = [body.at(15 * 3600 + second) for second in range(0, 3600, 60)]
    dip = fmean(state.systolic_mmhg for state in night) / fmean(state.systolic_mmhg for state in afternoon)
    assert 0.8 < dip < 0.92
    assert fmean(s.heart_rate_bpm for s in night) < fmean(s.heart_rate_bpm for s in afternoon) - 5


def test_conditions_move_a_person_and_resting_values_override_them() -> None:
    man = Body(Resident(id="r-0001", age_years=78, sex="m"), seed="1").at(_MORNING_S)
    plain = Body(_resident(), seed="1").at(_MORNING_S)
    lungs = Body(_resident(conditions=(Condition.COPD,)), seed="1").at(_MORNING_S)
    told = Body(_resident(conditions=(Condition.COPD,), resting_spo2_percent=96), seed="1").at(_MORNING_S)
    assert man.heart_rate_bpm < plain.heart_rate_bpm
    assert lungs.spo2_percent < plain.spo2_percent - 3
    assert abs(told.spo2_percent - 96) < 1


def test_every_state_of_a_day_is_one_a_person_can_have() -> None:
    body = Body(_resident(conditions=(Condition.HYPERTENSION, Condition.HEART_FAILURE)), seed="3")
    for second in range(0, 86_400, 300):
        state = body.at(second)
        assert 40 < state.heart_rate_bpm < 130
        assert 90 < state.systolic_mmhg < 180
        assert state.diastolic_mmhg < state.systolic_mmhg
        assert 85 < state.spo2_percent <= 100


def test_a_moment_is_the_same_whatever_was_asked_before() -> None:
    moments = [day * _DAY_S + 7_777.0 * turn for turn, day in enumerate((90, 3, 0, 29, 3, 88, 1))]
    body = Body(_resident(), seed="1")
    asked = [body.at(moment) for moment in moments]
    assert asked == [Body(_resident(), seed="1").at(moment) for moment in moments]
    assert [body.at(moment) for moment in reversed(moments)] == asked[::-1]


def test_days_differ_and_seated_pulse_is_never_above_the_moving_one() -> None:
    body = Body(_resident(), seed="1")
    mornings = [body.seated(day * _DAY_S + 7 * _HOUR_S) for day in range(28)]
    assert 2.5 < stdev(state.systolic_mmhg for state in mornings) < 16
    for second in range(0, int(2 * _DAY_S), 911):
        assert body.seated(second).heart_rate_bpm <= body.at(second).heart_rate_bpm


def test_values_creep_and_never_jump_from_one_second_to_the_next() -> None:
    body = Body(_resident(conditions=tuple(Condition)), seed="1", missed_doses=frozenset({1}))
    for second in range(0, int(4 * _DAY_S), 197):
        earlier, later = body.seated(second), body.seated(second + 1)
        assert abs(later.systolic_mmhg - earlier.systolic_mmhg) < 1
        assert abs(later.heart_rate_bpm - earlier.heart_rate_bpm) < 1.5
        assert abs(later.spo2_percent - earlier.spo2_percent) < 0.1
        assert abs(later.temperature_celsius - earlier.temperature_celsius) < 0.01
        assert abs(later.glucose_mmol_l - earlier.glucose_mmol_l) < 0.05
        assert abs(later.weight_kg - earlier.weight_kg) < 0.01


def test_midnight_joins_two_days() -> None:
    for number in range(30):
        body = Body(Resident(id=f"r-{number:04d}", age_years=80, sex="m"), seed="1")
        for day in range(1, 10):
            before, after = body.at(day * _DAY_S - 0.5), body.at(day * _DAY_S + 0.5)
            assert abs(after.systolic_mmhg - before.systolic_mmhg) < 1
            assert abs(after.heart_rate_bpm - before.heart_rate_bpm) < 1.5
            assert abs(after.weight_kg - before.weight_kg) < 0.01


def test_people_sleep_at_night_get_up_once_or_twice_and_stay_up_later_on_saturday() -> None:
    body = Body(_resident(), seed="1")
    asleep = [second for second in range(0, int(_DAY_S), 300) if body.at(second).asleep]
    assert 7 < len(asleep) * 300 / _HOUR_S < 11
    for day in range(14):
        plan = body.plan(day)
        assert 1 <= len(plan.rises_s) <= 2
        assert not body.at(day * _DAY_S + plan.rises_s[0][0] + 1).asleep
    evenings = [body.plan(day).to_bed_s for day in range(140)]
    weekend = fmean(evening for day, evening in enumerate(evenings) if day % 7 >= 5)
    assert 600 < weekend - fmean(evening for day, evening in enumerate(evenings) if day % 7 < 5) < 1800


def test_a_meal_raises_glucose_and_lowers_pressure() -> None:
    rises, falls = [], []
    for day in range(20):
        body = Body(_resident(conditions=(Condition.DIABETES,)), seed=str(day))
        supper_s = day * _DAY_S + body.plan(day).meals_s[2]
        rises.append(body.seated(supper_s + 3000).glucose_mmol_l - body.seated(supper_s).glucose_mmol_l)
        falls.append(body.seated(supper_s).systolic_mmhg - body.seated(supper_s + 3600).systolic_mmhg)
    assert fmean(rises) > 2.5
    assert fmean(falls) > 2


def test_a_missed_tablet_raises_pressure_from_its_hour_until_the_next() -> None:
    treated = _resident(conditions=(Condition.HYPERTENSION,))
    taken, missed = Body(treated, seed="1"), Body(treated, seed="1", missed_doses=frozenset({5}))

    def more_mmhg(hours: float) -> float:
        moment = 5 * _DAY_S + hours * _HOUR_S
        return missed.at(moment).systolic_mmhg - taken.at(moment).systolic_mmhg

    assert more_mmhg(6.9) == 0
    assert 0 < more_mmhg(9) < more_mmhg(16) == pytest.approx(9)
    assert more_mmhg(30) == pytest.approx(9)
    assert more_mmhg(36) == 0


def test_a_missed_tablet_means_nothing_to_who_takes_none() -> None:
    assert Body(_resident(), seed="1", missed_doses=frozenset({0})).at(60_000) == Body(_resident(), seed="1").at(60_000)


@pytest.mark.parametrize("name", _EXTRA_BEATS)
def test_hearts_with_extra_beats_are_on_record_without_fibrillation(name: str) -> None:
    beats = load_recorded_beats(_DATA / "rr_extra_beats" / name)
    assert 1190 < sum(beat.rr_ms for beat in beats) / 1000 < 1210
    assert {beat.rhythm for beat in beats} <= {"n", "bigeminy", "trigeminy"}


def _played(source: BeatSource, count: int) -> Iterator[Beat]:
    second = _MORNING_S
    for _ in range(count):
        beat = source.next_beat(second)
        second += beat.rr_ms / 1000
        yield beat


def test_a_sinus_rhythm_is_regular() -> None:
    source = SinusBeats(Body(_resident(), seed="1"), seed="1")
    beats = [source.next_beat(_MORNING_S + turn).rr_ms for turn in range(300)]
    assert max(abs(later / earlier - 1) for earlier, later in pairwise(beats)) < 0.08


def test_the_recording_is_replayed_beat_by_beat_from_where_it_was_told() -> None:
    beats = load_recorded_beats(_RECORDING)
    source = RecordedBeats(beats, first=895)
    replayed = [source.next_beat(0.0) for _ in range(100)]
    assert tuple(replayed) == beats[895:995]
    assert {beat.rhythm for beat in replayed} == {"af"}


def test_the_recording_begins_again_when_it_ends() -> None:
    beats = load_recorded_beats(_RECORDING)
    source = RecordedBeats(beats, first=len(beats) - 1)
    assert [source.next_beat(0.0) for _ in range(2)] == [beats[-1], beats[0]]


def test_the_recording_holds_twenty_minutes_with_a_labelled_episode() -> None:
    beats = load_recorded_beats(_RECORDING)
    assert 1190 < sum(beat.rr_ms for beat in beats) / 1000 < 1210
    assert {beat.rhythm for beat in beats} == {"n", "af"}
    assert _RECORDING.stat().st_size <= 60_000


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("", 1),
        ("rr_ms,rhythm\n", 1),
        ("ms\n800\n", 1),
        ("rr_ms\n800\nlong\n", 3),
        ("# remark\nrr_ms\n800\n100\n", 4),
        ("rr_ms\n9000\n", 2),
        ('rr_ms\n"800\n800\n', 1),
        ("rr_ms\n" + "8" * 200_000 + "\n", 1),
    ],
)
def test_a_recording_no_heart_made_is_refused_with_its_line(tmp_path: Path, text: str, line: int) -> None:
    file = tmp_path / "beats.csv"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(RecordRefused) as refused:
        load_recorded_beats(file)
    assert refused.value.line == line


def test_a_missing_recording_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RecordRefused):
        load_recorded_beats(tmp_path / "none.csv")


def test_beats_without_labels_are_unlabelled(tmp_path: Path) -> None:
    file = tmp_path / "beats.csv"
    file.write_text("rr_ms\n800\n810\n", encoding="utf-8")
    assert [beat.rhythm for beat in islice(load_recorded_beats(file), 2)] == ["unlabelled", "unlabelled"]
