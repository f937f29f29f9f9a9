"""The body of a resident of a scenario, with what befalls it."""

from kanhu.firmware_sim.bodies import Body, Episode
from kanhu.firmware_sim.scenario.model import Resident, Scenario, start_of_day_s

__all__ = ["body_of"]


def body_of(scenario: Scenario, resident: Resident | None, *, seed: str) -> Body:
    """Its seconds count from midnight before the play; nobody named is a plain visitor."""
    begins_s = start_of_day_s(scenario)
    befallings = () if resident is None else resident.happening
    episodes = [Episode(each.kind, begins_s + each.at_s, each.for_s, each.severity) for each in befallings]
    return Body(resident, seed=seed, episodes=episodes)
