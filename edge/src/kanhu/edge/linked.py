"""What all devices that the radio connects to have in common; what each tells is its own."""

from kanhu.edge.errors import LinkReason
from kanhu.edge.intake import Inbox, Intake
from kanhu.edge.sessions import Sessions
from kanhu.edge.ways import Asking, GattTarget, Heard, OwnClock

__all__ = ["LinkedPeer"]


class LinkedPeer:
    """A device that is connected to. It tells by itself and has no clock, where whoever derives says nothing else."""

    def __init__(self, intake: Intake, target: GattTarget) -> None:
        """Begin before the first link."""
        self.address = (intake.device.address or "").upper()
        self.target: GattTarget | None = target
        self.own_clock: OwnClock | None = None
        self.asking: Asking | None = None
        self.inbox = Inbox(intake)
        self._intake = intake
        self._sessions = Sessions(intake.device, clock=intake.clock, people=intake.people)

    def advertised(self, heard: Heard) -> None:
        """Nothing is read from its advertisements."""

    def minutes_passed(self) -> None:
        """Its link says how it is."""

    def battery(self, percent: int) -> None:
        """The battery service was read."""
        self._intake.battery(percent)

    def linked(self, reason: LinkReason) -> None:
        """It is connected and subscribed to; a session begins."""
        self._sessions.begin()
        self._intake.linked(reason)

    def unlinked(self, reason: LinkReason, detail: str) -> None:
        """The link is gone."""
        self._intake.unlinked(reason, detail)
