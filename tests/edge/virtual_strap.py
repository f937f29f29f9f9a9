"""A Polar H10 on the virtual air, whose time passes when a test lets it."""

import asyncio
from collections.abc import Sequence

from bumble.core import UUID
from bumble.device import Connection
from bumble.gatt import Characteristic, CharacteristicValue, Service

from kanhu.firmware_sim.bodies.signals import RecordedSignal
from kanhu.firmware_sim.devices.polar_strap import PolarStrap
from kanhu.firmware_sim.wire.polar_pmd import (
    PMD_CONTROL,
    PMD_DATA,
    PMD_SERVICE,
    Pmd,
    PmdError,
    pmd_answer,
    pmd_features,
)
from tests.edge.virtual_radio import Peripheral, VirtualAir

HEART_RATE_SERVICE = 0x180D


class Strap(Peripheral):
    """Answers and streams as the simulator's strap does, unless told otherwise."""

    def __init__(
        self, air: VirtualAir, *, address: str, signals: Sequence[RecordedSignal] = (), streams: bool = True
    ) -> None:
        super().__init__(air, address=address)
        self.model = PolarStrap(signals)
        self.now_ns = 0
        self.asked: list[bytes] = []
        self.refuses: dict[bytes, PmdError] = {}
        """By how a request begins, what it is answered with; the longest beginning counts."""
        self.answers: dict[bytes, list[bytes]] = {}
        """The same, with whole indications in place of an answer."""
        self.mute = False
        """Takes what is written and answers nothing."""
        properties, nobody = Characteristic.Properties, Characteristic.Permissions(0)
        self._beats: Characteristic[bytes] = Characteristic(UUID.from_16_bits(0x2A37), properties.NOTIFY, nobody)
        self._control: Characteristic[bytes] = Characteristic(
            UUID(PMD_CONTROL),
            properties.READ | properties.WRITE | properties.INDICATE,
            Characteristic.READABLE | Characteristic.WRITEABLE,
            CharacteristicValue(read=lambda _: pmd_features([*Pmd]), write=self._written),
        )
        self._data: Characteristic[bytes] = Characteristic(UUID(PMD_DATA), properties.NOTIFY, nobody)
        services = [Service(UUID.from_16_bits(HEART_RATE_SERVICE), [self._beats])]
        if streams:
            services.append(Service(UUID(PMD_SERVICE), [self._control, self._data]))
        self.device.add_services(services)
        self._tasks: set[asyncio.Task[None]] = set()

    async def put_on(self) -> "Strap":
        await self.power_on()
        await self.advertise(HEART_RATE_SERVICE)
        return self

    async def play(self, seconds: float) -> None:
        """Let time pass and send what is full by then."""
        self.now_ns += round(seconds * 1_000_000_000)
        for frame in self.model.due(self.now_ns):
            await self.send_data(frame)

    async def lose(self, seconds: float) -> None:
        """Let time pass; what is full by then gets lost on the air."""
        self.now_ns += round(seconds * 1_000_000_000)
        self.model.due(self.now_ns)

    async def send_data(self, frame: bytes) -> None:
        await self.device.notify_subscribers(self._data, frame)

    async def beat(self, value: bytes) -> None:
        await self.device.notify_subscribers(self._beats, value)

    async def indicate(self, value: bytes) -> None:
        await self.device.indicate_subscribers(self._control, value)

    def _written(self, connection: Connection, value: bytes) -> None:
        self.asked.append(value)
        if self.mute:
            return
        begins = sorted((known for known in (*self.refuses, *self.answers) if value.startswith(known)), key=len)
        known = begins[-1] if begins else None
        if known in self.answers:
            words = self.answers[known]
        elif known is not None:
            words = [pmd_answer(value[0], value[1], self.refuses[known])]
        else:
            words = [self.model.asked(value, att_mtu=connection.att_mtu, now_ns=self.now_ns)]
        task = asyncio.create_task(self._answer(words))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _answer(self, words: Sequence[bytes]) -> None:
        for word in words:
            await self.indicate(word)

    def _on_disconnection(self, connection: Connection) -> None:
        super()._on_disconnection(connection)
        self.model.unlinked()
