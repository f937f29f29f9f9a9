"""Bodies and beats: the same seed gives the same person, and real beats are replayed as they were recorded."""

from itertools import islice, pairwise
from pathlib import Path
from statistics import fmean

import pytest

from kanhu.firmware_sim import RecordRefused
from kanhu.firmware_sim.bodies import Body, RecordedBeats, SinusBeats, load_recorded_beats
from kanhu.firmware_sim.scenario import Condition, Resident

_MORNING_S = 9 * 3600.0
_RECORDING = Path(__file__).parents[2] / "harness" / "data" / "rr_af" / "afdb_05121.csv"


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
