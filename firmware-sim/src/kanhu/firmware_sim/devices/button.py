"""A help button that speaks BTHome v2: one press is one reading, advertised many times with the same packet id."""

import asyncio
import random

from kanhu.firmware_sim.air import Air, Beacon
from kanhu.firmware_sim.devices.device import Device, Surroundings
from kanhu.firmware_sim.scenario.model import Press
from kanhu.firmware_sim.timeline import Timeline
from kanhu.firmware_sim.wire import ButtonPress, idle_advertisement, press_advertisement

# Real buttons repeat a press for a second or two so that a scanner with a small duty cycle hears it.
_PRESS_REPEATS, _PRESS_INTERVAL_S = 15, 0.1
_IDLE_REPEATS, _IDLE_INTERVAL_S, _IDLE_EVERY_S = 3, 0.1, 20.0

_PRESSES = {
    "press": ButtonPress.PRESS,
    "double": ButtonPress.DOUBLE,
    "triple": ButtonPress.TRIPLE,
    "long": ButtonPress.LONG,
}


class Button(Device):
    """One button."""

    def __init__(self, surroundings: Surroundings, *, air: Air, address: str) -> None:
        """Stand in `air`."""
        super().__init__(surroundings, reached_by={"address": address})
        self._beacon = Beacon(air, address=address, clock=surroundings.clock)
        self._one_at_a_time = asyncio.Lock()
        draw = random.Random(f"{surroundings.seed}/button/{surroundings.entry.id}")
        self._packet_id = draw.randrange(256)
        self._battery_percent = draw.randint(60, 100)

    def has_reader(self) -> bool:
        """Always: it speaks to whoever listens, and cannot know who does."""
        return True

    async def power_on(self) -> None:
        """Nothing to do: a button is always on."""

    async def idle(self) -> None:
        """Say every now and then how the battery is."""
        while True:
            async with self._one_at_a_time:
                data = idle_advertisement(self._following_packet_id(), battery_percent=self._battery_percent)
                await self._beacon.advertise(data, times=_IDLE_REPEATS, interval_s=_IDLE_INTERVAL_S)
            await self._around.clock.sleep(_IDLE_EVERY_S)

    async def play(self, timeline: Timeline) -> None:
        """Be pressed."""
        for event in self._around.events:
            if isinstance(event, Press):
                await timeline.until(event.at_s + self._around.spoiler.delay_s(event.at_s))
                await self._press(event)

    async def power_off(self) -> None:
        """Nothing to do."""

    async def _press(self, event: Press) -> None:
        async with self._one_at_a_time:
            packet_id = self._following_packet_id()
            whole = press_advertisement(packet_id, battery_percent=self._battery_percent, press=_PRESSES[event.press])
            data, *_ = self._around.spoiler.messages(whole, event.at_s)  # it says each press many times as it is
            await self._beacon.advertise(data, times=1, interval_s=_PRESS_INTERVAL_S)
            self._write_emitted(
                {"press": event.press, "packet_id": packet_id, "battery_percent": self._battery_percent}
            )
            await self._around.clock.sleep(_PRESS_INTERVAL_S)
            await self._beacon.advertise(data, times=_PRESS_REPEATS - 1, interval_s=_PRESS_INTERVAL_S)

    def _following_packet_id(self) -> int:
        self._packet_id = (self._packet_id + 1) % 256
        return self._packet_id
