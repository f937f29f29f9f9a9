"""BlueZ as far as bleak leaves it alone: its end is noticed, its question answered, and what it still holds let go."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from dbus_fast import Variant

from kanhu.edge.errors import LinkLost
from kanhu.edge.transports.bluez import BluezRadio
from tests.debian import DebianPackages
from tests.edge.stand_in_bluez import ADAPTER, StandInBluez, private_bus

OURS, ELSE = "F0:0D:00:00:00:05", "F0:0D:00:00:00:09"


@pytest.fixture
async def bus(debian_package: DebianPackages, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[str]:
    async with private_bus(debian_package("dbus-daemon"), tmp_path) as address:
        monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", address)
        yield address


@pytest.fixture
async def bluez(bus: str) -> AsyncIterator[StandInBluez]:
    stand_in = StandInBluez(bus)
    await stand_in.begin()
    yield stand_in
    stand_in.end()


@pytest.mark.parametrize(
    ("happens", "told"),
    [
        (lambda bluez: bluez.end(), "the Bluetooth service ended"),
        (lambda bluez: bluez.removes("/org/bluez/hci0", ADAPTER), "the Bluetooth adapter is gone"),
        (
            lambda bluez: bluez.changes("/org/bluez/hci0", ADAPTER, {"Powered": Variant("b", False)}),
            "the Bluetooth adapter was switched off",
        ),
    ],
)
@pytest.mark.parametrize("adapter", [None, "hci0"])
async def test_a_radio_that_is_gone_is_lost_at_once(
    bluez: StandInBluez, adapter: str | None, happens: Callable[[StandInBluez], None], told: str
) -> None:
    async with BluezRadio(adapter, addresses=[OURS]).session() as session:
        happens(bluez)
        async with asyncio.timeout(5):
            assert await session.lost == told


async def test_a_bus_that_ends_takes_the_radio_with_it(
    debian_package: DebianPackages, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with AsyncExitStack() as ends_last:
        async with private_bus(debian_package("dbus-daemon"), tmp_path) as address:
            monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", address)
            await StandInBluez(address).begin()
            session = await ends_last.enter_async_context(BluezRadio(None, addresses=[OURS]).session())
        async with asyncio.timeout(5):
            assert (await session.lost).startswith("D-Bus ended")


async def test_what_happens_to_another_adapter_or_to_a_device_is_no_loss(bluez: StandInBluez) -> None:
    async with BluezRadio("hci1", addresses=[OURS]).session() as session:
        bluez.removes("/org/bluez/hci0", ADAPTER)
        bluez.changes("/org/bluez/hci0", ADAPTER, {"Powered": Variant("b", False)})
        bluez.removes("/org/bluez/hci1/dev_00_00_00_00_00_00", "org.bluez.Device1")
        bluez.changes("/org/bluez/hci1", ADAPTER, {"Powered": Variant("b", True), "Discovering": Variant("b", False)})
        bluez.removes("/org/bluez/hci1", ADAPTER)
        async with asyncio.timeout(5):
            assert await session.lost == "the Bluetooth adapter is gone"


@pytest.mark.parametrize(
    ("member", "signature", "more", "address", "answer"),
    [
        ("RequestAuthorization", "o", (), OURS, ""),
        ("RequestAuthorization", "o", (), ELSE, "org.bluez.Error.Rejected"),
        ("RequestConfirmation", "ou", (123456,), OURS, "org.bluez.Error.Rejected"),
        ("AuthorizeService", "os", ("00001812-0000-1000-8000-00805f9b34fb",), OURS, "org.bluez.Error.Rejected"),
    ],
)
async def test_only_a_configured_device_is_paired_with_and_only_where_there_is_nothing_to_compare(
    bluez: StandInBluez, member: str, signature: str, more: tuple[object, ...], address: str, answer: str
) -> None:
    device = bluez.holds(address, linked=False)
    async with BluezRadio(None, addresses=[OURS]).session():
        assert await bluez.asks(member, signature, device, *more) == answer
        assert await bluez.asks("Cancel", "") == ""


async def test_links_of_one_before_us_are_let_go_and_no_others(bluez: StandInBluez) -> None:
    held = bluez.holds(OURS, linked=True)
    bluez.holds("F0:0D:00:00:00:06", linked=False)
    bluez.holds(ELSE, linked=True)
    async with BluezRadio(None, addresses=[OURS, "F0:0D:00:00:00:06"]).session():
        assert [asked for asked in bluez.asked if asked[1] == "Disconnect"] == [(held, "Disconnect")]


async def test_a_service_that_refuses_to_be_helped_is_used_all_the_same(bluez: StandInBluez) -> None:
    bluez.holds(OURS, linked=True)
    bluez.refuses = {"RegisterAgent", "Disconnect"}
    async with BluezRadio(None, addresses=[OURS]).session() as session:
        assert not session.lost.done()
        bluez.end()
        async with asyncio.timeout(5):
            await session.lost


async def test_a_bus_without_the_service_is_told(bus: str) -> None:
    assert bus
    with pytest.raises(LinkLost, match="no Bluetooth service"):
        async with BluezRadio(None, addresses=[OURS]).session():
            pass


async def test_a_service_that_answers_with_an_error_is_told_by_name(bluez: StandInBluez) -> None:
    bluez.refuses = {"GetManagedObjects"}
    with pytest.raises(LinkLost, match=r"GetManagedObjects: org\.bluez\.Error\.Failed told to"):
        async with BluezRadio(None, addresses=[OURS]).session():
            pass
