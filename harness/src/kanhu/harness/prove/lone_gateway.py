"""One fed gateway as a real process, with everything it needs around it, in one folder."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from kanhu.contract import Clock
from kanhu.harness.errors import ProgramFailed
from kanhu.harness.ledger import Books
from kanhu.harness.prove.feeding import Feeding
from kanhu.harness.prove.inner_county import InnerCounty
from kanhu.harness.village.processes import Processes, environment, last_lines

__all__ = ["GATEWAY", "LoneGateway", "lone_gateway"]

GATEWAY = "gw-1"

_PATIENCE_S = 120.0
_POLL_S = 0.02
_HEARTBEAT_S = 1
_UPLINK = {"routine_s": 0.2, "receipt_timeout_s": 4, "reconnect_max_s": 1}
"""Short, so that much happens in a short run; what is promised does not depend on it."""


class LoneGateway:
    """The gateway, what it is fed, what it promised, and its county."""

    def __init__(self, folder: Path, *, data: Path, max_mib: int, clock: Clock, county: InnerCounty, seed: int) -> None:
        self.books = Books()
        self.county = county
        self.clock = clock
        self.feeding = Feeding(GATEWAY, folder, books=self.books, clock=clock, seed=seed)
        self._config = folder / "gateway.toml"
        self._data = data
        self._max_mib = max_mib
        (folder / "logs").mkdir()
        self._processes = Processes(folder / "logs", environment())

    async def start(self, *, prefix: Sequence[str] = (), broken: str | None = None, more: str = "") -> None:
        """Start the gateway; `prefix` goes before its command, `more` settings name its residents too."""
        tables: dict[str, Mapping[str, str | float]] = {
            "broker": {"port": self.county.port},
            "uplink": _UPLINK,
            "outbox": {"max_mib": self._max_mib},
            "journal": {"path": str(self.feeding.pipe)},
        }
        lines = [f'gateway = "{GATEWAY}"', f"data = {json.dumps(str(self._data))}", 'timezone = "Asia/Shanghai"']
        lines += [f"heartbeat_s = {_HEARTBEAT_S}"]
        for name, values in tables.items():
            lines += [f"[{name}]", *(f"{key} = {json.dumps(value)}" for key, value in values.items())]
        for resident in () if more else self.feeding.residents:
            lines += ["[[resident]]", f'id = "{resident}"']
        self._config.write_text("\n".join(lines) + f"\n{more}", encoding="utf-8")
        command = [*prefix, sys.executable, "-P", "-m", "kanhu.harness.prove.fed_gateway"]
        command += ["--config", str(self._config), "--feed", str(self.feeding.socket)]
        await self._processes.start(GATEWAY, (*command, *(("--broken", broken) if broken else ())))

    @property
    def process_id(self) -> int:
        """Of the gateway started last, whether or not it lives."""
        return self._processes.children[GATEWAY].process.pid

    async def kill(self) -> None:
        """SIGKILL."""
        await self._processes.kill(GATEWAY)

    async def stop(self) -> None:
        """SIGTERM, and wait for its goodbye."""
        await self._processes.stop(GATEWAY)

    async def close(self) -> None:
        """End it if it runs still."""
        if GATEWAY in self._processes.children:
            await self.kill()

    def check(self) -> None:
        """Raise ProcessDied where it ended by itself."""
        self._processes.check()

    async def feed(self, readings_per_s: float, *, until: Callable[[], bool]) -> None:
        """Feed until something is so."""
        self.feeding.pace(readings_per_s)
        await self.wait(until)
        self.feeding.pace(0)

    async def wait(self, until: Callable[[], bool]) -> None:
        """Until something is so.

        Raises:
            ProcessDied: the gateway ended by itself.
            ProgramFailed: it was not so in two minutes; says how far it had come.
        """
        for _ in range(round(_PATIENCE_S / _POLL_S)):
            if until():
                return
            self._processes.check()
            await asyncio.sleep(_POLL_S)
        log = self._processes.children[GATEWAY].log
        come = f"{self.books.emitted} fed, {self.books.accepted} accepted, {len(self.county.stored)} stored"
        said = f"what was waited for did not come in {_PATIENCE_S:.0f} s: {come}. {last_lines(log)}"
        raise ProgramFailed("a fed gateway", said)


@asynccontextmanager
async def lone_gateway(
    folder: Path,
    *,
    data: Path,
    max_mib: int,
    clock: Clock,
    seed: int,
    refuses: Callable[[int], bool] = lambda _seq: False,
) -> AsyncIterator[LoneGateway]:
    """Bring county and feed up; the gateway is killed at the end if it runs still."""
    county = InnerCounty(clock, refuses=refuses)
    await county.open()
    made = LoneGateway(folder, data=data, max_mib=max_mib, clock=clock, county=county, seed=seed)
    try:
        await made.feeding.open()
        yield made
    finally:
        await made.close()
        await made.feeding.close()
        await county.close()
