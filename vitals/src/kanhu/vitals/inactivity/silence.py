"""Is it too long since anybody moved in this home?

Silence is counted in waking hours: each half-hour of the day weighs as much as this home is usually active in it, so
that a night counts for little. The limit is the home's own tail of such silences, exponential above its 90th percentile
(peaks over threshold: Coles, An Introduction to Statistical Modeling of Extreme Values, 2001), shrunk to that of
a population. Times are seconds of the home's local time: a day must begin at its midnight.
"""

import math
from collections.abc import Sequence
from enum import StrEnum
from itertools import accumulate

import msgspec

from kanhu.vitals.arrival import LATE_IN_A_ROW
from kanhu.vitals.stored_state import read_state

STATE_VERSION = 1
_S_PER_DAY = 86_400
_S_PER_HOUR = 3_600
_BINS = 48
_BIN_S = _S_PER_DAY // _BINS
_LATEST_S = 1e11  # beyond it a double no longer tells the half-hours of a year apart usefully


class SilenceSettings(msgspec.Struct, frozen=True):
    """Project choices, found on four homes (docs/detection/inactivity.md)."""

    learning_days: float = 7.0
    """Before that nothing is raised but at the population's limit."""
    memory_days: float = 28.0
    """Older days of the pattern fade with this time constant."""
    prior_days: float = 3.0
    """The population's day weighs as so many of the home's own."""
    day_begins_h: float = 7.0
    day_ends_h: float = 23.0
    population_limit_h: float = 6.0
    """Waking hours, before a home is learned."""
    prior_silences: float = 10.0
    """The population's tail weighs as so many silences."""
    population_excess_h: float = 0.8
    tail: float = 0.9
    silences_a_false: float = 100.0
    """The budget: one silence in so many may pass the limit."""
    least_limit_h: float = 3.0
    most_limit_h: float = 8.0
    counted_from_h: float = 0.25
    """Shorter silences are no part of the tail."""
    door_s: float = 300.0
    """Silence that begins so soon after the front door is an absence."""
    away_cap_s: float = 48 * 3600.0
    """Even an absence is told after this: not come home."""
    heartbeat_s: float = 2 * 3600.0
    """Sensors that say they live are dead after this."""


SETTINGS = SilenceSettings()
_SILENCES = 128
"""How many of the last silences a home's tail is drawn from: at most 1 kB."""
_DOORS = ("front door", "frontdoor", "main door", "maindoor", "entrance", "foyer")


def is_front_door(name: str) -> bool:
    """Whether a sensor of this name is at the way out: by the words front door, main door, entrance or foyer."""
    plain = name.lower().replace("_", " ").replace("-", " ")
    return any(word in plain for word in _DOORS)


class SilenceReason(StrEnum):
    """What was decided, and why."""

    ACTIVE = "active"
    OUT_OF_ORDER = "out_of_order"
    NOT_A_TIME = "not_a_time"
    NOTHING_YET = "nothing_yet"
    AS_USUAL = "as_usual"
    BED = "bed"
    AWAY = "away"
    SUSPENDED = "suspended"
    SENSORS_DEAD = "sensors_dead"
    TOO_LONG = "too_long"
    NOT_COME_HOME = "not_come_home"
    ALREADY_RAISED = "already_raised"

    @property
    def raises(self) -> bool:
        """Whether somebody is to be told."""
        return self in {SilenceReason.TOO_LONG, SilenceReason.NOT_COME_HOME}


class Presence(StrEnum):
    """Where a sensor is."""

    INSIDE = "inside"
    FRONT_DOOR = "front_door"


class _State(msgspec.Struct, array_like=True):
    version: int
    first_s: float | None = None
    last_s: float | None = None
    door_s: float | None = None
    alive_s: float | None = None
    suspended_until_s: float | None = None
    raised: bool = False
    late: int = 0
    """Acts and looks in a row before the last act."""
    deaf: bool = False
    """Sensors were dead for a part of the silence that is running."""
    day: int = 0
    days: float = 0.0
    today: int = 0
    """A bit for each half-hour with activity."""
    active: list[float] = []
    silences: list[float] = []
    next_silence: int = 0

    def __post_init__(self) -> None:
        """Refuse what no home can have."""
        times = (self.first_s, self.last_s, self.door_s, self.alive_s, self.suspended_until_s)
        if not all(one is None or (math.isfinite(one) and 0 <= one <= _LATEST_S) for one in times):
            raise ValueError("a time is none")
        if (self.first_s is None) != (self.last_s is None):
            raise ValueError("a beginning without a last event")
        if len(self.active) not in (0, _BINS) or len(self.silences) > _SILENCES:
            raise ValueError("not a pattern")
        if not all(math.isfinite(one) and one >= 0 for one in (self.days, *self.active, *self.silences)):
            raise ValueError("a number is none")
        if not 0 <= self.late < LATE_IN_A_ROW:
            raise ValueError("not an order")
        if not (0 <= self.today < 1 << _BINS and 0 <= self.next_silence < _SILENCES):
            raise ValueError("not a day")


class SilenceDetector:
    """The silence of one home."""

    def __init__(self, settings: SilenceSettings = SETTINGS, state: bytes = b"") -> None:
        """Go on from `state`, or begin.

        Raises:
            StateRefused: `state` is not one of this detector.
        """
        self._settings = settings
        self._kept = read_state(_State, state, version=STATE_VERSION) if state else _State(STATE_VERSION)
        if not self._kept.active:
            self._kept.active = [0.0] * _BINS
        hours = ((one + 0.5) * _BIN_S / _S_PER_HOUR for one in range(_BINS))
        self._prior = [0.6 if settings.day_begins_h <= hour < settings.day_ends_h else 0.05 for hour in hours]
        self._learn()

    def state(self) -> bytes:
        """What to store, at most 2 kB."""
        return msgspec.msgpack.encode(self._kept)

    @property
    def limit_h(self) -> float:
        """Waking hours of silence from which somebody is told."""
        return self._limit_h

    def waking(self) -> tuple[float, ...]:
        """How much each of the 48 half-hours of the day counts, 0 to 1."""
        return tuple(self._weights)

    def learned_days(self, at_s: float) -> float:
        """Since the first event, at `at_s`."""
        return 0.0 if self._kept.first_s is None else max(0.0, (at_s - self._kept.first_s) / _S_PER_DAY)

    def silence_h(self, at_s: float) -> float:
        """Waking hours since the last event, or since the end of a journey that came after it, at `at_s`."""
        since_s = self._kept.last_s
        return 0.0 if since_s is None else self._between(max(since_s, self._kept.suspended_until_s or 0.0), at_s)

    def heard(self, at_s: float) -> SilenceReason:
        """Sensors said that they live; where they never do, silence is taken for the person's."""
        if not _is_time(at_s):
            return SilenceReason.NOT_A_TIME
        self._kept.alive_s = max(self._kept.alive_s or 0.0, at_s)
        return SilenceReason.AS_USUAL

    def suspend(self, until_s: float) -> SilenceReason:
        """On a journey or with guests until then: nothing is raised and nothing learned."""
        if not _is_time(until_s):
            return SilenceReason.NOT_A_TIME
        self._kept.suspended_until_s = until_s
        return SilenceReason.SUSPENDED

    def update(self, where: Presence, at_s: float) -> SilenceReason:
        """Take one act of the person, at its second: a sensor's beginning or end."""
        if not _is_time(at_s):
            return SilenceReason.NOT_A_TIME
        kept = self._kept
        if self._is_late(at_s):
            return SilenceReason.OUT_OF_ORDER
        self._turn(int(at_s // _S_PER_DAY))
        if not self._suspended(at_s):
            self._learn_silence(at_s)
            kept.today |= 1 << int(at_s % _S_PER_DAY // _BIN_S)
        kept.first_s = at_s if kept.first_s is None else kept.first_s
        kept.last_s, kept.raised, kept.deaf = at_s, False, False
        if where is Presence.FRONT_DOOR:
            kept.door_s = at_s
        return SilenceReason.ACTIVE

    def look(self, at_s: float) -> SilenceReason:
        """Judge the silence at this second."""
        kept, settings = self._kept, self._settings
        if not _is_time(at_s):
            return SilenceReason.NOT_A_TIME
        if kept.last_s is None:
            return SilenceReason.NOTHING_YET
        if self._is_late(at_s):
            return SilenceReason.OUT_OF_ORDER
        if self._suspended(at_s):
            return SilenceReason.SUSPENDED
        if kept.alive_s is not None and at_s - kept.alive_s > settings.heartbeat_s:
            kept.deaf = True
            return SilenceReason.SENSORS_DEAD
        if kept.raised:
            return SilenceReason.ALREADY_RAISED
        if self._left():
            if at_s - kept.last_s <= settings.away_cap_s:
                return SilenceReason.AWAY
            kept.raised = True
            return SilenceReason.NOT_COME_HOME
        if self.silence_h(at_s) > self._limit_h:
            kept.raised = True
            return SilenceReason.TOO_LONG
        asleep = self._weights[int(at_s % _S_PER_DAY // _BIN_S)] < 0.5  # half as active as by day
        return SilenceReason.BED if asleep else SilenceReason.AS_USUAL

    def _is_late(self, at_s: float) -> bool:
        """Whether this comes before the last act; after many in a row it is the last act whose clock was ahead.

        Silence then counts from now: how long it has lasted nobody knows, and a home is never deaf for long.
        """
        kept = self._kept
        if kept.last_s is None or at_s >= kept.last_s:
            kept.late = 0
            return False
        kept.late += 1
        if kept.late < LATE_IN_A_ROW:
            return True
        kept.first_s = min(kept.first_s or 0.0, at_s)
        kept.last_s, kept.late, kept.raised, kept.deaf = at_s, 0, False, True
        kept.door_s = None if (kept.door_s or 0.0) > at_s else kept.door_s
        kept.alive_s = None if (kept.alive_s or 0.0) > at_s else kept.alive_s
        kept.day, kept.today = int(at_s // _S_PER_DAY), 0
        return False

    def _left(self) -> bool:
        kept = self._kept
        return kept.door_s is not None and (kept.last_s or 0.0) - kept.door_s <= self._settings.door_s

    def _suspended(self, at_s: float) -> bool:
        return self._kept.suspended_until_s is not None and at_s < self._kept.suspended_until_s

    def _learn_silence(self, at_s: float) -> None:
        kept = self._kept
        if kept.last_s is None or self._left() or kept.deaf or (kept.suspended_until_s or 0.0) > kept.last_s:
            return
        if at_s - kept.last_s > self._settings.away_cap_s:  # nobody was at home and well: a clock, or an absence unseen
            return
        silence_h = self.silence_h(at_s)
        if silence_h < self._settings.counted_from_h:
            return
        silence_h = min(silence_h, 2 * self._settings.most_limit_h)
        if len(kept.silences) < _SILENCES:
            kept.silences.append(silence_h)
        else:
            kept.silences[kept.next_silence] = silence_h
        kept.next_silence = (kept.next_silence + 1) % _SILENCES

    def _turn(self, day: int) -> None:
        kept = self._kept
        if kept.last_s is not None and day > kept.day:
            keep = math.exp(-1.0 / self._settings.memory_days)
            for one in range(_BINS):
                kept.active[one] = kept.active[one] * keep + (kept.today >> one & 1)
            kept.days = kept.days * keep + 1.0
            kept.today = 0
            kept.day = day
            self._learn()
        kept.day = max(kept.day, day)

    def _learn(self) -> None:
        kept, settings = self._kept, self._settings
        days = kept.days + settings.prior_days
        share = [(seen + settings.prior_days * own) / days for seen, own in zip(kept.active, self._prior, strict=True)]
        smooth = [(share[one - 1] + 2 * share[one] + share[(one + 1) % _BINS]) / 4 for one in range(_BINS)]
        busy = _quantile(smooth, 0.75)
        self._weights = [min(1.0, one / busy) for one in smooth]
        self._summed_h = [one * _BIN_S / _S_PER_HOUR for one in accumulate(self._weights, initial=0.0)]
        if kept.days < settings.learning_days - 1:  # the day that is running is not among them
            self._limit_h = settings.population_limit_h
            return
        from_h = _quantile(kept.silences, settings.tail) if kept.silences else settings.population_limit_h
        beyond = [one - from_h for one in kept.silences if one > from_h]
        prior = settings.prior_silences
        excess_h = (sum(beyond) + prior * settings.population_excess_h) / (len(beyond) + prior)
        limit_h = from_h + excess_h * math.log((1 - settings.tail) * settings.silences_a_false)
        self._limit_h = min(max(limit_h, settings.least_limit_h), settings.most_limit_h)

    def _between(self, from_s: float, to_s: float) -> float:
        return max(0.0, self._until(to_s) - self._until(from_s))

    def _until(self, at_s: float) -> float:
        days, second = divmod(at_s, _S_PER_DAY)
        one = int(second // _BIN_S)
        part = (second - one * _BIN_S) / _S_PER_HOUR * self._weights[one]
        return float(days * self._summed_h[-1] + self._summed_h[one] + part)


def _quantile(values: Sequence[float], share: float) -> float:
    """Between neighbours in proportion."""
    ordered = sorted(values)
    below, part = divmod(share * (len(ordered) - 1), 1)
    low, high = ordered[int(below)], ordered[min(int(below) + 1, len(ordered) - 1)]
    return low + (high - low) * part


def _is_time(at_s: float) -> bool:
    return math.isfinite(at_s) and 0 <= at_s <= _LATEST_S
