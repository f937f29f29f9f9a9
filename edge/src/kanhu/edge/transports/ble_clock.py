"""Read a connected device's own clock, and set it where the time is known, by Current Time or Date Time.

Done after the device was subscribed to, so that no reading waits for it. Whatever goes wrong leaves the clock as it is
and the link alone: some devices refuse, some want to be paired first.
"""

import asyncio

from bleak import BleakClient
from bleak.backends.characteristic import BleakGATTCharacteristic
from bleak.exc import BleakError

from kanhu.edge.codecs.date_time import (
    CURRENT_TIME_UUID,
    DATE_TIME_UUID,
    clock_error_s,
    decode_date_time,
    encode_current_time,
    encode_date_time,
)
from kanhu.edge.errors import DecodeError
from kanhu.edge.ways import OwnClock

NEVER_WRITTEN: dict[str, str] = {
    "HEM-6232T": "answers application error 0x80 to every write of its clock (hass-omron)",
}
"""By the model number a device tells (0x2A24): whose clock is not touched, and why. Each stands in docs/devices."""

_ENCODERS = {CURRENT_TIME_UUID: encode_current_time, DATE_TIME_UUID: encode_date_time}
_MODEL_UUID = "00002a24-0000-1000-8000-00805f9b34fb"
_WITHIN_S = 5.0
_LEFT_ALONE_S = 2
"""So far off is as good as it gets: a clock of whole seconds, and a write that takes its time."""


async def keep_clock(client: BleakClient, clock: OwnClock) -> None:
    """Tell how far the device's clock is off, and set it; without such a clock, or without the time, do nothing."""
    try:
        async with asyncio.timeout(_WITHIN_S):
            await _keep(client, clock)
    except (BleakError, TimeoutError, DecodeError):
        return


async def _keep(client: BleakClient, clock: OwnClock) -> None:
    found = {uuid: client.services.get_characteristic(uuid) for uuid in _ENCODERS}
    uuid, characteristic = next(((uuid, each) for uuid, each in found.items() if each is not None), ("", None))
    if characteristic is None or clock.local_time() is None:
        return
    before_s = await _compare(client, characteristic, clock)
    if before_s is not None and abs(before_s) <= _LEFT_ALONE_S:
        return
    if "write" not in characteristic.properties or await _model(client) in NEVER_WRITTEN:
        return
    known = clock.local_time()
    if known is None:
        return
    await client.write_gatt_char(characteristic, _ENCODERS[uuid](sum(known) // 2), response=True)
    clock.clock_set(before_s)
    await _compare(client, characteristic, clock)


async def _compare(client: BleakClient, characteristic: BleakGATTCharacteristic, clock: OwnClock) -> int | None:
    """Read, compare and tell; None where it cannot be read, or was never set."""
    if "read" not in characteristic.properties:
        return None
    device_ms = decode_date_time(bytes(await client.read_gatt_char(characteristic)))
    known = clock.local_time()
    if device_ms is None or known is None:
        return None
    found_s = clock_error_s(device_ms, known)
    clock.clock_read(found_s)
    return found_s


async def _model(client: BleakClient) -> str:
    characteristic = client.services.get_characteristic(_MODEL_UUID)
    if characteristic is None:
        return ""
    return bytes(await client.read_gatt_char(characteristic)).decode("utf-8", "replace").strip("\0 ")
