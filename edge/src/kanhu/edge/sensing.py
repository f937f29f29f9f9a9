"""Read every device of a gateway until cancelled: the one door a gateway uses.

Each device has its own task. A frame that does not decode, a hung peripheral or a dead radio is counted, told to the
sink, and never stops the other devices. Libraries of a transport are imported only where a device needs them.
"""

import asyncio
import logging
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from kanhu.contract import Clock
from kanhu.edge.devices import (
    CONNECTED_KINDS,
    SERIAL_KINDS,
    DeviceConfig,
    DeviceKind,
    DeviceSeen,
    LocalTime,
    RadioConfig,
    Sink,
    unknown_time,
)
from kanhu.edge.errors import DeviceRefused, LinkReason
from kanhu.edge.folding import SESSION_PAUSE_S
from kanhu.edge.intake import Intake
from kanhu.edge.oximeter import Oximeter
from kanhu.edge.whose import People

if TYPE_CHECKING:
    from kanhu.edge.transports.ble import Radio

__all__ = ["DeviceConfig", "DeviceKind", "DeviceSeen", "RadioConfig", "Sink", "run_devices"]

_log = logging.getLogger(__name__)


async def run_devices(
    config: Sequence[DeviceConfig],
    sink: Sink,
    *,
    clock: Clock,
    radio: RadioConfig | None,
    people: People | None = None,
    local_time: LocalTime = unknown_time,
) -> None:
    """Read all devices until cancelled; on cancellation readings already received are still handed to the sink.

    Without `people` shared devices measure nobody known. Devices that let their clock be set get it set on contact
    while `local_time` knows the time.

    Raises:
        DeviceRefused: two devices share an id, a port or an address.
    """
    _refuse_twins(config)
    intakes = [Intake(device, sink=sink, clock=clock, people=people, local_time=local_time) for device in config]
    over_serial = [intake for intake in intakes if intake.device.kind in SERIAL_KINDS]
    over_radio = [intake for intake in intakes if intake.device.kind not in SERIAL_KINDS]
    async with asyncio.TaskGroup() as tasks:
        for intake in over_serial:
            tasks.create_task(_read_oximeter(intake), name=f"serial {intake.device.id}")
        if over_radio:
            tasks.create_task(_read_radio(over_radio, radio=radio or RadioConfig()), name="radio")


async def _read_oximeter(intake: Intake) -> None:
    try:
        from kanhu.edge.transports import serial_port  # noqa: PLC0415  # an extra, needed by this kind only
    except ModuleNotFoundError as error:
        _missing([intake], error)
        return
    oximeter = Oximeter(intake)
    try:
        await serial_port.read_serial(
            intake.device.port or "",
            oximeter,
            settings=serial_port.CMS50D_SETTINGS,
            pause_s=SESSION_PAUSE_S,
            clock=intake.clock,
        )
    finally:
        await oximeter.paused()  # a window that was begun is a reading, and is refused


async def _read_radio(intakes: Sequence[Intake], *, radio: RadioConfig) -> None:
    try:
        from kanhu.edge import peers  # noqa: PLC0415  # needs bleak, an extra
        from kanhu.edge.transports import ble  # noqa: PLC0415  # the same

        way = _radio(radio)
    except ModuleNotFoundError as error:
        _missing(intakes, error)
        return
    all_peers = [
        (peers.ConnectedPeer if intake.device.kind in CONNECTED_KINDS else peers.ButtonPeer)(
            intake, address=intake.device.address or ""
        )
        for intake in intakes
    ]
    async with asyncio.TaskGroup() as tasks:
        for intake, peer in zip(intakes, all_peers, strict=True):
            tasks.create_task(peer.inbox.drain(), name=f"inbox {intake.device.id}")
        tasks.create_task(ble.run_links(all_peers, radio=way, clock=intakes[0].clock), name="links")


def _radio(config: RadioConfig) -> "Radio":
    if config.bumble is not None:
        from kanhu.edge.transports.bumble_backend import BumbleRadio  # noqa: PLC0415  # an extra, seldom configured

        return BumbleRadio(config.bumble)
    from kanhu.edge.transports.ble import BluezRadio  # noqa: PLC0415  # needs bleak, an extra

    return BluezRadio(config.adapter)


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
