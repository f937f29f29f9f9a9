"""The picture of `./run score glucose`: one real night with its warnings, and what a limit costs."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from kanhu.vitals.glucose.features import LOW_MG_DL
from kanhu.vitals.glucose.forecast import FORECAST_MIN

__all__ = ["draw"]

_SHOWN_MIN = 36 * 60


def draw(
    minutes: Sequence[float],
    values_mg_dl: Sequence[float],
    forecast_mg_dl: Sequence[float],
    *,
    warned_min: Sequence[float],
    curve: Sequence[tuple[float, float]],
    ours: tuple[float, float],
    plain: tuple[float, float],
    to: Path,
) -> None:
    """Draw a day and a half about the first warning that came true, and the curve of all limits.

    `curve`, `ours` and `plain` are the share of lows warned of and the false warnings a day.
    """
    from matplotlib.figure import Figure  # noqa: PLC0415  # slow to import, and only where a picture is asked for

    when, values, forecast = (np.asarray(one, dtype=np.float64) for one in (minutes, values_mg_dl, forecast_mg_dl))
    middle = warned_min[len(warned_min) // 2] if warned_min else when[0]
    shown = (when >= middle - _SHOWN_MIN / 2) & (when <= middle + _SHOWN_MIN / 2)
    hours = (when - middle) / 60
    figure = Figure(figsize=(11, 3.8), layout="constrained")
    day, cost = figure.subplots(1, 2, width_ratios=(2, 1))
    day.plot(hours[shown], values[shown], color="black", linewidth=1.2, label="sensor")
    day.plot(
        hours[shown] + FORECAST_MIN / 60, forecast[shown], color="tab:blue", linewidth=1, alpha=0.8,
        label="forecast of 30 min before",
    )  # fmt: skip  # words by rows
    day.axhline(LOW_MG_DL, color="tab:red", linewidth=0.8, linestyle="--")
    inside = [one for one in warned_min if abs(one - middle) <= _SHOWN_MIN / 2]
    at = np.interp(inside, when, values)
    day.plot((np.asarray(inside) - middle) / 60, at, "v", color="tab:red", label="warning of a low")
    day.set(xlabel="hours", ylabel="glucose, mg/dL")
    day.legend(fontsize=8)
    if curve:
        share, false = np.asarray(sorted(curve)).T
        cost.plot(false, share, color="tab:blue", label="all limits")
    cost.plot(ours[1], ours[0], "o", color="tab:blue", label="as shipped")
    cost.plot(plain[1], plain[0], "x", color="black", label="straight line")
    cost.set(xlabel="false warnings a day", ylabel="lows warned of", xlim=(0, 1.5), ylim=(0.6, 1))
    cost.grid(alpha=0.3)
    cost.legend(fontsize=8, loc="lower right")
    figure.savefig(to, dpi=80)
