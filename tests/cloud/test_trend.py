"""TREND: each night yesterday's daily values meet the person's own baseline."""

from datetime import timedelta

from kanhu.cloud.alerting import nightly
from kanhu.contract import FakeClock, Priority, QualityLevel, QualityReason
from kanhu.contract.records import Quality
from tests.cloud.town import COUNTY, Town, only, oximetry, pressure

_DAY = timedelta(days=1).total_seconds()


def test_a_lasting_change_of_two_vitals_becomes_one_low_alert(town: Town, clock: FakeClock) -> None:
    seq = weeks(town, clock, days=40)
    assert not town.board()
    for day in range(8):
        seq = _day(town, clock, seq, systolic=158 + day % 2, diastolic=96, spo2=92)
    row = only(town.board())
    assert (row.rule, row.priority, row.subject) == ("TREND", Priority.LOW, "r-0001")
    assert row.detail.en
    page = town.county.services.desk.alert(COUNTY, row.id)
    assert page is not None
    assert page.evidence


def test_a_calm_person_raises_nothing_and_gets_a_usual_range(town: Town, clock: FakeClock) -> None:
    weeks(town, clock, days=45)
    assert not town.board()
    page = town.county.services.desk.resident(COUNTY, "r-0001", days=90)
    assert page is not None
    pressure_tile = next(tile for tile in page.vitals if tile.metric == "bp")
    assert pressure_tile.usual is not None
    assert 120 <= pressure_tile.usual[0] < pressure_tile.usual[1] <= 135
    systolic = next(trend for trend in page.trends if trend.metric == "systolic")
    assert (systolic.limit, len(systolic.points)) == (180.0, 45)


def test_a_night_is_judged_once_and_a_missed_one_when_the_county_is_back(town: Town, clock: FakeClock) -> None:
    _day(town, clock, 1, systolic=126, diastolic=80, spo2=97)
    judged = town.table("trend")
    assert len(judged) == 5, "four vitals and their agreement"
    town.tick()
    clock.advance(60)
    town.tick()
    assert town.table("trend") == judged


def test_questionable_values_never_enter_a_day(town: Town, clock: FakeClock) -> None:
    doubtful = Quality(QualityLevel.QUESTIONABLE, (QualityReason.MOTION,))
    town.send((1, oximetry(clock.wall_ms(), 75, quality=doubtful)))
    assert town.table("daily") == []
    page = town.county.services.desk.resident(COUNTY, "r-0001", days=1)
    assert page is not None
    (tile, *_) = page.vitals
    assert (tile.quality, tile.reasons) == (QualityLevel.QUESTIONABLE, ("motion",))


def test_a_whole_county_is_judged_in_small_bites(town: Town, clock: FakeClock) -> None:
    assert nightly._PEOPLE_A_TICK <= 100  # what keeps readings and claims from waiting
    for number in (1, 2, 3):
        town.send((number, pressure(clock.wall_ms(), 130, 80, number=number)), gateway=f"home-{number:02}")
    town.tick()
    clock.advance(20 * 3600)
    town.tick()
    assert len({subject for subject, *_ in town.table("trend")}) == 3


def weeks(town: Town, clock: FakeClock, *, days: int) -> int:
    seq = 1
    for day in range(days):
        seq = _day(town, clock, seq, systolic=124 + day % 5, diastolic=78 + day % 4, spo2=96 + day % 2)
    return seq


def _day(town: Town, clock: FakeClock, seq: int, *, systolic: int, diastolic: int, spo2: int) -> int:
    """A morning's readings, and the night after it."""
    now_ms = clock.wall_ms()
    town.send((seq, pressure(now_ms, systolic, diastolic)), (seq + 1, oximetry(now_ms, spo2)))
    town.tick()
    clock.advance(20 * 3600)  # 04:00
    town.tick()
    town.tick()
    clock.advance(4 * 3600)
    return seq + 2
