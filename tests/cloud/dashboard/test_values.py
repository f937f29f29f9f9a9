"""What a resident's page is made from, read out of a real ledger: doubt, gaps, beats, names."""

import msgspec

from kanhu.cloud.desk.model import ResidentPage, Trend, TrendKind
from kanhu.cloud.people.site import Resident, Site, load_site
from kanhu.contract import ClockState, Evidence, FakeClock, Observation, Part, Quality, QualityLevel, QualityReason
from tests.cloud.town import BOOT, COUNTY, Town, finding, oximetry, resident, times

GOOD = Quality()
DOUBTFUL = Quality(QualityLevel.QUESTIONABLE, (QualityReason.WEAK_SIGNAL,))
STEPS_PER_MS = 128
HOUR_S = 3600


def _strap(
    wall_ms: int, intervals_ms: list[int], *, clock: ClockState = ClockState.SYNCED, number: int = 1
) -> Observation:
    intervals = tuple(interval_ms * STEPS_PER_MS for interval_ms in intervals_ms)
    parts = (Part("heart_rate", (72,)), *((Part("rr_interval", intervals),) if intervals else ()))
    return Observation("heart_rhythm", parts, resident(number), "strap-01", times(wall_ms, clock=clock), GOOD)


def _page(town: Town, *, days: int = 1) -> ResidentPage:
    page = town.county.services.desk.resident(COUNTY, "r-0001", days=days)
    assert page is not None
    return page


def _trend(town: Town, code: str, *, days: int = 1) -> Trend | None:
    return next((trend for trend in _page(town, days=days).trends if trend.metric == code), None)


def _known(trend: Trend | None) -> list[float]:
    assert trend is not None
    return [value for _, value, _ in trend.points if value is not None]


def test_a_doubtful_value_is_a_gap_in_the_small_line_of_the_board(town: Town, clock: FakeClock) -> None:
    now_ms = clock.wall_ms()
    readings = [
        oximetry(now_ms - 10_000 * each, 95 - each, quality=DOUBTFUL if each == 2 else GOOD) for each in range(4)
    ]
    params = {"spo2": "92", "count": "3", "minutes": "1", "spo2_limit": "≤ 92"}
    found = msgspec.structs.replace(
        finding(now_ms, rule="SPO2-LOW", params=params),
        evidence=(Evidence("spo2", 920, "oximeter-01", BOOT, 1, now_ms),),
    )
    town.send(*enumerate(readings, start=1))
    town.send((9, found))
    (row,) = town.board()
    assert (row.spark, row.metric) == ((92.0, None, 94.0, 95.0), "spo2")


def test_beats_are_those_of_the_last_five_minutes_each_where_it_ended(town: Town, clock: FakeClock) -> None:
    clock.advance(HOUR_S)
    now_ms = clock.wall_ms()
    readings = [_strap(now_ms - 1000 * (400 - each), [700 + each]) for each in range(400)]
    town.send(*enumerate([*readings, oximetry(now_ms, 96), _strap(now_ms, [500, 600])], start=1))
    beats = _trend(town, "rr_interval")
    assert beats is not None
    assert (beats.kind, beats.unit, beats.label.zh) == (TrendKind.DOTS, "ms", "心跳间期")
    assert _known(beats) == [*range(800, 1100), 500, 600]
    last, before = beats.points[-1][0], beats.points[-2][0]
    assert last.timestamp() * 1000 == now_ms
    assert (last - before).total_seconds() == 0.6


def test_a_pause_between_beats_is_a_gap(town: Town, clock: FakeClock) -> None:
    now_ms = clock.wall_ms()
    town.send((1, _strap(now_ms - 30_000, [800])), (2, _strap(now_ms - 29_000, [810])), (3, _strap(now_ms, [820])))
    beats = _trend(town, "rr_interval")
    assert beats is not None
    assert [value for _, value, _ in beats.points] == [800, 810, None, 820]


def test_beats_of_a_gateway_without_a_clock_are_dated_by_the_newest_receipt(town: Town, clock: FakeClock) -> None:
    unset = ClockState.UNSET
    town.send((1, _strap(5_000, [800], clock=unset)), (2, _strap(6_000, [810], clock=unset)))
    beats = _trend(town, "rr_interval")
    assert beats is not None
    assert _known(beats) == [800, 810]
    assert beats.points[-1][0] == clock.now()


def test_nobody_else_and_no_absurd_interval_is_among_a_persons_beats(town: Town, clock: FakeClock) -> None:
    now_ms = clock.wall_ms()
    town.send((1, _strap(now_ms - 2000, [900], number=2)), (2, _strap(now_ms - 1000, [100, 9000, 750])))
    assert _known(_trend(town, "rr_interval")) == [750]
    town.send((3, _strap(now_ms, [])))
    assert _known(_trend(town, "rr_interval")) == [750], "no contact at the newest reading hides no earlier beat"


def test_a_person_without_a_strap_has_no_chart_of_beats(town: Town, clock: FakeClock) -> None:
    town.send((1, oximetry(clock.wall_ms(), 96)))
    assert _trend(town, "rr_interval") is None


def test_a_chart_whose_values_ended_hours_ago_ends_with_a_gap(town: Town, clock: FakeClock) -> None:
    start_ms = clock.wall_ms()
    town.send(*((each + 1, oximetry(start_ms + 60_000 * each, 96)) for each in range(5)))
    clock.advance(5 * HOUR_S)
    spo2 = _trend(town, "spo2")
    assert spo2 is not None
    assert (spo2.points[-1][0], spo2.points[-1][1]) == (clock.now(), None)


def test_every_value_enters_the_chart_once_and_none_stands_in_the_future(town: Town, clock: FakeClock) -> None:
    start_ms = clock.wall_ms()
    clock.advance(90)
    town.send(*((each + 1, oximetry(start_ms + 1000 * each, 90 if each < 30 else 96)) for each in range(90)))
    for days in (1, 7):
        spo2 = _trend(town, "spo2", days=days)
        assert spo2 is not None
        moments = [at for at, _, _ in spo2.points]
        assert moments == sorted(moments)
        assert moments[-1] <= clock.now()
        assert min(_known(spo2)) < 94, "what came before the newest values is in the chart"
        assert _known(spo2)[-24:] == [96.0] * 24


def test_today_is_in_the_chart_of_ninety_days_from_the_morning_on(town: Town, clock: FakeClock) -> None:
    town.send((1, oximetry(clock.wall_ms(), 96)))
    assert clock.now().hour < 12
    spo2 = _trend(town, "spo2", days=90)
    assert spo2 is not None
    assert [(at, value) for at, value, _ in spo2.points] == [(clock.now(), 96.0)]


def test_a_name_in_latin_letters_comes_from_the_register_where_it_has_one(town: Town) -> None:
    assert _page(town).person.name_en == ""
    one = Resident(id="r-0001", gateway="home-01", place="liulin", name="张福", name_en="Zhang Fu")
    town.county.writer.run(lambda transaction: load_site(transaction.connection, Site(resident=(one,))))
    person = _page(town).person
    assert (person.name, person.name_en) == ("张福", "Zhang Fu")
