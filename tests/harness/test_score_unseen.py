"""Nobody is scored by a model that saw them."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from kanhu.cloud.errors import RecordingsRefused
from kanhu.cloud.training.recordings import Recording
from kanhu.cloud.training.writing import put_together
from kanhu.harness.score.command import Run
from kanhu.harness.score.unseen import each_unseen
from kanhu.vitals.models import Model

RUN = Run(Path("recordings"), seed=1, peers=False, plot=None, say=lambda _: None)


def _recordings(of: str, people: int) -> list[Recording]:
    """Two of each."""
    return [Recording(of, f"{person}-{part}", str(person), {}, {}) for person in range(people) for part in range(2)]


def _fitted(recordings: Sequence[Recording]) -> Model:
    return put_together("x", version="1", numbers={"a": np.zeros(1)}, recordings=recordings, seed=1, limits=())


@pytest.mark.parametrize("known", [2, 3, 7, 12])
def test_nobody_is_scored_by_a_model_that_saw_them_and_nobody_is_left_out(known: int) -> None:
    recordings = [*_recordings("afdb_rr", 12), *_recordings("nab", 2)]
    shipped = _fitted([one for one in recordings if one.of == "nab" or int(one.subject) < known])
    pairs = each_unseen(recordings, shipped, _fitted, RUN)
    assert not [one.name for one, model in pairs if model.has_seen(one.of, one.subject)]
    assert sorted(f"{one.of}{one.name}" for one, _ in pairs) == sorted(f"{one.of}{one.name}" for one in recordings)


def test_strangers_are_scored_by_the_shipped_model_which_is_not_fitted_again() -> None:
    recordings = _recordings("afdb_rr", 4)
    shipped = _fitted(_recordings("nab", 3))
    pairs = each_unseen(recordings, shipped, lambda _: pytest.fail("fitted again"), RUN)
    assert all(model is shipped for _, model in pairs)


def test_one_known_person_alone_is_refused_with_the_remedy() -> None:
    recordings = _recordings("afdb_rr", 1)
    with pytest.raises(RecordingsRefused, match="name a folder of others"):
        each_unseen(recordings, _fitted(recordings), _fitted, RUN)
