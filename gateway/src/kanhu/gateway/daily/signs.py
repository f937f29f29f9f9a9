"""Whether a reading is the agreed sign of a person, and whether it says that a dose was taken.

A reading that a device had kept, or whose time cannot be told, is no sign: it says that somebody was well then.
"""

from zoneinfo import ZoneInfo

from kanhu.contract import METRICS, EventWord, MetricKind, Observation, QualityLevel, SubjectKind
from kanhu.gateway.daily.hours import Moment
from kanhu.gateway.daily.settings import Sign, WellCheckConfig
from kanhu.gateway.device_clocks import local_span

DEVICE = "daily-life"
"""Whose observations the gateway's own conclusions are."""

_FRESH_MS = 600_000
"""A device's own time may be so far from now; project choice: a cuff whose clock was set by hand."""
_OF_THE_ROOM = frozenset({"room_temperature", "room_humidity", "battery"})
_DOOR = "contact"
_MOVED = frozenset({"motion", "usage"})


class Doors:
    """How each door stood last: a sensor tells over and over how it stands, and only somebody moves it."""

    def __init__(self) -> None:
        """Begin with no door known: the first word of one says how it stands, not that anybody was there."""
        self._stood: dict[str, int] = {}

    def moved(self, observation: Observation) -> bool:
        """Whether this reading tells that a door is not as it was; ask once a reading."""
        steps = observation.series(_DOOR)
        if observation.metric != _DOOR or len(steps) != 1:
            return False
        before, self._stood[observation.device] = self._stood.get(observation.device), steps[0]
        return before is not None and before != steps[0]


def is_sign(
    config: WellCheckConfig, observation: Observation, *, resident: str, now: Moment, zone: ZoneInfo, door_moved: bool
) -> bool:
    """Whether this is the sign that was agreed with this person; `door_moved` as `Doors` tells of this reading."""
    if observation.device == DEVICE or observation.quality.level is not QualityLevel.OK:
        return False
    own = observation.subject.kind is SubjectKind.RESIDENT and observation.subject.id == resident
    here = own or observation.subject.kind is SubjectKind.DWELLING
    code, steps = observation.metric, observation.series(observation.metric)
    step = steps[0] if len(steps) == 1 else None
    if Sign.BUTTON in config.signs and own and observation.word in {EventWord.SIGN_GIVEN, EventWord.FINE}:
        return True
    if METRICS[code].kind is MetricKind.EVENT:
        moved = Sign.MOTION in config.signs and code in _MOVED and step is not None and step > 0
        return here and (moved or (Sign.CONTACT in config.signs and door_moved))
    measured = Sign.MEASUREMENT in config.signs and own and code not in _OF_THE_ROOM
    return measured and _is_fresh(observation, now=now, zone=zone)


def is_dose(observation: Observation, *, resident: str) -> bool:
    """Whether a device says that this person took a dose."""
    own = observation.subject.kind is SubjectKind.RESIDENT and observation.subject.id == resident
    return own and observation.device != DEVICE and observation.word is EventWord.DOSE_TAKEN


def _is_fresh(observation: Observation, *, now: Moment, zone: ZoneInfo) -> bool:
    device_ms = observation.times.device_ms
    if device_ms is None:
        return True
    local = local_span(None if now.ms is None else (now.ms, now.ms), zone)
    return local is not None and abs(local[0] - device_ms) <= _FRESH_MS
