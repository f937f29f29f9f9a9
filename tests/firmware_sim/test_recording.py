"""A recording is numbered, stamped and read back as a county would read it; what is not whole is made again."""

import errno
from pathlib import Path

import pytest

from kanhu.contract import ClockState, Meal, QualityLevel, QualityReason, Subject, SubjectKind
from kanhu.contract.recording import (
    MANIFEST_FILE,
    READINGS_FILE,
    TRUTH_FILE,
    Recorded,
    VillagePlan,
    decode_plan,
    read_readings,
)
from kanhu.firmware_sim.errors import FolderRefused
from kanhu.firmware_sim.recording import (
    BloodPressure,
    ClockStart,
    Done,
    GatewayClock,
    RecordingFolder,
    Settings,
    blood_pressure,
    glucose,
    heart_rhythm,
    help_button,
    oximetry,
    sensor_change,
    temperature,
    weight,
)
from kanhu.firmware_sim.truth import Person, read_truth

_START_MS = 1_772_380_800_000  # 2026-03-02 00:00 in Shanghai
_DAY_MS = 86_400_000
_SOMEBODY = Subject(SubjectKind.RESIDENT, "r-1")
_DWELLING = Subject(SubjectKind.DWELLING, "home-1")
_SHOWN = BloodPressure(systolic_mmhg=132, diastolic_mmhg=78, pulse_bpm=70)


def _settings(**changed: object) -> Settings:
    values: dict[str, object] = {"name": "test", "seed": 1, "starts_ms": _START_MS, "days": 2, **changed}
    return Settings(**values)  # type: ignore[arg-type]  # fields of the struct


def _clock(**changed: object) -> GatewayClock:
    return GatewayClock("home-1", seed="1", starts_ms=_START_MS, **changed)  # type: ignore[arg-type]  # as above


def _read(folder: Path) -> list[Recorded]:
    with (folder / "v1" / READINGS_FILE).open("rb") as stream:
        return [*read_readings(stream, place="readings")]


def _write(folder: RecordingFolder, clock: GatewayClock | None = None) -> Done:
    writer = folder.village("v1", gateways={"home-1": clock or _clock()})
    late = _START_MS + _DAY_MS
    readings = [
        blood_pressure(late + 5, "cuff", subject=_SOMEBODY, shown=_SHOWN, device_ms=late + 28_800_000),
        oximetry(_START_MS + 9, "oximeter", subject=None, spo2_percent=96, pulse_bpm=70, session_ms=_START_MS),
        help_button(_START_MS + 5, "button", subject=_SOMEBODY),
        heart_rhythm(_START_MS + 5, "strap", subject=_SOMEBODY, rate_bpm=64, intervals_1024th_s=(960,)),
        sensor_change(_START_MS + 5, "hall", metric="motion", state=1, dwelling=_DWELLING),
        weight(_START_MS + 7, "scales", subject=_SOMEBODY, kg=61.26),
        temperature(_START_MS + 8, "thermometer", subject=_SOMEBODY, celsius=36.64),
        glucose(_START_MS + 10, "meter", subject=_SOMEBODY, mmol_l=5.61, meal=Meal.FASTING),
    ]
    for reading in readings:
        writer.take("home-1", reading)
    writer.end_day(0)
    writer.end_day(1)
    person = Person(village="v1", gateway="home-1", subject="r-1", age_years=78, sex="f")
    return writer.finish(settings=folder.settings.digest(), plan=VillagePlan(village="v1"), truth=[person], people=1)


def test_readings_come_back_in_order_of_true_time_numbered_and_each_at_its_own_millisecond(tmp_path: Path) -> None:
    folder = RecordingFolder.open(tmp_path / "r", _settings())
    assert _write(folder).readings == 8
    back = _read(folder.path)
    assert [each.seq for each in back] == [*range(1, 9)]
    assert [each.observation.device for each in back] == [
        "button", "strap", "hall", "scales", "thermometer", "oximeter", "meter", "cuff",
    ]  # fmt: skip  # one line is the order
    assert len({(each.true_ms, each.observation.times.mono_ns) for each in back}) == 8
    assert back[-1].observation.times.device_ms == _START_MS + _DAY_MS + 28_800_000
    assert {each.epoch for each in back} == {_clock().epoch}


def test_values_are_whole_steps_of_the_display(tmp_path: Path) -> None:
    folder = RecordingFolder.open(tmp_path / "r", _settings())
    _write(folder)
    shown = {each.observation.device: each.observation for each in _read(folder.path)}
    assert str(shown["scales"].value("weight")) == "61.3"
    assert str(shown["thermometer"].value("temperature_axillary")) == "36.6"
    assert str(shown["meter"].value("glucose_capillary")) == "5.6"
    assert shown["meter"].context.meal is Meal.FASTING
    assert shown["cuff"].value("mean_pressure") == 96
    assert shown["strap"].series("rr_interval") == (960 * 125,)


def test_a_shared_device_measures_nobody_known(tmp_path: Path) -> None:
    folder = RecordingFolder.open(tmp_path / "r", _settings())
    _write(folder)
    (shared,) = [each.observation for each in _read(folder.path) if each.observation.device == "oximeter"]
    session = _clock().times(_START_MS)
    assert shared.subject == Subject(SubjectKind.UNIDENTIFIED, f"oximeter.{session.boot[:8]}.{session.mono_ns}")
    assert shared.quality.level is QualityLevel.QUESTIONABLE
    assert shared.quality.reasons == (QualityReason.IDENTITY_UNKNOWN,)


def test_a_cuff_clock_that_was_never_set_lowers_nothing_and_a_moving_arm_does() -> None:
    unset = (QualityReason.DEVICE_CLOCK_UNSET,)
    moved = (QualityReason.MOTION, QualityReason.DEVICE_CLOCK_UNSET)
    one, other = (
        blood_pressure(1, "cuff", subject=_SOMEBODY, shown=_SHOWN, reasons=reasons) for reasons in (unset, moved)
    )
    assert (one.quality.level, one.quality.reasons) == (QualityLevel.OK, unset)
    assert (other.quality.level, other.quality.reasons) == (QualityLevel.QUESTIONABLE, moved)


def test_without_power_nothing_is_read_and_the_next_boot_begins_anew() -> None:
    cut, back = _START_MS + 1000, _START_MS + 601_000
    clock = _clock(cuts=[(cut, back)])
    assert clock.is_up(cut - 1)
    assert not clock.is_up(cut)
    assert not clock.is_up(back)  # it still boots
    assert clock.is_up(back + 40_000)
    before, after = clock.times(cut - 1), clock.times(back + 41_000)
    assert after.boot != before.boot
    assert after.mono_ns == 41_000 * 1_000_000
    assert after.clock is ClockState.RESTORED
    assert after.arrival_ms == back + 41_000 - 600_000  # as far behind as the cut was long
    synced = clock.times(back + 80_000)
    assert (synced.clock, synced.arrival_ms) == (ClockState.SYNCED, back + 80_000)


def test_without_a_link_the_wall_clock_stays_wrong_until_there_is_one() -> None:
    cut, back, linked = _START_MS + 1000, _START_MS + 2000, _START_MS + 900_000
    clock = _clock(cuts=[(cut, back)], unlinked=[(cut, linked)])
    assert clock.times(linked).clock is ClockState.RESTORED
    assert clock.times(linked + 31_000).clock is ClockState.SYNCED


def test_a_clock_that_was_never_set_begins_in_1970() -> None:
    clock = _clock(start=ClockStart(wall_ms=0, synced_after_ms=5000, state=ClockState.UNSET))
    first, later = clock.times(_START_MS + 1000), clock.times(_START_MS + 5000)
    assert (first.arrival_ms, first.clock) == (1000, ClockState.UNSET)
    assert (later.arrival_ms, later.clock) == (_START_MS + 5000, ClockState.SYNCED)
    assert later.boot == first.boot
    assert later.mono_ns - first.mono_ns == 4000 * 1_000_000


def test_a_reading_without_power_is_not_taken(tmp_path: Path) -> None:
    folder = RecordingFolder.open(tmp_path / "r", _settings())
    assert _write(folder, _clock(cuts=[(_START_MS, _START_MS + 1000)])).readings == 1


def test_a_whole_village_is_known_again_and_one_cut_short_is_not(tmp_path: Path) -> None:
    folder = RecordingFolder.open(tmp_path / "r", _settings())
    assert folder.done("v1") is None
    done = _write(folder)
    again = RecordingFolder.open(tmp_path / "r", _settings())
    assert again.done("v1") == done
    readings = tmp_path / "r" / "v1" / READINGS_FILE
    readings.write_bytes(readings.read_bytes()[:-1])
    assert again.done("v1") is None
    readings.unlink()
    assert again.done("v1") is None


def test_beginning_a_village_anew_takes_its_word_back(tmp_path: Path) -> None:
    folder = RecordingFolder.open(tmp_path / "r", _settings())
    _write(folder)
    folder.finish([], site="")
    folder.village("v1", gateways={"home-1": _clock()}).close()
    assert folder.done("v1") is None
    assert not (tmp_path / "r" / MANIFEST_FILE).exists(), "nor is the whole recording whole"


@pytest.mark.parametrize("changed", [{"seed": 2}, {"days": 3}, {"version": "0"}, {"details": {"people": "5"}}])
def test_a_folder_of_other_settings_is_refused_with_the_remedy(tmp_path: Path, changed: dict[str, object]) -> None:
    RecordingFolder.open(tmp_path / "r", _settings())
    with pytest.raises(FolderRefused, match=f"other settings.*{next(iter(changed))}.*--out"):
        RecordingFolder.open(tmp_path / "r", _settings(**changed))


def test_a_folder_that_holds_something_else_is_refused(tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(FolderRefused, match="something else"):
        RecordingFolder.open(tmp_path, _settings())


def test_settings_that_found_no_room_are_written_by_the_next_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_file: Path, _content: bytes) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "write_bytes", full)
        with pytest.raises(FolderRefused, match="No space"):
            RecordingFolder.open(tmp_path / "r", _settings())
    (tmp_path / "r" / "settings.json.tmp").write_bytes(b"{")
    assert RecordingFolder.open(tmp_path / "r", _settings()).done("v1") is None
    assert [each.name for each in (tmp_path / "r").iterdir()] == ["settings.json"]


def test_damaged_settings_are_refused(tmp_path: Path) -> None:
    (tmp_path / "settings.json").write_text("{", encoding="utf-8")
    with pytest.raises(FolderRefused, match="damaged"):
        RecordingFolder.open(tmp_path, _settings())


def test_the_manifest_counts_what_the_villages_hold(tmp_path: Path) -> None:
    folder = RecordingFolder.open(tmp_path / "r", _settings())
    manifest = folder.finish([_write(folder)], site="")
    assert (manifest.people, manifest.readings, manifest.villages) == (1, 8, ("v1",))
    assert (manifest.starts_ms, manifest.ends_ms) == (_START_MS, _START_MS + 2 * _DAY_MS)
    plan = decode_plan((folder.path / "v1" / "village.json").read_bytes(), place="plan")
    assert plan == VillagePlan(village="v1")
    with (folder.path / "v1" / TRUTH_FILE).open("rb") as lines:
        assert [line.subject for line in read_truth(lines, place="truth") if isinstance(line, Person)] == ["r-1"]
