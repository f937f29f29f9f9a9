"""The account: what simulators emitted, gateways accepted or refused, and the county stored, compared key by key."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Key = tuple[str, str, int]
"""Gateway, epoch, sequence number."""


@dataclass(frozen=True, slots=True)
class Account:
    """Counts are readings; `lost`, `duplicated` and `wrong` look at every record, alerts included."""

    emitted: int
    accepted: int
    refused: dict[str, int]
    stored: int
    lost: int
    duplicated: int
    wrong: int
    """Stored with other bytes than were accepted."""
    unclaimed: int
    """Stored without ever having been accepted."""

    def problems(self) -> list[str]:
        """Every way in which the books do not balance."""
        refused = sum(self.refused.values())
        found = []
        if self.emitted != self.accepted + refused:
            found.append(f"emitted {self.emitted} is not accepted {self.accepted} + refused {refused}")
        if self.stored != self.accepted:
            found.append(f"stored {self.stored} is not accepted {self.accepted}")
        found += [
            f"{count} {what}"
            for what, count in (
                ("lost", self.lost),
                ("duplicated", self.duplicated),
                ("stored with other bytes", self.wrong),
                ("stored but never accepted", self.unclaimed),
            )
            if count
        ]
        return found


def balance(*, emitted: Path, journals: Iterable[tuple[str, Path]], ledger: Path) -> Account:
    """Compare the simulator's journal, each gateway's journal of promises, and the county's ledger."""
    accepted: dict[Key, str] = {}
    readings: set[Key] = set()
    refused: Counter[str] = Counter()
    for gateway, journal in journals:
        for line in _lines(journal):
            if "refused" in line:
                refused[line["refused"]] += 1
                continue
            key = (gateway, line["epoch"], line["seq"])
            accepted[key] = line["sha256"]
            if line["kind"] == "reading":
                readings.add(key)
    stored: dict[Key, set[str]] = {}
    times: Counter[Key] = Counter()
    for line in _lines(ledger):
        key = (line["gateway"], line["epoch"], line["seq"])
        stored.setdefault(key, set()).add(line["sha256"])
        times[key] += 1
    return Account(
        emitted=count_emitted(emitted),
        accepted=len(readings),
        refused=dict(sorted(refused.items())),
        stored=len(readings & stored.keys()),
        lost=len(accepted.keys() - stored.keys()),
        duplicated=sum(count - 1 for count in times.values()),
        wrong=sum(1 for key, digests in stored.items() if key in accepted and digests != {accepted[key]}),
        unclaimed=len(stored.keys() - accepted.keys()),
    )


def count_emitted(journal: Path) -> int:
    """Readings that left a simulated device."""
    return sum(1 for line in _lines(journal) if "n" in line)


def has_started(journal: Path) -> bool:
    """Whether the simulator has begun to play."""
    return any("started" in line for line in _lines(journal))


def emissions(journal: Path) -> Iterator[dict[str, Any]]:
    """One line a reading: when its last byte left, which home, which device."""
    return (line for line in _lines(journal) if "n" in line)


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    """Whole lines of a file of JSON lines that is still being written; none where it does not exist yet."""
    if not path.exists():
        return
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            if line.endswith("\n") and line.strip():
                yield json.loads(line)
