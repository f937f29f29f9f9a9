"""A county of a few people, and outcomes of it, made by hand: minutes since Monday 00:00."""

from dataclasses import dataclass, field

import msgspec

from kanhu.cloud.replay.outcome import Alert, Counts, Told
from kanhu.contract import Priority
from kanhu.contract.recording import Manifest, Silence
from kanhu.firmware_sim.truth import Extremes, Happening, HappeningKind, Person
from kanhu.harness.scoring.episodes import Episodes, compare_with_truth
from kanhu.harness.scoring.expectations import read_expectations
from kanhu.harness.scoring.recorded import Known, Outcome
from kanhu.vitals import RulePack, core_pack

STARTS_MS = 1_772_380_800_000
"""2026-03-02 00:00 in Shanghai."""
MINUTE_MS = 60_000
DAY_MINUTES = 1440

EXPECTATIONS = read_expectations()
SHIPPED = core_pack()
SOME_READINGS = {"oximetry": 6, "bp": 2, "heart_rhythm": 900, "help_button": 1}


def at(minute: float) -> int:
    """A true moment."""
    return STARTS_MS + int(minute * MINUTE_MS)


def happening(
    kind: HappeningKind,
    minute: float,
    *,
    lasts: float = 60,
    subject: str = "v001-r01",
    severity: float = 1.0,
    readings: dict[str, int] | None = None,
    good: dict[str, int] | None = None,
) -> Happening:
    """Something that truly happens in village v001."""
    read = SOME_READINGS if readings is None else readings
    return Happening(
        id=f"{kind.value}-{subject}-{minute:g}",
        kind=kind,
        village="v001",
        gateway="v001-g01",
        subject=subject,
        onset_ms=at(minute),
        end_ms=at(minute + lasts),
        severity=severity,
        readings=read,
        good=read if good is None else good,
        first_good_ms=dict.fromkeys(read, at(minute + 1)),
    )


def told(
    minute: float,
    *,
    priority: str = "medium",
    own: float | None = None,
    late: bool = False,
    held_until: float | None = None,
    claimed: float | None = None,
) -> Told:
    """One telling; its own time is the same unless said otherwise."""
    return Told(
        at_ms=at(minute),
        own_ms=at(minute if own is None else own),
        priority=Priority(priority),
        reason="opened",
        late=late,
        held_until_ms=None if held_until is None else at(held_until),
        claimed_ms=None if claimed is None else at(claimed),
    )


def alert(
    rule: str,
    *tellings: Told,
    subject: str = "v001-r01",
    name: str = "",
    closed: float | None = None,
    level: int = 0,
) -> Alert:
    """An alert of village v001."""
    return Alert(
        alert=name or f"{rule}-{subject}-{tellings[0].at_ms}",
        village="v001",
        gateway="v001-g01",
        subject=subject,
        rule=rule,
        rule_version="1",
        priority=min((each.priority for each in tellings), key=["high", "medium", "low", "technical"].index),
        told=tellings,
        closed_ms=None if closed is None else at(closed),
        level=level,
    )


def pack_without(*rules: str) -> RulePack:
    """The shipped pack as it would be without these rules."""
    return msgspec.structs.replace(SHIPPED, rules=tuple(rule for rule in SHIPPED.rules if rule.id not in rules))


@dataclass
class County:
    """Two people in one village for five days."""

    happenings: list[Happening] = field(default_factory=list)
    extremes: dict[str, dict[str, tuple[float, float]]] = field(default_factory=dict)
    """Of the first day, by subject."""
    tags: dict[str, tuple[str, ...]] = field(default_factory=dict)
    silences: list[Silence] = field(default_factory=list)
    days: int = 5

    def known(self) -> Known:
        """As it would be read from a recording."""
        subjects = ("v001-r01", "v001-r02")
        return Known(
            manifest=Manifest(
                name="by hand",
                seed=1,
                starts_ms=STARTS_MS,
                ends_ms=at(self.days * DAY_MINUTES),
                timezone="Asia/Shanghai",
                people=len(subjects),
                readings=100,
                villages=("v001",),
            ),
            people={
                subject: Person(
                    village="v001",
                    gateway="v001-g01",
                    subject=subject,
                    age_years=70 + 10 * number,
                    sex="female",
                    tags=self.tags.get(subject, ()),
                )
                for number, subject in enumerate(subjects)
            },
            happenings=tuple(sorted(self.happenings, key=lambda each: (each.onset_ms, each.id))),
            extremes={
                subject: (
                    Extremes(village="v001", subject=subject, from_ms=at(0), to_ms=at(DAY_MINUTES), values=values),
                )
                for subject, values in self.extremes.items()
            },
            silences=tuple(self.silences),
            village_of={"v001-g01": "v001"},
        )

    def judged(self, *alerts: Alert, pack: RulePack | None = None, stored: int = 100) -> Episodes:
        """What scoring makes of these alerts."""
        counts = Counts(village="v001", readings=100, stored=stored, duplicated=0, refused=0, decisions={}, stages={})
        return compare_with_truth(
            self.known(),
            Outcome(alerts, (counts,)),
            expectations=EXPECTATIONS,
            pack=pack or SHIPPED,
        )
