"""Generates only: byte-exact devices, bodies, homes, scenarios with their truth, faulty links, fleets.

Here lives `kanhu-sim serve`, which plays a scenario to real gateways over HCI and serial lines.
Not here: any judgement or decoding; nothing from vitals, edge, gateway or cloud.
"""

from kanhu.firmware_sim.errors import NotEncodable, RecordRefused, ScenarioRefused, SimulatorError
from kanhu.firmware_sim.scenario import Scenario, load_scenario
from kanhu.firmware_sim.scenario.model import DeviceKind

__all__ = [
    "DeviceKind",
    "NotEncodable",
    "RecordRefused",
    "Scenario",
    "ScenarioRefused",
    "SimulatorError",
    "load_scenario",
]
