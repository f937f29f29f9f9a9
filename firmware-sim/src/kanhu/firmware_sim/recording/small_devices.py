"""Glucose meter, scales, thermometer, help button: one number, or one press.

| what | how much | source |
|---|---|---|
| glucose | spread 4 % | project choice; ISO 15197:2013 allows 15 % for 95 of 100 from 5.6 mmol/l on |
| armpit temperature | 0.3 °C below the body's, spread 0.15 °C | armpit reads lower; project choice |
| weight | spread 0.15 kg, clothes 0.5 kg heavy at one time in ten | project choice |
"""

import random

from kanhu.contract import Meal
from kanhu.firmware_sim.recording.diary import Bound, Diary
from kanhu.firmware_sim.recording.readings import glucose, help_button, temperature, weight
from kanhu.firmware_sim.recording.trouble import Trouble, TroubleKind
from kanhu.firmware_sim.truth import HappeningKind

_ARMPIT_LOWER = 0.3
_CLOTHES_ONE_IN, _CLOTHES_KG = 10, 0.5
_CALL_LASTS_S = 900.0


class Small:
    """One meter, pair of scales, thermometer."""

    def __init__(self, bound: Bound, *, trouble: Trouble | None = None) -> None:
        """As it is, right or dead."""
        self.bound = bound
        self._trouble = trouble

    def dead(self, second: float) -> bool:
        """Whether it gives nothing."""
        return self._trouble is not None and self._trouble.covers(second, TroubleKind.DEAD)


def prick(meter: Small, second: float, *, meal: Meal, diary: Diary, draw: random.Random) -> None:
    """Measure glucose."""
    if meter.dead(second):
        return
    true = diary.body.seated(second).glucose_mmol_l
    diary.truly(second, "glucose_capillary", true)
    shown = min(33.3, max(0.6, true * draw.gauss(1.0, 0.04)))
    reading = glucose(diary.site.ms(second), meter.bound.device, subject=meter.bound.subject, mmol_l=shown, meal=meal)
    diary.note(meter.bound.gateway, reading)


def weigh(scales: Small, second: float, *, diary: Diary, draw: random.Random) -> None:
    """Step on the scales."""
    if scales.dead(second):
        return
    true = diary.body.seated(second).weight_kg
    diary.truly(second, "weight", true)
    clothes = _CLOTHES_KG if draw.randrange(_CLOTHES_ONE_IN) == 0 else 0.0
    reading = weight(
        diary.site.ms(second),
        scales.bound.device,
        subject=scales.bound.subject,
        kg=true + draw.gauss(0, 0.15) + clothes,
    )
    diary.note(scales.bound.gateway, reading)


def take_temperature(thermometer: Small, second: float, *, diary: Diary, draw: random.Random) -> None:
    """Hold it in the armpit."""
    if thermometer.dead(second):
        return
    true = diary.body.seated(second).temperature_celsius - _ARMPIT_LOWER
    diary.truly(second, "temperature_axillary", true)
    reading = temperature(
        diary.site.ms(second),
        thermometer.bound.device,
        subject=thermometer.bound.subject,
        celsius=true + draw.gauss(0, 0.15),
    )
    diary.note(thermometer.bound.gateway, reading)


def call(button: Bound, presses_s: list[float], *, diary: Diary) -> None:
    """Press for help, perhaps again while waiting: one call."""
    diary.befell(HappeningKind.CALL, presses_s[0] - 1.0, presses_s[-1] + _CALL_LASTS_S)
    for second in presses_s:
        if button.subject is not None:
            diary.note(button.gateway, help_button(diary.site.ms(second), button.device, subject=button.subject))
