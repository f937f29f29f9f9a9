"""What is usual for one person, and when that has changed.

Here lives the arithmetic (cusum.py) and the daily detector with the rule that two vitals agree (trend.py). Not here:
where daily summaries come from, and any number, which the rule pack holds.
"""

from kanhu.vitals.baselines.trend import Direction, TrendAgreement, TrendDetector, TrendSignal

__all__ = ["Direction", "TrendAgreement", "TrendDetector", "TrendSignal"]
