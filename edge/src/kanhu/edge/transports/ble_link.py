"""What is done on a link that stands: subscribe to more, ask, read the battery, and notice when it falls quiet."""

import asyncio
from typing import Any

from bleak import BleakClient
from bleak.exc import BleakError

from kanhu.contract import Clock
from kanhu.edge.errors import LinkLost, LinkReason
from kanhu.edge.ways import Asking, BlePeer

SUBSCRIBE_S = 5.0
"""For one step of the attribute protocol."""
BATTERY_SERVICE_UUID = "0000180f-0000-1000-8000-00805f9b34fb"
_BATTERY_LEVEL_UUID = "00002a19-0000-1000-8000-00805f9b34fb"
_FULL_PERCENT = 100


async def ask(client: BleakClient, asking: Asking, gone: asyncio.Event, *, clock: Clock) -> None:
    """Ask, and again as long as the link stands."""

    async def write(characteristic_uuid: str, value: bytes) -> None:
        if client.services.get_characteristic(characteristic_uuid) is None:
            raise LinkLost(LinkReason.SERVICE_MISSING, f"no characteristic {characteristic_uuid}")
        await client.write_gatt_char(characteristic_uuid, value, response=True)

    while not gone.is_set():
        asked = asyncio.create_task(asking.ask(write), name="ble ask")
        await _either(gone, asked)
        if asked.cancelled():  # the link is gone; what it told is asked for again on the next
            return
        await _either(gone, asyncio.ensure_future(clock.sleep(asked.result())))


async def subscribe_also(client: BleakClient, asking: Asking) -> None:
    """Subscribe to what is needed for asking; a characteristic that the device lacks is left out."""
    for uuid in asking.also:
        if client.services.get_characteristic(uuid) is not None:
            await client.start_notify(uuid, lambda _, value, uuid=uuid: asking.told(uuid, bytes(value)))  # type: ignore[misc]  # mypy cannot infer a lambda's default


async def _either(event: asyncio.Event, other: asyncio.Future[Any]) -> None:
    """Wait for the event, or until the other is done, which is cancelled where it is not."""
    waiting: set[asyncio.Future[Any]] = {asyncio.ensure_future(event.wait()), other}
    try:
        await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for each in waiting:
            each.cancel()
        await asyncio.wait(waiting)


async def falls_quiet(gone: asyncio.Event, values: asyncio.Event, *, quiet_s: float, clock: Clock) -> bool:
    """Wait for the end of the link, or for a stretch of it without one value; whether it was the latter."""
    while True:
        values.clear()
        await _either(gone, asyncio.ensure_future(clock.sleep(quiet_s)))
        if gone.is_set():
            return False
        if not values.is_set():
            return True


async def read_battery(client: BleakClient, peer: BlePeer) -> None:
    """Tell the battery where the device has the standard service; without it, or with nonsense in it, say nothing."""
    if client.services.get_characteristic(_BATTERY_LEVEL_UUID) is None:
        return
    try:
        async with asyncio.timeout(SUBSCRIBE_S):
            level = await client.read_gatt_char(_BATTERY_LEVEL_UUID)
    except (BleakError, TimeoutError):
        return
    if len(level) == 1 and level[0] <= _FULL_PERCENT:
        peer.battery(level[0])
