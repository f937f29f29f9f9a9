"""One Bluetooth radio: listen to known devices all the time, connect to those that need it, and come back.

    radio        down --open--> up --lost or dead--> down (back-off), and every device with it

    device that  waiting --heard--> connecting --subscribed--> connected
    is connected    ^                    |                         |
                    +-----back-off-------+--failed or timed out----+--disconnected

    device that  listening --heard--> heard
    advertises

A device that refuses because the link is not encrypted is paired with on the next link, and from then on always;
BlueZ keeps the bond. Only configured addresses are looked at. Each device has its own task, so one that hangs delays
no other. A device is connected to when it is heard, never blindly: many cuffs wake their radio only for seconds after
a measurement. bleak is used through its public interface; which backend it drives is the radio's choice.
"""

import asyncio
import logging
import re
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Literal, NoReturn, Protocol

from bleak import BleakClient, BleakScanner
from bleak.args.bluez import BlueZScannerArgs
from bleak.backends.client import BaseBleakClient
from bleak.backends.device import BLEDevice
from bleak.backends.scanner import AdvertisementData, BaseBleakScanner
from bleak.exc import BleakError

from kanhu.contract import Clock
from kanhu.edge.codecs.date_time import CURRENT_TIME_SERVICE_UUID
from kanhu.edge.ending import obey_cancellation
from kanhu.edge.errors import LinkLost, LinkReason
from kanhu.edge.transports.back_off import BackOff
from kanhu.edge.transports.ble_clock import keep_clock
from kanhu.edge.transports.ble_ear import Ear
from kanhu.edge.transports.ble_link import (
    BATTERY_SERVICE_UUID,
    SUBSCRIBE_S,
    ask,
    falls_quiet,
    read_battery,
    subscribe_also,
)
from kanhu.edge.transports.newest import NewestMakers
from kanhu.edge.ways import BlePeer, GattTarget, Heard

_log = logging.getLogger(__name__)

# Connecting takes a tenth of a second to one second on a good link; ten is a peripheral that hangs.
_CONNECT_S = 10.0
# Pairing without a display takes about two seconds; a device that waits for somebody to confirm takes longer.
_PAIR_S = 20.0
# How an attribute that wants an encrypted link is refused: by ATT's names (0x05, 0x08, 0x0F) or by BlueZ's.
_UNPAIRED = re.compile(r"INSUFFICIENT_(AUTHENTICATION|AUTHORIZATION|ENCRYPTION)|Not(Permitted|Authorized)|0x0?[58fF]\b")
_DISCONNECT_S = 2.0
_FIRST_WAIT_S = 0.5
_LONGEST_WAIT_S = 30.0
_RADIO_LONGEST_WAIT_S = 10.0

_DEVICE_INFORMATION_UUID = "0000180a-0000-1000-8000-00805f9b34fb"


@dataclass(frozen=True, slots=True)
class RadioSession:
    """A radio that is up; None as a backend is the platform's own."""

    lost: asyncio.Future[str]
    """Done, with what happened, once the radio is gone."""
    scanner: type[BaseBleakScanner] | None = None
    client: type[BaseBleakClient] | None = None
    scanning_mode: Literal["active", "passive"] = "active"
    bluez: BlueZScannerArgs = field(default_factory=BlueZScannerArgs)
    hears_once: bool = False
    """A device may be reported once in a scan, and connected to only when it is reported; see ble_ear."""


class Radio(Protocol):
    """How a radio is brought up."""

    def session(self) -> AbstractAsyncContextManager[RadioSession]:
        """Up inside the context; raises LinkLost where it cannot be."""


class SystemRadio:
    """The platform's own radio where that is not BlueZ: never lost as a whole, only refused."""

    @asynccontextmanager
    async def session(self) -> AsyncIterator[RadioSession]:
        """Nothing to bring up."""
        yield RadioSession(lost=asyncio.get_running_loop().create_future())


async def run_links(peers: Sequence[BlePeer], *, radio: Radio, clock: Clock) -> NoReturn:
    """Keep every peer's link until cancelled."""
    back_off = BackOff(first_s=_FIRST_WAIT_S, longest_s=_RADIO_LONGEST_WAIT_S)
    while True:
        # Each session has its own task: until Python 3.13 a TaskGroup that fails leaves its task marked as cancelled.
        session = asyncio.create_task(_session(peers, radio=radio, clock=clock, back_off=back_off), name="ble session")
        try:
            lost = await session
        except asyncio.CancelledError:
            obey_cancellation()
            lost = LinkLost(LinkReason.RADIO_LOST, "the session was cut off")
        obey_cancellation()
        _log.warning("radio: %s", lost)
        for peer in peers:
            peer.unlinked(lost.reason, lost.detail)
        await clock.sleep(back_off.next_s())


async def _session(peers: Sequence[BlePeer], *, radio: Radio, clock: Clock, back_off: BackOff) -> LinkLost:
    """Bring the radio up and keep all links on it; return how it was lost."""
    try:
        async with radio.session() as session:
            links = _Links(peers, session=session, clock=clock)
            try:
                await links.run(back_off)
            finally:
                await links.close()
    except LinkLost as lost:
        return lost


class _Links:
    """All links of one radio session."""

    def __init__(self, peers: Sequence[BlePeer], *, session: RadioSession, clock: Clock) -> None:
        self._peers = {peer.address: peer for peer in peers}
        self._heard: dict[str, asyncio.Future[BLEDevice]] = {}
        self._to_pair: set[str] = set()
        self._makers = NewestMakers()
        self._session = session
        self._clock = clock
        scanner = BleakScanner(
            self._on_advertisement,
            scanning_mode=session.scanning_mode,
            bluez=session.bluez,
            backend=session.scanner,
        )
        self._ear = Ear(scanner, clock=clock)

    async def run(self, back_off: BackOff) -> NoReturn:
        """Scan and connect until the radio is lost.

        Raises:
            LinkLost: the radio is gone.
        """
        await self._ear.open()
        obey_cancellation()
        back_off.reset()
        for peer in self._peers.values():
            if peer.target is None:
                peer.linked(LinkReason.LISTENING)
        lost = LinkLost(LinkReason.RADIO_LOST, "all links ended")
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._until_lost(), name="ble radio")
                tasks.create_task(self._ear.again_when_deaf(self._minutes_passed), name="ble ear")
                if self._session.hears_once:
                    tasks.create_task(self._ear.again_when_wanted(), name="ble ear, once more")
                for peer in self._peers.values():
                    if peer.target is not None:
                        tasks.create_task(self._keep(peer, peer.target), name=f"ble {peer.address}")
        except* LinkLost as group:
            lost = _first(group)
        raise lost  # outside: what is raised in `except*` comes out in a group with Debian 12's Python (3.11.2)

    async def close(self) -> None:
        """Stop scanning, if the radio still listens to that."""
        await self._ear.close()

    async def _until_lost(self) -> NoReturn:
        raise LinkLost(LinkReason.RADIO_LOST, await self._session.lost)

    def _minutes_passed(self) -> None:
        for peer in self._peers.values():
            peer.minutes_passed()

    def _on_advertisement(self, device: BLEDevice, advertisement: AdvertisementData) -> None:
        self._ear.hears()
        address = device.address.upper()
        peer = self._peers.get(address)
        if peer is None:
            return
        if peer.target is None:
            makers = self._makers.of(address, advertisement.manufacturer_data)
            peer.advertised(Heard(advertisement.service_data, makers, advertisement.local_name))
            return
        waiting = self._heard.get(address)
        if waiting is not None and not waiting.done():
            waiting.set_result(device)

    async def _keep(self, peer: BlePeer, target: GattTarget) -> NoReturn:
        back_off = BackOff(first_s=_FIRST_WAIT_S, longest_s=_LONGEST_WAIT_S)
        while True:
            heard = asyncio.get_running_loop().create_future()
            self._heard[peer.address] = heard
            device = await heard
            reason, detail = await self._connect_and_stay(peer, device, target=target, back_off=back_off)
            obey_cancellation()
            peer.unlinked(reason, detail)
            await self._clock.sleep(back_off.next_s())
            self._ear.repeat()

    async def _connect_and_stay(
        self, peer: BlePeer, device: BLEDevice, *, target: GattTarget, back_off: BackOff
    ) -> tuple[LinkReason, str]:
        """Return once the device is gone, with the reason."""
        gone = asyncio.Event()
        services = [target.service_uuid, *target.more_services, BATTERY_SERVICE_UUID]
        if peer.own_clock is not None:
            services += [CURRENT_TIME_SERVICE_UUID, _DEVICE_INFORMATION_UUID]
        client = BleakClient(
            device,
            disconnected_callback=lambda _: gone.set(),
            services=services,
            timeout=_CONNECT_S,
            backend=self._session.client,
        )
        connected = False
        doing = "connecting"
        values = asyncio.Event()

        def notified(_: object, value: bytearray) -> None:
            back_off.reset()  # a link that carries values has proved good
            values.set()
            peer.notified(bytes(value))

        try:
            with self._ear.repeating():
                async with asyncio.timeout(_CONNECT_S):
                    await client.connect()
            connected = True
            if peer.address in self._to_pair:
                doing = "pairing"
                async with asyncio.timeout(_PAIR_S):
                    await client.pair()
            doing = "subscribing"
            async with asyncio.timeout(SUBSCRIBE_S):
                if client.services.get_characteristic(target.characteristic_uuid) is None:
                    return LinkReason.SERVICE_MISSING, f"no characteristic {target.characteristic_uuid}"
                await client.start_notify(target.characteristic_uuid, notified)
                if peer.asking is not None:
                    await subscribe_also(client, peer.asking)
            peer.linked(LinkReason.CONNECTED)
            if peer.own_clock is not None:
                await keep_clock(client, peer.own_clock)
            await read_battery(client, peer)
            obey_cancellation()
            doing = "asking"
            if peer.asking is not None:
                await ask(client, peer.asking, gone, clock=self._clock)
            if target.quiet_s is not None and await falls_quiet(
                gone, values, quiet_s=target.quiet_s, clock=self._clock
            ):
                back_off.reset()  # so long a stretch is pause enough
                return LinkReason.TIMED_OUT, f"connected, and no value for {target.quiet_s:.0f} s"
            await gone.wait()
        except TimeoutError:
            return LinkReason.TIMED_OUT, doing
        except LinkLost as lost:
            return lost.reason, lost.detail
        except (BleakError, OSError, EOFError) as error:
            if connected and _wants_pairing(error):
                self._to_pair.add(peer.address)
                return LinkReason.NOT_PAIRED, _told(error)
            return (LinkReason.DISCONNECTED if connected else LinkReason.CONNECT_FAILED), _told(error)
        finally:
            with suppress(BleakError, OSError, TimeoutError, EOFError):
                async with asyncio.timeout(_DISCONNECT_S):
                    await client.disconnect()
        return LinkReason.DISCONNECTED, ""


def _wants_pairing(error: BaseException) -> bool:
    return _UNPAIRED.search(_told(error)) is not None


def _told(error: BaseException) -> str:
    return str(error) or type(error).__name__


def _first(group: BaseExceptionGroup[LinkLost]) -> LinkLost:
    error = group.exceptions[0]
    return error if isinstance(error, LinkLost) else _first(error)
