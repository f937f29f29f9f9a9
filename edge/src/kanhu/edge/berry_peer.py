"""A Berry oximeter by Bluetooth: notifications to packets, packets to windows, windows to readings.

linked --notified, however packets are cut--> window of 1,000 packets --inbox--> reading
a finger that is out, a pause, a link that ends: the session is over, and a window that was begun is refused
"""

from functools import partial

from kanhu.contract import Observation, QualityReason, Subject, Times
from kanhu.edge.codecs.berry import decode_berry
from kanhu.edge.errors import DecodeError, DecodeReason, LinkReason
from kanhu.edge.folding import SESSION_PAUSE_S, OximeterWindow
from kanhu.edge.framing import Cms50dFraming
from kanhu.edge.intake import Intake, refused
from kanhu.edge.linked import LinkedPeer
from kanhu.edge.ways import GattTarget

WINDOW_PACKETS = 1000
"""Ten seconds at a hundred packets a second (BCI Protocol V1.2)."""

# Microchip's transparent UART and what it sends, as adafruit/Adafruit_CircuitPython_BLE_BerryMed_Pulse_Oximeter@0fe0122
# reads a BM1000.
_TARGET = GattTarget("49535343-fe7d-4ae5-8fa9-9fafd205e455", "49535343-1e4d-4bd9-ba61-23c647249616")


class BerryPeer(LinkedPeer):
    """One oximeter."""

    def __init__(self, intake: Intake) -> None:
        """Begin before the first link."""
        super().__init__(intake, _TARGET)
        self._framing = Cms50dFraming()
        self._window = OximeterWindow(WINDOW_PACKETS)
        self._in_session = False
        self._heard_ns = 0

    def notified(self, value: bytes) -> None:
        """Some packets, or pieces of them."""
        now_ns = self._intake.clock.mono_ns()
        if now_ns - self._heard_ns > SESSION_PAUSE_S * 1e9:
            self._end_session()
        self._heard_ns = now_ns
        packets = self._framing.feed(value)
        for packet in packets:
            self._add(packet)
        self._intake.bad_bytes(self._framing.bad_bytes)
        self._intake.understood(len(packets), bad_bytes=self._framing.bad_bytes, reason=LinkReason.CONNECTED)

    def unlinked(self, reason: LinkReason, detail: str) -> None:
        """The link is gone, and with it the session."""
        self._end_session()
        super().unlinked(reason, detail)

    def _add(self, packet: bytes) -> None:
        sample = decode_berry(packet)
        if sample.doubt is QualityReason.FINGER_OUT:  # it streams on, and the next finger may be another's
            self._cut_window()
            return
        if not self._in_session:
            self._in_session = True
            self._sessions.begin()
        self._window.add(sample)
        if self._window.full:
            full, self._window = self._window, OximeterWindow(WINDOW_PACKETS)
            self.inbox.put(partial(self._observe, full, self._sessions.measured()))

    def _observe(self, window: OximeterWindow, subject: Subject, times: Times) -> Observation:
        return window.fold(subject=subject, device=self._intake.device.id, times=times)

    def _end_session(self) -> None:
        """What comes next is not the rest of a packet that was begun."""
        self._framing.end()
        self._cut_window()

    def _cut_window(self) -> None:
        self._in_session = False
        packets = self._window.cut()
        if packets:
            detail = f"{packets} of {WINDOW_PACKETS} packets"
            self.inbox.put(refused(DecodeError(DecodeReason.WINDOW_INCOMPLETE, detail)))
