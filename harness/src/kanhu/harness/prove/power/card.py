"""A memory card that forgets: what it has been told since the last sync may or may not be there after a power cut.

The model of docs/proofs.md: of what was not synced all is lost, all is kept, or each sector of 512 bytes for itself is
kept or lost, which is torn and reordered at once. Names are synced with their folder only, which is stricter than ext4.
A card that says it holds what it does not is outside of the model.
"""

import random
from dataclasses import dataclass, field
from enum import StrEnum

from kanhu.harness.prove.power.trace import Cut, Deed, FolderSynced, Made, Removed, Renamed, Said, Synced, Wrote

__all__ = ["Card", "Fate"]

SECTOR_BYTES = 512

_SHARES = (0.1, 0.5, 0.9)  # how much of what was not synced is kept

Files = dict[str, bytes]


class Fate(StrEnum):
    """Of what was not synced."""

    NONE = "none"
    PART = "part"
    ALL = "all"


@dataclass(slots=True)
class _File:
    """What is safe, and what was told since, in order."""

    safe: bytearray = field(default_factory=bytearray)
    since: list[Wrote | Cut] = field(default_factory=list)

    def sync(self) -> None:
        for deed in self.since:
            _apply(self.safe, deed)
        self.since.clear()


class Card:
    """Takes deeds in order; at any moment `after_cut` says what would be left."""

    def __init__(self, files: Files | None = None) -> None:
        """All of these are safe."""
        self._safe_names: dict[str, _File] = {name: _File(bytearray(data)) for name, data in (files or {}).items()}
        self._names = dict(self._safe_names)
        self._since: list[tuple[str, str, _File | None]] = []
        """Changes of names: the name, where it goes ('' where it is removed), and the file."""

    @property
    def owes(self) -> bool:
        """Whether anything was told that is not safe yet."""
        return bool(self._since) or any(file.since for file in self._names.values())

    def take(self, deed: Deed) -> None:
        """The process did this."""
        match deed:
            case Wrote(name) | Cut(name):
                self._names[name].since.append(deed)
            case Synced(name):
                self._names[name].sync()
            case Made(name) if name not in self._names:
                self._names[name] = file = _File()
                self._since.append((name, name, file))
            case Removed(name):
                del self._names[name]
                self._since.append((name, "", None))
            case Renamed(name, to):
                self._names[to] = file = self._names.pop(name)
                self._since.append((name, to, file))
            case FolderSynced():
                self._safe_names = dict(self._names)
                self._since.clear()
            case Made() | Said():
                pass

    def after_cut(self, fate: Fate, draw: random.Random) -> Files:
        """The files that are found when the power is back."""
        names = dict(self._safe_names)
        for change in self._since:
            if fate is Fate.ALL or (fate is Fate.PART and draw.random() < 0.5):
                _rename(names, change)
        return {name: _left(file, fate, draw) for name, file in names.items()}


def _rename(names: dict[str, _File], change: tuple[str, str, _File | None]) -> None:
    name, to, file = change
    names.pop(name, None)
    if file is not None:
        names[to] = file


def _left(file: _File, fate: Fate, draw: random.Random) -> bytes:
    if fate is Fate.NONE or not file.since:
        return bytes(file.safe)
    content = bytearray(file.safe)
    if fate is Fate.ALL:
        for deed in file.since:
            _apply(content, deed)
    elif draw.random() < 0.5:
        _apply_in_order(content, file.since, draw)
    else:
        share = draw.choice(_SHARES)
        for deed in file.since:
            _apply_torn(content, deed, share, draw)
    return bytes(content)


def _apply_in_order(content: bytearray, deeds: list[Wrote | Cut], draw: random.Random) -> None:
    """The first so many, and the beginning of the next."""
    whole = draw.randrange(len(deeds))
    for deed in deeds[:whole]:
        _apply(content, deed)
    torn = deeds[whole]
    if isinstance(torn, Wrote):
        sectors = list(_sectors(torn))
        for sector in sectors[: draw.randrange(len(sectors) + 1)]:
            _apply(content, sector)


def _apply_torn(content: bytearray, deed: Wrote | Cut, share: float, draw: random.Random) -> None:
    """Each sector for itself."""
    for sector in _sectors(deed) if isinstance(deed, Wrote) else [deed]:
        if draw.random() < share:
            _apply(content, sector)


def _sectors(deed: Wrote) -> list[Wrote]:
    """The same write in pieces that end where a sector ends."""
    pieces = []
    at, end = deed.offset, deed.offset + len(deed.data)
    while at < end:
        upto = min(end, (at // SECTOR_BYTES + 1) * SECTOR_BYTES)
        pieces.append(Wrote(deed.name, at, deed.data[at - deed.offset : upto - deed.offset]))
        at = upto
    return pieces


def _apply(content: bytearray, deed: Wrote | Cut) -> None:
    """What was never written in between reads as zeros."""
    if isinstance(deed, Cut):
        del content[deed.size :]
        content.extend(bytes(deed.size - len(content)))
        return
    content.extend(bytes(max(0, deed.offset - len(content))))
    content[deed.offset : deed.offset + len(deed.data)] = deed.data
