"""What the people do who are told: how soon they claim and close, and when nobody answers. A project choice."""

import random

from kanhu.contract.recording import Reaction

_REACTIONS = 64
_DAY_MS = 86_400_000
_HOUR_MS = 3_600_000


def reactions(village: str, *, seed: str) -> tuple[Reaction, ...]:
    """A ring of them: half claim within three minutes and close within eight more, one in five after fifteen more."""
    draw = random.Random(f"{seed}/staff/{village}")
    return tuple(
        Reaction(
            claim_after_s=round(min(7200.0, draw.lognormvariate(5.1, 0.95)), 1),
            close_after_s=round(min(30_000.0, draw.lognormvariate(6.1, 0.8)), 1),
        )
        for _ in range(_REACTIONS)
    )


def absences(village: str, *, seed: str, starts_ms: int, days: int) -> tuple[tuple[int, int], ...]:
    """One to three hours on every fourth day, and a night in three weeks; rising and disjoint."""
    draw = random.Random(f"{seed}/absences/{village}")
    found: list[tuple[int, int]] = []
    for day in range(days):
        from_ms = starts_ms + day * _DAY_MS
        if draw.randrange(4) == 0:
            begins = from_ms + round(draw.uniform(8, 17) * _HOUR_MS)
            found.append((begins, begins + round(draw.uniform(1, 3) * _HOUR_MS)))
        if draw.randrange(21) == 0 and day + 1 < days:
            found.append((from_ms + 21 * _HOUR_MS, from_ms + 30 * _HOUR_MS))
    return tuple(sorted(found))
