"""Charts draw what was measured: no line over a gap, no extreme lost, never a point outside the plane."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kanhu.cloud.dashboard.charts import CHART_HEIGHT, CHART_WIDTH, Chart, range_bar, spark, trend_chart
from kanhu.cloud.dashboard.languages import language
from kanhu.cloud.dashboard.time_axis import LEAST_SPAN, axis_start
from kanhu.cloud.desk.model import Both, Trend, TrendKind
from kanhu.contract import QualityLevel

START = datetime(2026, 11, 15, tzinfo=UTC)
END = datetime(2026, 11, 22, tzinfo=UTC)
OK = QualityLevel.OK
_NUMBER = re.compile(r"-?[\d.]+(?:e[+-]?\d+)?")

Points = list[tuple[datetime, float | None, QualityLevel]]


def _chart(
    points: Points,
    *,
    limit: float | None = None,
    band: tuple[float, float] | None = None,
    metric: str = "spo2",
    start: datetime = START,
    end: datetime = END,
    kind: TrendKind = TrendKind.LINE,
    unit: str = "%",
) -> Chart:
    trend = Trend(metric, Both("血氧", "SpO₂"), unit, tuple(points), band, limit, kind)
    return trend_chart(trend, start=start, end=end, zone=UTC, language=language("en"))


def _hourly(values: list[float | None]) -> Points:
    return [(START + timedelta(hours=hour), value, OK) for hour, value in enumerate(values)]


def _xs(path: str) -> list[float]:
    return [float(number) for number in _NUMBER.findall(path)][::2]


def _ys(path: str) -> list[float]:
    return [float(number) for number in _NUMBER.findall(path)][1::2]


@pytest.mark.parametrize(
    ("unit", "value", "least"), [("mmHg", 140, 20), ("/min", 72, 20), ("%", 99, 6), ("/min", 3, 20)]
)
def test_one_point_of_difference_does_not_fill_the_axis(unit: str, value: float, least: float) -> None:
    chart = _chart(_hourly([value, value + 1, value]), unit=unit)
    shown = [float(tick.text) for tick in chart.vertical]
    assert shown[-1] - shown[0] >= least
    assert 0 <= shown[0] <= value < value + 1 <= shown[-1]
    assert unit != "%" or shown[-1] <= 100
    drawn = _ys(chart.paths[0])
    assert max(drawn) - min(drawn) <= chart.height / 5


def test_a_gap_in_the_data_is_a_gap_in_the_drawing() -> None:
    chart = _chart(_hourly([95, 96, 95, None, 94, 95]))
    assert len(chart.paths) == 2
    start, width = chart.gaps[0]
    assert max(_xs(chart.paths[0])) == start
    assert min(_xs(chart.paths[1])) == round(start + width, 1)


def test_no_data_at_all_is_one_hatched_plane() -> None:
    assert _chart([]).gaps == ((0.0, float(CHART_WIDTH)),)
    assert _chart([]).paths == ()


def test_a_gap_that_lasts_until_now_is_hatched_until_now() -> None:
    chart = _chart(_hourly([95, 96, None]))
    assert round(sum(chart.gaps[-1]), 1) == CHART_WIDTH


def test_a_dip_of_one_sample_in_a_hundred_thousand_is_drawn() -> None:
    points: Points = [(START + timedelta(seconds=6 * each), 95.0, OK) for each in range(100_000)]
    points[54_321] = (points[54_321][0], 71.0, OK)
    chart = _chart(points)
    lowest = max(y for path in chart.paths for y in _ys(path))
    highest = min(y for path in chart.paths for y in _ys(path))
    assert lowest - highest > 80
    assert sum(len(_xs(path)) for path in chart.paths) <= 4 * CHART_WIDTH


def test_a_doubtful_reading_is_marked_and_not_joined() -> None:
    points = _hourly([95, 95, 95])
    points.insert(2, (START + timedelta(hours=1, minutes=30), 60.0, QualityLevel.QUESTIONABLE))
    chart = _chart(points)
    assert [mark.kind for mark in chart.marks] == ["questionable"]
    assert all(len(set(_ys(path))) == 1 for path in chart.paths)


def test_a_single_reading_between_gaps_is_still_seen() -> None:
    assert [mark.kind for mark in _chart(_hourly([None, 95, None])).marks] == ["single"]


def test_oxygen_is_beyond_its_limit_below_and_pressure_above() -> None:
    low = _chart(_hourly([95, 91, 95]), limit=92)
    high = _chart(_hourly([150, 186, 150]), limit=180, metric="systolic")
    assert [mark.kind for mark in low.marks] == ["beyond"]
    assert [mark.kind for mark in high.marks] == ["beyond"]


def test_a_day_has_hours_on_its_axis_and_longer_spans_have_dates() -> None:
    day = _chart([], start=END - timedelta(days=1))
    quarter = _chart([], start=END - timedelta(days=90))
    assert [tick.text for tick in day.horizontal] == ["06:00", "12:00", "18:00", "00:00"]
    assert 4 <= len(quarter.horizontal) <= 8
    assert all("-" in tick.text for tick in quarter.horizontal)


def test_a_new_residents_axis_begins_with_their_values_and_shows_minutes() -> None:
    first = END - timedelta(minutes=3)
    start = axis_start([first, END], start=END - timedelta(days=1), end=END)
    assert start == END - LEAST_SPAN
    chart = _chart([(first, 95, OK), (END, 96, OK)], start=start, end=END)
    assert [tick.text for tick in chart.horizontal] == ["23:50", "23:55", "00:00"]
    assert chart.gaps == ((0.0, 800.0),), "what was not measured is not calm"
    assert axis_start([], start=START, end=END) == START


def test_what_is_empty_for_no_longer_than_the_usual_pause_is_no_gap() -> None:
    twice_a_day: Points = [(START + timedelta(hours=8 + 12 * each), 130.0, OK) for each in range(13)]
    assert _chart(twice_a_day).gaps == ()


@given(st.lists(st.integers(0, 7 * 24 * 3600), max_size=20), st.integers(20 * 60, 90 * 24 * 3600))
def test_an_axis_shows_every_value_of_its_period_and_is_never_shorter_than_fifteen_minutes(
    ages_s: list[int], period_s: int
) -> None:
    period = END - timedelta(seconds=period_s)
    moments = [END - timedelta(seconds=age_s) for age_s in ages_s]
    start = axis_start(moments, start=period, end=END)
    assert period <= start <= END - LEAST_SPAN
    assert all(start <= moment for moment in moments if moment >= period)
    assert len(_chart([], start=start).horizontal) <= 8


@given(st.lists(st.none() | st.floats(min_value=0, max_value=400, allow_nan=False), max_size=170))
def test_beats_are_dots_that_nothing_joins(values: list[float | None]) -> None:
    chart = _chart(_hourly(values), kind=TrendKind.DOTS)
    assert chart.paths == ()
    assert "L" not in chart.dots
    known = {each for each, value in enumerate(values) if value is not None}
    assert chart.dots.count("M") == len(known)


_value = st.none() | st.floats(min_value=0, max_value=400, allow_nan=False)


@given(
    st.lists(_value, max_size=170),
    st.none() | st.floats(min_value=0, max_value=400),
    st.none() | st.tuples(st.floats(0, 200), st.floats(200, 400)),
)
def test_everything_lies_inside_the_plane(
    values: list[float | None], limit: float | None, band: tuple[float, float] | None
) -> None:
    chart = _chart(_hourly(values), limit=limit, band=band)
    for path in chart.paths:
        assert all(0 <= x <= CHART_WIDTH for x in _xs(path))
        assert all(0 <= y <= CHART_HEIGHT for y in _ys(path))
    assert all(0 <= mark.x <= CHART_WIDTH and 0 <= mark.y <= CHART_HEIGHT for mark in chart.marks)
    assert all(x >= 0 and x + width <= CHART_WIDTH + 3 for x, width in chart.gaps)


@given(st.lists(_value, max_size=170))
def test_a_drawn_line_never_enters_a_hatched_gap(values: list[float | None]) -> None:
    chart = _chart(_hourly(values))
    for path in chart.paths:
        first, last = min(_xs(path)), max(_xs(path))
        for start, width in chart.gaps:
            assert last <= start + 0.1 or first >= min(start + width, CHART_WIDTH) - 2.1


@given(st.lists(_value, max_size=12), st.none() | st.tuples(st.floats(0, 200), st.floats(200, 400)))
def test_any_small_line_can_be_drawn(values: list[float | None], band: tuple[float, float] | None) -> None:
    small = spark(values, band)
    assert all(0 <= x <= 92 for path in small.paths for x in _xs(path))
    assert all(0 <= y <= 34 for path in small.paths for y in _ys(path))
    if not values or values[-1] is None:
        assert small.dot is None
    known = sum(value is not None for value in values)
    assert sum(len(re.findall(r"[ML]", path)) for path in small.paths) == known, "no value vanishes between two gaps"


@given(st.floats(-1000, 1000), st.floats(-500, 500), st.floats(0, 500))
def test_a_range_bar_stays_inside_its_bar(value: float, low: float, span: float) -> None:
    bar = range_bar(value, (low, low + span))
    assert 0 <= bar.start <= 100
    assert 0 < bar.width <= 100
    assert 2 <= bar.mark <= 98
