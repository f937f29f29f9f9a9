"""A recording as the one who compares knows it: people, happenings, true extremes, silences. No reading is opened."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec

from kanhu.cloud.errors import OutcomeRefused
from kanhu.cloud.replay.outcome import Alert, Counts, read_outcome
from kanhu.contract import ContractError
from kanhu.contract.recording import FORMAT, MANIFEST_FILE, TRUTH_FILE, VILLAGE_FILE, Manifest, Silence, decode_plan
from kanhu.firmware_sim.errors import TruthRefused
from kanhu.firmware_sim.recording.village_writer import DONE_FILE, Done
from kanhu.firmware_sim.truth import Demand, Extremes, Happening, Person, read_truth
from kanhu.harness.errors import RecordingUnusable

__all__ = ["Known", "Outcome", "check_outcome", "read_known", "read_outcome_file"]

_DAY_MS = 86_400_000
_LAST_MS = 253_402_300_799_999
"""The end of the year 9999, the last that a calendar knows."""


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
        RecordingUnusable: a file is missing, damaged, of another format, or not the one that was recorded.
    """
    manifest = _manifest(folder)
    people: dict[str, Person] = {}
    happenings: list[Happening] = []
    extremes: defaultdict[str, list[Extremes]] = defaultdict(list)
    silences: list[Silence] = []
    demands: list[Demand] = []
    readings = 0
    for village in manifest.villages:
        try:
            readings += _done(folder / village, village).readings
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
    if readings != manifest.readings:
        said = f"{manifest.readings} readings, its villages have {readings}; record it again, or copy it whole"
        raise RecordingUnusable(str(folder / MANIFEST_FILE), said)
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


def check_outcome(outcome: Outcome, known: Known, *, path: Path) -> None:
    """See that an outcome accounts for this recording, each village and each alert once.

    Raises:
        RecordingUnusable: it is of another recording, cut short, or counts something twice.
    """
    fault = next(_faults(outcome, known), None)
    if fault is not None:
        raise RecordingUnusable(str(path), f"{fault}; judge this recording again")


def _faults(outcome: Outcome, known: Known) -> Iterator[str]:
    counted, villages = Counter(each.village for each in outcome.counts), known.manifest.villages
    for village in villages:
        if counted[village] != 1:
            yield f"{counted[village]} accounts of village {village!r}, where one belongs"
    for counts in outcome.counts:
        if counts.village not in villages:
            yield f"village {counts.village!r} is not in the recording"
        answered = counts.stored + counts.refused + counts.owed
        if answered > counts.readings:
            yield f"village {counts.village!r}: {answered} readings stored, refused or owed, and {counts.readings} came"
    readings = sum(each.readings for each in outcome.counts)
    if readings > known.manifest.readings:
        yield f"it counts {readings} readings, the recording has {known.manifest.readings}"
    for (village, name), times in Counter((each.village, each.alert) for each in outcome.alerts).items():
        if village not in villages:
            yield f"village {village!r} is not in the recording"
        if times > 1:
            yield f"alert {name!r} of village {village!r} stands there {times} times"
    for alert in outcome.alerts:
        if any(told.at_ms < known.manifest.starts_ms for told in alert.told):
            yield f"alert {alert.alert!r} was told before the recording begins"


def _done(folder: Path, village: str) -> Done:
    """What the recorder wrote last, of files that are still as it wrote them."""
    again = "record it again, or copy it whole"
    try:
        done = msgspec.json.decode((folder / DONE_FILE).read_bytes(), type=Done)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise RecordingUnusable(str(folder / DONE_FILE), f"{error}; {again}") from error
    if done.village != village:
        raise RecordingUnusable(str(folder), f"holds village {done.village!r}; {again}")
    if not done.is_of(folder):
        raise RecordingUnusable(str(folder), f"holds files that are not those {DONE_FILE} names; {again}")
    return done


def _whole(lines: Iterator[bytes]) -> Iterator[bytes]:
    return (line for line in lines if line.strip())


def _manifest(folder: Path) -> Manifest:
    path = folder / MANIFEST_FILE
    try:
        manifest = msgspec.json.decode(path.read_bytes(), type=Manifest)
    except OSError as error:
        raise RecordingUnusable(str(path), "is not there; record the county first") from error
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise RecordingUnusable(str(path), f"{error}; record it again") from error
    if manifest.format != FORMAT:
        raise RecordingUnusable(str(path), f"format {manifest.format}, this program reads {FORMAT}; record it again")
    if not manifest.starts_ms < manifest.ends_ms <= _LAST_MS:
        raise RecordingUnusable(str(path), "it ends before it begins, or never; record it again")
    if len(set(manifest.villages)) < len(manifest.villages):
        raise RecordingUnusable(str(path), "a village stands there twice; record it again")
    try:
        ZoneInfo(manifest.timezone)
    except (KeyError, ValueError, OSError) as error:
        raise RecordingUnusable(str(path), f"no time zone {manifest.timezone!r}; record it again") from error
    return manifest
