"""Processes that are killed, stopped or made to hang, and started again.

Faults overlap: a process comes back when the last fault that keeps it down has ended.
"""

import os
import signal
from collections import Counter, defaultdict
from contextlib import suppress
from typing import Protocol

from kanhu.harness.faults.play import Hit
from kanhu.harness.faults.schedule import Fault, Kind, Target

__all__ = ["ProcessFaults", "Startable"]


class Startable(Protocol):
    """Whoever starts the processes of a run."""

    async def kill(self, name: str) -> object:
        """SIGKILL, and wait for its end."""

    async def stop(self, name: str) -> object:
        """SIGTERM, and wait for its end."""

    async def restart(self, name: str) -> object:
        """Start it again as it was started."""

    def pid(self, name: str) -> int:
        """Its process id; 0 where it does not run."""


class ProcessFaults:
    """Breaks processes; the process of `gateway home-09` is called home-09, that of `broker` broker."""

    def __init__(self, processes: Startable) -> None:
        self._processes = processes
        self._down: Counter[str] = Counter()
        self._hung: Counter[int] = Counter()
        self._pids: defaultdict[Fault, list[int]] = defaultdict(list)
        self.restarts: Counter[str] = Counter()
        """Starts after a fault, by name."""

    async def begin(self, fault: Fault) -> Hit:
        """Kill, stop or hang it; one that is down already is left alone."""
        name = process_name(fault.target)
        pid = self._processes.pid(name)
        if self._down[name] or not pid:
            return Hit.ALREADY_DOWN
        if fault.kind is Kind.HANG:
            self._hung[pid] += 1
            self._pids[fault].append(pid)
            os.kill(pid, signal.SIGSTOP)
            return Hit.HIT
        self._down[name] += 1
        if fault.kind is Kind.STOP and not self._hung[pid]:
            await self._processes.stop(name)
        else:  # one that hangs would not hear a request to stop
            await self._processes.kill(name)
        return Hit.HIT

    async def end(self, fault: Fault) -> None:
        """Start it again, or let it go on."""
        name = process_name(fault.target)
        if fault.kind is Kind.HANG:
            pid = self._pids[fault].pop()
            self._hung[pid] -= 1
            if not self._hung[pid] and self._processes.pid(name) == pid:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGCONT)
            return
        self._down[name] -= 1
        if not self._down[name]:
            self.restarts[name] += 1
            await self._processes.restart(name)


def process_name(target: Target) -> str:
    """What a run calls the process of a target."""
    return target.name or target.place.value
