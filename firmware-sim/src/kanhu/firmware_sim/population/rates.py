"""How many people have what, and how often something befalls them, with the source of every number.

What is a choice, or was not checked, says so. Prevalence is of people of 65 and over. Rates of scripted episodes are
far above life's, so that thirty days of a thousand people hold enough of each kind to count; they are a project choice
throughout.
"""

from dataclasses import dataclass

from kanhu.firmware_sim.scenario.model import Condition
from kanhu.firmware_sim.truth import HappeningKind

# Seventh national census of China (2020), shares of people of 65 and over by five years: (from age, share). As commonly
# cited, not checked.
AGES = ((65, 0.388), (70, 0.260), (75, 0.164), (80, 0.107), (85, 0.057), (90, 0.024))
OLDEST_YEARS = 96
# Enrolled below 65: left-behind spouses and disabled people. Project choice.
YOUNGER_SHARE, YOUNGEST_YEARS = 0.04, 58
WOMEN_SHARE = 0.52
"""Census 2020, people of 65 and over; as commonly cited, not checked."""

PREVALENCE = {
    Condition.HYPERTENSION: 0.47,
    # CHARLS 2015 (Song and others, PeerJ 2019; 7:e8015; abstract read): 47.2 % of older villagers, 48.6 % in towns.
    # Henan's villages, from 60 to 79 (Hu and others, Frontiers in Public Health 2022; 10:802195; abstract read):
    # 44.5 %. Of older people, town and country (Xia 2020, Global Clinical and Translational Research 2:78; abstract
    # read): 52 %. More, by age, in Wang Z and others, Circulation 2018; 137:2344, as commonly cited, not checked.
    Condition.DIABETES: 0.19,
    # National survey of 2013 (Wang L and others, JAMA 2017; 317:2515): 10.9 % of adults; about 20 % from 60 on as
    # commonly cited, not checked. CHARLS 2015: 22 % from 60 on. Less in villages (Zhou 2014, Diabetes Care 38:72).
    Condition.COPD: 0.13,
    # Project choice; China Pulmonary Health study (Wang C and others, Lancet 2018; 391:1706): 13.7 % from 40 on by
    # spirometry, more with age, of whom 12 % had ever been measured before.
    Condition.HEART_FAILURE: 0.045,
    # Insured townspeople (Wang H and others, Circulation: Heart Failure 2021; 14:e008406): 3.86 % and 7.55 % in the
    # two older age groups; of all from 35 on 1.3 % (Hao and others, European Journal of Heart Failure 2019; 21:1329).
}
FIBRILLATION_SHARE = 0.045
"""Of 65 and over. Project choice, between 3.5 % (Chei 2015, Chinese Medical Journal 128:2426, from 65 on) and 5 % from
75 on (Du 2021, Heart 107:535)."""
FIBRILLATION_PERSISTENT_SHARE = 0.5
"""Of those; project choice."""

# Households as shares of homes; people living alone are then about 17 %. China's fifth sample survey of older people
# (2021) has 59.7 % of 60 and over without children at home, a quarter of them alone, a little more in villages.
# `family`: the older person lives with people who are not enrolled.
HOUSEHOLDS = (("alone", 0.23), ("couple", 0.33), ("family", 0.44))

# Further tags of the register; project choice.
HIGH_RISK_SHARE, DISABLED_SHARE, DISCHARGED_SHARE = 0.06, 0.06, 0.03


@dataclass(frozen=True, slots=True)
class Befalls:
    """How often a kind befalls those who can have it, and how long it lasts."""

    kind: HappeningKind
    a_month: float
    """Episodes in 30 days of one person."""
    lasts_s: tuple[float, float]
    """Shortest and longest, drawn evenly."""
    grave_share: float = 0.0
    """Share with severity 2."""
    typical: float = 1.0
    """Severity of the others."""


_MINUTE, _HOUR, _DAY = 60.0, 3600.0, 86_400.0

# Project choice; lengths so that what a rule or a person needs for noticing fits in.
DESATURATION_LUNG = Befalls(HappeningKind.DESATURATION, 0.38, (40 * _MINUTE, 5 * _HOUR), 0.3, typical=1.3)
"""Further below a usual value that is low already than the error of a finger clip."""
DESATURATION = Befalls(HappeningKind.DESATURATION, 0.20, (40 * _MINUTE, 3 * _HOUR), 0.3)
HYPERTENSIVE = Befalls(HappeningKind.HYPERTENSIVE, 0.20, (90 * _MINUTE, 6 * _HOUR), 0.3)
FAST_HEART = Befalls(HappeningKind.FAST_HEART, 0.6, (35 * _MINUTE, 2 * _HOUR), 0.3)
SLOW_HEART = Befalls(HappeningKind.SLOW_HEART, 0.55, (35 * _MINUTE, 2 * _HOUR), 0.3)
HYPOGLYCAEMIA = Befalls(HappeningKind.HYPOGLYCAEMIA, 0.32, (30 * _MINUTE, 90 * _MINUTE), 0.3)
FALL_ALONE = Befalls(HappeningKind.FALL, 0.38, (10 * _MINUTE, 30 * _MINUTE))
FALL = Befalls(HappeningKind.FALL, 0.09, (5 * _MINUTE, 25 * _MINUTE))
INFECTION_WATCHED = Befalls(HappeningKind.INFECTION, 0.24, (6 * _DAY, 10 * _DAY), 0.3)
INFECTION = Befalls(HappeningKind.INFECTION, 0.03, (6 * _DAY, 10 * _DAY), 0.3)
WEIGHT_GAIN = Befalls(HappeningKind.WEIGHT_GAIN, 2.4, (6 * _DAY, 9 * _DAY), 0.3)
PAROXYSM = Befalls(HappeningKind.FIBRILLATION, 1.3, (2 * _DAY, 5 * _DAY))
CALL = Befalls(HappeningKind.CALL, 0.15, (2 * _MINUTE, 15 * _MINUTE))

LONG_LIE_SHARE = 0.5
"""Of falls of people living alone. Of fallers over 90, 80 % could not rise at least once and alarms were mostly unused
(Fleming and Brayne, BMJ 2008; 337:a2227); the share is a project choice."""
LONG_LIE_S = (1.5 * _HOUR, 9 * _HOUR)
"""An hour on the floor is the usual definition of a long lie."""
CALLS_IN_AN_EMERGENCY_SHARE = 0.2
"""Of those who can reach a button and feel unwell; project choice."""
