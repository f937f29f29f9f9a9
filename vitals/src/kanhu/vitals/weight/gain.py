"""More than 2 kg in 3 days on the same scale, in the morning: WEIGHT-HF, for people with heart failure alone."""

import math
from datetime import datetime
from enum import StrEnum

import msgspec

from kanhu.vitals.arrival import Arrival, Order
from kanhu.vitals.stored_state import read_state
from kanhu.vitals.weight.settings import WeightSettings

__all__ = ["GainDetector", "WeightAnswer", "WeightReason"]

STATE_VERSION = 1
_SCALES = 4
_MORNINGS = 16
_NAME = 64  # characters of a scale's name


class WeightReason(StrEnum):
    """The closed list of answers. docs/detection/weight.md explains each."""

    # This has to be said.
    GAINED = "gained"
    # The weight counts, and nothing is said, or not again.
    ALREADY_SAID = "already_said"
    AS_USUAL = "as_usual"
    LEARNING = "learning"
    # The weight does not count.
    NOT_MORNING = "not_morning"
    JUMP = "jump"
    NO_VALUE = "no_value"
    OUT_OF_RANGE = "out_of_range"
    CLOCK_UNSET = "clock_unset"
    DUPLICATE = "duplicate"
    OUT_OF_ORDER = "out_of_order"


class WeightAnswer(msgspec.Struct, frozen=True):
    """What one weighing was answered with, and the numbers that decided it."""

    reason: WeightReason
    weight_kg: float | None = None
    """The lowest of this morning on this scale."""
    before_kg: float | None = None
    """The lowest morning of the days compared."""


class _Scale(msgspec.Struct, array_like=True):
    name: str
    mornings: list[tuple[int, float]] = []
    """Day and lowest weight, oldest first."""
    doubted: tuple[int, float] | None = None
    said_kg: float | None = None
    """The weight at which a gain was said that is not over."""
    said_from_kg: float = 0.0


class _Kept(msgspec.Struct, array_like=True):
    version: int
    order: Order = msgspec.field(default_factory=Order)
    scales: list[_Scale] = []
    """The last used last."""

    def __post_init__(self) -> None:
        """Refuse what cannot have been kept."""
        if len(self.scales) > _SCALES or any(len(one.mornings) > _MORNINGS for one in self.scales):
            raise ValueError("not scales")
        weights = [kg for one in self.scales for _, kg in (*one.mornings, *([one.doubted] if one.doubted else []))]
        said = [kg for one in self.scales for kg in (one.said_kg or 0.0, one.said_from_kg)]
        if not all(map(math.isfinite, (*weights, *said))):
            raise ValueError("not weights")


class GainDetector:
    """One person; each scale has a history of its own, as two scales differ by more than three days do."""

    def __init__(self, settings: WeightSettings | None = None, *, state: bytes = b"") -> None:
        """Go on from `state`, or begin.

        Raises:
            StateRefused: `state` is not one of this detector.
        """
        self._settings = settings or WeightSettings()
        self._kept = read_state(_Kept, state, version=STATE_VERSION) if state else _Kept(STATE_VERSION)

    def state(self) -> bytes:
        """What to store; at most four scales."""
        return msgspec.msgpack.encode(self._kept)

    def update(self, weight_kg: float, at: datetime, *, scale: str) -> WeightAnswer:
        """Take one weighing on the scale of this name; `at` in the person's time zone."""
        settings, weight_kg = self._settings, float(weight_kg)  # a numpy number would not go into the state
        if not math.isfinite(weight_kg):
            return WeightAnswer(WeightReason.NO_VALUE)
        if not settings.possible_kg[0] <= weight_kg <= settings.possible_kg[1]:
            return WeightAnswer(WeightReason.OUT_OF_RANGE)
        arrival = self._kept.order.take(at)
        if arrival is Arrival.ANEW:
            self._kept.scales = []  # days were counted by a clock that was wrong
        elif arrival is not Arrival.NEXT:
            return WeightAnswer(WeightReason(arrival.value))
        hour = at.hour + at.minute / 60
        if not settings.morning_h[0] <= hour < settings.morning_h[1]:
            return WeightAnswer(WeightReason.NOT_MORNING, weight_kg)
        used, day = self._scale(scale[:_NAME]), at.date().toordinal()
        if self._is_jump(used, weight_kg, day):
            return WeightAnswer(WeightReason.JUMP, weight_kg)
        # A coat, or a full bladder, adds weight; nothing takes it away.
        today = min([weight_kg, *(kg for one, kg in used.mornings if one == day)])
        earlier = [(one, kg) for one, kg in used.mornings if one < day]
        used.mornings = [*earlier, (day, today)][-_MORNINGS:]
        return self._judged(used, today, [kg for one, kg in earlier if one >= day - settings.days])

    def _scale(self, name: str) -> _Scale:
        scales = self._kept.scales
        used = next((one for one in scales if one.name == name), _Scale(name))
        self._kept.scales = [*(one for one in scales if one.name != name), used][-_SCALES:]
        return used

    def _is_jump(self, used: _Scale, weight_kg: float, day: int) -> bool:
        """Whether this is too much to believe, and nothing like it came before on the same day or the day before."""
        doubted, used.doubted = used.doubted, None
        if not used.mornings:
            return False
        last_day, last_kg = used.mornings[-1]
        if abs(weight_kg - last_kg) <= self._settings.fastest_kg_per_day * max(day - last_day, 1):
            return False
        if doubted and day - doubted[0] <= 1 and abs(weight_kg - doubted[1]) <= self._settings.agrees_kg:
            return False
        used.doubted = (day, weight_kg)
        return True

    def _judged(self, used: _Scale, today: float, compared: list[float]) -> WeightAnswer:
        settings = self._settings
        if used.said_kg is not None and today - used.said_from_kg <= settings.over_kg:
            used.said_kg = None
        if not compared:
            return WeightAnswer(WeightReason.LEARNING, today)
        before = min(compared)
        if today - before <= settings.gain_kg:
            return WeightAnswer(WeightReason.AS_USUAL, today, before)
        if used.said_kg is not None and today - used.said_kg <= settings.gain_kg:
            return WeightAnswer(WeightReason.ALREADY_SAID, today, before)
        used.said_kg, used.said_from_kg = today, before
        return WeightAnswer(WeightReason.GAINED, today, before)
