"""A glucose meter on the virtual air: a memory behind a record access control point."""

import asyncio
from collections.abc import Sequence

from bumble.core import UUID
from bumble.device import Connection
from bumble.gatt import Characteristic, CharacteristicValue, Service

from kanhu.firmware_sim.wire.glucose import MeterResult, glucose_measurement
from kanhu.firmware_sim.wire.glucose_context import MeterContext, glucose_measurement_context
from kanhu.firmware_sim.wire.record_access import RacpReply, serve_racp
from tests.edge.virtual_radio import Peripheral, VirtualAir

GLUCOSE_SERVICE = 0x1808


class Meter(Peripheral):
    """Keeps records, and reports them when asked."""

    def __init__(
        self, air: VirtualAir, *, address: str, memory: Sequence[MeterResult] = (), encrypted: bool = False
    ) -> None:
        super().__init__(air, address=address)
        self.memory = list(memory)
        self.contexts: dict[int, MeterContext] = {}
        self.asked: list[bytes] = []
        self.cut_after: int | None = None
        """Drops the link once, after so many records of one report."""
        self.mute = False
        """Takes what is written and answers nothing."""
        properties = Characteristic.Properties
        self._measurement: Characteristic[bytes] = Characteristic(
            UUID.from_16_bits(0x2A18), properties.NOTIFY, Characteristic.READABLE
        )
        self._context: Characteristic[bytes] = Characteristic(
            UUID.from_16_bits(0x2A34), properties.NOTIFY, Characteristic.READABLE
        )
        self._control: Characteristic[bytes] = Characteristic(
            UUID.from_16_bits(0x2A52),
            properties.WRITE | properties.INDICATE,
            Characteristic.Permissions.WRITE_REQUIRES_ENCRYPTION if encrypted else Characteristic.WRITEABLE,
            CharacteristicValue(write=self._written),
        )
        self.device.add_services(
            [Service(UUID.from_16_bits(GLUCOSE_SERVICE), [self._measurement, self._context, self._control])]
        )
        self._tasks: set[asyncio.Task[None]] = set()

    def _written(self, _connection: Connection, value: bytes) -> None:
        self.asked.append(value)
        if not self.mute:
            task = asyncio.create_task(self._report(serve_racp(value, [one.sequence for one in self.memory])))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _report(self, reply: RacpReply) -> None:
        for count, place in enumerate(reply.places):
            if count == self.cut_after:
                self.cut_after = None
                await self.drop()
                return
            result = self.memory[place]
            await self.device.notify_subscribers(self._measurement, glucose_measurement(result))
            context = self.contexts.get(result.sequence)
            if context is not None:
                await self.device.notify_subscribers(self._context, glucose_measurement_context(context))
        await self.device.indicate_subscribers(self._control, reply.indication)
