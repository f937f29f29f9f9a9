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
    """Pages of the file: in use, allowed in all, allowed for readings, and held by what is delivered, about."""

    used: int
    limit: int
    routine_limit: int
    kept: int = 0

    @property
    def needed(self) -> int:
        """Pages in use by what does not give way to readings."""
        return max(0, self.used - self.kept)
