"""What the clauses stand on: the broker's address and, where the owner gives them, the ledger and the power switch."""

import asyncio
import shlex
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import IO, Protocol

import aiomqtt
import msgspec

from kanhu.contract import Clock
from kanhu.harness.conform.readings import Maker
from kanhu.harness.conform.virtual_gateway import ClauseBroken, VirtualGateway
from kanhu.harness.errors import ProgramFailed

__all__ = ["Bench", "LedgerCommand", "LedgerRow", "LedgerView", "PowerCommands", "PowerSwitch"]


_LISTENS_S = 60.0
_COMMAND_S = 120.0
"""A dump of a large ledger takes a while; longer than that is a hang."""
_ASK_S = 0.5


@dataclass(frozen=True, slots=True)
class LedgerRow:
    """One stored record, as the county itself tells it."""

    gateway: str
    epoch: str
    seq: int
    sha256: str


_row_decoder = msgspec.json.Decoder(LedgerRow)


class LedgerView(Protocol):
    """How to see what is stored."""

    async def rows(self) -> list[LedgerRow]:
        """Every stored record, versions in conflict included."""


class PowerSwitch(Protocol):
    """How to end the county without warning, and to start it again."""

    async def kill(self) -> None:
        """End it as a power cut would."""

    async def start(self) -> None:
        """Start it; it may return before the county listens."""


@dataclass(frozen=True, slots=True)
class Bench:
    """One county under test."""

    url: str
    clock: Clock
    patience_s: float = 15.0
    crashes: int = 3
    """How often the county is killed right after a receipt."""
    ledger: LedgerView | None = None
    power: PowerSwitch | None = None

    def maker(self, gateway: str) -> Maker:
        """Records about the rooms of this gateway."""
        return Maker(gateway, clock=self.clock)

    @asynccontextmanager
    async def gateway(self, name: str) -> AsyncIterator[VirtualGateway]:
        """A gateway with a new epoch, connected."""
        async with VirtualGateway(self.url, name, clock=self.clock, patience_s=self.patience_s) as made:
            yield made

    async def rows_of(self, gateway: VirtualGateway) -> list[LedgerRow]:
        """What is stored of one epoch; only where there is a ledger."""
        if self.ledger is None:
            raise ClauseBroken("there is no ledger to look into")
        key = (gateway.gateway, gateway.epoch)
        return [row for row in await self.ledger.rows() if (row.gateway, row.epoch) == key]

    async def kill(self) -> None:
        """End the county; only where there is a switch."""
        if self.power is None:
            raise ClauseBroken("there is no power switch")
        await self.power.kill()

    async def start(self) -> None:
        """Start it again."""
        if self.power is None:
            raise ClauseBroken("there is no power switch")
        await self.power.start()

    async def kill_and_start(self) -> None:
        """A power cut."""
        await self.kill()
        await self.start()

    async def listens(self, gateway: str) -> None:
        """Wait until the county answers heartbeats of this gateway; what is published before it listens reaches nobody.

        Raises:
            ClauseBroken: it does not within a minute.
        """
        try:
            async with self.gateway(gateway) as asking:
                for _ in range(round(_LISTENS_S / _ASK_S)):
                    await asking.beat()
                    with suppress(TimeoutError):
                        async with asyncio.timeout(_ASK_S):
                            await asking.until(lambda receipt: receipt.epoch == asking.epoch, "no receipt")
                            return
        except (aiomqtt.MqttError, OSError, UnicodeError) as error:
            raise ClauseBroken(f"no broker takes connections of gateways at {self.url}: {error}") from error
        raise ClauseBroken(f"no county answers heartbeats of {gateway} at {self.url} within {_LISTENS_S:g} s")


@dataclass(frozen=True, slots=True)
class LedgerCommand:
    """A command of the owner that prints one JSON line a stored record: gateway, epoch, seq, sha256."""

    command: str

    async def rows(self) -> list[LedgerRow]:
        """Run it and read its lines.

        Raises:
            ProgramFailed: it ended badly, or printed something else.
        """
        said = await _run(self.command, "the ledger command")
        try:
            return [_row_decoder.decode(line) for line in said.splitlines() if line.strip()]
        except (msgspec.MsgspecError, ValueError, RecursionError) as error:
            raise ProgramFailed(f"reading what {self.command!r} printed", f"{error}; see --ledger") from error


@dataclass(frozen=True, slots=True)
class PowerCommands:
    """Two commands of the owner."""

    kill_command: str
    start_command: str

    async def kill(self) -> None:
        """Run the first."""
        await _run(self.kill_command, "the kill command")

    async def start(self) -> None:
        """Run the second."""
        await _run(self.start_command, "the start command")


async def _run(command: str, doing: str) -> str:
    """To the end of the program itself: what it leaves running, such as a county, may keep its output open."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as problems:
        try:
            process = await asyncio.create_subprocess_exec(
                *shlex.split(command), stdin=asyncio.subprocess.DEVNULL, stdout=out, stderr=problems
            )
        except OSError as error:
            raise ProgramFailed(doing, f"{command}: {error.strerror}") from error
        try:
            async with asyncio.timeout(_COMMAND_S):
                code = await process.wait()
        except TimeoutError:
            raise ProgramFailed(doing, f"{command}: had not ended after {_COMMAND_S:g} s") from None
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        if code != 0:
            raise ProgramFailed(doing, _text(problems) or f"{command}: ended with status {code}")
        return _text(out)


def _text(file: IO[bytes]) -> str:
    file.seek(0)
    return file.read().decode(errors="replace")
