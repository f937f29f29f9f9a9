"""What a scenario demands against what came: missing, late, too often, too low, and unasked for."""

import pytest

from kanhu.firmware_sim.truth import Demand
from kanhu.harness.prove.demands import Raised, Telling, judge

SOS = Demand(rule="SOS", subject="r-0001", priority="high", from_ms=1000, by_ms=2000)
CALL = Raised("r-0001", "SOS", (Telling(1500, "high"),))
OTHER = Raised("r-0002", "SOS", (Telling(1500, "high"),))


def test_what_came_in_time_and_alone_keeps_the_demand() -> None:
    judgement = judge([SOS], [CALL])
    assert judgement.kept
    assert (judgement.expected, judgement.raised) == (1, 1)


@pytest.mark.parametrize(
    ("demand", "raised", "problem"),
    [
        (SOS, [], "never came"),
        (SOS, [Raised("r-0001", "SOS", (Telling(2001, "high"),))], "did not come in time"),
        (SOS, [Raised("r-0001", "SOS", (Telling(999, "high"),))], "did not come in time"),
        (SOS, [Raised("r-0001", "SOS", (Telling(1500, "medium"),))], "did not come in time"),
        (SOS, [OTHER], "never came"),
        (Demand(rule="SOS", subject="*", from_ms=0, by_ms=2000, told=2), [CALL], "told 1 times, not 2"),
        (Demand(rule="SOS", subject="*", from_ms=0, by_ms=2000, level=3), [CALL], "reached level 0, not 3"),
    ],
)
def test_what_is_missing_is_named(demand: Demand, raised: list[Raised], problem: str) -> None:
    judgement = judge([demand], raised)
    assert [said for said in judgement.missing if problem in said]
    assert not judgement.kept


@pytest.mark.parametrize(
    ("demands", "raised"),
    [
        ([], [CALL]),
        ([SOS], [CALL, OTHER]),
        ([SOS], [CALL, CALL]),
        ([SOS], [Raised("r-0001", "SOS", (Telling(1500, "high"), Telling(1600, "medium")))]),
        ([SOS, Demand(rule="*", subject="*", from_ms=0, by_ms=1600, forbidden=True)], [CALL]),
    ],
    ids=["nothing was asked for", "somebody else's", "twice", "of another priority as well", "forbidden by name"],
)
def test_what_nobody_asked_for_is_forbidden(demands: list[Demand], raised: list[Raised]) -> None:
    judgement = judge(demands, raised)
    assert judgement.forbidden
    assert not judgement.kept


def test_a_demand_for_anybody_may_be_met_so_many_times() -> None:
    demand = Demand(rule="SOS", subject="*", from_ms=0, by_ms=2000, at_most=2)
    assert judge([demand, demand], [CALL, OTHER]).kept
    assert not judge([demand], [CALL, OTHER, Raised("r-0003", "SOS", (Telling(1, "high"),))]).kept
