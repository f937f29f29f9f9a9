"""What every simulated device is to the home it stands in."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from kanhu.contract.clock import Clock
from kanhu.firmware_sim.bodies import Body
from kanhu.firmware_sim.devices.spoiler import Spoiler
from kanhu.firmware_sim.journal import Journal
from kanhu.firmware_sim.scenario.model import DeviceEntry, Event
from kanhu.firmware_sim.timeline import Timeline


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """Where a device stands, who uses it, and what will happen to it."""

    home: str
    entry: DeviceEntry
    events: tuple[Event, ...]
    body: Body
    seed: str
    clock: Clock
    journal: Journal
    recordings: Path  # folder of recorded beats
    spoiler: Spoiler = field(default_factory=Spoiler)


class Device(Protocol):
    """One simulated device."""

    @property
    def name(self) -> str:
        """Its id."""

    def door(self) -> dict[str, str]:
        """How a gateway reaches it: kind, and address or port."""

    def has_reader(self) -> bool:
        """Whether somebody would take a reading at this moment."""

    async def power_on(self) -> None:
        """Be there for gateways to find."""

    async def idle(self) -> None:
        """What it does by itself from power-on until it is switched off."""

    async def play(self, timeline: Timeline) -> None:
        """Play its events; stopping means cancelling."""

    async def power_off(self) -> None:
        """Be gone, and give back what it holds of the machine."""
