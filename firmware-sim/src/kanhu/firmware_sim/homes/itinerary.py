"""Where one person is through a day: in bed, up at night, cooking, in the yard, out, in front of the television.

How often each is done, and for how long, is a project choice; liveliness and illness make it less. The number of stays
gives some 40 sensor changes a person and day. Public logs of three people living alone hold 44 (van Kasteren, house A),
29 and 111 sensor activations a day (Ordóñez, homes A and B).
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from kanhu.firmware_sim.bodies import Body

_DAY_S = 86_400.0
_MINUTE_S = 60.0
_NOON_S = 12 * 3600.0
_MOTION_HOLDS_S = 120.0  # how long a sensor goes on seeing somebody who lies still


class Place(StrEnum):
    """Where a person can be."""

    BEDROOM = "bedroom"
    MAIN_ROOM = "main-room"
    KITCHEN = "kitchen"
    TOILET = "toilet"
    YARD = "yard"
    OUT = "out"


@dataclass(frozen=True, slots=True)
class Stay:
    """A stretch in one place; seconds from Monday 00:00 local of the start."""

    place: Place
    from_s: float
    to_s: float
    asleep: bool = False


# What fills the hours between meals: place, weight, minutes at least and at most.
_PASTIMES: tuple[tuple[Place, float, float, float], ...] = (
    (Place.MAIN_ROOM, 3.0, 25.0, 80.0),
    (Place.YARD, 2.0, 15.0, 60.0),
    (Place.OUT, 2.0, 30.0, 120.0),
    (Place.KITCHEN, 1.0, 8.0, 25.0),
    (Place.BEDROOM, 1.0, 5.0, 25.0),
    (Place.TOILET, 1.5, 3.0, 8.0),
)
_STAYS_IN = frozenset({Place.MAIN_ROOM, Place.BEDROOM, Place.TOILET, Place.KITCHEN})


class _Day:
    """Writes one day down, stay after stay."""

    def __init__(self, begins_s: float) -> None:
        self._begins_s = begins_s
        self._now_s = 0.0
        self.stays: list[Stay] = []

    @property
    def now_s(self) -> float:
        """The second of the day reached."""
        return self._now_s

    def stay(self, place: Place, until_s: float) -> None:
        """Be there until then, awake; nothing where that is past."""
        self._add(place, until_s, asleep=False)

    def sleep(self, until_s: float) -> None:
        """Sleep in the bedroom until then."""
        self._add(Place.BEDROOM, until_s, asleep=True)

    def _add(self, place: Place, until_s: float, *, asleep: bool) -> None:
        until_s = min(until_s, _DAY_S)
        if until_s > self._now_s:
            self.stays.append(Stay(place, self._begins_s + self._now_s, self._begins_s + until_s, asleep))
            self._now_s = until_s


def itinerary(body: Body, day: int, *, seed: str) -> tuple[Stay, ...]:
    """One person's day without a gap, from midnight to midnight, as if nothing kept them on the floor."""
    draw = random.Random(f"{seed}/itinerary/{day}")
    plan = body.plan(day)
    vigour = body.vigour(day * _DAY_S + _NOON_S) * min(1.2, body.traits.liveliness * plan.liveliness)
    written = _Day(day * _DAY_S)
    for rise_s, back_s in plan.rises_s:
        written.sleep(rise_s)
        written.stay(Place.BEDROOM, rise_s + 30)
        written.stay(Place.TOILET, back_s - 30)
        written.stay(Place.BEDROOM, back_s)
    written.sleep(plan.wakes_s)
    written.stay(Place.BEDROOM, plan.wakes_s + draw.uniform(3, 10) * _MINUTE_S)
    written.stay(Place.TOILET, written.now_s + draw.uniform(4, 9) * _MINUTE_S)
    breakfast_s, lunch_s, supper_s = plan.meals_s
    _meal(written, breakfast_s, draw)
    _pass(written, lunch_s - 40 * _MINUTE_S, vigour, draw)
    _meal(written, lunch_s, draw)
    if plan.nap_s is not None:
        written.stay(Place.MAIN_ROOM, plan.nap_s[0] - 2 * _MINUTE_S)
        written.stay(Place.BEDROOM, plan.nap_s[0])
        written.sleep(plan.nap_s[1])
        written.stay(Place.BEDROOM, written.now_s + 3 * _MINUTE_S)
    _pass(written, supper_s - 40 * _MINUTE_S, vigour, draw)
    _meal(written, supper_s, draw)
    written.stay(Place.MAIN_ROOM, plan.to_bed_s - draw.uniform(15, 40) * _MINUTE_S)
    written.stay(Place.TOILET, written.now_s + draw.uniform(5, 12) * _MINUTE_S)
    written.stay(Place.BEDROOM, max(plan.to_bed_s, written.now_s + _MINUTE_S))
    written.sleep(_DAY_S)
    return tuple(written.stays)


def lying(stays: tuple[Stay, ...], body: Body) -> Iterator[Stay]:
    """The same day, but where the person fell they stay, and the next thing they do is what they would have done."""
    for stay in stays:
        floors = body.still_between(stay.from_s, stay.to_s)
        now_s = stay.from_s
        for onset_s, end_s in floors:
            if onset_s > now_s:  # the sensor goes on seeing them for a moment
                yield Stay(stay.place, now_s, min(onset_s + _MOTION_HOLDS_S, end_s), stay.asleep)
            now_s = max(now_s, end_s)
        if now_s < stay.to_s:
            yield Stay(stay.place, now_s, stay.to_s, stay.asleep)


def _meal(written: _Day, at_s: float, draw: random.Random) -> None:
    written.stay(Place.MAIN_ROOM, at_s - 30 * _MINUTE_S)
    written.stay(Place.KITCHEN, at_s)
    written.stay(Place.MAIN_ROOM, at_s + draw.uniform(15, 30) * _MINUTE_S)


def _pass(written: _Day, until_s: float, vigour: float, draw: random.Random) -> None:
    """Fill the time with pastimes; who is weak sits longer and stays in."""
    while written.now_s < until_s:
        places = [row for row in _PASTIMES if vigour > 0.5 or row[0] in _STAYS_IN]
        place, _, least, most = draw.choices(places, weights=[row[1] for row in places])[0]
        slower = 1.0 if place is Place.TOILET else 1 / max(0.3, vigour)
        written.stay(place, min(until_s, written.now_s + draw.uniform(least, most) * _MINUTE_S * slower))
