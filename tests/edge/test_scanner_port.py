"""A reader on a serial port chooses whom the shared devices measure, and never a person by half a number."""

import asyncio
from contextlib import suppress
from datetime import date
from pathlib import Path

import pytest

from kanhu.contract import FakeClock, SystemClock
from kanhu.edge.cards import Cards, Scan
from kanhu.edge.devices import DeviceConfig
from kanhu.edge.errors import DeviceRefused, LinkReason
from kanhu.edge.intake import Intake
from kanhu.edge.scanner import LIES_THERE_S, Scanner
from kanhu.edge.sensing import run_devices
from kanhu.edge.whose import Attendance, People
from kanhu.firmware_sim.wire.scanner import End, identity_number, scan_line
from tests.edge.readings import RememberingSink, until
from tests.edge.test_serial_port import Plug

_CARDS = {"KH0001": "r-0001", "KH00012": "r-0012", "r-0001": "r-0001"}


class Desk:
    """A reader at the desk of a clinic."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.sink = RememberingSink()
        self.attendance = Attendance(clock=self.clock)
        self.scans: list[Scan] = []
        cards = Cards(self.attendance, _CARDS)
        cards.on_scan = self.scans.append
        people = People(clock=self.clock, attendance=self.attendance, cards=cards)
        self.device = DeviceConfig(id="reader-1", kind="scanner-serial", port="/dev/none")
        self.intake = Intake(self.device, sink=self.sink, clock=self.clock, people=people)
        self.reader = Scanner(self.intake)
        self.reader.opened()

    @property
    def chosen(self) -> str | None:
        return self.attendance.present().resident


@pytest.mark.parametrize("end", [End.CR, End.LF, End.CR_LF, End.STX_ETX])
async def test_a_card_chooses_its_person(end: End) -> None:
    desk = Desk()
    assert await desk.reader.received(scan_line("KH0001", end)) == b""
    assert (desk.chosen, desk.scans) == ("r-0001", [Scan.CHOSEN])
    assert desk.sink.refused == []


async def test_a_number_may_come_in_pieces() -> None:
    desk = Desk()
    for byte in scan_line("KH00012"):
        await desk.reader.received(bytes([byte]))
    assert (desk.chosen, desk.scans) == ("r-0012", [Scan.CHOSEN])


@pytest.mark.parametrize("how", ["paused", "lost"])
async def test_the_beginning_of_a_number_chooses_nobody(how: str) -> None:
    """KH00012 that broke off behind KH0001 would be somebody else's card."""
    desk = Desk()
    await desk.reader.received(b"KH0001")
    if how == "paused":
        await desk.reader.paused()
    else:
        await desk.reader.lost(LinkReason.UNPLUGGED, "gone")
        desk.reader.opened()
    await desk.reader.received(b"\r\n")
    assert (desk.chosen, desk.scans) == (None, [Scan.MISREAD])
    assert desk.sink.refused == [("reader-1", "short")]
    assert "CR or LF" in desk.sink.details[0]


async def test_a_card_of_nobody_is_told_and_its_number_is_nowhere(caplog: pytest.LogCaptureFixture) -> None:
    desk = Desk()
    await desk.reader.received(scan_line("KH9999"))
    assert (desk.chosen, desk.scans) == (None, [Scan.UNKNOWN])
    assert (desk.sink.refused, desk.sink.details) == ([("reader-1", "card_unknown")], ["6 characters"])
    assert "KH9999" not in caplog.text


async def test_an_identity_card_chooses_nobody_and_its_number_is_nowhere(caplog: pytest.LogCaptureFixture) -> None:
    desk = Desk()
    number = identity_number("110101", date(1950, 3, 7), 12)
    await desk.reader.received(scan_line(number))
    assert (desk.chosen, desk.scans) == (None, [Scan.IDENTITY])
    assert (desk.sink.refused, desk.sink.details) == ([("reader-1", "card_unknown")], ["an identity card"])
    assert number not in caplog.text + repr(desk.sink.details)


async def test_a_card_that_lies_on_its_reader_is_one_card() -> None:
    desk = Desk()
    for _ in range(10):
        await desk.reader.received(scan_line("KH0001"))
        desk.clock.advance(LIES_THERE_S - 0.1)
    assert desk.scans == [Scan.CHOSEN]
    assert (seen := desk.sink.latest("reader-1")) is not None
    assert seen.repeats == 9
    desk.clock.advance(0.1)
    await desk.reader.received(scan_line("KH0001"))
    assert desk.scans == [Scan.CHOSEN, Scan.CHOSEN], "taken away and shown again"


async def test_of_two_cards_at_once_the_later_counts() -> None:
    desk = Desk()
    await desk.reader.received(scan_line("KH0001") + scan_line("KH00012") + scan_line("KH0001"))
    assert (desk.chosen, desk.scans) == ("r-0001", [Scan.CHOSEN] * 3)


async def test_noise_chooses_nobody_and_is_counted() -> None:
    desk = Desk()
    await desk.reader.received(bytes(range(256)) * 4)
    await desk.reader.paused()
    assert desk.chosen is None
    assert Scan.CHOSEN not in desk.scans
    assert desk.sink.refused


@pytest.mark.parametrize(("subject", "bed"), [("r-0001", None), (None, "bed-1")])
def test_a_reader_measures_nobody(subject: str | None, bed: str | None) -> None:
    with pytest.raises(DeviceRefused, match="measures nobody"):
        DeviceConfig(id="reader-1", kind="scanner-serial", port="/dev/none", subject=subject, bed=bed)


async def test_on_a_real_port_it_chooses_and_a_replug_is_survived(tmp_path: Path) -> None:
    desk, path = Desk(), tmp_path / "reader"
    device = DeviceConfig(id="reader-1", kind="scanner-serial", port=str(path))
    clock, people = SystemClock(), desk.intake.people
    plug, sink = Plug(path), RememberingSink()
    reading = asyncio.create_task(run_devices([device], sink, clock=clock, radio=None, people=people))
    await until(lambda: (seen := sink.latest("reader-1")) is not None and seen.connected)
    await plug.send(scan_line("KH0001"))
    await until(lambda: desk.chosen == "r-0001")
    await plug.send(b"KH00")
    plug.unplug()
    await until(lambda: (seen := sink.latest("reader-1")) is not None and not seen.connected)
    plug.plug_in()
    await until(lambda: (seen := sink.latest("reader-1")) is not None and seen.connected)
    await plug.send(b"012\r\n")
    await plug.send(scan_line("KH00012"))
    await until(lambda: desk.chosen == "r-0012")
    reading.cancel()
    with suppress(asyncio.CancelledError):
        await reading
    plug.end()
    assert desk.scans.count(Scan.CHOSEN) == 2
