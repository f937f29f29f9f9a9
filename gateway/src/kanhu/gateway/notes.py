"""Small facts of the way to the county, left on the card for the doctor: when something last was, how often."""

from kanhu.contract import Clock
from kanhu.gateway.committer import Committer
from kanhu.gateway.errors import OutboxError


class LinkNotes:
    """What one uplink has noted; written when told, for the card's sake."""

    def __init__(self, committer: Committer, *, clock: Clock) -> None:
        """Nothing is noted."""
        self._committer = committer
        self._clock = clock
        self._changed = False
        self.values: dict[str, int] = {}

    def moment(self, name: str) -> None:
        """It happened now, by the wall clock."""
        self.values[name] = self._clock.wall_ms()
        self._changed = True

    def count(self, name: str) -> None:
        """It happened once more."""
        self.values[name] = self.values.get(name, 0) + 1
        self._changed = True

    async def write(self) -> None:
        """Write what has changed; where the card takes nothing, the doctor reads older ones."""
        if not self._changed:
            return
        self._changed = False
        notes = dict(self.values)
        try:
            await self._committer.call(lambda outbox: outbox.remember(notes))
        except OutboxError:
            self._changed = True
