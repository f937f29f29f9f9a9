"""The places people live in, and what moves in them: rooms, doors, beds, visits, and the village's power and links.

Here lives where somebody is and when a door opens, when a gateway is cut off, and which gateway's clock is wrong.
Not here: vital signs (bodies), devices, or what a recording looks like.
"""

from kanhu.firmware_sim.homes.dwelling import Bed, Dwelling, DwellingKind, Movement, Visit
from kanhu.firmware_sim.homes.village import ClockFault, Outage, dead_battery, gateway_clock, has_weak_link, outages

__all__ = [
    "Bed",
    "ClockFault",
    "Dwelling",
    "DwellingKind",
    "Movement",
    "Outage",
    "Visit",
    "dead_battery",
    "gateway_clock",
    "has_weak_link",
    "outages",
]
