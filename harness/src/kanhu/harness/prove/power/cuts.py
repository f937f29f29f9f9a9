"""Where a recording can be cut, and what to play to get there."""

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from kanhu.harness.prove.power.card import Card, Fate
from kanhu.harness.prove.power.survival import Promises
from kanhu.harness.prove.power.trace import FolderSynced, Said, Step, Synced

__all__ = ["Player", "State", "start", "states_of"]


@dataclass(frozen=True, slots=True)
class State:
    """One power cut: after so many steps, what became of what was not synced, and which draw of that."""

    steps: int
    fate: Fate
    draw: int = 0

    def card(self, card: Card, *, seed: int) -> dict[str, bytes]:
        """What this cut leaves of a card that was played as far."""
        return card.after_cut(self.fate, random.Random(f"{seed}/{self.steps}/{self.fate}/{self.draw}"))

    def __str__(self) -> str:
        return f"after step {self.steps}, of what was not synced {self.fate.value} was kept (draw {self.draw})"


def states_of(steps: Sequence[Step], *, count: int, seed: int) -> list[State]:
    """So many cuts, evenly over all there are; where more are asked, torn ones are drawn again."""
    every = list(_every(steps))
    torn = [state for state in every if state.fate is Fate.PART]
    if count <= len(every) or not torn:
        picked = random.Random(f"{seed}/states").sample(every, min(count, len(every)))
    else:
        more = count - len(every)
        again = (State(torn[at % len(torn)].steps, Fate.PART, at // len(torn) + 1) for at in range(more))
        picked = [*every, *again]
    return sorted(picked, key=lambda state: state.steps)


def _every(steps: Sequence[Step]) -> Iterator[State]:
    """Each cut that leaves something of its own."""
    card = Card()
    for number, step in enumerate(steps, start=1):
        card.take(step.deed)
        if isinstance(step.deed, Said) and number < len(steps) and isinstance(steps[number].deed, Said):
            continue  # the next asks for more of the same card
        if not card.owes:
            yield State(number, Fate.ALL)
            continue
        if isinstance(step.deed, (Said, Synced, FolderSynced)):  # a write alone changes nothing of what is safe
            yield State(number, Fate.NONE)
        yield State(number, Fate.PART)
        yield State(number, Fate.ALL)


class Player:
    """Plays one list of steps forward, as far as is asked."""

    def __init__(self, steps: Sequence[Step], card: Card, promises: Promises) -> None:
        self.card = card
        self.promises = promises
        self.at_s = 0.0
        self.played = 0
        self._steps = steps

    def play_to(self, count: int) -> None:
        """So many steps from the first; never back."""
        for step in self._steps[self.played : count]:
            self.card.take(step.deed)
            self.at_s = step.at_s
            if isinstance(step.deed, Said):
                self.promises.hear(step.deed.text)
        self.played = count


def start(steps: Sequence[Step], released_s: Mapping[int, float]) -> Player:
    """On an empty card, before anything was promised."""
    return Player(steps, Card(), Promises(released_s=released_s))
