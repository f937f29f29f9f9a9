"""One person with the own devices: which there are, and the days that are spent elsewhere."""

import random
from dataclasses import dataclass

from kanhu.contract import Subject, SubjectKind
from kanhu.firmware_sim.bodies import Body, Episode
from kanhu.firmware_sim.population import Fate, Inhabitant, Instrument
from kanhu.firmware_sim.recording.cuff import Cuff
from kanhu.firmware_sim.recording.diary import Bound, Diary, Sink, Site
from kanhu.firmware_sim.recording.oximeter import Oximeter
from kanhu.firmware_sim.recording.rhythms import Rhythms
from kanhu.firmware_sim.recording.small_devices import Small
from kanhu.firmware_sim.recording.strap import Strap
from kanhu.firmware_sim.recording.trouble import draw_troubles
from kanhu.firmware_sim.truth import HappeningKind


@dataclass(frozen=True, slots=True)
class Player:
    """Everything that measuring this person takes."""

    person: Inhabitant
    fate: Fate
    body: Body
    diary: Diary
    seed: str
    cuff: Cuff | None
    oximeter: Oximeter | None
    strap: Strap | None
    meter: Small | None
    scales: Small | None
    thermometer: Small | None
    button: Bound | None
    fibrillating: tuple[tuple[float, float], ...]

    def draw(self, day: int, what: str) -> random.Random:
        """Chance for one day's purpose, whatever was drawn before."""
        return random.Random(f"{self.seed}/{what}/{self.person.id}/{day}")

    def at_hand(self, second: float) -> bool:
        """Whether this person is awake and up to measuring."""
        return not (self.body.still(second) or self.body.asleep(second))


def player_of(
    person: Inhabitant,
    fate: Fate,
    *,
    site: Site,
    seed: str,
    days: int,
    rhythms: Rhythms,
    sink: Sink,
) -> Player:
    """Put body, devices and diary together; what is wrong with the devices goes into the diary."""
    body = Body(person.resident, seed=seed, episodes=fate.of_the_body, missed_doses=fate.missed_doses)
    scripted = [episode for episode in fate.episodes if episode.kind is not HappeningKind.CALL]  # told when pressed
    diary = Diary(site, body=body, episodes=scripted, sink=sink)
    troubles = draw_troubles(person, fate.episodes, seed=seed, days=days)
    for _, trouble in sorted(troubles.items()):
        diary.befell(trouble.happening, trouble.from_s, trouble.to_s)
    resident = Subject(SubjectKind.RESIDENT, person.id)

    def bound(instrument: Instrument) -> Bound:
        return Bound(site.gateway, person.device(instrument), resident)

    def small(instrument: Instrument) -> Small | None:
        owned = instrument in person.owns
        return Small(bound(instrument), trouble=troubles.get(instrument)) if owned else None

    cuff, oximeter, strap = (troubles.get(each) for each in (Instrument.CUFF, Instrument.OXIMETER, Instrument.STRAP))
    owns = person.owns
    return Player(
        person=person,
        fate=fate,
        body=body,
        diary=diary,
        seed=seed,
        cuff=Cuff(bound(Instrument.CUFF), seed=seed, trouble=cuff) if Instrument.CUFF in owns else None,
        oximeter=Oximeter(bound(Instrument.OXIMETER), seed=seed, trouble=oximeter)
        if Instrument.OXIMETER in owns
        else None,
        strap=Strap(bound(Instrument.STRAP), seed=seed, rhythms=rhythms, trouble=strap)
        if Instrument.STRAP in owns
        else None,
        meter=small(Instrument.METER),
        scales=small(Instrument.SCALES),
        thermometer=small(Instrument.THERMOMETER),
        button=bound(Instrument.BUTTON) if Instrument.BUTTON in owns else None,
        fibrillating=tuple(_stretch(each) for each in fate.episodes if each.kind is HappeningKind.FIBRILLATION),
    )


def _stretch(episode: Episode) -> tuple[float, float]:
    return episode.onset_s, episode.onset_s + episode.lasts_s
