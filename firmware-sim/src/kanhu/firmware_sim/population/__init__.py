"""Who lives in a simulated county: villages, homes, people with conditions and devices, and what befalls them when.

Here lives everything that is drawn before the first second: ages, prevalence, households, habits, scripted episodes,
the register. Not here: how a body or a dwelling behaves, nor what devices give.
"""

from kanhu.firmware_sim.population.people import (
    Diligence,
    Home,
    Household,
    Inhabitant,
    Instrument,
    Village,
    draw_village,
    village_sizes,
)
from kanhu.firmware_sim.population.register import register_toml
from kanhu.firmware_sim.population.script import Fate, draw_fate

__all__ = [
    "Diligence",
    "Fate",
    "Home",
    "Household",
    "Inhabitant",
    "Instrument",
    "Village",
    "draw_fate",
    "draw_village",
    "register_toml",
    "village_sizes",
]
