"""Bluetooth devices as the radio sees them: what to subscribe to, and how their frames become readings."""

from typing import Protocol

from kanhu.contract import EventWord, Observation, Subject, Times
from kanhu.edge.codecs import bthome
from kanhu.edge.devices import DeviceConfig, FinePress
from kanhu.edge.errors import DecodeError, LinkReason
from kanhu.edge.folding import ButtonFold
from kanhu.edge.intake import Inbox, Intake
from kanhu.edge.kinds.kind import ConnectedKind
from kanhu.edge.sessions import Sessions
from kanhu.edge.ways import BlePeer, GattTarget, OwnClock


class HeardPeer(BlePeer, Protocol):
    """A device of the radio, and where what it sent waits."""

    inbox: Inbox


# Button events of the BTHome format, version 2.
_PRESS_CODES = {FinePress.DOUBLE: 0x02, FinePress.LONG: 0x04}


class ConnectedPeer:
    """A device such as a cuff: connected to, subscribed to, one reading a value."""

    def __init__(self, intake: Intake, *, kind: ConnectedKind) -> None:
        """Begin before the first link."""
        self.address = (intake.device.address or "").upper()
        self.target: GattTarget | None = kind.target
        self.inbox = Inbox(intake, observe=self._observe)
        self._kind = kind
        self._intake = intake
        self._sessions = Sessions(intake.device, clock=intake.clock, people=intake.people)
        self.own_clock: OwnClock | None = intake if kind.has_clock else None

    def advertised(self, service_data: dict[str, bytes]) -> None:
        """Nothing is read from its advertisements."""

    def notified(self, value: bytes) -> None:
        """One reading arrived."""
        if self._kind.reading_takes_s is not None:
            self._sessions.begin(ago_s=self._kind.reading_takes_s)
        self.inbox.put(value, self._sessions.measured())

    def battery(self, percent: int) -> None:
        """The battery service was read."""
        self._intake.battery(percent)

    def linked(self, reason: LinkReason) -> None:
        """The device is connected and subscribed to."""
        self._sessions.begin()
        self._intake.linked(reason)

    def unlinked(self, reason: LinkReason, detail: str) -> None:
        """The link is gone."""
        self._intake.unlinked(reason, detail)

    def _observe(self, frame: bytes, subject: Subject, times: Times) -> Observation:
        return self._kind.observe(frame, subject=subject, device=self._intake.device.id, times=times)


class ButtonPeer:
    """A help button: heard, never connected to; one reading a press, however often it is repeated."""

    def __init__(self, intake: Intake) -> None:
        """Begin before the radio listens."""
        self.address = (intake.device.address or "").upper()
        self.target: GattTarget | None = None
        self.own_clock: OwnClock | None = None
        self.inbox = Inbox(intake, observe=self._observe)
        self._intake = intake
        self._presses = ButtonFold()
        self._undecodable = ButtonFold()
        self._sessions = Sessions(intake.device, clock=intake.clock, people=intake.people)
        self._said = _said(intake.device)

    def advertised(self, service_data: dict[str, bytes]) -> None:
        """A press goes to the inbox once; a frame that does not decode goes there once to be refused."""
        frame = service_data.get(bthome.SERVICE_UUID)
        if frame is None:
            return
        mono_ns = self._intake.clock.mono_ns()
        try:
            packet = bthome.decode_bthome(frame)
        except DecodeError:
            if self._undecodable.is_new(frame, mono_ns=mono_ns):
                self._put(frame)
            else:
                self._intake.repeated()
            return
        if self._intake.reason is LinkReason.LISTENING:
            self._intake.linked(LinkReason.HEARD)
        if packet.battery_percent is not None:
            self._intake.battery(packet.battery_percent)
        if not packet.pressed:
            return
        if self._presses.is_new(packet.packet_id, mono_ns=mono_ns):
            self._put(frame)
        else:
            self._intake.repeated()

    def notified(self, value: bytes) -> None:
        """It is never subscribed to."""

    def battery(self, percent: int) -> None:
        """The battery comes with its advertisements."""

    def linked(self, reason: LinkReason) -> None:
        """The radio listens."""
        self._intake.waiting(reason)

    def unlinked(self, reason: LinkReason, detail: str) -> None:
        """The radio is gone."""
        self._intake.unlinked(reason, detail)

    def _put(self, frame: bytes) -> None:
        self._sessions.begin()
        self.inbox.put(frame, self._sessions.measured())

    def _observe(self, frame: bytes, subject: Subject, times: Times) -> Observation:
        return bthome.observe_press(
            bthome.decode_bthome(frame),
            subject=subject,
            device=self._intake.device.id,
            times=times,
            said=self._said,
        )


def _said(device: DeviceConfig) -> dict[int, EventWord]:
    """What each way of pressing this button says, besides calling."""
    ways = {EventWord.FINE: device.fine, EventWord.SIGN_GIVEN: device.well, EventWord.DOSE_TAKEN: device.dose}
    return {_PRESS_CODES[way]: said for said, way in ways.items() if way is not None}
