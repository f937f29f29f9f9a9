"""How rare a score is in its own series: peaks over a threshold, and a generalised Pareto tail beyond it.

After Siffer, Fouque, Termier and Largouet, "Anomaly Detection in Streams with Extreme Value Theory" (2017); the tail is
fitted by the moments of its excesses (Hosking and Wallis, 1987), which needs no search and always ends.
"""

import math

import msgspec

_LEAST_SHAPE = 0.0  # a few excesses often look bounded; calling all beyond impossible broke the budget twofold
_MOST_SHAPE = 0.45  # from 0.5 on the moments that are fitted do not exist
_KEPT = 128  # excesses; a tail of more would forget more slowly than a season changes


class Tail(msgspec.Struct, array_like=True):
    """The upper tail of one stream of scores; `excesses` is bounded and overwritten in a ring."""

    threshold: float = 0.0
    seen: int = 0
    peaks: int = 0
    excesses: list[float] = []
    shape: float = 0.0
    scale: float = 1.0

    def __post_init__(self) -> None:
        """Refuse what no tail can be: stored state is read back into this."""
        numbers = (self.threshold, self.shape, self.scale, *self.excesses)
        sound = all(map(math.isfinite, numbers)) and self.scale > 0 and len(self.excesses) <= _KEPT
        if not sound or not 0 <= self.peaks <= self.seen or len(self.excesses) != min(self.peaks, _KEPT):
            raise ValueError("not a tail")

    def probability(self, score: float) -> float:
        """How often a score of this series is at least this high, 0 to 1; 1 below the threshold."""
        excess = score - self.threshold
        if excess <= 0 or not self.peaks:
            return 1.0
        share = self.peaks / self.seen
        if abs(self.shape) < 1e-9:
            return share * math.exp(-min(excess / self.scale, 700.0))
        base = 1.0 + self.shape * excess / self.scale
        return share * base ** (-1.0 / self.shape) if base > 0 else 0.0

    def learn(self, score: float) -> None:
        """Take one score as usual."""
        self.seen += 1
        excess = score - self.threshold
        if excess <= 0:
            return
        if len(self.excesses) < _KEPT:
            self.excesses.append(excess)
        else:
            self.excesses[self.peaks % _KEPT] = excess
        self.peaks += 1
        self._fit()

    def _fit(self) -> None:
        count = len(self.excesses)
        mean = sum(self.excesses) / count
        spread = sum((excess - mean) ** 2 for excess in self.excesses) / count
        if count < 8 or spread <= mean * mean * 1e-9:  # too few to tell a shape: an exponential tail
            self.shape, self.scale = 0.0, max(mean, 1e-9)
            return
        ratio = mean * mean / spread
        self.shape = min(max(0.5 * (1.0 - ratio), _LEAST_SHAPE), _MOST_SHAPE)
        self.scale = max(mean * (1.0 - self.shape), 1e-9)
