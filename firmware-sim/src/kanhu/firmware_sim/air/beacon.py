"""A device that only advertises: no connection, nothing to hear."""

from bumble import hci, ll

from kanhu.contract.clock import Clock
from kanhu.firmware_sim.air.link import Air


class Beacon:
    """Sends non-connectable advertisements from a static random address."""

    def __init__(self, air: Air, *, address: str, clock: Clock) -> None:
        """Stand in `air` under `address`."""
        self._air = air
        self._address = hci.Address(address)
        self._clock = clock

    async def advertise(self, data: bytes, *, times: int, interval_s: float) -> None:
        """Send the same advertising data `times` times."""
        for turn in range(times):
            if turn:
                await self._clock.sleep(interval_s)
            self._air.broadcast(ll.AdvNonConnInd(self._address, data))
