"""What a gateway does to its card when the power is back: recorded as well, to be cut again."""

import asyncio
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from kanhu.contract import Clock
from kanhu.harness.errors import ProgramFailed
from kanhu.harness.prove.power.cuts import State, start
from kanhu.harness.prove.power.recording import MAX_MIB, Recording
from kanhu.harness.prove.power.survival import lay_out
from kanhu.harness.prove.power.trace import FolderSynced, Renamed, Said, Step, finished, read_trace, traced

__all__ = ["Recovery", "record_recoveries"]

_PATIENCE_S = 300.0


@dataclass(frozen=True, slots=True)
class Recovery:
    """What a process did to its card after one cut."""

    of: State
    steps: tuple[Step, ...]


async def record_recoveries(
    recording: Recording, states: Sequence[State], folder: Path, *, seed: int, clock: Clock
) -> list[Recovery]:
    """Let one process recover from each of these cuts, which rise, and read what it did to each card.

    Raises:
        CannotBeHad, TraceRefused, ProgramFailed: it could not be recorded.
    """
    cards, out, said = folder / "recoveries", folder / "trace", folder / "said"
    cards.mkdir()
    said.touch()
    player = start(recording.steps, recording.released_s)
    for number, state in enumerate(states):
        player.play_to(state.steps)
        lay_out(state.card(player.card, seed=seed), cards / str(number))
    command = [*traced(out), sys.executable, "-P", "-m", "kanhu.harness.prove.power.recovering"]
    command += [str(said), str(MAX_MIB), *(str(cards / str(number)) for number in range(len(states)))]
    recovering = await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    told, _ = await recovering.communicate()
    if recovering.returncode != 0:
        raise ProgramFailed("recovering from power cuts", told.decode(errors="replace"))
    await asyncio.wait_for(finished(out, recovering.pid, clock), _PATIENCE_S)
    with out.open(encoding="ascii") as lines:
        of_each = _sorted_out(read_trace(lines, folder=cards, said=said))
    return [Recovery(state, tuple(of_each[str(number)])) for number, state in enumerate(states) if of_each[str(number)]]


def _sorted_out(steps: Iterable[Step]) -> dict[str, list[Step]]:
    """By card; what is said is about the card that was touched last."""
    found: dict[str, list[Step]] = {}
    card = ""
    for step in steps:
        deed = step.deed
        if isinstance(deed, FolderSynced):
            card = deed.folder
        elif not isinstance(deed, Said):
            card, _, name = deed.name.partition("/")
            changed = {"name": name} | ({"to": deed.to.partition("/")[2]} if isinstance(deed, Renamed) else {})
            deed = msgspec.structs.replace(deed, **changed)
        found.setdefault(card, []).append(Step(step.at_s, deed))
    return found
