"""What is usual for one person, and when that has changed.

Here lives the arithmetic (cusum.py), the daily detector with the rule that two vitals agree (trend.py), and what that
rule would say at every limit (agreed.py). Not here: where daily summaries come from, and any number, which the rule
pack holds.
"""

from kanhu.vitals.baselines.agreed import AgreedScore
from kanhu.vitals.baselines.trend import Direction, TrendAgreement, TrendDetector, TrendScore, TrendSignal

__all__ = ["AgreedScore", "Direction", "TrendAgreement", "TrendDetector", "TrendScore", "TrendSignal"]
