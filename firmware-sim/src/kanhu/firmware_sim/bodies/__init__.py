"""What goes on in the people who wear the devices: slow vital signs and single heartbeats.

Here lives physiology as simple, seeded functions of time, and the replay of recorded beats. Not here: devices, bytes,
or any judgement of what a value means.
"""

from kanhu.firmware_sim.bodies.beats import Beat, BeatSource, RecordedBeats, SinusBeats, load_recorded_beats
from kanhu.firmware_sim.bodies.body import Body, VitalState
from kanhu.firmware_sim.bodies.episodes import Episode

__all__ = [
    "Beat",
    "BeatSource",
    "Body",
    "Episode",
    "RecordedBeats",
    "SinusBeats",
    "VitalState",
    "load_recorded_beats",
]
