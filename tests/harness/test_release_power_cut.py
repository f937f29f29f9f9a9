"""Power cuts at every write of a swap of releases, on the disk of `./run prove power-cut`: old or new, never a mix."""

import asyncio
import random
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from kanhu.contract import FakeClock, SystemClock
from kanhu.gateway.updates.errors import ReleaseRefused
from kanhu.gateway.updates.start import start
from kanhu.gateway.updates.store import State, Store
from kanhu.harness.faults import CannotBeHad
from kanhu.harness.prove.power.card import Card, Fate, Files
from kanhu.harness.prove.power.trace import Said, Step, finished, read_trace, traced
from tests.debian import DebianPackages
from tests.gateway.updates.card import settings

_SCRIPT = Path(__file__).with_name("swapping_releases.py")
_DRAWS = 6


async def recorded(folder: Path, how: str) -> list[Step]:
    data, said, out = folder / "data", folder / "said", folder / "trace"
    data.mkdir(parents=True)
    said.touch()
    command = (*traced(out), sys.executable, str(_SCRIPT), str(data), str(said), how)
    process = await asyncio.create_subprocess_exec(*command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    told, _ = await process.communicate()
    assert process.returncode == 0, told.decode()
    await asyncio.wait_for(finished(out, process.pid, SystemClock()), 60)
    with out.open(encoding="ascii") as lines:
        return list(read_trace(lines, folder=data, said=said))


def broken(steps: list[Step], folder: Path) -> tuple[int, list[str]]:
    """How many cuts there were, and what was wrong after which."""
    promised = [State()]
    promised += [msgspec.json.decode(step.deed.text, type=State) for step in steps if isinstance(step.deed, Said)]
    card, heard, cuts, wrong = Card(), 0, 0, []
    for number, step in enumerate(steps, start=1):
        card.take(step.deed)
        heard += isinstance(step.deed, Said)
        for fate, draws in ((Fate.NONE, 1), (Fate.PART, _DRAWS), (Fate.ALL, 1)):
            for draw in range(draws):
                cuts += 1
                left = card.after_cut(fate, random.Random(f"{number}/{draw}"))
                why = unsound(left, folder, promised[heard : heard + 2])
                wrong += [f"after step {number}, {fate.value}: {why}"] if why else []
    return cuts, wrong


def unsound(files: Files, folder: Path, allowed: list[State]) -> str:
    """What is wrong with a card; empty where it holds the old state or the new one, with whole releases."""
    for file in folder.glob("updates/*"):
        file.unlink()
    for name, content in files.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(content)
    store = Store(folder)
    state = store.state()
    if state not in allowed:
        return f"a state that never was promised: {state}"
    for named in (state.running, state.trial.release if state.trial else None):
        try:
            release = store.read(named)
        except ReleaseRefused as error:
            return str(error)
        if named is not None and not release.files["settings.toml"].startswith(f"heartbeat_s = {named.number}\n"):
            return "a mix"
    return ""


async def test_every_cut_leaves_the_old_or_the_new_release_and_who_does_not_wait_for_the_disk_is_caught(
    tmp_path: Path, debian_package: DebianPackages
) -> None:
    debian_package("strace")
    try:
        traced(tmp_path / "tried")
    except CannotBeHad as missing:
        pytest.skip(str(missing))
    sound, unsynced = await asyncio.gather(
        recorded(tmp_path / "sound", "sound"), recorded(tmp_path / "unsynced", "unsynced")
    )
    card = tmp_path / "card"
    card.mkdir()
    cuts, wrong = broken(sound, card)
    assert wrong == []
    assert cuts > 500
    assert broken(unsynced, card)[1], "the proof cannot fail"


async def test_a_gateway_starts_after_every_cut(tmp_path: Path, debian_package: DebianPackages) -> None:
    debian_package("strace")
    steps = await recorded(tmp_path / "sound", "sound")
    config = settings(tmp_path)
    card = Card()
    for number, step in enumerate(steps, start=1):
        card.take(step.deed)
        if number % 3:  # a start reads all rules: a third of the cuts is enough
            continue
        unsound(card.after_cut(Fate.PART, random.Random(number)), config.folder, [])
        assert start(config, clock=FakeClock()).fitted.config.gateway == "home-03"
