"""What is known of devices over a restart, such as the last counter of a sealed frame; among the outbox's notes."""

import logging
from collections.abc import Mapping

from kanhu.gateway.committer import Committer
from kanhu.gateway.errors import OutboxError
from kanhu.gateway.outbox import Outbox

_log = logging.getLogger(__name__)

_KEPT = "kept_"


class DeviceMemory:
    """Of one outbox; a card put in its place knows nothing of it."""

    def __init__(self, committer: Committer) -> None:
        """Keep it through this committer."""
        self._committer = committer

    async def recall(self) -> Mapping[str, Mapping[str, int]]:
        """All that is kept, by device."""
        found: dict[str, dict[str, int]] = {}
        for note, value in (await self._committer.call(Outbox.notes)).items():
            name, colon, device = note.partition(":")
            if colon and name.startswith(_KEPT):
                found.setdefault(device, {})[name.removeprefix(_KEPT)] = value
        return found

    async def keep(self, device: str, notes: Mapping[str, int]) -> None:
        """Return once these are committed, or the card takes nothing: then a restart knows less, no device stops."""
        named = {f"{_KEPT}{name}:{device}": value for name, value in notes.items()}
        try:
            await self._committer.call(lambda outbox: outbox.remember(named))
        except OutboxError as error:
            _log.error("%s: not remembered: %s", device, error)
