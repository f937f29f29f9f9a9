"""Two outcomes of one recording: what is worse for people is called worse, with its reason."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kanhu.cloud.replay.outcome import Alert
from kanhu.firmware_sim.truth import HappeningKind
from kanhu.harness.scoring.comparing import Comparison, Difference, Verdict, compare_outcomes
from kanhu.harness.scoring.figures import score
from tests.harness.hand_made import County, alert, happening, told

COUNTY = County([happening(HappeningKind.DESATURATION, 600), happening(HappeningKind.HYPERTENSIVE, 1200)])
FOUND = (alert("SPO2-LOW", told(610, claimed=620), closed=660), alert("BP-SEVERE", told(1210, claimed=1220)))


def _compared(before: tuple[Alert, ...], after: tuple[Alert, ...], *, stored: int = 100) -> Comparison:
    return compare_outcomes(score(COUNTY.judged(*before)), score(COUNTY.judged(*after, stored=stored)))


def test_the_same_outcome_is_equal() -> None:
    comparison = _compared(FOUND, FOUND)
    assert comparison.verdict is Verdict.EQUAL
    assert (comparison.worse, comparison.better, comparison.figures) == ({}, {}, {})


def test_an_event_that_is_no_longer_told_is_worse_and_names_it() -> None:
    comparison = _compared(FOUND, FOUND[:1])
    assert (comparison.verdict, set(comparison.worse)) == (Verdict.WORSE, {Difference.EVENTS_LOST})
    assert [each.happening.kind for each in comparison.lost] == [HappeningKind.HYPERTENSIVE]
    assert comparison.figures["missed"] == (0, 1)


def test_an_event_that_is_told_now_is_better() -> None:
    comparison = _compared(FOUND[:1], FOUND)
    assert (comparison.verdict, set(comparison.better)) == (Verdict.BETTER, {Difference.EVENTS_WON})


def test_a_new_false_alert_is_worse_whatever_got_better() -> None:
    false = alert("SOS", told(3000, priority="high", claimed=3001))
    comparison = _compared(FOUND[:1], (*FOUND, false))
    assert comparison.verdict is Verdict.WORSE
    assert set(comparison.worse) == {Difference.FALSE_MORE}
    assert [each.alert.rule for each in comparison.false_new] == ["SOS"]
    assert set(comparison.better) == {Difference.EVENTS_WON}


def test_a_false_alert_that_is_gone_is_better() -> None:
    false = alert("BP-SEVERE", told(3000, claimed=3001))
    comparison = _compared((*FOUND, false), FOUND)
    assert (comparison.verdict, set(comparison.better)) == (Verdict.BETTER, {Difference.FALSE_FEWER})
    assert [each.alert.rule for each in comparison.false_gone] == ["BP-SEVERE"]


@pytest.mark.parametrize(
    ("after", "why"),
    [
        ((*FOUND, alert("SPO2-LOW", told(615, claimed=620))), Difference.DUPLICATES_MORE),
        ((alert("SPO2-LOW", told(610)), FOUND[1]), Difference.UNOWNED_MORE),
        ((alert("SPO2-LOW", told(640, claimed=645)), alert("BP-SEVERE", told(1250, claimed=1260))), Difference.SLOWER),
        ((alert("SPO2-LOW", told(900, own=610, claimed=901)), FOUND[1]), Difference.EVENTS_NOW_LATE),
    ],
)
def test_each_way_to_get_worse_has_its_name(after: tuple[Alert, ...], why: Difference) -> None:
    comparison = _compared(FOUND, after)
    assert comparison.verdict is Verdict.WORSE
    assert why in comparison.worse


def test_a_silent_gateway_that_is_no_longer_told_is_worse_though_no_person_is_concerned() -> None:
    county = County([happening(HappeningKind.GATEWAY_SILENT, 600, subject="", lasts=20, readings={})])
    lost = alert("WATCH-LOST", told(603, priority="technical"), subject="v001-g01")
    late = alert("WATCH-LOST", told(612, priority="technical"), subject="v001-g01")
    before = score(county.judged(lost))
    for after, why in (((), Difference.EVENTS_LOST), ((late,), Difference.EVENTS_NOW_LATE)):
        comparison = compare_outcomes(before, score(county.judged(*after)))
        assert comparison.verdict is Verdict.WORSE
        assert "0 events of people and 1 of gateways" in comparison.worse[why]


def test_a_lost_reading_is_worse() -> None:
    assert set(_compared(FOUND, FOUND, stored=99).worse) == {Difference.READINGS_LOST}


_RAISED = st.lists(
    st.tuples(
        st.sampled_from(["SPO2-LOW", "BP-SEVERE", "SOS"]),
        st.sampled_from([610, 900, 1210, 3000]),
        st.sampled_from(["high", "medium"]),
    ),
    max_size=5,
    unique=True,
)
_Raised = list[tuple[str, int, str]]


def _alerts(raised: _Raised) -> tuple[Alert, ...]:
    return tuple(alert(rule, told(minute, priority=priority), name=f"{rule}{minute}{priority}")
                 for rule, minute, priority in raised)  # fmt: skip


@settings(deadline=None, max_examples=60)  # on a machine that others use
@given(_RAISED, _RAISED)
def test_seen_from_the_other_side_lost_is_won_and_worse_is_better(before: _Raised, after: _Raised) -> None:
    there = _compared(_alerts(before), _alerts(after))
    back = _compared(_alerts(after), _alerts(before))
    assert [each.happening.id for each in there.lost] == [each.happening.id for each in back.won]
    assert [each.alert for each in there.false_new] == [each.alert for each in back.false_gone]
    assert {_OTHER_SIDE[why] for why in there.worse} == set(back.better)
    assert {_OTHER_SIDE[why] for why in back.worse} == set(there.better)


_OTHER_SIDE = {
    Difference.EVENTS_LOST: Difference.EVENTS_WON,
    Difference.EVENTS_NOW_LATE: Difference.EVENTS_IN_TIME,
    Difference.FALSE_MORE: Difference.FALSE_FEWER,
    Difference.DUPLICATES_MORE: Difference.DUPLICATES_FEWER,
    Difference.UNOWNED_MORE: Difference.UNOWNED_FEWER,
    Difference.SLOWER: Difference.FASTER,
}
