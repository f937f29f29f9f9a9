"""An ordinary day of measuring: when who measures what, forgets it, or does it again.

Habits are a project choice. Leaflets of home measurement ask for mornings and evenings, and for a second reading after
one to two minutes; the diligent mostly do so, others where the first is high or the cuff doubts it.
"""

from typing import Final

from kanhu.contract import Meal
from kanhu.firmware_sim.bodies import DayPlan
from kanhu.firmware_sim.population import Diligence
from kanhu.firmware_sim.recording.person import Player
from kanhu.firmware_sim.recording.small_devices import prick, take_temperature, weigh
from kanhu.firmware_sim.truth import HappeningKind

_DAY_S, _MINUTE_S = 86_400.0, 60.0
_LOUD_MMHG: Final = 160
"""What the leaflet calls high: measure again."""
_DIFFER_MMHG: Final = 10
"""Two numbers further apart call for a third, says the leaflet; half of the diligent do it."""
_AWAY_SHARE = 0.02
"""Of days: with relatives, at the market until night."""
_STRAP_EVERY_DAYS, _STRAP_S = 3, 900

_MORNING = {Diligence.DILIGENT: 0.92, Diligence.ORDINARY: 0.7, Diligence.CARELESS: 0.4}
_EVENING = {Diligence.DILIGENT: 0.8, Diligence.ORDINARY: 0.45, Diligence.CARELESS: 0.15}
_TWICE = {Diligence.DILIGENT: 0.85, Diligence.ORDINARY: 0.35, Diligence.CARELESS: 0.1}
"""Whatever the first reading was: the leaflet asks for two."""
_AGAIN = {Diligence.DILIGENT: 0.95, Diligence.ORDINARY: 0.6, Diligence.CARELESS: 0.3}
_SLOW_ILLNESS = frozenset({HappeningKind.INFECTION, HappeningKind.WEIGHT_GAIN})


def measure_as_usual(player: Player, day: int) -> None:
    """Whatever this person measures on this day without any special reason."""
    draw = player.draw(day, "routine")
    if draw.random() < _AWAY_SHARE and not _ill(player, day):
        return
    plan = player.body.plan(day)
    morning_s = day * _DAY_S + plan.wakes_s + draw.uniform(15, 50) * _MINUTE_S
    evening_s = day * _DAY_S + plan.to_bed_s - draw.uniform(40, 130) * _MINUTE_S
    habit = player.person.diligence
    in_the_morning = draw.random() < _MORNING[habit] or _ill(player, day)
    in_the_evening = draw.random() < _EVENING[habit]
    for second, wanted in ((morning_s, in_the_morning), (evening_s, in_the_evening)):
        if wanted and player.at_hand(second):
            _sitting(player, second, day)
    _morning_devices(player, plan, morning_s + 6 * _MINUTE_S, day)
    _wear_strap(player, plan, day)


def sit_and_repeat(player: Player, second: float, day: int, *, likely: float) -> None:
    """Measure, and again after a minute or two where the first was high or failed and the person does such things."""
    draw = player.draw(day, f"cuff/{second:.0f}")
    if player.cuff is None:
        return
    first = player.cuff.sit(second, diary=player.diary, draw=draw)
    if first is None:
        return
    called_for = first.shown.systolic_mmhg >= _LOUD_MMHG or first.noticed
    if draw.random() >= (likely if called_for else _TWICE[player.person.diligence]):
        return
    second += draw.uniform(65, 150)
    again = player.cuff.sit(second, diary=player.diary, draw=draw, first_high_mmhg=0.0)
    if again is None or draw.random() >= likely / 2:
        return
    if abs(again.shown.systolic_mmhg - first.shown.systolic_mmhg) > _DIFFER_MMHG:
        player.cuff.sit(second + draw.uniform(65, 150), diary=player.diary, draw=draw, first_high_mmhg=0.0)


def _sitting(player: Player, second: float, day: int) -> None:
    """Cuff first, then the finger clip."""
    draw = player.draw(day, f"sitting/{second:.0f}")
    sit_and_repeat(player, second, day, likely=_AGAIN[player.person.diligence])
    if player.oximeter is not None:
        player.oximeter.wear(second + draw.uniform(240, 420), windows=draw.randint(3, 6), diary=player.diary, draw=draw)


def _morning_devices(player: Player, plan: DayPlan, second: float, day: int) -> None:
    draw = player.draw(day, "morning")
    ill = _ill(player, day)
    habit = player.person.diligence
    wants = [draw.random() < _MORNING[habit] for _ in range(4)]
    if not player.at_hand(second):
        return
    if player.scales is not None and (wants[0] or ill):
        weigh(player.scales, second, diary=player.diary, draw=draw)
    if player.meter is not None and wants[1]:
        prick(player.meter, second + 2 * _MINUTE_S, meal=Meal.FASTING, diary=player.diary, draw=draw)
    if player.meter is not None and wants[2] and draw.random() < 0.4:
        after_s = day * _DAY_S + plan.meals_s[2] + draw.uniform(110, 130) * _MINUTE_S
        if player.at_hand(after_s):
            prick(player.meter, after_s, meal=Meal.AFTER, diary=player.diary, draw=draw)
    if player.thermometer is not None and (ill or (wants[3] and draw.random() < 0.3)):
        take_temperature(player.thermometer, second + 4 * _MINUTE_S, diary=player.diary, draw=draw)


def _wear_strap(player: Player, plan: DayPlan, day: int) -> None:
    """Every third day; each day while the pulse is felt to stumble."""
    draw = player.draw(day, "strap")
    if player.strap is None:
        return
    begins_s = day * _DAY_S + draw.uniform(plan.wakes_s + 5400.0, plan.to_bed_s - 3 * 3600.0)
    stumbling = any(from_s <= begins_s < to_s and from_s > 0 for from_s, to_s in player.fibrillating)
    due = (day + sum(map(ord, player.person.id))) % _STRAP_EVERY_DAYS == 0
    if (due and draw.random() < 0.9) or stumbling:
        while not player.at_hand(begins_s) and begins_s < (day + 1) * _DAY_S - 7200.0:
            begins_s += 1800.0
        if player.at_hand(begins_s):
            player.strap.wear(
                begins_s, seconds=_STRAP_S, fibrillating=player.fibrillating, diary=player.diary, draw=draw
            )


def _ill(player: Player, day: int) -> bool:
    """Whether this person feels ill all day and measures for it."""
    noon_s = (day + 0.5) * _DAY_S
    return any(
        each.kind in _SLOW_ILLNESS and each.onset_s + _DAY_S / 2 < noon_s < each.onset_s + each.lasts_s
        for each in player.fate.episodes
    )
