"""Commands of the owner of a county: one that fails, hangs or prints garbage is named, and breaks no clause."""

import asyncio
import os
from pathlib import Path
from time import monotonic

import pytest

from kanhu.harness.conform import bench
from kanhu.harness.conform.bench import LedgerCommand, PowerCommands
from kanhu.harness.errors import ProgramFailed


def _prints(text: str) -> LedgerCommand:
    return LedgerCommand(f"printf %s '{text}'")


@pytest.mark.parametrize(
    "printed",
    [
        "garbage",
        '{"gateway": "conform-01", "epoch": "e", "seq": "1", "sha256": "x"}',
        '{"gateway": "conform-01", "epoch": "e", "seq": true, "sha256": "x"}',
        '{"gateway": "conform-01", "epoch": "e", "seq": 1}',
        "[]",
    ],
)
async def test_a_ledger_that_prints_no_records_is_named(printed: str) -> None:
    with pytest.raises(ProgramFailed, match="see --ledger"):
        await _prints(printed).rows()


async def test_a_ledger_that_is_not_there_is_no_broken_clause() -> None:
    with pytest.raises(ProgramFailed, match="no-such-dump"):
        await LedgerCommand("no-such-dump --all").rows()


async def test_a_ledger_that_hangs_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench, "_COMMAND_S", 0.3)
    with pytest.raises(ProgramFailed, match="had not ended"):
        await LedgerCommand("sleep 600").rows()


async def test_a_start_that_leaves_the_county_running_returns() -> None:
    began_s = monotonic()
    await PowerCommands("true", "sh -c 'sleep 20 & echo $!'").start()
    assert monotonic() - began_s < 15


async def test_a_command_is_ended_with_whoever_waits_for_it(tmp_path: Path) -> None:
    note = tmp_path / "pid"
    running = asyncio.create_task(LedgerCommand(f"sh -c 'echo $$ > {note}; exec sleep 600'").rows(), name="ledger")
    while not (note.exists() and note.read_text(encoding="ascii")):  # noqa: ASYNC110  # a process has no event
        await asyncio.sleep(0.02)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    with pytest.raises(ProcessLookupError):
        os.kill(int(note.read_text(encoding="ascii")), 0)
