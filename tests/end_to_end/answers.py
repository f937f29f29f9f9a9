"""What devices sent, what has to become of it, and what the gateway has answered for so far."""

import asyncio
import json
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from kanhu.contract import Part

_MOST_UNANSWERED = 100  # below the 256 frames that may wait for the gateway's disk

Values = tuple[Part, ...]


@dataclass(slots=True)
class Account:
    """What one device sent, and what has to become of it."""

    device: str
    accepted: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    honest: Counter[Values] = field(default_factory=Counter)
    """Values of the honest readings; each must be stored."""
    decodable: Counter[Values] = field(default_factory=Counter)
    """Values of every frame that is a reading, honest or by chance."""
    bad_bytes: int = 0
    ignored: int = 0
    """Frames that are no reading: advertisements without a press, and repeats."""

    @property
    def readings(self) -> int:
        """Frames that count as readings."""
        return self.accepted + self.refused.total()


class Answers:
    """How many readings of each device the gateway has answered for, from its growing journal."""

    def __init__(self, journal: Path) -> None:
        self._journal = journal
        self._offset = 0
        self._rest = b""
        self.answered: Counter[str] = Counter()

    async def wait_for(self, account: Account, *, leave: int = 0) -> None:
        """Until at most `leave` of the device's readings have no answer yet."""
        async with asyncio.timeout(60):
            while account.readings - self.answered[account.device] > leave:
                await asyncio.sleep(0.01)
                self._read()

    async def keep_up(self, account: Account) -> None:
        """Wait where so many readings have no answer that the gateway might have to refuse honest ones."""
        if account.readings - self.answered[account.device] >= _MOST_UNANSWERED:
            await self.wait_for(account, leave=_MOST_UNANSWERED // 2)

    def _read(self) -> None:
        if not self._journal.exists():
            return
        with self._journal.open("rb") as lines:
            lines.seek(self._offset)
            data = self._rest + lines.read()
            self._offset = lines.tell()
        *whole, self._rest = data.split(b"\n")
        for line in map(json.loads, whole):
            if line.get("device"):
                self.answered[line["device"]] += 1
