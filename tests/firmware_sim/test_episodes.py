"""Episodes: each moves the signs it should, as far as it should, within its time, and nothing else."""

from statistics import fmean

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kanhu.firmware_sim.bodies import Body, Episode, VitalState, full
from kanhu.firmware_sim.scenario.model import Condition, Resident
from kanhu.firmware_sim.truth import HappeningKind

_DAY_S = 86_400.0
_HOUR_S = 3600.0
_TEN_S = 3 * _DAY_S + 10 * _HOUR_S  # Thursday, 10:00
_COUNT = 40


def _body(*episodes: Episode, number: int = 1, conditions: tuple[Condition, ...] = ()) -> Body:
    resident = Resident(id=f"r-{number:04d}", age_years=70 + number % 20, sex="f", conditions=conditions)
    return Body(resident, seed="1", episodes=episodes)


def _at_full(
    kind: HappeningKind, hours: float, *, severity: float, conditions: tuple[Condition, ...] = ()
) -> list[VitalState]:
    """States of many people at moments of the episode's full."""
    episode = Episode(kind, _TEN_S, hours * _HOUR_S, severity)
    from_s, to_s = full(episode)
    states: list[VitalState] = []
    for number in range(_COUNT):
        body = _body(episode, number=number, conditions=conditions)
        states += [body.seated(from_s + share * (to_s - from_s)) for share in (0.0, 0.2, 0.5, 0.8, 1.0)]
    return states


def test_a_desaturation_takes_everybody_to_where_it_says() -> None:
    typical = _at_full(HappeningKind.DESATURATION, 1, severity=1)
    grave = _at_full(HappeningKind.DESATURATION, 1, severity=2)
    assert all(86 <= state.spo2_percent <= 89.5 for state in typical)
    assert all(80 <= state.spo2_percent <= 85 for state in grave)
    lungs = _at_full(HappeningKind.DESATURATION, 1, severity=1, conditions=(Condition.COPD,))
    assert all(state.spo2_percent < 88 for state in lungs)


def test_a_hypertensive_episode_stays_above_180_or_110_for_its_full_hour() -> None:
    states = _at_full(HappeningKind.HYPERTENSIVE, 2.5, severity=1, conditions=(Condition.HYPERTENSION,))
    assert all(state.systolic_mmhg >= 180 or state.diastolic_mmhg >= 110 for state in states)
    assert fmean(state.systolic_mmhg >= 180 for state in states) > 0.95
    grave = _at_full(HappeningKind.HYPERTENSIVE, 2.5, severity=2, conditions=(Condition.HYPERTENSION,))
    assert fmean(state.systolic_mmhg > 200 for state in grave) > 0.95


@pytest.mark.parametrize("severity", [1.0, 2.0])
def test_fast_and_slow_hearts_are_fast_and_slow_throughout(severity: float) -> None:
    assert all(s.heart_rate_bpm >= 136 for s in _at_full(HappeningKind.FAST_HEART, 0.6, severity=severity))
    assert all(s.heart_rate_bpm <= 40 for s in _at_full(HappeningKind.SLOW_HEART, 0.6, severity=severity))


def test_hypoglycaemia_is_below_3_9_and_grave_below_3() -> None:
    for conditions in ((), (Condition.DIABETES,)):
        typical = _at_full(HappeningKind.HYPOGLYCAEMIA, 1, severity=1, conditions=conditions)
        grave = _at_full(HappeningKind.HYPOGLYCAEMIA, 1, severity=2, conditions=conditions)
        assert all(3.0 < state.glucose_mmol_l < 3.9 for state in typical)
        assert all(1.8 < state.glucose_mmol_l < 3.0 for state in grave)


def test_an_infection_over_days_moves_five_signs_together() -> None:
    episode = Episode(HappeningKind.INFECTION, _TEN_S, 5 * _DAY_S)
    for number in range(10):
        ill, well = _body(episode, number=number), _body(number=number)
        moment = _TEN_S + 2 * _DAY_S
        assert 1.5 < ill.at(moment).temperature_celsius - well.at(moment).temperature_celsius < 2.5
        assert ill.at(moment).heart_rate_bpm > well.at(moment).heart_rate_bpm + 8
        assert ill.at(moment).respiration_per_min > well.at(moment).respiration_per_min + 3
        assert ill.at(moment).spo2_percent < well.at(moment).spo2_percent - 1
        assert ill.vigour(moment) < 0.6 < well.vigour(moment)


def test_water_adds_more_than_2_kg_in_3_days_and_goes_again() -> None:
    episode = Episode(HappeningKind.WEIGHT_GAIN, _TEN_S, 5 * _DAY_S)
    for number in range(10):
        body = _body(episode, number=number, conditions=(Condition.HEART_FAILURE,))
        mornings = [body.seated(day * _DAY_S + 7 * _HOUR_S).weight_kg for day in range(14)]
        assert max(later - earlier for earlier, later in zip(mornings, mornings[3:], strict=False)) > 2
        assert abs(mornings[13] - mornings[2]) < 1.5


def test_nobody_moves_or_sleeps_on_the_floor_and_they_grow_cold() -> None:
    lying = _body(Episode(HappeningKind.LONG_LIE, _TEN_S, 12 * _HOUR_S))
    up = _body()
    for second in range(0, 12 * 3600, 600):
        state = lying.at(_TEN_S + second)
        assert state.activity == 0.0
        assert not state.asleep
        assert lying.still(_TEN_S + second)
    assert lying.at(_TEN_S + 6 * _HOUR_S).temperature_celsius < up.at(_TEN_S + 6 * _HOUR_S).temperature_celsius - 1
    assert not lying.still(_TEN_S - 1)
    assert not lying.still(_TEN_S + 12 * _HOUR_S)


@pytest.mark.parametrize("kind", list(HappeningKind))
def test_an_episode_leaves_the_body_alone_before_and_long_after(kind: HappeningKind) -> None:
    touched, alone = _body(Episode(kind, _TEN_S, 2 * _DAY_S)), _body()
    for second in range(0, int(12 * _DAY_S), 1801):
        if second <= _TEN_S or second >= _TEN_S + 5 * _DAY_S:
            assert touched.at(second) == alone.at(second)


def test_kinds_that_befall_devices_and_gateways_move_nothing() -> None:
    kinds = (HappeningKind.CALL, HappeningKind.MISUSE, HappeningKind.VISITOR, HappeningKind.GATEWAY_SILENT)
    touched, alone = _body(*(Episode(kind, _TEN_S, _DAY_S) for kind in kinds)), _body()
    assert [touched.at(_TEN_S + s) for s in range(0, 9000, 91)] == [alone.at(_TEN_S + s) for s in range(0, 9000, 91)]


@settings(max_examples=60, deadline=None)
@given(
    kind=st.sampled_from(list(HappeningKind)),
    onset_s=st.floats(0, 20 * _DAY_S),
    lasts_s=st.floats(1, 10 * _DAY_S),
    severity=st.floats(1, 2),
    second=st.floats(0, 30 * _DAY_S),
    conditions=st.sets(st.sampled_from(list(Condition))),
)
def test_whatever_befalls_whom_the_values_are_those_of_a_living_person(
    kind: HappeningKind, onset_s: float, lasts_s: float, severity: float, second: float, conditions: set[Condition]
) -> None:
    body = _body(Episode(kind, onset_s, lasts_s, severity), conditions=tuple(sorted(conditions)))
    for state in (body.at(second), body.seated(second)):
        assert 28 <= state.heart_rate_bpm <= 185
        assert 60 <= state.diastolic_mmhg + 12 < state.systolic_mmhg + 12 < 260
        assert 70 <= state.spo2_percent <= 100
        assert 8 <= state.respiration_per_min <= 40
        assert 33 <= state.temperature_celsius <= 41
        assert 1.8 <= state.glucose_mmol_l <= 20
        assert 30 <= state.weight_kg <= 110
        assert 0 <= state.activity <= 1


def test_two_episodes_at_once_both_show() -> None:
    both = _body(
        Episode(HappeningKind.INFECTION, _TEN_S, 5 * _DAY_S),
        Episode(HappeningKind.DESATURATION, _TEN_S + 2 * _DAY_S, _HOUR_S, 2.0),
    ).at(_TEN_S + 2 * _DAY_S + 1800)
    assert both.temperature_celsius > 37.3
    assert both.spo2_percent < 85
