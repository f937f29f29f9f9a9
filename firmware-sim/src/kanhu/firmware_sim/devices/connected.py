"""A device that a host connects to over Bluetooth: what a cuff, a strap and whatever comes next are on the air alike.

It stores nothing: with no host connected and subscribed, a reading is lost.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from kanhu.firmware_sim.air import Air, Delivery, Identity, Peripheral, Register
from kanhu.firmware_sim.devices.device import Device, Surroundings
from kanhu.firmware_sim.journal import Value


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """What sets one kind apart on the air; the numbers are those the Bluetooth SIG assigned."""

    prefix: str
    """Of the name under which it advertises."""
    model: str
    service_uuid: int
    measurement_uuid: int
    delivery: Delivery
    constants: tuple[tuple[int, bytes], ...] = ()
    """Further characteristics that are only read."""


class ConnectedDevice(Device):
    """Advertises, takes subscriptions, and hands each reading over as one message."""

    def __init__(
        self,
        surroundings: Surroundings,
        *,
        profile: Profile,
        air: Air,
        address: str,
        registers: tuple[Register, ...] = (),
    ) -> None:
        """Stand in `air` under a static random address."""
        super().__init__(surroundings, reached_by={"address": address})
        self._peripheral = Peripheral(
            air,
            identity=Identity(
                name=f"{profile.prefix} {surroundings.entry.id}",
                address=address,
                service_uuid=profile.service_uuid,
                maker="kanhu simulator",
                model=profile.model,
            ),
            measurement_uuid=profile.measurement_uuid,
            delivery=profile.delivery,
            constants=profile.constants,
            registers=registers,
        )

    def has_reader(self) -> bool:
        """Whether a host is connected and has asked for measurements."""
        return self._peripheral.has_subscriber()

    async def power_on(self) -> None:
        """Advertise."""
        await self._peripheral.power_on()

    async def idle(self) -> None:
        """Nothing by itself."""

    async def power_off(self) -> None:
        """Leave the air."""
        await self._peripheral.power_off()

    async def _send(self, message: bytes, values: Mapping[str, Value], *, at_s: float) -> None:
        """Hand over one reading of this second of the play, as its faults make it, and keep the journal."""
        if not self.has_reader():
            self._write_unsent("no_subscriber", values)
            return
        for spoilt in self._around.spoiler.messages(message, at_s):
            self._write_emitted(values)  # before the wait: a host that is being killed never confirms
            if not await self._peripheral.send(spoilt):
                self._write_unconfirmed()
