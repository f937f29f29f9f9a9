"""The score of a day of one person, over all vitals of a trend rule: up to which limit the rule would have agreed."""

from collections.abc import Mapping
from datetime import date

from kanhu.vitals.baselines.trend import TrendScore
from kanhu.vitals.errors import PackRefused
from kanhu.vitals.rules.records import Agreement, Rule, TrendTrigger

__all__ = ["AgreedScore"]


class AgreedScore:
    """What `TrendAgreement` asks at one limit, asked at all of them at once."""

    def __init__(self, rule: Rule) -> None:
        """Begin with nothing known.

        Raises:
            PackRefused: the rule is no trend rule.
        """
        if not isinstance(rule.trigger, TrendTrigger) or not isinstance(rule.confirm, Agreement):
            raise PackRefused(rule.id, "kind", "no trend rule", remedy="give the rule TREND")
        self._confirm = rule.confirm
        self._groups = {vital.metric: vital.group for vital in rule.trigger.vitals}
        self._last_day = 0
        self._runs: dict[str, tuple[TrendScore, ...]] = {}

    def update(self, day: date, scores: Mapping[str, TrendScore]) -> float:
        """Take all scores of one day, in the order of days; 0 where no limit would have brought an alert."""
        ordinal, confirm = day.toordinal(), self._confirm
        follows, self._last_day = ordinal == self._last_day + 1, ordinal
        before = self._runs if follows else {}
        self._runs = {name: (*_same(before.get(name, ()), one), one)[-confirm.days :] for name, one in scores.items()}
        lasting = [min(one.value for one in run) for run in self._runs.values() if len(run) == confirm.days]
        highest: dict[str, float] = {}
        for name, one in scores.items():
            group = self._groups[name]
            highest[group] = max(highest.get(group, 0.0), one.value)
        together = sorted(highest.values(), reverse=True)[confirm.vitals - 1 : confirm.vitals]
        return max((*lasting, *together), default=0.0)


def _same(run: tuple[TrendScore, ...], now: TrendScore) -> tuple[TrendScore, ...]:
    return run if run and run[-1].direction is now.direction else ()
