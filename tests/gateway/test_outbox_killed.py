"""SIGKILL at any moment, and a card that is full: what was promised is in the file, what is not is said."""

import json
import random
import subprocess
import sys
from pathlib import Path

from kanhu.contract import FakeClock, Lane, Observation
from kanhu.gateway import Outbox
from tests.gateway.records import heart_rate

_KILLS = 6
_ROOT = Path(__file__).resolve().parents[2]


def accept_until_killed(file: Path, *, lines: int) -> dict[int, int]:
    """Kill the process after so many promises; returns every promise that got out of it."""
    command = [sys.executable, "-m", "tests.gateway.accepting_process", str(file)]
    promised: dict[int, int] = {}
    with subprocess.Popen(command, cwd=_ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if line.endswith("\n"):  # a line cut short by the kill is no promise
                seq, number = line.split()
                promised[int(seq)] = int(number)
            if len(promised) == lines:
                process.kill()
        process.wait()
    return promised


def test_every_promise_survives_a_kill(tmp_path: Path) -> None:
    file = tmp_path / "outbox.db"
    seed = random.SystemRandom().randrange(1 << 32)
    dice = random.Random(seed)
    promised: dict[int, int] = {}
    for _ in range(_KILLS):
        promised |= accept_until_killed(file, lines=dice.randrange(1, 60))
    outbox = Outbox.open(file, clock=FakeClock(), max_bytes=1 << 24)
    found: dict[int, Observation] = {}
    while batch := outbox.batch(Lane.LIVE, after=max(found, default=0)):
        found |= {seq: record for seq, record in batch if isinstance(record, Observation)}
    print(f"seed {seed}: {_KILLS} kills, {len(promised)} promises, {len(found)} rows")  # noqa: T201  # a seed is always shown
    assert promised
    assert {seq: found.get(seq) for seq in promised} == {seq: heart_rate(number) for seq, number in promised.items()}
    assert int(outbox.states()["r-0003"]) == max(record.times.mono_ns for record in found.values()) // 10**9
    outbox.close()


def test_a_card_without_space_refuses_loses_nothing_accepted_and_drains(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.gateway.full_card_process", str(tmp_path / "outbox.db")]
    told = json.loads(subprocess.run(command, cwd=_ROOT, capture_output=True, check=True, text=True).stdout)
    assert told["refused"] > 0, "the limit was never reached"
    assert told["held"] == told["accepted"]
    assert told["settled"] == len(told["accepted"])
    assert told["left"] == 0
