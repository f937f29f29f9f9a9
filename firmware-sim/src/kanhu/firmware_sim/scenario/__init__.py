"""What a scenario file says: its tables, how it is read and refused, its times, events and register.

Here lives what is known before anything is played. Not here: who plays it (`simulator` on real doors, and
`recording.scenario_play` in virtual time), the bodies of its people, nor any judgement of what must be raised.
"""

from kanhu.firmware_sim.scenario.events import all_events
from kanhu.firmware_sim.scenario.file import load_scenario, recordings_folder
from kanhu.firmware_sim.scenario.model import Scenario
from kanhu.firmware_sim.scenario.site import site_of, tags_of

__all__ = ["Scenario", "all_events", "load_scenario", "recordings_folder", "site_of", "tags_of"]
