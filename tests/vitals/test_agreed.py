"""The score of a day says of every limit what the agreement of trends would have said at it."""

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kanhu.vitals import DecisionReason as R
from kanhu.vitals import PackRefused
from kanhu.vitals.baselines import AgreedScore, Direction, TrendAgreement, TrendScore
from tests.vitals.story import RESIDENT
from tests.vitals.test_trend import day, rule, signal, times

SCORE = st.builds(TrendScore, st.sampled_from([0.0, 3.0, 6.0, 9.0, 12.0]), st.sampled_from(Direction))
SCORES = st.dictionaries(st.sampled_from(["systolic", "diastolic", "heart_rate", "spo2"]), SCORE)


@settings(max_examples=60)
@given(st.lists(st.tuples(st.integers(1, 2), SCORES), max_size=12), st.sampled_from([1.0, 5.0, 8.0]))
def test_an_alert_is_agreed_on_exactly_where_the_score_is_above_the_limit(
    days: list[tuple[int, dict[str, TrendScore]]], limit: float
) -> None:
    trend = msgspec.structs.replace(rule(), dedupe_s=0)
    agreement, agreed, number = TrendAgreement(trend, RESIDENT), AgreedScore(trend), 0
    for passed, scores in days:
        number += passed
        signals = [signal(name, number, one.direction) for name, one in scores.items() if one.value > limit]
        raised = agreement.update(day(number), signals, times(number)).reason is R.CONFIRMED
        assert raised == (agreed.update(day(number), scores) > limit)


def test_only_a_rule_of_trends_has_such_a_score() -> None:
    with pytest.raises(PackRefused, match="no trend rule"):
        AgreedScore(rule("SOS"))
