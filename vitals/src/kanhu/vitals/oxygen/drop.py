"""Spot readings of one person below their own baseline: SPO2-DROP, two sessions in a row."""

from datetime import datetime
from statistics import median

import msgspec

from kanhu.contract import Motion
from kanhu.vitals.arrival import Arrival, Order
from kanhu.vitals.oxygen.reading import OxygenReason, doubted
from kanhu.vitals.oxygen.settings import OxygenSettings
from kanhu.vitals.stored_state import read_state

__all__ = ["DropAnswer", "DropDetector"]

STATE_VERSION = 1
_MOST = 400  # sessions or readings in a state that is read back


class DropAnswer(msgspec.Struct, frozen=True):
    """What one reading was answered with, and the numbers that decided it."""

    reason: OxygenReason
    session_percent: float | None = None
    """Median of the session's good readings, once there are enough."""
    baseline_percent: float | None = None


class _Kept(msgspec.Struct, array_like=True):
    version: int
    order: Order = msgspec.field(default_factory=Order)
    usual: list[float] = []
    """Of sessions, oldest first."""
    session: list[float] = []
    begun_s: float = 0.0
    low_sessions: int = 0
    is_said: bool = False

    def __post_init__(self) -> None:
        """Refuse what cannot have been kept."""
        if len(self.usual) > _MOST or len(self.session) > _MOST or self.low_sessions < 0:
            raise ValueError("not sessions")
        if not all(0 <= one <= 100 for one in (*self.usual, *self.session)):  # per cent
            raise ValueError("not saturations")


class DropDetector:
    """A session is a few good readings; its median is held against the median of the sessions before."""

    def __init__(self, settings: OxygenSettings | None = None, *, state: bytes = b"") -> None:
        """Go on from `state`, or begin.

        Raises:
            StateRefused: `state` is not one of this detector.
        """
        self._settings = settings or OxygenSettings()
        self._kept = read_state(_Kept, state, version=STATE_VERSION) if state else _Kept(STATE_VERSION)

    def state(self) -> bytes:
        """What to store; bounded by the sessions of a baseline."""
        return msgspec.msgpack.encode(self._kept)

    def update(
        self,
        spo2_percent: float,
        at: datetime,
        *,
        perfusion_percent: float | None = None,
        motion: Motion | None = None,
    ) -> DropAnswer:
        """Take one reading; a session is judged once, at its last needed reading."""
        kept, settings = self._kept, self._settings
        spo2_percent = float(spo2_percent)  # a numpy number would not go into the state
        doubt, arrival = doubted(
            spo2_percent, at, perfusion_percent=perfusion_percent, motion=motion, order=kept.order, settings=settings
        )
        if doubt is not None:
            return DropAnswer(doubt)
        second = kept.order.last_s
        if arrival is Arrival.ANEW or not kept.session or second - kept.begun_s > settings.session_s:
            kept.session, kept.begun_s = [], second
        if len(kept.session) >= settings.session_readings:
            return DropAnswer(OxygenReason.COLLECTING)  # this session has been judged
        kept.session.append(spo2_percent)
        if len(kept.session) < settings.session_readings:
            return DropAnswer(OxygenReason.COLLECTING)
        return self._judged(float(median(kept.session)))

    def _judged(self, session: float) -> DropAnswer:
        kept, settings = self._kept, self._settings
        if len(kept.usual) < settings.learning_sessions:
            kept.usual.append(session)
            return DropAnswer(OxygenReason.LEARNING, session)
        baseline = float(median(kept.usual))
        return DropAnswer(self._reason(session, baseline), session, baseline)

    def _reason(self, session: float, baseline: float) -> OxygenReason:
        kept, settings = self._kept, self._settings
        below = baseline - session
        if below >= settings.drop_points:
            kept.low_sessions = min(kept.low_sessions + 1, settings.sessions_to_say)
            if kept.is_said:
                return OxygenReason.ALREADY_SAID
            if kept.low_sessions < settings.sessions_to_say:
                return OxygenReason.CONFIRMING
            kept.is_said = True
            return OxygenReason.DROPPED
        kept.low_sessions = 0
        if kept.is_said and below > settings.back_within_points:
            return OxygenReason.ALREADY_SAID
        # What is low is not learned: a slow fall would become the baseline, and be as usual.
        kept.usual = [*kept.usual, session][-settings.baseline_sessions :]
        was_said, kept.is_said = kept.is_said, False
        return OxygenReason.BACK if was_said else OxygenReason.AS_USUAL
