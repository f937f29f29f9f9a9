"""Three readings of one frame: our codec's, a library's, and what was published."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from enum import Enum, StrEnum

from kanhu.edge.errors import DecodeError
from kanhu.harness.vectors.comparison import difference
from kanhu.harness.vectors.disputes import dispute_over
from kanhu.harness.vectors.families import adapter_for
from kanhu.harness.vectors.second_opinion.words import SAME, Said, said_by
from kanhu.harness.vectors.vector import Unsupported, Vector

__all__ = ["Difference", "Opinion", "Reading", "Second", "compare", "ours_of"]


_PUBLISHERS = {
    "bthome-ble": ("bluetooth-devices/bthome-ble",),
    "xiaomi-ble": ("bluetooth-devices/xiaomi-ble",),
    "TheengsDecoder": ("theengs/decoder",),
    "pynmea2": ("knio/pynmea2",),
}
"""Repositories, as the file names its sources, from whose tests a library's own frames come."""


class Opinion(StrEnum):
    """What a library says beside our codec."""

    AGREE = "agree"
    DIFFER = "differ"
    CANNOT_DECODE = "cannot decode"
    NOTHING_IN_COMMON = "nothing in common"
    """Both decode it, and the library tells no field of a meaning that ours or the publisher tell."""


class Reading(Enum):
    """What stands where a value is missing."""

    NOT_STATED = "nothing"
    REFUSED = "refused"

    def __str__(self) -> str:
        return self.value


@dataclass(frozen=True, slots=True)
class Difference:
    """One field that is read otherwise."""

    field: str
    ours: object
    theirs: object
    published: object
    published_is_theirs: bool
    disputed: bool
    """We hold the publisher wrong, and say why (disputes.py)."""

    @property
    def against_us(self) -> bool:
        """Whether two stand against one."""
        return self.published_is_theirs and not self.disputed

    def __str__(self) -> str:
        told = (("ours", self.ours), ("theirs", self.theirs), ("published", self.published))
        return f"{self.field}: " + ", ".join(f"{whose} {_shown(value)}" for whose, value in told)


@dataclass(frozen=True, slots=True)
class Second:
    """What one library says of one frame."""

    vector: Vector
    library: str
    opinion: Opinion
    fields: int = 0
    """So many were compared."""
    differences: tuple[Difference, ...] = ()
    said: str = ""
    """Its error, where it raised one."""

    @property
    def own_frame(self) -> bool:
        """Whether the frame is of the library's own tests: agreement then is no second opinion."""
        publisher = str(self.vector.given.get("source", "")).partition("@")[0].casefold()
        return publisher in _PUBLISHERS.get(self.library, ())

    @property
    def against_us(self) -> bool:
        """Whether the library and what was published agree against us."""
        return any(one.against_us for one in self.differences)


def ours_of(vector: Vector) -> Mapping[str, object] | Reading | None:
    """Our codec's reading in the words of the file; None where no codec is meant for it."""
    adapter = adapter_for(vector.protocol)
    try:
        return None if adapter is None else adapter(vector)
    except Unsupported:
        return None
    except DecodeError:
        return Reading.REFUSED


def compare(
    vector: Vector, library: str, answer: Mapping[str, object], *, ours: Mapping[str, object] | Reading
) -> Second:
    """Judge one answer of `peer.py`."""
    told = answer.get("told")
    if not isinstance(told, Mapping):
        both = ours is Reading.REFUSED and "error" in vector.expected
        opinion = Opinion.AGREE if both else Opinion.CANNOT_DECODE
        return Second(vector, library, opinion, fields=int(both), said=str(answer.get("raised", "")))
    theirs = said_by(library, told, value=answer.get("value"))
    if isinstance(ours, Reading):
        published = vector.expected.get("error", "decoded")
        whole = Difference("the frame", ours, _plain(theirs), published, "error" not in vector.expected, disputed=False)
        return Second(vector, library, Opinion.DIFFER, 1, (whole,))
    shared = {word: one for word, one in theirs.items() if _is_told(ours, word) or _is_told(vector.expected, word)}
    if not shared:
        return Second(vector, library, Opinion.NOTHING_IN_COMMON)
    found = tuple(_differences(vector, shared, ours))
    return Second(vector, library, Opinion.DIFFER if found else Opinion.AGREE, len(shared), found)


def _differences(vector: Vector, theirs: Mapping[str, Said], ours: Mapping[str, object]) -> Iterable[Difference]:
    dispute = dispute_over(vector)
    disputed = {SAME.get(field.lower(), field.lower()) for field in (() if dispute is None else dispute.fields)}
    for word, said in theirs.items():
        known = SAME.get(word.lower(), word.lower()) in disputed
        yield from _in_field(word, _find(ours, word), said, _find(vector.expected, word), disputed=known)


def _in_field(word: str, own: object, said: Said, published: object, *, disputed: bool) -> Iterable[Difference]:
    """Of a list of records each field by itself."""
    theirs = said.value
    if isinstance(own, list) and isinstance(theirs, list) and len(own) == len(theirs):
        for number, (one, other) in enumerate(zip(own, theirs, strict=True)):
            stated = (
                published[number] if isinstance(published, list) and number < len(published) else Reading.NOT_STATED
            )
            yield from _in_field(f"{word}[{number}]", one, Said(other), stated, disputed=disputed)
    elif isinstance(own, Mapping) and isinstance(theirs, Mapping):
        for name in (one for one in theirs if one in own):
            stated = published.get(name, Reading.NOT_STATED) if isinstance(published, Mapping) else Reading.NOT_STATED
            yield from _in_field(f"{word}.{name}", own[name], Said(theirs[name]), stated, disputed=disputed)
    elif not _same(own, said):
        stated = published is not Reading.NOT_STATED
        yield Difference(word, own, theirs, published, stated and _same(published, said), disputed)


def _is_told(told: Mapping[str, object], word: str) -> bool:
    return _find(told, word) is not Reading.NOT_STATED


def _find(told: Mapping[str, object], word: str) -> object:
    """By the same word, else by one of the same meaning."""
    if told.get(word) is not None:
        return told[word]
    meant = SAME.get(word.lower(), word.lower())
    same = (name for name, value in told.items() if SAME.get(name.lower(), name.lower()) == meant and value is not None)
    return next((told[name] for name in same), Reading.NOT_STATED)


def _same(one: object, said: Said) -> bool:
    """Equal, or equal to the last digit that the library tells."""
    theirs = said.value
    if isinstance(one, str) and isinstance(theirs, str):
        return one.replace(":", "").casefold() == theirs.replace(":", "").casefold()
    if isinstance(one, list | tuple) and isinstance(theirs, list):
        return len(one) == len(theirs) and all(_same(*pair) for pair in zip(one, map(Said, theirs), strict=True))
    if isinstance(one, Mapping) and isinstance(theirs, Mapping):
        return all(name in one and _same(one[name], Said(value)) for name, value in theirs.items())
    number, other = _number(one), _number(theirs)
    if number is not None and other is not None and abs(number - other) <= said.rounding:
        return True
    return difference(theirs if number is None or other is None else other, one) is None


def _number(value: object) -> Decimal | None:
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal | str):
        return None
    try:
        found = Decimal(str(value))
    except InvalidOperation:
        return None
    return found if found.is_finite() else None


def _plain(theirs: Mapping[str, Said]) -> str:
    return ", ".join(f"{word} {_shown(one.value)}" for word, one in theirs.items()) or "decoded"


def _shown(value: object) -> str:
    return f"{float(value):.10g}" if isinstance(value, Decimal) else str(value)
