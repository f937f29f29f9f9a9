"""What others may import of the simulator is pinned."""

import kanhu.firmware_sim
import kanhu.firmware_sim.scenario


def test_public_names_are_these() -> None:
    assert kanhu.firmware_sim.__all__ == [
        "DeviceKind",
        "NotEncodable",
        "RecordRefused",
        "Scenario",
        "ScenarioRefused",
        "SimulatorError",
        "load_scenario",
    ]


def test_public_names_of_scenarios_are_these() -> None:
    assert kanhu.firmware_sim.scenario.__all__ == [
        "Scenario",
        "all_events",
        "load_scenario",
        "recordings_folder",
        "site_of",
        "tags_of",
    ]
