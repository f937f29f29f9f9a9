"""A scenario at depth pure: the simulator records it, the county's replay judges it, both as programs of their own."""

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from kanhu.cloud.replay.outcome import Alert, read_outcome
from kanhu.contract.recording import MANIFEST_FILE, TRUTH_FILE, Manifest
from kanhu.firmware_sim.truth import Demand, read_truth
from kanhu.harness.errors import ProgramFailed
from kanhu.harness.prove.demands import Judgement, Raised, Telling, judge

__all__ = ["play_pure", "record", "replay", "verdict"]

_TIMEOUT_S = 300


def play_pure(scenario: Path, folder: Path, *, recordings: Path | None = None, pack: Path | None = None) -> Judgement:
    """Record, replay and compare; `folder` is new or empty.

    Raises:
        ProgramFailed: one of the two programs did not end well.
    """
    recording = record(scenario, folder / "recording", recordings=recordings)
    return verdict(recording, replay(recording, folder / "outcome.ndjson", pack=pack))


def record(scenario: Path, out: Path, *, recordings: Path | None = None) -> Path:
    """What `kanhu-sim record` makes of it.

    Raises:
        ProgramFailed: it did not end well.
    """
    asked = ["kanhu-sim", "record", "--scenario", str(scenario), "--out", str(out)]
    _run([*asked, *(("--recordings", str(recordings)) if recordings else ())])
    return out


def replay(
    recording: Path, out: Path, *, pack: Path | None = None, environment: Mapping[str, str] | None = None
) -> Path:
    """What `kanhu-cloud replay` makes of that.

    Raises:
        ProgramFailed: it did not end well.
    """
    asked = ["kanhu-cloud", "replay", "--recording", str(recording), "--out", str(out)]
    _run([*asked, *(("--pack", str(pack)) if pack else ())], environment=environment)
    return out


def verdict(recording: Path, outcome: Path) -> Judgement:
    """Compare the demands of a recording with the alerts of an outcome."""
    manifest = msgspec.json.decode((recording / MANIFEST_FILE).read_bytes(), type=Manifest)
    demands: list[Demand] = []
    for village in manifest.villages:
        file = recording / village / TRUTH_FILE
        with file.open("rb") as lines:
            demands += [line for line in read_truth(lines, place=str(file)) if isinstance(line, Demand)]
    with outcome.open("rb") as lines:
        alerts = [line for line in read_outcome(lines, place=str(outcome)) if isinstance(line, Alert)]
    judgement = judge(demands, [_raised(alert) for alert in alerts])
    if not manifest.readings and all(demand.forbidden for demand in demands):  # who says nothing would keep it
        judgement.missing.append("no reading was recorded: nothing could follow from any")
    return judgement


def _raised(alert: Alert) -> Raised:
    tellings = tuple(Telling(told.at_ms, told.priority) for told in alert.told)
    return Raised(alert.subject, alert.rule, tellings, alert.level)


def _run(asked: Sequence[str], *, environment: Mapping[str, str] | None = None) -> None:
    program = str(Path(sys.executable).with_name(asked[0]))
    try:
        done = subprocess.run(
            [program, *asked[1:]],
            capture_output=True,
            text=True,
            check=False,
            timeout=_TIMEOUT_S,
            env={**os.environ, **(environment or {})},
        )
    except subprocess.TimeoutExpired as error:
        raise ProgramFailed(" ".join(asked), f"it had not ended after {_TIMEOUT_S} s") from error
    if done.returncode:
        raise ProgramFailed(" ".join(asked), done.stdout + done.stderr)
