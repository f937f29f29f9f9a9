"""What goes on in the people who wear the devices: slow vital signs and single heartbeats.

Here lives physiology as simple, seeded functions of time, episodes that befall people, and the replay of recorded
beats. Not here: devices, bytes, dwellings, or any judgement of what a value means.
"""

from kanhu.firmware_sim.bodies.beats import (
    Beat,
    BeatSource,
    RecordedBeats,
    SinusBeats,
    load_recorded_beats,
)
from kanhu.firmware_sim.bodies.body import Body
from kanhu.firmware_sim.bodies.days import DayPlan
from kanhu.firmware_sim.bodies.episodes import Episode, full
from kanhu.firmware_sim.bodies.scripted import beats_of, body_of
from kanhu.firmware_sim.bodies.state import VitalState
from kanhu.firmware_sim.bodies.traits import Traits

__all__ = [
    "Beat",
    "BeatSource",
    "Body",
    "DayPlan",
    "Episode",
    "RecordedBeats",
    "SinusBeats",
    "Traits",
    "VitalState",
    "beats_of",
    "body_of",
    "full",
    "load_recorded_beats",
]
