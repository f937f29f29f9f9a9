"""Dips of saturation in a night of values a second or so apart, counted as the oxygen desaturation index."""

import math
from datetime import datetime

import msgspec
import numpy as np

from kanhu.contract import Motion
from kanhu.vitals.arrival import Arrival, Order
from kanhu.vitals.oxygen.reading import OxygenReason, doubted
from kanhu.vitals.oxygen.settings import OxygenSettings
from kanhu.vitals.stored_state import read_state

__all__ = ["DipAnswer", "DipDetector"]

STATE_VERSION = 1
_ROOM = 480  # two minutes of four values a second
_S_PER_HOUR = 3600.0


class DipAnswer(msgspec.Struct, frozen=True):
    """What one value was answered with, and the night so far."""

    reason: OxygenReason
    level_percent: float | None = None
    """What a dip is measured from."""
    lowest_percent: float | None = None
    """Of the dip that has ended."""
    shallow_per_hour: float | None = None
    """Dips of the shallow depth or more an hour of good values; None in the first hour."""
    deep_per_hour: float | None = None


class _Kept(msgspec.Struct, array_like=True):
    version: int
    order: Order = msgspec.field(default_factory=Order)
    seconds: list[float] = []
    values: list[float] = []
    last_percent: float = 0.0
    """Of the last value that came, believed or not."""
    level: float = 0.0
    begun_s: float | None = None
    """Of the dip that goes on."""
    lowest: float = 0.0
    good_s: float = 0.0
    shallow: int = 0
    deep: int = 0

    def __post_init__(self) -> None:
        """Refuse what cannot have been kept."""
        numbers = (*self.seconds, *self.values, self.last_percent, self.level, self.lowest, self.good_s)
        if not all(map(math.isfinite, (*numbers, self.begun_s or 0.0))) or len(self.values) > _ROOM:
            raise ValueError("not values")
        if len(self.seconds) != len(self.values) or min(self.good_s, self.shallow, self.deep) < 0:
            raise ValueError("not a night")


class DipDetector:
    """A dip begins so many points below the level of the last two minutes, and ends where it is back."""

    def __init__(self, settings: OxygenSettings | None = None, *, state: bytes = b"") -> None:
        """Go on from `state`, or begin a night.

        Raises:
            StateRefused: `state` is not one of this detector.
        """
        self._settings = settings or OxygenSettings()
        self._kept = read_state(_Kept, state, version=STATE_VERSION) if state else _Kept(STATE_VERSION)

    def state(self) -> bytes:
        """What to store; bounded by two minutes of values."""
        return msgspec.msgpack.encode(self._kept)

    def update(
        self,
        spo2_percent: float,
        at: datetime,
        *,
        perfusion_percent: float | None = None,
        motion: Motion | None = None,
    ) -> DipAnswer:
        """Take one value; a dip is counted where it ends."""
        kept, settings = self._kept, self._settings
        spo2_percent, before_s = float(spo2_percent), kept.order.last_s
        doubt, arrival = doubted(
            spo2_percent, at, perfusion_percent=perfusion_percent, motion=motion, order=kept.order, settings=settings
        )
        if doubt is not None:
            return DipAnswer(doubt)
        second = kept.order.last_s
        passed = second - before_s
        if arrival is Arrival.ANEW or passed > settings.silence_s:
            self._begin()
            passed = 0.0
        last, kept.last_percent = kept.last_percent, spo2_percent
        if passed and abs(spo2_percent - last) > settings.fastest_points_per_s * max(passed, 1.0):
            return DipAnswer(OxygenReason.JUMP)
        kept.good_s += passed
        reason, lowest = self._followed(spo2_percent, second)
        hours = kept.good_s / _S_PER_HOUR
        shallow, deep = (count / hours if hours >= 1 else None for count in (kept.shallow, kept.deep))
        return DipAnswer(reason, kept.level or None, lowest, shallow, deep)

    def _begin(self) -> None:
        self._kept.seconds, self._kept.values, self._kept.begun_s = [], [], None

    def _followed(self, spo2_percent: float, second: float) -> tuple[OxygenReason, float | None]:
        kept, settings = self._kept, self._settings
        if kept.begun_s is not None:
            return self._in_a_dip(spo2_percent, second)
        known = bool(kept.seconds) and kept.seconds[-1] - kept.seconds[0] >= settings.before_least_s
        kept.level = float(np.quantile(kept.values, settings.before_share)) if known else 0.0
        if known and kept.level - spo2_percent >= settings.dip_points[0]:
            kept.begun_s, kept.lowest = second, spo2_percent
            return OxygenReason.FALLEN, None
        self._keep(spo2_percent, second)
        return (OxygenReason.AS_USUAL if known else OxygenReason.LEARNING), None

    def _in_a_dip(self, spo2_percent: float, second: float) -> tuple[OxygenReason, float | None]:
        kept, settings = self._kept, self._settings
        kept.lowest = min(kept.lowest, spo2_percent)
        lasted = second - (kept.begun_s or 0.0)
        if lasted > settings.dip_longest_s:
            self._begin()  # a lower level: learned anew
            self._keep(spo2_percent, second)
            return OxygenReason.NOT_A_DIP, None
        if spo2_percent < kept.level - settings.dip_ends_within_points:
            return OxygenReason.FALLEN, None
        kept.begun_s = None
        self._keep(spo2_percent, second)
        if lasted < settings.dip_least_s:
            return OxygenReason.NOT_A_DIP, None
        kept.shallow += 1
        if kept.level - kept.lowest < settings.dip_points[1]:
            return OxygenReason.SHALLOW_DIP, kept.lowest
        kept.deep += 1
        return OxygenReason.DEEP_DIP, kept.lowest

    def _keep(self, spo2_percent: float, second: float) -> None:
        kept = self._kept
        kept.seconds.append(second)
        kept.values.append(spo2_percent)
        while len(kept.values) > _ROOM or kept.seconds[0] < second - self._settings.before_s:
            del kept.seconds[0], kept.values[0]
