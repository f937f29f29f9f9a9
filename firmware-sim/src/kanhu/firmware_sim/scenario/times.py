"""Times in scenario files, as people write them: seconds, lengths such as "90 s", moments such as "day 2 07:30".

A key ending in `_s` holds seconds. Without that ending it may hold a text as well: `at = "day 2 07:30"` is the same as
`at_s` with the seconds from the start of the play.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

__all__ = ["DAY_S", "TIME_KEYS", "TimeRefused", "in_seconds", "second_of_day", "with_seconds"]

TIME_KEYS = ("at", "for", "from", "to", "by", "duration", "claims_after", "closes_after", "worn_for")
"""Keys that may hold a text; each is read as the same key with `_s`."""

DAY_S = 86_400.0
_UNITS_S = {
    "s": 1.0,
    "second": 1.0,
    "seconds": 1.0,
    "min": 60.0,
    "minute": 60.0,
    "minutes": 60.0,
    "h": 3600.0,
    "hour": 3600.0,
    "hours": 3600.0,
    "day": DAY_S,
    "days": DAY_S,
}
_LENGTH = re.compile(r"(?:\d+(?:\.\d+)? *[a-z]+ *)+")
_PART = re.compile(r"(\d+(?:\.\d+)?) *([a-z]+)")
_MOMENT = re.compile(r"(?:day (\d{1,4}) )?(\d{1,2}:\d{2}(?::\d{2})?)")
_CLOCK = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)(?::([0-5]\d))?")


class TimeRefused(ValueError):
    """A text that is no time; names the key and the remedy."""

    def __init__(self, key: str, text: object, path: str) -> None:
        """Keep where it stands."""
        remedy = 'write seconds, a length such as "90 s" or "2 h", or a moment such as "day 2 07:30"'
        super().__init__(f"{key} is {text!r}: {remedy}")
        self.path = path


def second_of_day(text: str) -> float | None:
    """Seconds after midnight of a time such as 07:30; None where it is none."""
    found = _CLOCK.fullmatch(text)
    if found is None:
        return None
    return int(found[1]) * 3600.0 + int(found[2]) * 60.0 + int(found[3] or 0)


def in_seconds(text: str, *, starts_s: float) -> float | None:
    """Seconds of a length, or from the start of the play to a moment; None where it is neither."""
    text = text.strip()
    if _LENGTH.fullmatch(text):
        parts = _PART.findall(text)
        if all(unit in _UNITS_S for _, unit in parts):
            return sum(float(number) * _UNITS_S[unit] for number, unit in parts)
        return None
    moment = _MOMENT.fullmatch(text)
    clock_s = second_of_day(moment[2]) if moment else None
    if moment is None or clock_s is None:
        return None
    day = int(moment[1] or 1)
    return (day - 1) * DAY_S + clock_s - starts_s


def with_seconds(tables: Any, *, starts_s: float, path: str = "$") -> Any:
    """The same tables with every time in seconds, under its key with `_s`.

    Raises:
        TimeRefused: a text that is no time, a moment before the start, or one time written twice.
    """
    if isinstance(tables, Mapping):
        seen: dict[str, Any] = {}
        for key, value in tables.items():
            name = f"{key}_s" if key in TIME_KEYS else key
            if name in seen:
                raise TimeRefused(key, f"{value} and {seen[name]}", path)
            seen[name] = _value(name, value, starts_s, path)
        return seen
    if isinstance(tables, Sequence) and not isinstance(tables, str):
        return [with_seconds(one, starts_s=starts_s, path=f"{path}[{number}]") for number, one in enumerate(tables)]
    return tables


def _value(name: str, value: Any, starts_s: float, path: str) -> Any:
    if name.removesuffix("_s") in TIME_KEYS and isinstance(value, str):
        seconds = in_seconds(value, starts_s=starts_s)
        if seconds is None or seconds < 0:
            raise TimeRefused(name.removesuffix("_s"), value, path)
        return seconds
    return with_seconds(value, starts_s=starts_s, path=f"{path}.{name}")
