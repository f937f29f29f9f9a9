"""Frames whose publisher states what we hold wrong: what he states, what we say, why, and by which source.

A dispute is exact. It holds for the named fields of one frame, and as long as he states just this and our codec says
just that: a codec that comes to say anything else, his value included, fails.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from enum import Enum

from kanhu.harness.vectors.comparison import difference
from kanhu.harness.vectors.vector import Vector

__all__ = ["DISPUTES", "Dispute", "Word", "dispute_over", "disputed_difference"]


class Word(Enum):
    """What stands in the place of a value."""

    NOTHING = "nothing"
    """The field is not in these bytes."""


@dataclass(frozen=True, slots=True)
class Dispute:
    """Fields of one frame, each with the published value and with ours."""

    fields: Mapping[str, tuple[object, object]]
    why: str
    source: str

    def __str__(self) -> str:
        told = (
            f"{field} published {published}, here {ours.value if isinstance(ours, Word) else ours}"
            for field, (published, ours) in self.fields.items()
        )
        return f"disputed: {', '.join(told)}; {self.why} ({self.source})"


DISPUTES: Mapping[str, Dispute] = {
    "71209800477a3e6a8d7cc40d08100140": Dispute(
        {"Temperature": (24.4, Word.NOTHING), "Illuminance": (0, Word.NOTHING), "Conductivity": (599, Word.NOTHING)},
        "the publisher's test hands over four frames and states what all of them said; this is the last, of moisture",
        "xiaomi-ble, test_Xiaomi_HHCCJCY01_all_values: the one object of this frame is 0x1008",
    ),
    "88ec00811f096400": Dispute(
        {"tempc": (-7.3481, Decimal("-7.3")), "tempf": (18.77342, Decimal("18.86"))},
        "temperature and humidity share one number, and below zero the publisher leaves the humidity's digits on it",
        "ble_monitor, whose frame 36314956b1b4 of this layout means -11.5, not -11.5337; govee-ble reads -7.3 here",
    ),
}
"""By the frame, in hex."""


def dispute_over(vector: Vector) -> Dispute | None:
    """With those fields of which he states what is disputed; None where he states nothing of the kind."""
    found = DISPUTES.get(vector.frame.hex())
    if found is None:
        return None
    stated = vector.expected
    fields = {
        field: values
        for field, values in found.fields.items()
        if field in stated and difference(values[0], stated[field]) is None
    }
    return replace(found, fields=fields) if fields else None


def disputed_difference(
    expected: Mapping[str, object], decoded: Mapping[str, object], dispute: Dispute | None
) -> str | None:
    """The first field that is neither as he states it nor, where disputed, as we say; None where there is none."""
    settled = dict(expected)
    for field, (_, ours) in ({} if dispute is None else dispute.fields).items():
        if ours is not Word.NOTHING:
            settled[field] = ours
        elif field in decoded:
            return f"{field}: disputed as not in these bytes, decoded {decoded[field]!r}"
        else:
            del settled[field]
    return difference(settled, decoded)
