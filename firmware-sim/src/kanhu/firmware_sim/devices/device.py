"""What every simulated device is to the home it stands in."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from kanhu.contract.clock import Clock
from kanhu.firmware_sim.bodies import Body
from kanhu.firmware_sim.devices.spoiler import Spoiler
from kanhu.firmware_sim.journal import Journal, Value
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


class Device(ABC):
    """One simulated device."""

    def __init__(self, surroundings: Surroundings, *, reached_by: Mapping[str, str]) -> None:
        """Stand there; `reached_by` is what a gateway needs besides the kind, an address or a port."""
        self._around = surroundings
        self._reached_by = reached_by

    @property
    def name(self) -> str:
        """Its id."""
        return self._around.entry.id

    def door(self) -> dict[str, str]:
        """How a gateway reaches it: kind, and address or port."""
        return {"kind": self._kind, **self._reached_by}

    @abstractmethod
    def has_reader(self) -> bool:
        """Whether somebody would take a reading at this moment."""

    @abstractmethod
    async def power_on(self) -> None:
        """Be there for gateways to find."""

    @abstractmethod
    async def idle(self) -> None:
        """What it does by itself from power-on until it is switched off."""

    @abstractmethod
    async def play(self, timeline: Timeline) -> None:
        """Play its events; stopping means cancelling."""

    @abstractmethod
    async def power_off(self) -> None:
        """Be gone, and give back what it holds of the machine."""

    @property
    def _kind(self) -> str:
        return self._around.entry.kind.value

    def _write_emitted(self, values: Mapping[str, Value]) -> None:
        self._around.journal.write_emitted(self._around.home, self.name, kind=self._kind, values=values)

    def _write_unsent(self, reason: str, values: Mapping[str, Value]) -> None:
        self._around.journal.write_unsent(self._around.home, self.name, kind=self._kind, reason=reason, values=values)

    def _write_unconfirmed(self) -> None:
        self._around.journal.write_unconfirmed(self._around.home, self.name, kind=self._kind)
