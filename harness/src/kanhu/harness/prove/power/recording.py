"""Let a real gateway live through an hour in a quarter of a minute, and write down all that it does to its card.

It starts on an empty folder without a county, takes readings and calls for help, is fed until its outbox is full and
thins itself, meets a county that stores, settles and refuses, is stopped, started again, fed again and killed.
"""

import asyncio
from dataclasses import dataclass
from pathlib import Path

import msgspec

from kanhu.contract import Clock
from kanhu.harness.errors import ProgramFailed
from kanhu.harness.faults import CannotBeHad
from kanhu.harness.prove.lone_gateway import LoneGateway, lone_gateway
from kanhu.harness.prove.power.trace import Said, Step, TraceRefused, Wrote, finished, read_trace, traced
from kanhu.harness.prove.telling import Teller

__all__ = ["MAX_MIB", "Length", "Recording", "record"]

MAX_MIB = 1
"""Of the outbox: the smallest that a gateway takes, so that it is full soon."""

_REFUSED_ONE_IN = 499
_PATIENCE_S = 120.0
_CALM_PER_S, _FLOOD_PER_S = 150.0, 2500.0


@dataclass(frozen=True, slots=True)
class Length:
    """How many readings each act takes."""

    calm: int = 300
    flood: int = 8000
    """More than fit: a row takes about 150 bytes of the 1 MiB."""
    after: int = 300


class Recording(msgspec.Struct, frozen=True):
    """All that a gateway did, and when the county allowed it to delete which number."""

    steps: tuple[Step, ...]
    released_s: dict[int, float]
    named: int
    """Numbers that gap records named: dropped, or set aside."""

    @property
    def writes(self) -> int:
        """Writes to the card."""
        return sum(isinstance(step.deed, Wrote) for step in self.steps)

    @property
    def promises(self) -> int:
        """Lines that left the gateway."""
        return sum(step.deed.text.count(b"\n") for step in self.steps if isinstance(step.deed, Said))

    def save(self, file: Path) -> None:
        """For whoever replays it, side by side or again."""
        file.write_bytes(msgspec.msgpack.encode(self))

    @staticmethod
    def load(file: Path) -> "Recording":
        """What `save` wrote.

        Raises:
            TraceRefused: it cannot be read, or is no recording.
        """
        try:
            return msgspec.msgpack.decode(file.read_bytes(), type=Recording)
        except (OSError, msgspec.MsgspecError) as error:
            raise TraceRefused(f"{file}: {error}") from error


async def record(
    folder: Path, *, seed: int, length: Length, broken: str | None, clock: Clock, teller: Teller
) -> Recording:
    """Play it; everything is below `folder`.

    Raises:
        CannotBeHad: this machine cannot trace a process.
        TraceRefused: the gateway did something that the model of the disk does not know.
        ProcessDied, ProgramFailed: the gateway did not do its work.
    """
    data, out = folder / "data", folder / "trace"
    data.mkdir()  # made when the gateway was installed: its own name is safe

    def refuses(seq: int) -> bool:
        return seq % _REFUSED_ONE_IN == 0

    async with lone_gateway(folder, data=data, max_mib=MAX_MIB, clock=clock, seed=seed, refuses=refuses) as gateway:
        await _live(gateway, out, length=length, broken=broken, teller=teller)
        with out.open(encoding="ascii") as lines:
            steps = tuple(read_trace(lines, folder=data, said=gateway.feeding.pipe))
        if not steps:
            raise CannotBeHad("a record of what a gateway writes", "strace may not trace processes here")
        return Recording(steps, gateway.county.released_s, gateway.county.named.count())


async def _live(gateway: LoneGateway, out: Path, *, length: Length, broken: str | None, teller: Teller) -> None:
    books, county, prefix = gateway.books, gateway.county, traced(out)
    county.go_away()
    teller.say("recording: a gateway without a county takes readings until its outbox is full")
    await gateway.start(prefix=prefix, broken=broken)
    await gateway.feed(_CALM_PER_S, until=lambda: books.accepted >= length.calm)
    await gateway.feed(_FLOOD_PER_S, until=lambda: books.accepted >= length.calm + length.flood)
    teller.say(f"recording: {books.accepted} readings promised; the county listens, stores, and refuses some")
    county.come_back()
    goal = books.accepted + length.after
    await gateway.feed(_CALM_PER_S, until=lambda: books.accepted >= goal)
    await gateway.wait(lambda: _settled(gateway))
    await gateway.stop()
    await _written_down(gateway, out)
    await gateway.start(prefix=prefix, broken=broken)
    goal = books.accepted + length.after
    await gateway.feed(_CALM_PER_S, until=lambda: books.accepted >= goal)
    await gateway.kill()
    await _written_down(gateway, out)


async def _written_down(gateway: LoneGateway, out: Path) -> None:
    try:
        await asyncio.wait_for(finished(out, gateway.process_id, gateway.clock), _PATIENCE_S)
    except TimeoutError as error:
        raise ProgramFailed("strace", f"no line on the gateway's end within {_PATIENCE_S:.0f} s") from error


def _settled(gateway: LoneGateway) -> bool:
    """Whether everything promised so far has been stored or named."""
    promised = gateway.books.numbers(gateway.feeding.gateway)
    return len(promised - gateway.county.released_s.keys()) < len(promised) // 10
