"""Read every device of a gateway until cancelled: the one door a gateway uses.

Each device has its own task. A frame that does not decode, a hung peripheral or a dead radio is counted, told to the
sink, and never stops the other devices. Libraries of a transport are imported only where a device needs them.
"""

import asyncio
import logging
import sys
from collections.abc import Collection, Iterable, Sequence
from typing import TYPE_CHECKING

from kanhu.contract import Clock
from kanhu.edge.devices import (
    DeviceConfig,
    DeviceSeen,
    Forgetful,
    LocalTime,
    Memory,
    RadioConfig,
    Signals,
    Sink,
    unknown_time,
)
from kanhu.edge.errors import DeviceRefused, LinkReason
from kanhu.edge.heard import SensorPeer
from kanhu.edge.intake import Intake
from kanhu.edge.kinds import ConnectedKind, HeardKind, PeerKind, SerialKind, kind_of
from kanhu.edge.peers import ConnectedPeer, HeardPeer
from kanhu.edge.whose import People

if TYPE_CHECKING:
    from kanhu.edge.capture import Tap
    from kanhu.edge.transports.ble import Radio

__all__ = ["DeviceConfig", "DeviceSeen", "Memory", "RadioConfig", "Signals", "Sink", "run_devices"]

_log = logging.getLogger(__name__)


async def run_devices(
    config: Sequence[DeviceConfig],
    sink: Sink,
    *,
    clock: Clock,
    radio: RadioConfig | None,
    people: People | None = None,
    local_time: LocalTime = unknown_time,
    memory: Memory | None = None,
    tap: "Tap | None" = None,
    signals: Signals | None = None,
) -> None:
    """Read all devices until cancelled; on cancellation readings already received are still handed to the sink.

    Without `people` shared devices measure nobody known. Devices that let their clock be set get it set on contact
    while `local_time` knows the time. Without `memory` nothing is known of devices after a restart. A `tap`
    stands between transports and devices. Without `signals` no device is asked for a signal.

    Raises:
        DeviceRefused: two devices share an id, a port or an address.
    """
    _refuse_twins(config)
    kept = memory or Forgetful()
    known = await kept.recall()
    intakes = [
        Intake(
            device,
            sink=sink,
            clock=clock,
            people=people,
            local_time=local_time,
            memory=kept,
            notes=known.get(device.id, {}),
            signals=signals,
        )
        for device in config
    ]
    over_radio: list[Intake] = []
    async with asyncio.TaskGroup() as tasks:
        for intake in intakes:
            kind = kind_of(intake.device.kind)
            if isinstance(kind, SerialKind):
                tasks.create_task(_read_port(intake, kind, tap), name=f"serial {intake.device.id}")
            else:
                over_radio.append(intake)
        if over_radio:
            tasks.create_task(_read_radio(over_radio, radio=radio or RadioConfig(), tap=tap), name="radio")


async def _read_port(intake: Intake, kind: SerialKind, tap: "Tap | None") -> None:
    try:
        from kanhu.edge.transports import serial_port  # noqa: PLC0415  # an extra, needed by these kinds only
    except ModuleNotFoundError as error:
        _missing([intake], error)
        return
    receiver = kind.receiver(intake)
    if tap is not None:
        receiver = tap.port(intake.device, receiver)
    try:
        await serial_port.read_serial(
            intake.device.port or "",
            receiver,
            settings=kind.settings,
            pauses_s=kind.pauses_s,
            clock=intake.clock,
        )
    finally:
        await receiver.paused()  # what was begun and not ended is refused


async def _read_radio(intakes: Sequence[Intake], *, radio: RadioConfig, tap: "Tap | None") -> None:
    try:
        from kanhu.edge.transports import ble  # noqa: PLC0415  # needs bleak, an extra

        peers = [_tapped(intake, tap) for intake in intakes]
        way = _radio(radio, [peer.address for peer in peers])
    except ModuleNotFoundError as error:
        _missing(intakes, error)
        return
    async with asyncio.TaskGroup() as tasks:
        for intake, peer in zip(intakes, peers, strict=True):
            tasks.create_task(peer.inbox.drain(), name=f"inbox {intake.device.id}")
        # Inboxes end after the links, for a device believes that what it told until then was taken.
        await ble.run_links(peers, radio=way, clock=intakes[0].clock)


def _tapped(intake: Intake, tap: "Tap | None") -> HeardPeer:
    peer = peer_of(intake)
    return peer if tap is None else tap.radio(intake.device, peer)


def peer_of(intake: Intake) -> HeardPeer:
    """The device as the radio sees it."""
    kind = kind_of(intake.device.kind)
    if isinstance(kind, PeerKind):
        return kind.peer(intake)
    if isinstance(kind, HeardKind):
        return SensorPeer(intake, kind=kind)
    if isinstance(kind, ConnectedKind):
        return ConnectedPeer(intake, kind=kind)
    raise LookupError(f"no way by radio to a {kind.name}")


def _radio(config: RadioConfig, addresses: Collection[str]) -> "Radio":
    """The way to the devices with these addresses."""
    if config.bumble is not None:
        from kanhu.edge.transports.bumble_backend import BumbleRadio  # noqa: PLC0415  # an extra, seldom configured

        return BumbleRadio(config.bumble)
    if sys.platform != "linux":
        from kanhu.edge.transports.ble import SystemRadio  # noqa: PLC0415  # needs bleak, an extra

        return SystemRadio()
    from kanhu.edge.transports.bluez import BluezRadio  # noqa: PLC0415  # needs bleak and D-Bus, an extra

    return BluezRadio(config.adapter, addresses=addresses)


def _missing(intakes: Iterable[Intake], error: ModuleNotFoundError) -> None:
    _log.error("%s is not installed: its devices cannot be read", error.name)
    for intake in intakes:
        intake.unlinked(LinkReason.BACKEND_MISSING, f"install {error.name}")


def _refuse_twins(config: Sequence[DeviceConfig]) -> None:
    seen: set[tuple[str, str]] = set()
    for device in config:
        address = None if device.address is None else device.address.upper()
        for field, value in (("id", device.id), ("port", device.port), ("address", address)):
            if value is None:
                continue
            if (field, value) in seen:
                raise DeviceRefused(device.id, field, f"{value} belongs to another device already")
            seen.add((field, value))
