"""Days of glucose, made up: meals, a fall to a low, and the times of a sensor."""

from collections.abc import Sequence
from datetime import datetime, timedelta, timezone

import numpy as np

from kanhu.vitals.glucose import GlucoseAnswer, GlucoseDetector
from kanhu.vitals.models import model_named

BEGIN = datetime(2026, 3, 1, tzinfo=timezone(timedelta(hours=8)))
STEP_MIN = 15.0


def detector(state: bytes = b"") -> GlucoseDetector:
    """With the shipped model."""
    return GlucoseDetector(model_named("glucose"), state=state)


def meals(days: float, *, seed: int = 1) -> list[float]:
    """About 130 mg/dL, three meals a day, in steps of 1.8."""
    hours = np.arange(0, 24 * days, STEP_MIN / 60)
    noise = np.random.default_rng(seed).normal(0, 2, len(hours))
    level = 120 + sum(50 * np.exp(-(((hours - at) % 24 - 1.5) ** 2) / 1.2) for at in (7, 12, 18)) + noise
    return list(np.round(level / 1.8) * 1.8)


def falling(from_mg_dl: float, to_mg_dl: float, step_mg_dl: float) -> list[float]:
    """Down by the same step every 15 min."""
    return list(np.arange(from_mg_dl, to_mg_dl, -step_mg_dl))


def told(
    values: Sequence[float], *, to: GlucoseDetector | None = None, begin: datetime = BEGIN, step_min: float = STEP_MIN
) -> list[GlucoseAnswer]:
    """What a detector answers, value after value."""
    asked = detector() if to is None else to
    return [asked.update(value, begin + timedelta(minutes=step_min * index)) for index, value in enumerate(values)]
