"""The last hours of one sensor as values 15 minutes apart, whatever its own pace."""

import msgspec
import numpy as np
from numpy.typing import NDArray

__all__ = ["LAGS", "STEP_MIN", "History"]

STEP_MIN = 15.0
LAGS = 9
"""Now, and every 15 min of the two hours before."""
_LONG_MIN = 360.0
_ROOM = 384  # six hours of a value a minute, and some


class History(msgspec.Struct, array_like=True):
    """Values since the last silence, oldest first; at most six hours of them."""

    minutes: list[float] = []
    """Since 1970."""
    values_mg_dl: list[float] = []
    begun_min: float = 0.0
    """When the silence ended."""
    same_since_min: float = 0.0
    """Since when the value has been the same."""

    def __post_init__(self) -> None:
        """Refuse what no history can be: stored state is read back into this."""
        times = np.asarray([*self.minutes, self.begun_min, self.same_since_min], dtype=np.float64)
        values = np.asarray(self.values_mg_dl, dtype=np.float64)
        if len(self.minutes) != len(values) or len(values) > _ROOM or not (np.isfinite(times).all()):
            raise ValueError("not a history")
        if not np.isfinite(values).all() or (np.diff(self.minutes) <= 0).any():
            raise ValueError("not a history in order")

    def begin(self) -> None:
        """Forget the values: a silence lies between them and the next."""
        self.minutes, self.values_mg_dl = [], []

    def keep(self, value_mg_dl: float, minute: float) -> None:
        """Take one value, later than the last."""
        if not self.minutes:
            self.begun_min = self.same_since_min = minute
        elif value_mg_dl != self.values_mg_dl[-1]:
            self.same_since_min = minute
        self.minutes.append(minute)
        self.values_mg_dl.append(value_mg_dl)
        # Six hours, and the one value before them, so that the far end can be interpolated.
        while len(self.minutes) > _ROOM or (len(self.minutes) > 1 and self.minutes[1] <= minute - _LONG_MIN):
            del self.minutes[0], self.values_mg_dl[0]

    @property
    def length_min(self) -> float:
        """For how long the values reach back without a silence."""
        return self.minutes[-1] - self.begun_min if self.minutes else 0.0

    def lags(self) -> NDArray[np.float64]:
        """`LAGS` values, now first; before the first value there is, the first."""
        wanted = self.minutes[-1] - STEP_MIN * np.arange(LAGS)
        values: NDArray[np.float64] = np.interp(wanted, self.minutes, self.values_mg_dl)
        return values

    def long_ago(self) -> NDArray[np.float64]:
        """Values every 15 min of all six hours, now first."""
        wanted = self.minutes[-1] - STEP_MIN * np.arange(int(_LONG_MIN / STEP_MIN) + 1)
        values: NDArray[np.float64] = np.interp(wanted, self.minutes, self.values_mg_dl)
        return values
