"""The body of a resident of a scenario, with what befalls it, and the beats of who wears a strap."""

from pathlib import Path

from kanhu.firmware_sim.bodies.beats import BeatSource, RecordedBeats, SinusBeats, load_recorded_beats
from kanhu.firmware_sim.bodies.body import Body
from kanhu.firmware_sim.bodies.episodes import Episode
from kanhu.firmware_sim.scenario.model import Resident, Rhythm, Scenario, Wear, start_of_day_s

__all__ = ["beats_of", "body_of"]


def body_of(scenario: Scenario, resident: Resident | None, *, seed: str) -> Body:
    """Its seconds count from midnight before the play; nobody named is a plain visitor."""
    begins_s = start_of_day_s(scenario)
    befallings = () if resident is None else resident.happening
    episodes = [Episode(each.kind, begins_s + each.at_s, each.for_s, each.severity) for each in befallings]
    return Body(resident, seed=seed, episodes=episodes)


def beats_of(wear: Wear, body: Body, *, recordings: Path, seed: str) -> BeatSource:
    """What a strap feels: beats of the file in `recordings` that is named, or of the body, drawn from `seed`.

    Raises:
        RecordRefused: the file cannot be replayed.
    """
    if wear.rhythm is Rhythm.RECORD and wear.rr_file is not None:
        return RecordedBeats(load_recorded_beats(recordings / wear.rr_file), first=wear.rr_first_beat)
    return SinusBeats(body, seed=seed)
