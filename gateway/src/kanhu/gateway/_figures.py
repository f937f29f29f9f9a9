"""What an outbox says of itself: what is owed, and how full it is."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Owed:
    """What the county has not confirmed."""

    alerts: int
    routine: int
    oldest_ms: int | None

    @property
    def total(self) -> int:
        """All records."""
        return self.alerts + self.routine


@dataclass(frozen=True, slots=True)
class Space:
    """Pages of the file: in use, allowed in all, and allowed for readings."""

    used: int
    limit: int
    routine_limit: int
