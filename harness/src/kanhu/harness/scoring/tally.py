"""Counts of judged happenings and tellings: in all, by kind, by rule, by village, by group of people."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from kanhu.firmware_sim.truth import HappeningKind, Person
from kanhu.harness.scoring.episodes import MISSED, Episode, Episodes, EventResult, Telling, TellingResult
from kanhu.harness.scoring.spread import Spread, spread

__all__ = ["Tally", "by_group", "by_kind", "by_rule", "by_village", "groups_of", "tally"]

_AGES = ((65, "under 65"), (75, "65 to 74"), (85, "75 to 84"))
_OLDEST = "85 and over"


@dataclass(slots=True)
class Tally:
    """What was found, missed and raised for nothing, of one part of the whole."""

    results: Counter[EventResult] = field(default_factory=Counter)
    tellings: Counter[tuple[str, TellingResult]] = field(default_factory=Counter)
    """By priority and worth."""
    detect_s: list[float] = field(default_factory=list)
    """From the onset to the judge's own time."""
    from_reading_s: list[float] = field(default_factory=list)
    """From the first good reading to the judge's own time."""
    tell_s: list[float] = field(default_factory=list)
    """Of what sounds: from the judge's own time to when a person could hear it."""
    claim_s: list[float] = field(default_factory=list)
    """Of what sounds: from when a person could hear it to when somebody took it."""
    unclaimed: int = 0
    """Of what sounds: tellings that nobody ever took."""
    people: int = 0

    @property
    def events(self) -> int:
        """Happenings that asked for an alert."""
        return self.results.total() - self.results[EventResult.NOT_DUE]

    @property
    def found(self) -> int:
        """Told in time, or open on the board already."""
        return self.results[EventResult.FOUND] + self.results[EventResult.FOUND_OPEN]

    @property
    def late(self) -> int:
        """Told after the time."""
        return self.results[EventResult.LATE]

    @property
    def missed(self) -> int:
        """Never told, whatever the reason."""
        return sum(self.results[reason] for reason in MISSED)

    @property
    def sensitivity(self) -> float | None:
        """Share of the events that were told, late ones included; None without events."""
        return (self.found + self.late) / self.events if self.events else None

    @property
    def false(self) -> int:
        """Tellings for nothing that a person hears or reads, equipment left out."""
        return sum(self.of(priority, TellingResult.FALSE) for priority in ("high", "medium", "low"))

    def of(self, priority: str, result: TellingResult) -> int:
        """Tellings of one priority and worth."""
        return self.tellings[priority, result]

    def all_of(self, result: TellingResult) -> int:
        """Tellings of one worth."""
        return sum(count for (_, worth), count in self.tellings.items() if worth is result)

    def precision(self, priority: str) -> float | None:
        """Share of tellings that were right; said again counts on neither side. None without any."""
        right = sum(
            self.of(priority, result)
            for result in (TellingResult.RIGHT, TellingResult.ROSE, TellingResult.RIGHT_OUTSIDE)
        )
        false = self.of(priority, TellingResult.FALSE)
        return right / (right + false) if right + false else None

    def add_episode(self, episode: Episode) -> None:
        """Count a happening."""
        self.results[episode.result] += 1
        if episode.told is None or episode.result not in {EventResult.FOUND, EventResult.LATE}:
            return
        self.detect_s.append(max(0.0, (episode.told.own_ms - episode.happening.onset_ms) / 1000))
        if episode.first_good_ms is not None:
            self.from_reading_s.append(max(0.0, (episode.told.own_ms - episode.first_good_ms) / 1000))

    def add_telling(self, telling: Telling) -> None:
        """Count a telling."""
        told = telling.told
        self.tellings[told.priority, telling.result] += 1
        if not telling.sounds:
            return
        self.tell_s.append(max(0.0, (telling.sounded_ms - told.own_ms) / 1000))
        if told.claimed_ms is None:
            self.unclaimed += 1
        else:
            self.claim_s.append(max(0.0, (told.claimed_ms - telling.sounded_ms) / 1000))

    def detect(self) -> Spread | None:
        """Of the detection delays."""
        return spread(self.detect_s)


def tally(episodes: Iterable[Episode], tellings: Iterable[Telling], *, people: int = 0) -> Tally:
    """Count these."""
    counted = Tally(people=people)
    for episode in episodes:
        counted.add_episode(episode)
    for telling in tellings:
        counted.add_telling(telling)
    return counted


def by_kind(scored: Episodes) -> dict[HappeningKind, Tally]:
    """Happenings by kind, in the order of the kinds; tellings belong to rules."""
    kinds: defaultdict[HappeningKind, Tally] = defaultdict(Tally)
    for episode in scored.episodes:
        kinds[episode.happening.kind].add_episode(episode)
    return {kind: kinds[kind] for kind in HappeningKind if kind in kinds}


def by_rule(scored: Episodes) -> dict[str, Tally]:
    """Tellings by rule."""
    rules: defaultdict[str, Tally] = defaultdict(Tally)
    for telling in scored.tellings:
        rules[telling.alert.rule].add_telling(telling)
    return dict(sorted(rules.items()))


def by_village(scored: Episodes) -> dict[str, Tally]:
    """What happened to people, and every telling, by village; all villages of the recording."""
    people = Counter(person.village for person in scored.known.people.values())
    villages = {village: Tally(people=people[village]) for village in scored.known.manifest.villages}
    for episode in scored.of("person"):
        villages[episode.happening.village].add_episode(episode)
    for telling in scored.tellings:
        if telling.alert.village in villages:
            villages[telling.alert.village].add_telling(telling)
    return villages


def by_group(scored: Episodes) -> dict[str, Tally]:
    """What happened to people, and what was told of them, by tag, age and sex; one person is in several groups."""
    groups: defaultdict[str, Tally] = defaultdict(Tally)
    of = {subject: groups_of(person) for subject, person in scored.known.people.items()}
    for names in of.values():
        for name in names:
            groups[name].people += 1
    for episode in scored.of("person"):
        for name in of.get(episode.happening.subject, ()):
            groups[name].add_episode(episode)
    for telling in scored.tellings:
        for name in of.get(telling.alert.subject, ()):
            groups[name].add_telling(telling)
    return dict(sorted(groups.items()))


def groups_of(person: Person) -> tuple[str, ...]:
    """Age band, sex, and every tag."""
    age = next((name for below, name in _AGES if person.age_years < below), _OLDEST)
    sex = (person.sex,) if person.sex else ()
    return (age, *sex, *person.tags)
