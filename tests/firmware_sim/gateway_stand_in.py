"""A plain Bumble host in its own process: what any gateway's Bluetooth side does, and nothing of kanhu's edge.

`python gateway_stand_in.py TRANSPORT CUFF STRAP` connects to both peripherals, subscribes, listens to beacons and
prints one JSON line for each thing it hears. `-` in place of an address leaves that device out. It begins when it is
given a line on standard input.
"""

import asyncio
import json
import sys
from functools import partial

from bumble import hci
from bumble.core import UUID, AdvertisingData, BaseBumbleError
from bumble.device import Advertisement, Device, DeviceConfiguration, Peer
from bumble.transport.tcp_client import open_tcp_client_transport

_SERVICE_DATA = AdvertisingData.Type.SERVICE_DATA_16_BIT_UUID


def say(what: str, value: str) -> None:
    sys.stdout.write(json.dumps({what: value}) + "\n")
    sys.stdout.flush()


def hear_beacon(advertisement: Advertisement) -> None:
    data = advertisement.data.get(_SERVICE_DATA, raw=True)
    if isinstance(data, bytes):
        say("beacon", data.hex())


async def subscribe(device: Device, address: str, uuid: int, *, label: str) -> None:
    connection = await device.connect(hci.Address(address), timeout=10)
    peer = Peer(connection)
    await peer.discover_services()
    await peer.discover_characteristics()
    (characteristic,) = peer.get_characteristics_by_uuid(UUID.from_16_bits(uuid))
    await peer.subscribe(characteristic, lambda value: say(label, bytes(value).hex()))
    connection.on("disconnection", lambda reason: say("lost", f"{label} {reason}"))
    say("subscribed", label)


async def main(transport: str, cuff: str, strap: str) -> None:
    source, sink = await open_tcp_client_transport(transport.removeprefix("tcp-client:"))
    config = DeviceConfiguration(name="stand-in", address=hci.Address("F0:F1:F2:F3:F4:F5"))
    device = Device.from_config_with_hci(config, source, sink)
    await device.power_on()
    device.on("advertisement", partial(hear_beacon))
    await device.start_scanning(active=False, filter_duplicates=False)
    if cuff != "-":
        await subscribe(device, cuff, 0x2A35, label="cuff")
    if strap != "-":
        await subscribe(device, strap, 0x2A37, label="strap")
    await source.terminated


if __name__ == "__main__":
    say("imported", "all")
    sys.stdin.readline()
    try:
        asyncio.run(main(*sys.argv[1:]))
    except BaseBumbleError as error:
        say("error", repr(error))
        raise
