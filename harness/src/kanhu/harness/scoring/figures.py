"""The figures of a scored recording: what `./run county --json` prints and limits are set on."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from kanhu.contract import Priority
from kanhu.harness.report import Limit, Value
from kanhu.harness.scoring.episodes import MISSED, Episodes, EventResult, TellingResult
from kanhu.harness.scoring.load import Load, measure_load
from kanhu.harness.scoring.spread import Spread, spread
from kanhu.harness.scoring.tally import Tally, tally

__all__ = ["Account", "Scored", "scaled_limits", "score"]


@dataclass(frozen=True, slots=True)
class Account:
    """What became of the readings themselves."""

    readings: int
    stored: int
    duplicated: int
    refused: int
    owed: int
    """Still waiting at gateways when the recording ended."""

    @property
    def lost(self) -> int:
        """Recorded, and neither stored, nor refused with a reason, nor owed."""
        return max(0, self.readings - self.stored - self.refused - self.owed)


@dataclass(frozen=True, slots=True)
class Scored:
    """A recording, one judge's outcome, and everything counted."""

    episodes: Episodes
    people: Tally
    """What happened to people."""
    gateways: Tally
    """What happened to gateways."""
    told: Tally
    """Every telling, whomever it was about."""
    load: Load
    account: Account

    def figures(self) -> dict[str, Value]:
        """By name; a share that nothing stands behind is left out."""
        people, gateways, told, load, known = self.people, self.gateways, self.told, self.load, self.episodes.known
        detect, tell, claim = people.detect(), spread(told.tell_s), spread(told.claim_s)
        figures: dict[str, Value | None] = {
            "people": known.manifest.people,
            "person_days": _short(known.person_days),
            "events": people.events,
            "found": people.found,
            "late": people.late,
            "missed": people.missed,
            **{f"missed_{why}": people.results[why] for why in MISSED},
            "not_due": people.results[EventResult.NOT_DUE],
            "sensitivity": _share(people.sensitivity),
            "events_gateways": gateways.events,
            "found_gateways": gateways.found,
            "late_gateways": gateways.late,
            "missed_gateways": gateways.missed,
            "not_due_gateways": gateways.results[EventResult.NOT_DUE],
            "sensitivity_gateways": _share(gateways.sensitivity),
            **{f"false_{each}": told.of(each, TellingResult.FALSE) for each in Priority},
            **{f"precision_{each}": _share(told.precision(each)) for each in (Priority.HIGH, Priority.MEDIUM)},
            "right_outside": told.all_of(TellingResult.RIGHT_OUTSIDE),
            "duplicates": told.all_of(TellingResult.AGAIN),
            "alerts": len(self.episodes.outcome.alerts),
            "tellings": len(self.episodes.tellings),
            "sounded": load.sounded,
            "delay_median_s": _of(detect, "median"),
            "delay_p95_s": _of(detect, "p95"),
            "from_reading_median_s": _of(spread(people.from_reading_s), "median"),
            "tell_median_s": _of(tell, "median"),
            "tell_p95_s": _of(tell, "p95"),
            "claim_median_s": _of(claim, "median"),
            "claim_p95_s": _of(claim, "p95"),
            "unclaimed": told.unclaimed,
            "unowned": len(load.unowned),
            "flood_minutes": load.flood_minutes,
            "nights_woken": load.nights_woken,
            "per_worker_hour": round(load.per_worker_hour, 3),
            "readings": self.account.readings,
            "lost": self.account.lost,
            "duplicated": self.account.duplicated,
            "refused": self.account.refused,
            "owed": self.account.owed,
        }
        return {name: value for name, value in figures.items() if value is not None}


def score(episodes: Episodes) -> Scored:
    """Count everything."""
    counts = episodes.outcome.counts
    account = Account(
        # The recorder's own count, not the judge's; what it wrote twice on purpose is one reading.
        readings=max(
            sum(each.readings for each in counts),
            episodes.known.manifest.readings - sum(each.redelivered for each in counts),
        ),
        stored=sum(each.stored for each in counts),
        duplicated=sum(each.duplicated for each in counts),
        refused=sum(each.refused for each in counts),
        owed=sum(each.owed for each in counts),
    )
    count = episodes.known.manifest.people
    return Scored(
        episodes=episodes,
        people=tally(episodes.of("person"), (), people=count),
        gateways=tally(episodes.of("gateway"), ()),
        told=tally((), episodes.tellings, people=count),
        load=measure_load(episodes),
        account=account,
    )


def scaled_limits(limits: Mapping[str, Limit], scaling: Mapping[str, float], *, person_days: float) -> dict[str, Limit]:
    """Limits that hold for a stated number of person-days, in proportion to this run and rounded up.

    A limit on seconds, stated for the full size, falls away below it.
    """
    scaled: dict[str, Limit] = {}
    for name, limit in limits.items():
        full = scaling.get(name)
        if full is None:
            scaled[name] = limit
        elif not name.startswith("seconds") and not isinstance(limit.bound, str):
            bound = math.ceil(limit.bound * person_days / full)
            scaled[name] = Limit(limit.comparison, bound, f"{limit.reason}; here {person_days:g} person-days")
        elif person_days >= full:
            scaled[name] = limit
    return scaled


def _short(value: float) -> int | float:
    return int(value) if value == int(value) else round(value, 2)


def _share(value: float | None) -> float | None:
    return None if value is None else round(value, 4)


def _of(sample: Spread | None, which: str) -> float | None:
    return None if sample is None else round(float(getattr(sample, which)), 1)
