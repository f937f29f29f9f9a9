"""A recording as the one who compares knows it: people, happenings, true extremes, silences. No reading is opened."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import msgspec

from kanhu.cloud.errors import OutcomeRefused
from kanhu.cloud.replay.outcome import Alert, Counts, read_outcome
from kanhu.contract import ContractError
from kanhu.contract.recording import FORMAT, MANIFEST_FILE, TRUTH_FILE, VILLAGE_FILE, Manifest, Silence, decode_plan
from kanhu.firmware_sim.errors import TruthRefused
from kanhu.firmware_sim.truth import Demand, Extremes, Happening, Person, read_truth
from kanhu.harness.errors import RecordingUnusable

__all__ = ["Known", "Outcome", "read_known", "read_outcome_file"]

_DAY_MS = 86_400_000


@dataclass(frozen=True, slots=True)
class Known:
    """Everything that truly happened in a recording."""

    manifest: Manifest
    people: dict[str, Person]
    happenings: tuple[Happening, ...]
    extremes: dict[str, tuple[Extremes, ...]]
    """By subject, in order of time."""
    silences: tuple[Silence, ...]
    village_of: dict[str, str]
    """By gateway."""
    demands: tuple[Demand, ...] = ()

    @property
    def days(self) -> float:
        """Length of the recording."""
        return (self.manifest.ends_ms - self.manifest.starts_ms) / _DAY_MS

    @property
    def person_days(self) -> float:
        """How much watching it is worth."""
        return self.manifest.people * self.days


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one judge made of a recording."""

    alerts: tuple[Alert, ...]
    counts: tuple[Counts, ...]


def read_known(folder: Path) -> Known:
    """Read the manifest, and truth and plan of each village.

    Raises:
        RecordingUnusable: a file is missing, damaged or of another format.
    """
    manifest = _manifest(folder)
    people: dict[str, Person] = {}
    happenings: list[Happening] = []
    extremes: defaultdict[str, list[Extremes]] = defaultdict(list)
    silences: list[Silence] = []
    demands: list[Demand] = []
    for village in manifest.villages:
        try:
            silences += decode_plan((folder / village / VILLAGE_FILE).read_bytes(), place=village).silences
            with (folder / village / TRUTH_FILE).open("rb") as lines:
                for line in read_truth(lines, place=f"{village}/{TRUTH_FILE}"):
                    match line:
                        case Person():
                            people[line.subject] = line
                        case Happening():
                            happenings.append(line)
                        case Extremes():
                            extremes[line.subject].append(line)
                        case Demand():
                            demands.append(line)
        except (OSError, ContractError, TruthRefused) as error:
            raise RecordingUnusable(str(folder / village), f"{error}; record it again") from error
    known_at = {each.gateway: each.village for each in happenings if each.gateway}
    return Known(
        manifest=manifest,
        people=people,
        happenings=tuple(sorted(happenings, key=lambda each: (each.onset_ms, each.id))),
        extremes={subject: tuple(sorted(days, key=lambda day: day.from_ms)) for subject, days in extremes.items()},
        silences=tuple(silences),
        village_of=known_at | {each.gateway: each.village for each in people.values()},
        demands=tuple(demands),
    )


def read_outcome_file(path: Path) -> Outcome:
    """Read what a judge wrote down.

    Raises:
        RecordingUnusable: it is missing, cut short or damaged.
    """
    alerts: list[Alert] = []
    counts: list[Counts] = []
    try:
        with path.open("rb") as lines:
            for line in read_outcome(_whole(lines), place=path.name):
                if isinstance(line, Alert):
                    alerts.append(line)
                else:
                    counts.append(line)
    except (OSError, OutcomeRefused) as error:
        raise RecordingUnusable(str(path), f"{error}; judge the recording again") from error
    return Outcome(tuple(sorted(alerts, key=lambda each: (each.village, each.alert))), tuple(counts))


def _whole(lines: Iterator[bytes]) -> Iterator[bytes]:
    return (line for line in lines if line.strip())


def _manifest(folder: Path) -> Manifest:
    path = folder / MANIFEST_FILE
    try:
        manifest = msgspec.json.decode(path.read_bytes(), type=Manifest)
    except OSError as error:
        raise RecordingUnusable(str(path), "is not there; record the county first") from error
    except (msgspec.MsgspecError, ValueError) as error:
        raise RecordingUnusable(str(path), f"{error}; record it again") from error
    if manifest.format != FORMAT:
        raise RecordingUnusable(str(path), f"format {manifest.format}, this program reads {FORMAT}; record it again")
    return manifest
