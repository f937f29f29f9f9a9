"""The verdict of `./run prove devices`: what is lost, twice, or under a wrong name is seen, and nothing else is."""

import pytest

from kanhu.edge.known_results import KnownResults
from kanhu.harness.prove.clinic import Measured, Truth, glucose_of, number_of_glucose
from kanhu.harness.prove.devices import NO_MEMORY, _figures, _planted, _Sink

_S = 10**9


@pytest.fixture
def truth() -> Truth:
    """Four results: told at once, kept for minutes, of nobody, and one of the analyser."""
    made = Truth()
    made.results = {
        ("cuff", 0): Measured("r-1", 0, 5 * _S),
        ("cuff", 1): Measured("r-2", 0, 200 * _S),
        ("cuff", 2): Measured(None, 0, 5 * _S),
        ("analyser", 0): Measured("r-3", 0, 5 * _S),
    }
    return made


def figures(truth: Truth, *arrived: tuple[tuple[str, int], str | None], kept: int = 0) -> dict[str, object]:
    sink = _Sink()
    sink.arrived = list(arrived)
    found = _figures(truth, sink, kept=kept)
    wanted = {"lost": 0, "twice": 0, "wrong_person": 0, "without_name": 0, "unknown": 0, "kept_at_the_end": 0}
    return {name: value for name, value in found.items() if name in wanted and value != wanted[name]}


_ALL = ((("cuff", 0), "r-1"), (("cuff", 1), None), (("cuff", 2), None), (("analyser", 0), "r-3"))


def test_each_once_with_its_person_or_without_one_where_nobody_can_tell(truth: Truth) -> None:
    assert figures(truth, *_ALL) == {}
    assert figures(truth, (("cuff", 1), "r-2"), _ALL[0], *_ALL[2:]) == {}


def test_what_went_wrong_is_named(truth: Truth) -> None:
    assert figures(truth, *_ALL[1:]) == {"lost": 1}
    assert figures(truth, *_ALL, _ALL[0]) == {"twice": 1}
    assert figures(truth, (("cuff", 0), "r-2"), *_ALL[1:]) == {"wrong_person": 1}
    assert figures(truth, _ALL[0], (("cuff", 1), "r-1"), *_ALL[2:]) == {"wrong_person": 1}
    assert figures(truth, *_ALL[:2], (("cuff", 2), "r-2"), _ALL[3]) == {"wrong_person": 1}, (
        "nobody can tell whose it is"
    )
    assert figures(truth, (("cuff", 0), None), *_ALL[1:]) == {"without_name": 1}
    assert figures(truth, *_ALL, (("cuff", 9), "r-1")) == {"unknown": 1}
    assert figures(truth, *_ALL, kept=2) == {"kept_at_the_end": 2}


def test_a_glucose_names_its_result() -> None:
    assert [number_of_glucose(glucose_of(number)) for number in (0, 1, 57, 2599)] == [0, 1, 57, 2599]


def test_a_planted_error_is_taken_out_again() -> None:
    whole = KnownResults.has
    with _planted(NO_MEMORY):
        assert KnownResults.has is not whole
    assert KnownResults.has is whole
