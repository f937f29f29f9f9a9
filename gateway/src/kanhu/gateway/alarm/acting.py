"""What every way of telling offers to the keeper: told or not, with a named detail."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from kanhu.contract import Finding, Subject, SubjectKind
from kanhu.contract.actions import ActionOutcome


class Message(StrEnum):
    """What is to be said."""

    CALL = "call"
    CALLED_OFF = "called_off"
    TRIAL = "trial"
    """Nothing is the matter: somebody tries whether it works."""


@dataclass(frozen=True, slots=True)
class Result:
    """How one attempt came out; `detail` is a named reason in small letters, digits and underscores."""

    outcome: ActionOutcome
    detail: str = ""
    references: tuple[int, ...] = ()
    """Of a message whose delivery will be reported: one a part."""

    @property
    def well(self) -> bool:
        """Whether it was done."""
        return self.outcome is not ActionOutcome.FAILED


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """Somebody who was written to answered that they see to it."""

    role: str
    resident: str | None
    """Whom it concerns; None: everybody at this gateway."""

    def concerns(self, subject: Subject) -> bool:
        """Whether an alarm about this subject is meant."""
        return self.resident is None or self.resident == subject.id or subject.kind is SubjectKind.DWELLING


@dataclass(frozen=True, slots=True)
class News:
    """What came back since the last question."""

    delivered: Mapping[int, bool]
    """Whether delivered, by reference."""
    seen_to: Sequence[Acknowledgement] = ()


class Way(Protocol):
    """One way of telling. `tell` never raises for what may happen to a device: it answers `failed` with why."""

    channel: str
    """`voice`, `light` or `sms`."""
    role: str
    """Who is told, where it is one of several; else empty."""

    def concerns(self, finding: Finding) -> bool:
        """Whether this way is for the subject of this finding."""

    async def tell(self, message: Message, finding: Finding) -> Result:
        """Do it; within two minutes at most."""

    async def rest(self) -> None:
        """No alarm runs any more, or the gateway has just started: go back to normal."""
