"""`./run score baselines`: the shipped TREND detector on simulated people, beside simpler ones."""

import time
from collections.abc import Callable, Sequence
from datetime import date
from decimal import Decimal

import numpy as np

from kanhu.harness.report import Value
from kanhu.harness.score.command import Measured, Run, conduct
from kanhu.harness.score.intervals import with_interval
from kanhu.harness.score.simulated_people import Array, Days, readings_of
from kanhu.vitals import DecisionReason, Rule, core_pack
from kanhu.vitals.baselines import TrendDetector
from kanhu.vitals.baselines.cusum import levelled, robust_centre_and_spread, shrunk_spread, standardised, summed
from kanhu.vitals.rules.records import TrendTrigger

__all__ = ["NEVER", "main", "personal", "single", "streamed", "textbook"]

NEVER = 1_000_000
"""The day of a signal that never came."""
_PEOPLE = 10_000
_STREAMED_PEOPLE = 200
_LEARNED_DAYS = 28  # the textbook's
_METRIC = "heart_rate"
_CENTRE_BPM = 75.0  # of the streamed people
_ROBUST_OF_SD = 0.777  # scaled median absolute deviation of Student's t(4) with a standard deviation of 1

First = Callable[[Array, int], Array]
"""Day of the first signal after so many calm ones, one number a person."""


def main(arguments: Sequence[str]) -> int:
    """Score; 0 where every limit is kept, 1 where one is broken, 2 for wrong usage."""
    return conduct(
        "baselines", _measure, arguments, about="Personal baselines on simulated people.", known=(), simulates=True
    )


def personal(readings: Array, calm: int, trigger: TrendTrigger) -> Array:
    """First signal of the arithmetic of TREND, many people at once."""
    centre, own = robust_centre_and_spread(readings[:, calm - trigger.baseline_readings : calm])
    spread = shrunk_spread(
        own,
        population=float(np.median(own)),
        floor=1e-6,
        readings=trigger.baseline_readings,
        shrink_readings=trigger.shrink_readings,
    )
    up, down, first = np.zeros(len(own)), np.zeros(len(own)), np.full(len(own), float(NEVER))
    for day, reading in enumerate(readings[:, calm:].T, start=1):
        deviation = standardised(reading, centre, spread, clip_sd=trigger.clip_sd)
        up, down = summed(up, down, deviation, slack_sd=trigger.slack_sd)
        most = np.maximum(up, down)
        first = np.where((most > trigger.signal_at) & (first == NEVER), day, first)
        level = levelled(centre, reading, spread, weight=trigger.level_weight, clip_sd=trigger.level_clip_sd)
        centre = np.where(most < trigger.level_below, level, centre)
    return first


def textbook(readings: Array, calm: int) -> Array:
    """First signal of the usual CUSUM: slack 0.5, limit 5, 28 readings, nothing clipped (Montgomery 2009)."""
    centre, own = robust_centre_and_spread(readings[:, calm - _LEARNED_DAYS : calm])
    up, down, first = np.zeros(len(own)), np.zeros(len(own)), np.full(len(own), float(NEVER))
    for day, reading in enumerate(readings[:, calm:].T, start=1):
        up, down = summed(up, down, (reading - centre) / own, slack_sd=0.5)
        first = np.where((np.maximum(up, down) > 5) & (first == NEVER), day, first)
    return first


def single(readings: Array, calm: int) -> Array:
    """First reading more than 3 standard deviations from the mean of the calm days."""
    learned = readings[:, :calm]
    away = np.abs(readings[:, calm:] - learned.mean(axis=1, keepdims=True)) > 3 * learned.std(axis=1, keepdims=True)
    return np.where(away.any(axis=1), away.argmax(axis=1) + 1.0, float(NEVER))


def streamed(readings: Array, calm: int, rule: Rule) -> Array:
    """First signal of the shipped detector itself, summary by summary, its state stored and read back each day."""
    if not isinstance(rule.trigger, TrendTrigger):
        raise TypeError(f"{rule.id} is no trend rule")
    population = next(float(one.population_sd) for one in rule.trigger.vitals if one.metric == _METRIC)
    first = np.full(len(readings), float(NEVER))
    for person, row in enumerate(readings):
        state = b""
        for day, reading in enumerate(row.tolist(), start=1 - calm):
            detector = TrendDetector(rule, _METRIC, state)
            summary = Decimal(str(round(_CENTRE_BPM + population / _ROBUST_OF_SD * reading, 3)))
            decision = detector.update(date.fromordinal(730_000 + day), summary)
            state = detector.state()
            if day > 0 and decision.reason is DecisionReason.SHIFTED:
                first[person] = day
                break
    return first


def _measure(run: Run) -> Measured:
    rule = core_pack().rule("TREND")
    if rule is None or not isinstance(rule.trigger, TrendTrigger):
        raise TypeError("the core pack has no trend rule")
    trigger = rule.trigger
    detectors: dict[str, First] = {
        "": lambda readings, calm: personal(readings, calm, trigger),
        "textbook_": textbook,
        "single_": single,
    }
    figures: dict[str, Value] = {}
    calm = trigger.baseline_readings
    for kind, artefacts in (("", 0.0), ("artefacts_", 0.02)):
        for name, first_of in detectors.items():
            run.say(f"{name or 'personal_'}{kind or 'clean_'}")
            random = np.random.default_rng(run.seed)
            first = first_of(readings_of(_PEOPLE, Days(calm, 365, artefacts=artefacts), random), calm)
            for days in (100, 365):
                figures |= _share(f"{name}{kind}false_within_{days}", first, days, random)
            for shift in (2, 3):
                shifted = readings_of(_PEOPLE, Days(calm, 100, float(shift), artefacts), random)
                figures[f"{name}{kind}median_detect_{shift}sd"] = float(np.median(first_of(shifted, calm)))
    run.say("run lengths, streamed")
    for limit in (4, 5):
        figures[f"ideal_run_length_{limit}"] = round(_ideal_run_length(limit, run.seed), 1)
    return Measured(figures | _streamed(rule, trigger, run.seed), frozenset())


def _share(name: str, first: Array, days: int, random: np.random.Generator) -> dict[str, Value]:
    named = (first <= days).astype(np.float64)
    shares = random.binomial(len(named), named.mean(), 1000) / len(named)  # people drawn again, each yes or no
    low, high = np.percentile(shares, (2.5, 97.5))
    return with_interval(name, float(named.mean()), (float(low), float(high)))


def _ideal_run_length(limit: float, seed: int) -> float:
    """Mean days to a false signal where centre and spread are known: published 164 or so at 4, 470 at 5."""
    random = np.random.default_rng(seed)
    up, down, lengths, day = np.zeros(4000), np.zeros(4000), [0.0], 0
    while up.size:
        day += 1
        up, down = summed(up, down, random.normal(size=up.size), slack_sd=0.5)
        on = np.maximum(up, down) <= limit
        lengths.append(float(day * np.count_nonzero(~on)))
        up, down = up[on], down[on]
    return sum(lengths) / 4000


def _streamed(rule: Rule, trigger: TrendTrigger, seed: int) -> dict[str, Value]:
    calm = trigger.baseline_readings + 1
    readings = readings_of(_STREAMED_PEOPLE, Days(calm, 30, 2.0), np.random.default_rng(seed))
    before = time.perf_counter()
    first = streamed(readings, calm, rule)
    taken = time.perf_counter() - before
    samples = float(np.where(first == NEVER, readings.shape[1], calm + first).sum())
    detector = TrendDetector(rule, _METRIC)
    state_bytes = 0
    for day in range(trigger.baseline_readings + 1):
        detector.update(date.fromordinal(730_000 + day), Decimal(70 + day % 5))
        state_bytes = max(state_bytes, len(detector.state()))
    return {
        "streamed_median_detect_2sd": float(np.median(first)),
        "us_per_sample": round(1e6 * taken / samples, 1),
        "state_bytes": state_bytes,
    }
