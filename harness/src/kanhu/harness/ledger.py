"""The external ledger: what was emitted, promised and stored, written down by others than those who promised.

Simulators count what they emit; each promise is noted by whoever got it, after it was given; what is stored comes from
the county's own dump. They are compared by key and by bytes. Keys are held as numbers and digests as 32 bytes, so that
some hundred thousand records fit in a few dozen megabytes.

    emitted  = accepted + refused (+ what was under way when its gateway was killed)
    accepted = stored + owed + lost
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

__all__ = ["Account", "Books", "Key", "Outboxes", "balance", "count_emitted", "emissions", "has_started", "lines_of"]

Key = tuple[str, str, int]
"""Gateway, epoch, sequence number."""

Outboxes = Mapping[tuple[str, str], Iterable[int]]
"""Numbers still in an outbox, by gateway and epoch."""

_PERCENTILE = 0.95


@dataclass(frozen=True, slots=True)
class Account:
    """Counts are readings; `lost`, `duplicated`, `wrong`, `unclaimed` and `owed` look at every record."""

    emitted: int
    accepted: int
    refused: dict[str, int]
    stored: int
    lost: int
    duplicated: int
    wrong: int
    """Stored with other bytes than were accepted."""
    unclaimed: int
    """Stored and never claimed: its gateway was killed between the commit and the promise."""
    owed: int = 0
    """Accepted, and still in the outbox when the comparison was made."""
    late: int = 0
    """Stored later after the promise than the limit given."""
    late_ms_p95: float | None = None
    """Nineteen of twenty were stored so soon after the promise; None where no time was written down."""

    def broken_promises(self) -> list[str]:
        """What may never be, whatever was killed."""
        counts = {"lost": self.lost, "duplicated": self.duplicated, "stored with other bytes": self.wrong}
        return [f"{count} {what}" for what, count in counts.items() if count]

    def problems(self) -> list[str]:
        """Every way in which the books do not balance, where nobody was killed while promising."""
        refused = sum(self.refused.values())
        found = []
        if self.emitted != self.accepted + refused:
            found.append(f"emitted {self.emitted} is not accepted {self.accepted} + refused {refused}")
        if self.stored != self.accepted:
            found.append(f"stored {self.stored} is not accepted {self.accepted}")
        found += self.broken_promises()
        found += [
            f"{count} {what}"
            for what, count in (("stored but never accepted", self.unclaimed), ("still owed", self.owed))
            if count
        ]
        return found


@dataclass(slots=True)
class _Promises:
    """Of one gateway and epoch."""

    digests: dict[int, bytes] = field(default_factory=dict)
    reused: int = 0
    """Promises whose number was given to another record later: under it only one of them can be found."""
    others: set[int] = field(default_factory=set)
    """Those that are no readings."""
    at_ms: dict[int, int] = field(default_factory=dict)


@dataclass(slots=True)
class _Found:
    """What the county holds of one gateway and epoch."""

    seen: set[int] = field(default_factory=set)
    wrong: set[int] = field(default_factory=set)
    again: int = 0


class Books:
    """Takes lines in any order and by the hundred thousand; `account` compares."""

    def __init__(self) -> None:
        self.emitted = 0
        self.refused: Counter[str] = Counter()
        self._promised: dict[tuple[str, str], _Promises] = {}

    def note(self, gateway: str, line: Mapping[str, Any], *, at_ms: int | None = None) -> None:
        """A line of a gateway's journal, heard at `at_ms`."""
        if "refused" in line:
            self.refused[line["refused"]] += 1
            return
        promises = self._promised.setdefault((gateway, line["epoch"]), _Promises())
        seq: int = line["seq"]
        digest = _digest(line["sha256"])
        promises.reused += promises.digests.get(seq, digest) != digest
        promises.digests[seq] = digest
        if line["kind"] != "reading":
            promises.others.add(seq)
        if at_ms is not None:
            promises.at_ms[seq] = at_ms

    @property
    def accepted(self) -> int:
        """Readings promised so far."""
        return sum(len(promises.digests) - len(promises.others) for promises in self._promised.values())

    def numbers(self, gateway: str) -> set[int]:
        """Everything this gateway promised, readings and others, of all its epochs."""
        return {seq for (name, _), of in self._promised.items() if name == gateway for seq in of.digests}

    def numbers_of(self, gateway: str, epoch: str) -> set[int]:
        """Everything this gateway promised in one epoch, readings and others."""
        return set(self._promised.get((gateway, epoch), _Promises()).digests)

    def alerts_of(self, gateway: str, epoch: str) -> set[int]:
        """What this gateway promised in one epoch and is no reading."""
        return set(self._promised.get((gateway, epoch), _Promises()).others)

    def account(
        self, stored: Iterable[Mapping[str, Any]], *, owed: Outboxes | None = None, late_after_ms: float | None = None
    ) -> Account:
        """Compare with the lines of a ledger's dump, read once."""
        found: dict[tuple[str, str], _Found] = {}
        delays_ms: list[int] = []
        for line in stored:
            key = (line["gateway"], line["epoch"])
            self._meet(found.setdefault(key, _Found()), key, line, delays_ms)
        lost = readings = kept = owing = 0
        for key, promises in self._promised.items():
            seen = found[key].seen if key in found else set()
            missing = promises.digests.keys() - seen
            still = missing & set((owed or {}).get(key, ()))
            owing += len(still)
            lost += len(missing) - len(still) + promises.reused
            readings += len(promises.digests) - len(promises.others)
            kept += sum(1 for seq in promises.digests if seq in seen and seq not in promises.others)
        delays_ms.sort()
        return Account(
            emitted=self.emitted,
            accepted=readings,
            refused=dict(sorted(self.refused.items())),
            stored=kept,
            lost=lost,
            duplicated=sum(of.again for of in found.values()),
            wrong=sum(len(of.wrong) for of in found.values()),
            unclaimed=sum(len(of.seen - self._claimed(key)) for key, of in found.items()),
            owed=owing,
            late=0 if late_after_ms is None else sum(1 for delay_ms in delays_ms if delay_ms > late_after_ms),
            late_ms_p95=float(delays_ms[int(len(delays_ms) * _PERCENTILE)]) if delays_ms else None,
        )

    def _meet(self, found: _Found, key: tuple[str, str], line: Mapping[str, Any], delays_ms: list[int]) -> None:
        seq: int = line["seq"]
        promises = self._promised.get(key)
        digest = None if promises is None else promises.digests.get(seq)
        if digest is not None and digest != _digest(line["sha256"]):
            found.wrong.add(seq)
        if seq in found.seen:
            found.again += 1
            return
        found.seen.add(seq)
        if promises is not None and seq in promises.at_ms and "received_ms" in line:
            delays_ms.append(line["received_ms"] - promises.at_ms[seq])

    def _claimed(self, key: tuple[str, str]) -> set[int]:
        return set(self._promised[key].digests) if key in self._promised else set()


def balance(*, emitted: Path, journals: Iterable[tuple[str, Path]], ledger: Path) -> Account:
    """Compare the simulator's journal, each gateway's journal of promises, and the county's ledger."""
    books = Books()
    books.emitted = count_emitted(emitted)
    for gateway, journal in journals:
        for line in lines_of(journal):
            books.note(gateway, line)
    return books.account(lines_of(ledger))


def count_emitted(journal: Path) -> int:
    """Readings that left a simulated device."""
    return sum(1 for line in lines_of(journal) if "n" in line)


def has_started(journal: Path) -> bool:
    """Whether the simulator has begun to play."""
    return any("started" in line for line in lines_of(journal))


def emissions(journal: Path) -> Iterator[dict[str, Any]]:
    """One line a reading: when its last byte left, which home, which device."""
    return (line for line in lines_of(journal) if "n" in line)


def lines_of(path: Path) -> Iterator[dict[str, Any]]:
    """Whole lines of a file of JSON lines that is still being written; none where it does not exist yet."""
    if not path.exists():
        return
    decoder = msgspec.json.Decoder(dict[str, Any])
    with path.open("rb") as lines:
        for line in lines:
            if line.endswith(b"\n") and line.strip():
                yield decoder.decode(line)


def _digest(text: str) -> bytes:
    """A SHA-256 in half its size; any other mark as it is."""
    try:
        return bytes.fromhex(text)
    except ValueError:
        return text.encode()
