"""However the bytes of an oximeter are cut, each window it began is one reading, accepted or refused."""

import asyncio
from dataclasses import dataclass

from hypothesis import given, settings
from hypothesis import strategies as st

from kanhu.contract import FakeClock
from kanhu.edge.devices import DeviceConfig
from kanhu.edge.folding import WINDOW_PACKETS
from kanhu.edge.intake import Intake
from kanhu.edge.oximeter import Oximeter
from tests.edge.readings import RememberingSink
from tests.edge.test_cms50d import packet_of

_DEVICE = DeviceConfig(id="ox-03", kind="oximeter-cms50d", port="/dev/ttyUSB0", subject="r-0003")


@dataclass(frozen=True, slots=True)
class Session:
    """What a device sends between two pauses, and in which pieces it arrives."""

    packets: int
    garbage: bytes
    piece: int

    def stream(self) -> bytes:
        half = self.packets // 2
        return packet_of() * half + self.garbage + packet_of() * (self.packets - half)


_sessions = st.builds(
    Session,
    packets=st.integers(0, 1900),
    garbage=st.binary(max_size=4).map(lambda data: bytes(byte & 0x7F for byte in data)),
    piece=st.integers(1, 4096),
)


@given(st.lists(_sessions, max_size=4))
@settings(max_examples=40, deadline=None)
def test_every_window_that_was_begun_is_accounted_for(sessions: list[Session]) -> None:
    sink = RememberingSink()

    async def play() -> Intake:
        intake = Intake(_DEVICE, sink=sink, clock=FakeClock())
        oximeter = Oximeter(intake)
        for session in sessions:
            stream = session.stream()
            for at in range(0, len(stream), session.piece):
                await oximeter.received(stream[at : at + session.piece])
            await oximeter.paused()
        intake.tell()
        return intake

    asyncio.run(play())
    assert len(sink.accepted) == sum(session.packets // WINDOW_PACKETS for session in sessions)
    assert len(sink.refused) == sum(session.packets % WINDOW_PACKETS > 0 for session in sessions)
    seen = sink.latest("ox-03")
    assert (0 if seen is None else seen.bad_bytes) == sum(len(session.garbage) for session in sessions)
