"""Makes recordings: readings as gateways would have got them, in virtual time, with the truth beside them.

Here lives the shape of readings without bytes, the clocks of gateways, the folder that a recording is, and what fills
it: the villages of a county, or a scenario. Not here: bodies, homes and who lives there; nor any judgement.
"""

from kanhu.firmware_sim.recording.folder import Done, RecordingFolder, Settings
from kanhu.firmware_sim.recording.gateway_clock import ClockStart, GatewayClock
from kanhu.firmware_sim.recording.readings import (
    BloodPressure,
    Reading,
    blood_pressure,
    glucose,
    heart_rhythm,
    help_button,
    oximetry,
    sensor_change,
    temperature,
    weight,
)
from kanhu.firmware_sim.recording.village_writer import VillageWriter

__all__ = [
    "BloodPressure",
    "ClockStart",
    "Done",
    "GatewayClock",
    "Reading",
    "RecordingFolder",
    "Settings",
    "VillageWriter",
    "blood_pressure",
    "glucose",
    "heart_rhythm",
    "help_button",
    "oximetry",
    "sensor_change",
    "temperature",
    "weight",
]
