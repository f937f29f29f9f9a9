"""Bluetooth devices as the radio sees them: what to subscribe to, and how their frames become readings."""

from functools import partial
from typing import NamedTuple, Protocol

from msgspec.structs import replace

from kanhu.contract import EventWord, Observation, QualityReason, Subject, SubjectKind, Times
from kanhu.edge.arrival import arrived
from kanhu.edge.codecs import bthome
from kanhu.edge.codecs.bthome_encrypted import decode_bthome_with
from kanhu.edge.counters import COUNTER, UNPROVEN, CounterReason, ReplayCounter
from kanhu.edge.devices import DeviceConfig, FinePress
from kanhu.edge.errors import DecodeError, LinkReason
from kanhu.edge.folding import ButtonFold
from kanhu.edge.intake import Inbox, Intake, Noise, refused
from kanhu.edge.kinds.kind import ConnectedKind
from kanhu.edge.known_results import KnownResults, mark_of
from kanhu.edge.linked import LinkedPeer
from kanhu.edge.sessions import Sessions
from kanhu.edge.ways import Asking, BlePeer, GattTarget, Heard, OwnClock


class HeardPeer(BlePeer, Protocol):
    """A device of the radio, and where what it sent waits."""

    inbox: Inbox


_ANYBODY = Subject(SubjectKind.UNIDENTIFIED, "")

# Button events of the BTHome format, version 2.
_PRESS_CODES = {FinePress.DOUBLE: 0x02, FinePress.LONG: 0x04}


class _OwnTime(NamedTuple):
    """When a reading was measured by the device's own clock."""

    at_ms: int
    certain: bool
    """The clock was set, so that no other reading has the same time."""
    mark: int
    """The same for the same reading only."""


class ConnectedPeer(LinkedPeer):
    """A device such as a cuff: connected to, subscribed to, one reading a value."""

    def __init__(self, intake: Intake, *, kind: ConnectedKind) -> None:
        """Begin before the first link."""
        super().__init__(intake, kind.target)
        self.own_clock = intake if kind.has_clock else None
        self._kind = kind
        self._known = KnownResults(intake)

    def notified(self, value: bytes) -> None:
        """One reading arrived; it may have waited in the device's memory since another person was measured."""
        told = self._own_time(value)
        if told is not None and self._known.has(told.mark, timed=told.certain):
            self._intake.repeated()
            return
        passed_s = None if told is None else self._intake.ago_s(told.at_ms)
        subject = self._sessions.kept(passed_s or 0.0, takes_s=self._kind.reading_takes_s)
        reading = partial(self._observe, value, subject)
        if told is None:
            self.inbox.put(reading)
        else:
            self.inbox.put(reading, notes=self._known.learn(told.mark), told=partial(self._told_of, told.mark))

    def _own_time(self, frame: bytes) -> _OwnTime | None:
        """By the device's own clock; None where it tells none, or what it tells is refused when it is taken."""
        if not self._kind.has_clock:
            return None
        try:
            observed = self._observe(frame, _ANYBODY, arrived(self._intake.clock))
        except Exception:  # noqa: BLE001  # of a kind that another package may have brought
            return None
        first = observed[0] if isinstance(observed, tuple) else observed
        if first.times.device_ms is None:
            return None
        certain = QualityReason.DEVICE_CLOCK_UNSET not in first.quality.reasons
        return _OwnTime(first.times.device_ms, certain, mark_of(frame.hex()))

    def _told_of(self, mark: int, kept: bool) -> None:
        if not kept:
            self._known.forget(mark)

    def _observe(self, frame: bytes, subject: Subject, times: Times) -> Observation | tuple[Observation, ...]:
        return self._kind.observe(frame, subject=subject, device=self._intake.device.id, times=times)


class ButtonPeer:
    """A help button: heard, never connected to; one reading a press, however often it is repeated."""

    def __init__(self, intake: Intake) -> None:
        """Begin before the radio listens."""
        self.address = (intake.device.address or "").upper()
        self.target: GattTarget | None = None
        self.own_clock: OwnClock | None = None
        self.asking: Asking | None = None
        self.inbox = Inbox(intake)
        self._intake = intake
        self._key = intake.device.key_bytes
        self._sender = bytes.fromhex(self.address.replace(":", ""))
        self._counter = ReplayCounter(intake.notes.get(COUNTER))
        self._presses = ButtonFold()
        self._noise = Noise(intake, self.inbox)
        self._sessions = Sessions(intake.device, clock=intake.clock, people=intake.people)
        self._said = _said(intake.device)

    def advertised(self, heard: Heard) -> None:
        """A press goes to the inbox once; a frame that does not decode goes there once to be refused."""
        frame = heard.service_data.get(bthome.SERVICE_UUID)
        if frame is None:
            return
        mono_ns = self._intake.clock.mono_ns()
        try:
            packet, counter = decode_bthome_with(frame, key=self._key, address=self._sender)
        except DecodeError as error:
            self._noise.heard(frame, refused(error), mono_ns=mono_ns)
            return
        if self._intake.reason is LinkReason.LISTENING:
            self._intake.linked(LinkReason.HEARD)
        trust = CounterReason.NEW if self._key is None else self._counter.judge(counter)
        if trust is CounterReason.REPEATED:
            self._intake.repeated()
            return
        if packet.battery_percent is not None:
            self._intake.battery(packet.battery_percent)
        if not packet.pressed:
            return
        if self._presses.is_new(packet.packet_id if counter is None else counter, mono_ns=mono_ns):
            self._put(packet, proven=trust.accepted)
        else:
            self._intake.repeated()

    def minutes_passed(self) -> None:
        """A button is silent until it is pressed."""

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

    def _put(self, packet: bthome.BthomePacket, *, proven: bool) -> None:
        self._sessions.begin()
        subject = self._sessions.measured()
        self.inbox.put(partial(self._observe, packet, subject, proven), notes=self._counter.notes)

    def _observe(self, packet: bthome.BthomePacket, subject: Subject, proven: bool, times: Times) -> Observation:
        press = bthome.observe_press(
            packet, subject=subject, device=self._intake.device.id, times=times, said=self._said if proven else {}
        )
        # Nobody who calls for help is left alone because a button lost its key; nor can anybody else take a call back.
        return press if proven else replace(press, quality=UNPROVEN)


def _said(device: DeviceConfig) -> dict[int, EventWord]:
    """What each way of pressing this button says, besides calling."""
    ways = {EventWord.FINE: device.fine, EventWord.SIGN_GIVEN: device.well, EventWord.DOSE_TAKEN: device.dose}
    return {_PRESS_CODES[way]: said for said, way in ways.items() if way is not None}
