"""Everybody scored by a model that never saw them: the shipped one, or one that is fitted again without them."""

from collections.abc import Callable, Sequence

from kanhu.cloud.errors import RecordingsRefused
from kanhu.cloud.training.recordings import Recording
from kanhu.harness.score.command import Run
from kanhu.harness.score.intervals import folds
from kanhu.vitals.models import Model

__all__ = ["PARTS", "each_unseen"]

PARTS = 5


def each_unseen(
    recordings: Sequence[Recording], shipped: Model, fit: Callable[[Sequence[Recording]], Model], run: Run
) -> list[tuple[Recording, Model]]:
    """Each recording with its model; `fit` is given what the shipped model has seen, less a fifth of its people.

    Raises:
        RecordingsRefused: nobody would be left to fit on.
    """
    seen = [one for one in recordings if shipped.has_seen(one.of, one.subject)]
    pairs = [(one, shipped) for one in recordings if not shipped.has_seen(one.of, one.subject)]
    if not seen:
        return pairs
    parts = _parts(seen, run.seed)
    if len(parts) == 1:
        raise RecordingsRefused(str(run.data), "holds one person, whom the model has seen; name a folder of others")
    for number, part in enumerate(parts, start=1):
        run.say(f"fitted again without part {number} of {len(parts)}, whom the shipped model has seen")
        model = fit([one for one in seen if (one.of, one.subject) not in part])
        pairs += [(one, model) for one in seen if (one.of, one.subject) in part]
    return pairs


def _parts(seen: Sequence[Recording], seed: int) -> list[set[tuple[str, str]]]:
    """The people of each set in parts, the first part of each set together, and so on."""
    parts: list[set[tuple[str, str]]] = [set() for _ in range(PARTS)]
    for name in sorted({one.of for one in seen}):
        for part, people in zip(
            parts, folds([one.subject for one in seen if one.of == name], PARTS, seed=seed), strict=False
        ):
            part |= {(name, person) for person in people}
    return [part for part in parts if part]
