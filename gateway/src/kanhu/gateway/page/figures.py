"""How a reading is written large: one figure, its unit, and what stands beside it."""

from decimal import ROUND_HALF_UP, Decimal
from typing import NamedTuple

from kanhu.contract import METRICS, EventWord, MetricKind, Observation
from kanhu.gateway.page.words import Words

# Digits after the point, as the devices themselves show them; every other measure is written whole.
_DIGITS = {
    "temperature": 1,
    "temperature_axillary": 1,
    "temperature_oral": 1,
    "temperature_ear": 1,
    "weight": 1,
    "bmi": 1,
    "body_fat": 1,
    "glucose_capillary": 1,
    "glucose_plasma": 1,
    "glucose_interstitial": 1,
    "perfusion": 1,
}
_MINOR = frozenset({"mean_pressure", "perfusion"})
_PULSE = {"pulse_cuff": "heart_rate", "pulse_oximeter": "heart_rate"}  # people read "heart rate", whatever told it
_NO_VALUE = "–"
_SAID = {
    EventWord.DOSE_TAKEN: "dose_was_taken",
    EventWord.DOSE_MISSED: "dose_was_missed",
    EventWord.SIGN_GIVEN: "sign_given",
    EventWord.SIGN_MISSING: "sign_missing",
}


class Figure(NamedTuple):
    """What the page writes of one reading."""

    name: str
    value: str
    unit: str
    beside: tuple[tuple[str, str, str], ...] = ()
    """Name, value and unit of each further measure."""

    def short(self) -> str:
        """One line."""
        return f"{self.value} {self.unit}".strip()


def figure(observation: Observation, words: Words) -> Figure:
    """A reading in the reader's language; a value that was not measured is a dash, never 0."""
    row = METRICS[observation.metric]
    if observation.metric == "bp":
        value = f"{_written(observation, 'systolic')}/{_written(observation, 'diastolic')}"
        return Figure(words.name(row), value, words.unit(METRICS["systolic"]), _beside(observation, words, main=()))
    if observation.word in _SAID:
        return Figure(words.name(row), words(_SAID[observation.word]), "")
    if row.kind is MetricKind.EVENT:
        return Figure(words.name(row), "●", "")
    parts = [part.metric for part in observation.parts]
    main = next((code for code in row.parts or parts if code in parts), parts[0])
    name = words.name(METRICS[main])
    return Figure(
        name, _written(observation, main), words.unit(METRICS[main]), _beside(observation, words, main=(main,))
    )


def _beside(observation: Observation, words: Words, *, main: tuple[str, ...]) -> tuple[tuple[str, str, str], ...]:
    taken = {"systolic", "diastolic", *main} | _MINOR
    return tuple(
        (words.name(METRICS[_PULSE.get(part.metric, part.metric)]), written, words.unit(METRICS[part.metric]))
        for part in observation.parts
        if part.metric not in taken and (written := _written(observation, part.metric)) != _NO_VALUE
        if METRICS[part.metric].kind is MetricKind.SCALAR
    )


def _written(observation: Observation, code: str) -> str:
    value = observation.value(code)
    if value is None:
        return _NO_VALUE
    step = Decimal(1).scaleb(-_DIGITS.get(code, 0))
    return str(value.quantize(step, ROUND_HALF_UP))
