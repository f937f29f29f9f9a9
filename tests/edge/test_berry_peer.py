"""A Berry oximeter by Bluetooth: packets however notifications cut them, fingers that leave, links that end."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kanhu.contract import FakeClock, QualityLevel, SubjectKind
from kanhu.edge.berry_peer import WINDOW_PACKETS, BerryPeer
from kanhu.edge.devices import DeviceConfig
from kanhu.edge.errors import LinkReason
from kanhu.edge.intake import Intake
from kanhu.firmware_sim.wire.berry import BerryOximeterPacket, berry_packet
from tests.edge.readings import RememberingSink

_IN = berry_packet(BerryOximeterPacket(spo2_percent=93, pulse_bpm=180, pleth=40))
_OUT = berry_packet(BerryOximeterPacket(spo2_percent=127, pulse_bpm=255, no_finger=True))
_UNPLUGGED = berry_packet(BerryOximeterPacket(spo2_percent=93, pulse_bpm=72, probe_unplugged=True))


class Bench:
    """One oximeter and what was made of it."""

    def __init__(self, *, subject: str | None = "r-0001") -> None:
        self.clock, self.sink = FakeClock(), RememberingSink()
        device = DeviceConfig(id="ox-1", kind="oximeter-berry", address="F0:0D:00:00:00:03", subject=subject)
        self.peer = BerryPeer(Intake(device, sink=self.sink, clock=self.clock))

    def send(self, stream: bytes, *, piece: int = 20) -> None:
        """At a hundred packets a second."""
        for at in range(0, len(stream), piece):
            self.clock.advance(piece / 500)
            self.peer.notified(stream[at : at + piece])


@asynccontextmanager
async def bench(*, subject: str | None = "r-0001") -> AsyncIterator[Bench]:
    made = Bench(subject=subject)
    made.peer.linked(LinkReason.CONNECTED)
    draining = asyncio.create_task(made.peer.inbox.drain())
    await asyncio.sleep(0)
    try:
        yield made
    finally:
        draining.cancel()
        with suppress(asyncio.CancelledError):
            await draining


@pytest.mark.parametrize("piece", [1, 7, 20, 23, 244])
async def test_a_thousand_packets_are_a_reading_however_notifications_cut_them(piece: int) -> None:
    async with bench() as made:
        made.send(_IN * 2 * WINDOW_PACKETS, piece=piece)
    assert [(str(one.value("spo2")), str(one.value("pulse_oximeter"))) for one in made.sink.accepted] == [
        ("93", "180")
    ] * 2
    assert {one.quality.level for one in made.sink.accepted} == {QualityLevel.OK}
    assert made.sink.refused == []


@pytest.mark.parametrize("outside", [_OUT, _UNPLUGGED])
async def test_a_finger_that_is_out_ends_the_session_though_packets_go_on(outside: bytes) -> None:
    async with bench(subject=None) as made:
        made.send(_IN * (WINDOW_PACKETS + 10) + outside * 3 * WINDOW_PACKETS + _IN * WINDOW_PACKETS)
    first, second = (one.subject for one in made.sink.accepted)
    assert first.kind is SubjectKind.UNIDENTIFIED
    assert first != second
    assert made.sink.refused == [("ox-1", "window_incomplete")], "and none for the time without a finger"


async def test_a_pause_and_a_link_that_ends_cut_the_window_and_the_packet_under_way() -> None:
    async with bench() as made:
        made.send(_IN * 400 + _IN[:3])
        made.clock.advance(3)
        made.send(_IN * 300 + _IN[:2])
        made.peer.unlinked(LinkReason.DISCONNECTED, "gone")
        made.peer.linked(LinkReason.CONNECTED)
        made.send(_IN * WINDOW_PACKETS)
    assert made.sink.details == ["400 of 1000 packets", "300 of 1000 packets"]
    assert len(made.sink.accepted) == 1
    seen = made.sink.latest("ox-1")
    assert seen is not None
    assert (seen.links, seen.bad_bytes) == (2, 5)


async def test_another_device_behind_the_same_service_is_garbled() -> None:
    async with bench() as made:
        made.send(b"AT+OK\r\n" * 200)
    seen = made.sink.latest("ox-1")
    assert seen is not None
    assert seen.reason is LinkReason.GARBLED
    assert made.sink.readings == 0


@given(st.lists(st.binary(max_size=60), max_size=30))
@settings(deadline=None)
def test_any_notifications_are_packets_or_counted(values: list[bytes]) -> None:
    made = Bench()
    for value in values:
        made.peer.notified(value)
    made.peer.unlinked(LinkReason.DISCONNECTED, "gone")
    seen = made.sink.latest("ox-1")
    assert seen is not None
    assert seen.bad_bytes <= sum(map(len, values))
