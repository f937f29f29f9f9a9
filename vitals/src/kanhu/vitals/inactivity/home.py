"""A home in which one person lives: what counts as a sign of them, and what a silence comes to.

    quiet ── limit passed ──▶ asked ── nobody stirs for `answer_s` ──▶ still ── twice the limit ──▶ longer
      ▲                         │                                        │                            │
      └────────── a sign ───────┴──────────────────── a sign: told ──────┴────────────────────────────┘

Whoever keeps this hands it every reading of the home and looks once a minute. Where nobody looked for a while (no
power, a clock that was set) silence begins anew: what happened meanwhile nobody knows.
"""

import math
from collections.abc import Callable
from datetime import datetime, tzinfo
from enum import StrEnum

import msgspec

from kanhu.contract import METRICS, MetricKind, Observation, QualityLevel, SubjectKind
from kanhu.vitals.inactivity.silence import SETTINGS, Presence, SilenceDetector, SilenceReason, SilenceSettings
from kanhu.vitals.stored_state import read_state

__all__ = ["METRIC", "HomeState", "HomeStep", "HomeWatch", "local_s"]

METRIC = "inactivity"
"""Of the observation that tells of it: minutes, or zero for a sign again."""
STATE_VERSION = 1
_UNLOOKED_S = 300.0
_MOST_DEVICES = 64
_STATES = frozenset({"motion", "contact", "presence", "bed_occupancy"})
"""Told again and again as they stand: only a change is a sign."""
_ACTS = frozenset({"usage", "help_button", "dosage", "switch", "property_exit"})
"""Nobody else does them; above zero each is a sign."""
_BY_HAND = frozenset({
    "bp", "weight", "glucose_capillary", "glucose_plasma", "temperature", "temperature_axillary", "temperature_oral",
    "temperature_ear", "peak_flow",
})  # fmt: skip  # words by rows
"""Measured by whoever gets up for it. A radar, a strap and a clip go on measuring whoever lies on the floor."""


class HomeStep(StrEnum):
    """What has to be done now."""

    NOTHING = "nothing"
    ASK = "ask"
    """Aloud, whether all is well."""
    STILL = "still"
    """To be told: no sign for too long, and no answer."""
    LONGER = "longer"
    """To be told again: twice the limit."""
    ACTIVE = "active"
    """To be told: a sign again."""


class HomeState(StrEnum):
    """How far a silence has come."""

    QUIET = "quiet"
    ASKED = "asked"
    STILL = "still"
    LONGER = "longer"


_TOLD = frozenset({HomeState.STILL, HomeState.LONGER})


class _Stood(msgspec.Struct, array_like=True):
    step: int
    ends: bool = False
    """It has said zero before: a sensor that hangs at one is not taken for one that only tells of beginnings."""


class _Home(msgspec.Struct, array_like=True):
    version: int
    silence: bytes = b""
    state: HomeState = HomeState.QUIET
    asked_s: float = 0.0
    left: bool = False
    """Nobody came home: there is nobody to lie there any longer."""
    looked_s: float | None = None
    stood: dict[str, _Stood] = {}
    sees: bool = False
    """A sensor of the rooms has told of somebody: from a button and a cuff alone nobody knows when it is silent."""

    def __post_init__(self) -> None:
        """Refuse what no home can have."""
        if len(self.stood) > _MOST_DEVICES or not math.isfinite(self.asked_s):
            raise ValueError("not the state of a home")


def local_s(unix_ms: int, zone: tzinfo) -> float:
    """Seconds of local time, whose days begin at midnight.

    Raises:
        ValueError, OverflowError, OSError: the time lies outside the calendar.
    """
    local = datetime.fromtimestamp(unix_ms / 1000, zone)
    offset = local.utcoffset()
    return unix_ms / 1000 + (offset.total_seconds() if offset is not None else 0.0)


class HomeWatch:
    """Hears what the sensors of one home tell; times are `local_s`."""

    def __init__(
        self,
        resident: str,
        *,
        way_out: Callable[[str], bool],
        answer_s: float,
        settings: SilenceSettings = SETTINGS,
        state: bytes = b"",
    ) -> None:
        """Watch over `resident`; `way_out` says of a device whether it is on a door by which one leaves.

        Raises:
            StateRefused: `state` is not one of a home.
        """
        self._resident = resident
        self._way_out = way_out
        self._answer_s = answer_s
        self._kept = read_state(_Home, state, version=STATE_VERSION) if state else _Home(STATE_VERSION)
        self._silence = SilenceDetector(settings, self._kept.silence)

    def state(self) -> bytes:
        """What to store, at most 8 kB."""
        self._kept.silence = self._silence.state()
        return msgspec.msgpack.encode(self._kept)

    @property
    def stage(self) -> HomeState:
        """How far the silence has come."""
        return self._kept.state

    @property
    def limit_h(self) -> float:
        """Waking hours of silence from which the person is asked."""
        return self._silence.limit_h

    def learned_days(self, at_s: float) -> float:
        """Since the first sign."""
        return self._silence.learned_days(at_s)

    def silence_min(self, at_s: float) -> int:
        """Waking minutes since the last sign, at least one."""
        return max(1, round(60 * self._silence.silence_h(at_s)))

    def hear(self, observation: Observation, at_s: float) -> HomeStep:
        """Take one reading of the home: active where a sign ends what was told."""
        where = self._sign(observation)
        if where is None or self._silence.update(where, at_s) is not SilenceReason.ACTIVE:
            return HomeStep.NOTHING
        before, self._kept.state = self._kept.state, HomeState.QUIET
        return HomeStep.ACTIVE if before in _TOLD else HomeStep.NOTHING

    def unlooked(self) -> None:
        """The gateway has started again: how long it was without power nobody knows."""
        self._kept.looked_s = None

    def look(self, at_s: float) -> HomeStep:
        """What the silence has come to at this second."""
        kept, silence = self._kept, self._silence
        if not math.isfinite(at_s):
            return HomeStep.NOTHING
        if kept.looked_s is None or at_s - kept.looked_s > _UNLOOKED_S:
            silence.suspend(at_s)
        kept.looked_s = at_s
        if not kept.sees:
            return HomeStep.NOTHING
        reason = silence.look(at_s)
        if kept.state is HomeState.QUIET and reason.raises:
            kept.state, kept.asked_s, kept.left = HomeState.ASKED, at_s, reason is SilenceReason.NOT_COME_HOME
            return HomeStep.ASK
        if kept.state is HomeState.ASKED and not 0 <= at_s - kept.asked_s < self._answer_s:
            kept.state = HomeState.STILL
            return HomeStep.STILL
        if kept.state is HomeState.STILL and not kept.left and silence.silence_h(at_s) >= 2 * silence.limit_h:
            kept.state = HomeState.LONGER
            return HomeStep.LONGER
        return HomeStep.NOTHING

    def _sign(self, observation: Observation) -> Presence | None:
        code, steps = observation.metric, observation.series(observation.metric)
        if observation.quality.level is not QualityLevel.OK:
            return None
        own = observation.subject.kind is SubjectKind.RESIDENT and observation.subject.id == self._resident
        if METRICS[code].kind is not MetricKind.EVENT:
            is_new = observation.times.device_ms is None  # one that carries a time may have been kept
            return Presence.INSIDE if own and code in _BY_HAND and is_new else None
        here = own or observation.subject.kind is SubjectKind.DWELLING
        if not here or len(steps) != 1:
            return None
        if code in _STATES:
            moved = self._moved(f"{observation.device}:{code}", steps[0])
        else:
            moved = code in _ACTS and steps[0] > 0
        if not moved:
            return None
        return Presence.FRONT_DOOR if self._way_out(observation.device) else Presence.INSIDE

    def _moved(self, sensor: str, step: int) -> bool:
        stood = self._kept.stood
        before, begins = stood.get(sensor), sensor.endswith(":motion")
        self._kept.sees = self._kept.sees or not sensor.endswith(":contact")
        if before is None:
            if len(stood) < _MOST_DEVICES:
                stood[sensor] = _Stood(step, ends=step == 0)
            return step > 0 and begins  # its first word; a door only says how it stands
        changed = before.step != step
        before.step, before.ends = step, before.ends or step == 0
        return changed or (step > 0 and begins and not before.ends)
