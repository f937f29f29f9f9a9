"""Visitors who try the devices of the house, and the clinic's cuff that everybody may use."""

import random
from collections.abc import Sequence

from kanhu.firmware_sim.homes import Visit
from kanhu.firmware_sim.population import Instrument
from kanhu.firmware_sim.recording.cuff import TAKES_S, Cuff
from kanhu.firmware_sim.recording.diary import Bound
from kanhu.firmware_sim.recording.person import Player
from kanhu.firmware_sim.recording.readings import BloodPressure
from kanhu.firmware_sim.truth import HappeningKind

_DAY_S = 86_400.0
_TRIES_THE_CUFF = 0.05
"""Of visits to a home with a cuff; project choice."""
_LOUD_MMHG = 160
_CLINIC_EVERY_DAYS = 21


def let_visitors_measure(player: Player, visits: Sequence[Visit], day: int) -> None:
    """A visitor measures with the resident's cuff, and the gateway cannot know."""
    cuff = player.cuff
    if cuff is None:
        return
    draw = player.draw(day, "visitor")
    for visit in visits:
        if draw.random() >= _TRIES_THE_CUFF or visit.to_s - visit.from_s < 400:
            continue
        second = draw.uniform(visit.from_s, visit.to_s - 400)
        arm = _arm(draw)
        sat = cuff.sit_stranger(second, diary=player.diary, draw=draw, truth=arm)
        last_s = second
        if sat is not None and sat.shown.systolic_mmhg >= _LOUD_MMHG:
            last_s = second + draw.uniform(70, 150)
            cuff.sit_stranger(last_s, diary=player.diary, draw=draw, truth=arm)
        player.diary.befell(HappeningKind.VISITOR, second - 60, last_s + TAKES_S + 60)


def go_to_the_clinic(player: Player, cuff: Cuff, day: int) -> None:
    """Who owns no cuff has the pressure taken at the clinic every now and then: a session of nobody known."""
    draw = player.draw(day, "clinic")
    due = (day + sum(map(ord, player.person.id)) * 7) % _CLINIC_EVERY_DAYS == 0
    second = day * _DAY_S + draw.uniform(8.2, 11.2) * 3600
    if Instrument.CUFF in player.person.owns or not due or not player.at_hand(second):
        return
    cuff.sit(second, diary=player.diary, draw=draw)
    cuff.sit(second + draw.uniform(80, 150), diary=player.diary, draw=draw, first_high_mmhg=0.0)


def clinic_cuff(clinic: str, *, seed: str) -> Cuff:
    """The cuff on the clinic's table."""
    return Cuff(Bound(clinic, f"cuff-{clinic}", None), seed=seed)


def _arm(draw: random.Random) -> BloodPressure:
    """Somebody from the village: pressure of rural adults, 132/80, spread 19 and 10 (China Hypertension Survey)."""
    systolic = draw.gauss(132, 19)
    diastolic = min(systolic - 20, draw.gauss(80, 10) + 0.25 * (systolic - 132))
    return BloodPressure(
        systolic_mmhg=round(systolic), diastolic_mmhg=round(diastolic), pulse_bpm=round(draw.gauss(74, 9))
    )
