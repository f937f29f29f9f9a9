"""What a scenario demands against what was raised: every expected alert told in time, and nothing else.

An alert that no `[[expected]]` entry of the scenario speaks of is as forbidden as one that a `[[forbidden]]` entry
names. Times are Unix milliseconds at depth pure and milliseconds of the play at depth process; only differences count.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from kanhu.firmware_sim.truth import Demand

__all__ = ["Judgement", "Raised", "Telling", "judge"]

_ANYBODY = "*"


@dataclass(frozen=True, slots=True)
class Telling:
    """One moment at which an alert called for a person."""

    at_ms: int
    priority: str


@dataclass(frozen=True, slots=True)
class Raised:
    """One alert from first to last."""

    subject: str
    rule: str
    tellings: tuple[Telling, ...]
    level: int = 0
    """Highest step of escalation that was reached."""

    def __str__(self) -> str:
        priorities = dict.fromkeys(telling.priority for telling in self.tellings)
        return f"{self.rule} {', '.join(priorities)} for {self.subject}"


@dataclass(slots=True)
class Judgement:
    """What came of one scenario."""

    expected: int = 0
    raised: int = 0
    missing: list[str] = field(default_factory=list)
    forbidden: list[str] = field(default_factory=list)

    @property
    def kept(self) -> bool:
        """Whether all that was demanded came, and nothing else."""
        return not self.missing and not self.forbidden


def judge(demands: Sequence[Demand], raised: Sequence[Raised]) -> Judgement:
    """Compare; the same demand written for several villages counts once."""
    expected = [*dict.fromkeys(demand for demand in demands if not demand.forbidden)]
    judgement = Judgement(expected=len(expected), raised=len(raised))
    for demand in expected:
        problem = _unmet(demand, raised)
        if problem:
            judgement.missing.append(f"{_named(demand)}: {problem}")
        speaks_of = [alert for alert in raised if _in_time(demand, alert)]
        if len(speaks_of) > demand.at_most:
            judgement.forbidden.append(f"{_named(demand)}: {len(speaks_of)} alerts, at most {demand.at_most}")
    for demand in dict.fromkeys(demand for demand in demands if demand.forbidden):
        judgement.forbidden += [f"forbidden: {alert}" for alert in raised if _in_time(demand, alert)]
    for alert in raised:
        unasked = [
            telling.priority for telling in alert.tellings if not any(_of(one, alert, telling) for one in expected)
        ]
        if unasked:
            judgement.forbidden.append(f"nobody asked for: {alert.rule} {unasked[0]} for {alert.subject}")
    return judgement


def _unmet(demand: Demand, raised: Sequence[Raised]) -> str:
    found = [alert for alert in raised if _in_time(demand, alert)]
    if not found:
        return "never came" if not any(_about(demand, alert) for alert in raised) else "did not come in time"
    told = max(len(_in_time(demand, alert)) for alert in found)
    if told < demand.told:
        return f"told {told} times, not {demand.told}"
    level = max(alert.level for alert in found)
    return f"reached level {level}, not {demand.level}" if level < demand.level else ""


def _in_time(demand: Demand, alert: Raised) -> list[Telling]:
    return [
        telling
        for telling in alert.tellings
        if _of(demand, alert, telling) and demand.from_ms <= telling.at_ms <= demand.by_ms
    ]


def _of(demand: Demand, alert: Raised, telling: Telling) -> bool:
    return _about(demand, alert) and demand.priority in {"", telling.priority}


def _about(demand: Demand, alert: Raised) -> bool:
    return demand.rule in {_ANYBODY, alert.rule} and demand.subject in {_ANYBODY, alert.subject}


def _named(demand: Demand) -> str:
    whose = "anybody" if demand.subject == _ANYBODY else demand.subject
    return f"{demand.rule} {demand.priority or 'of any priority'} for {whose}"
