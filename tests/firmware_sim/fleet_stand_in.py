"""A wire and a broker for one virtual gateway, and a clock to wake it by."""

from random import Random

from kanhu.contract import Envelope, FakeClock, Receipt, Status, decode_envelope, decode_status, encode_receipt
from kanhu.firmware_sim.fleet import mqtt
from kanhu.firmware_sim.fleet.gateway import Habits, VirtualGateway
from kanhu.firmware_sim.fleet.tally import Tally

NAME = "fleet-00001"


class FakeWire:
    """Keeps what was sent."""

    def __init__(self) -> None:
        self.sent: list[bytes] = []
        self.ended = ""

    def send(self, data: bytes) -> None:
        self.sent.append(data)

    def close(self) -> None:
        self.ended = "closed"

    def drop(self) -> None:
        self.ended = "dropped"

    def bodies(self, lane: str) -> list[bytes]:
        """Payloads published below the gateway's own topic."""
        topic = f"kanhu/v1/up/{NAME}/{lane}".encode()
        found = [data.partition(topic) for data in self.sent if data[0] >> 4 == 3]
        return [payload[2:] for _, at, payload in found if at]

    def envelopes(self, lane: str) -> list[Envelope]:
        """Envelopes of one lane, in order."""
        return [decode_envelope(body) for body in self.bodies(lane)]

    def statuses(self) -> list[Status]:
        """What was said of the gateway, in order."""
        return [decode_status(body) for body in self.bodies("status")]


class Bench:
    """One virtual gateway on a bench; `wires` has a wire for each connection."""

    def __init__(self, *, readings_a_minute: float = 6.0) -> None:
        self.clock = FakeClock()
        self.tally = Tally()
        self.habits = Habits(readings_a_minute=readings_a_minute)
        self.wires: list[FakeWire] = []
        self.dials = 0
        self.gateway = VirtualGateway(
            NAME,
            habits=self.habits,
            tally=self.tally,
            clock=self.clock,
            draw=Random(1),
            dial=self._dial,
            plan=lambda _: None,
            first_ns=0,
        )

    @property
    def wire(self) -> FakeWire:
        """The newest connection."""
        return self.wires[-1]

    def connect(self) -> FakeWire:
        """Dial, open, and answer as a broker does."""
        self.gateway.wake()
        wire = FakeWire()
        self.wires.append(wire)
        self.gateway.opened(wire)
        self.gateway.received(mqtt.Connack(0))
        self.gateway.received(mqtt.Suback(1, (0,)))
        return wire

    def play(self, seconds: float) -> None:
        """Let time pass, waking the gateway whenever it asked for it; the broker answers pings."""
        end_ns = self.clock.mono_ns() + round(seconds * 1e9)
        while self.gateway.planned_ns <= end_ns:
            self.clock.advance(max(0, self.gateway.planned_ns - self.clock.mono_ns()) / 1e9)
            pings = self.pings()
            self.gateway.wake()
            if self.pings() > pings:
                self.gateway.received(mqtt.Pingresp())
        self.clock.advance((end_ns - self.clock.mono_ns()) / 1e9)

    def pings(self) -> int:
        """How many PINGREQ were sent on the newest connection."""
        return self.wires[-1].sent.count(mqtt.pingreq()) if self.wires else 0

    def receipt(self, contiguous: int, *ranges: tuple[int, int], epoch: str = "", gateway: str = NAME) -> None:
        """Let the county answer."""
        wire = encode_receipt(Receipt(1, gateway, epoch or self.gateway.outbox.epoch, contiguous, ranges))
        self.gateway.received(mqtt.Publish(f"kanhu/v1/down/{NAME}/receipt", wire))

    def _dial(self, gateway: VirtualGateway) -> None:
        assert gateway is self.gateway
        self.dials += 1
