"""What is new in a series that nobody has labelled: one value at a time, against the series itself.

Not here: what a value means (rules/), and whose baseline a day's summary is held against (baselines/).
"""

from kanhu.vitals.novelty.series import NoveltyReason, NoveltySettings, SeriesNovelty
from kanhu.vitals.novelty.tail import Tail

__all__ = ["NoveltyReason", "NoveltySettings", "SeriesNovelty", "Tail"]
