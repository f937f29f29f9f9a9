"""Bluetooth devices as the radio sees them: what to subscribe to, and how their frames become readings."""

from collections.abc import Callable
from typing import NamedTuple

from kanhu.contract import EventWord, Observation, Subject, Times
from kanhu.edge.codecs import blood_pressure, bthome, heart_rate
from kanhu.edge.devices import DeviceConfig, DeviceKind, FinePress
from kanhu.edge.errors import DecodeError, LinkReason
from kanhu.edge.folding import ButtonFold
from kanhu.edge.intake import Inbox, Intake
from kanhu.edge.sessions import Sessions
from kanhu.edge.transports.ble import GattTarget
from kanhu.edge.transports.ble_clock import OwnClock


def observe_strap_frame(frame: bytes, *, subject: Subject, device: str, times: Times) -> Observation:
    """One 0x2A37 notification is one reading."""
    return heart_rate.observe_heart_rate(
        heart_rate.decode_heart_rate(frame), subject=subject, device=device, times=times
    )


def observe_cuff_frame(frame: bytes, *, subject: Subject, device: str, times: Times) -> Observation:
    """One 0x2A35 indication is one reading."""
    return blood_pressure.observe_blood_pressure(
        blood_pressure.decode_blood_pressure(frame), subject=subject, device=device, times=times
    )


class _Profile(NamedTuple):
    target: GattTarget
    observe: Callable[..., Observation]
    reading_takes_s: float | None
    """Each reading is a session of its own and takes at least so long; None: a session lasts as long as the link."""
    has_clock: bool


# From a press on the button of a cuff to its result pass about 30 to 60 s; project choice: none does it in 15. A result
# that comes sooner after another person was chosen was begun before.
_CUFF_LEAST_S = 15.0

# A strap that is worn tells its rate every second. One that was taken off may be silent on a link that stands; to
# connect to it anew every five minutes costs it little, and a link that only seems to stand is found out.
_STRAP_QUIET_S = 300.0

_PROFILES = {
    # Each inflation of a shared cuff may be another arm.
    DeviceKind.CUFF_BLE: _Profile(
        GattTarget(blood_pressure.SERVICE_UUID, blood_pressure.CHARACTERISTIC_UUID),
        observe_cuff_frame,
        reading_takes_s=_CUFF_LEAST_S,
        has_clock=True,
    ),
    # A strap is on one chest for as long as its link stands.
    DeviceKind.STRAP_BLE: _Profile(
        GattTarget(heart_rate.SERVICE_UUID, heart_rate.CHARACTERISTIC_UUID, quiet_s=_STRAP_QUIET_S),
        observe_strap_frame,
        reading_takes_s=None,
        has_clock=False,
    ),
}


# Button events of the BTHome format, version 2.
_PRESS_CODES = {FinePress.DOUBLE: 0x02, FinePress.LONG: 0x04}


class ConnectedPeer:
    """A cuff or a strap: connected to, subscribed to, one reading a value."""

    def __init__(self, intake: Intake, *, address: str) -> None:
        """Begin before the first link."""
        profile = _PROFILES[intake.device.kind]
        self.address = address.upper()
        self.target: GattTarget | None = profile.target
        self.inbox = Inbox(intake, observe=self._observe)
        self._profile = profile
        self._intake = intake
        self._sessions = Sessions(intake.device, clock=intake.clock, people=intake.people)
        self.own_clock: OwnClock | None = intake if profile.has_clock else None

    def advertised(self, service_data: dict[str, bytes]) -> None:
        """Nothing is read from its advertisements."""

    def notified(self, value: bytes) -> None:
        """One reading arrived."""
        if self._profile.reading_takes_s is not None:
            self._sessions.begin(ago_s=self._profile.reading_takes_s)
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
        observation: Observation = self._profile.observe(
            frame, subject=subject, device=self._intake.device.id, times=times
        )
        return observation


class ButtonPeer:
    """A help button: heard, never connected to; one reading a press, however often it is repeated."""

    def __init__(self, intake: Intake, *, address: str) -> None:
        """Begin before the radio listens."""
        self.address = address.upper()
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
