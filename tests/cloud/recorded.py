"""Small recordings made by hand: one or two villages, readings with true times, silences, and what staff do."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from kanhu.cloud.replay.command import replay
from kanhu.cloud.replay.outcome import Alert, Counts, read_outcome
from kanhu.contract import (
    ClockState,
    Observation,
    Part,
    Quality,
    Subject,
    SubjectKind,
    Times,
)
from kanhu.contract.recording import (
    MANIFEST_FILE,
    READINGS_FILE,
    SITE_FILE,
    VILLAGE_FILE,
    Manifest,
    Reaction,
    Recorded,
    Silence,
    VillagePlan,
    encode_plan,
    pack_day,
)

START_MS = 1_772_380_800_000  # Monday, 2026-03-02 00:00 in Shanghai
SECOND_MS = 1000
MINUTE_MS = 60 * SECOND_MS
HOUR_MS = 60 * MINUTE_MS
DAY_MS = 24 * HOUR_MS
EPOCH = "e" * 32
BOOT = "b" * 32
GOOD = Quality()
PROMPT = (Reaction(60, 300),)


@dataclass
class Village:
    """Readings of one village in the making."""

    name: str = "v001"
    readings: list[Recorded] = field(default_factory=list)
    plan: VillagePlan | None = None
    tags: dict[str, tuple[str, ...]] = field(default_factory=dict)
    homes: int = 2
    seqs: dict[str, int] = field(default_factory=lambda: defaultdict(int))

    def gateway(self, number: int) -> str:
        return f"{self.name}-home-{number}"

    def resident(self, number: int) -> str:
        return f"{self.name}-r-{number}"

    def add(
        self,
        true_ms: int,
        metric: str,
        *parts: Part,
        number: int = 1,
        device: str = "device-1",
        quality: Quality = GOOD,
        ahead_ms: int = 0,
        boot: str = BOOT,
        clock: ClockState = ClockState.SYNCED,
        subject: Subject | None = None,
    ) -> Recorded:
        gateway = self.gateway(number)
        self.seqs[gateway] += 1
        times = Times(max(0, true_ms + ahead_ms), (true_ms - START_MS) * 1_000_000 + 10**12, boot, clock)
        person = Subject(SubjectKind.RESIDENT, self.resident(number)) if subject is None else subject
        observation = Observation(metric, parts, person, device, times, quality)
        recorded = Recorded(true_ms, gateway, EPOCH, self.seqs[gateway], observation)
        self.readings.append(recorded)
        return recorded

    def press(self, true_ms: int, *, number: int = 1, **rest: object) -> Recorded:
        return self.add(true_ms, "help_button", Part("help_button", (1,)), number=number, device="button-1", **rest)  # type: ignore[arg-type]  # as `add` has them

    def pressure(self, true_ms: int, systolic: int, diastolic: int, *, number: int = 1) -> Recorded:
        parts = (Part("systolic", (systolic * 100,)), Part("diastolic", (diastolic * 100,)))
        return self.add(true_ms, "bp", *parts, Part("pulse_cuff", (7200,)), number=number, device="cuff-1")

    def oximetry(self, true_ms: int, spo2: int, *, number: int = 1, pulse: int = 72) -> Recorded:
        parts = (Part("spo2", (spo2 * 10,)), Part("pulse_oximeter", (pulse * 10,)))
        return self.add(true_ms, "oximetry", *parts, number=number, device="oximeter-1")

    def strap(self, true_ms: int, bpm: int, rr_ms: Sequence[int] = (), *, number: int = 1) -> Recorded:
        parts = [Part("heart_rate", (bpm,))]
        if rr_ms:
            parts.append(Part("rr_interval", tuple(rr * 128 for rr in rr_ms)))
        return self.add(true_ms, "heart_rhythm", *parts, number=number, device="strap-1")

    def silence(self, from_ms: int, to_ms: int, *, number: int = 1, cause: str = "link") -> Silence:
        return Silence(self.gateway(number), from_ms, to_ms, cause)


def record(
    folder: Path,
    *villages: Village,
    days: int = 1,
    frames: Iterable[bytes] | None = None,
    readings: int | None = None,
) -> Path:
    """Write a recording; `frames` replaces those of the first village."""
    folder.mkdir(parents=True, exist_ok=True)
    site = ['[[place]]\nid = "county"\nkind = "county"\nzh = "县"\nen = "County"\n']
    total = 0
    for village in villages:
        site.append(f'[[place]]\nid = "{village.name}"\nkind = "village"\nzh = "村"\nen = "V"\nparent = "county"\n')
        for number in range(1, village.homes + 1):
            gateway, resident = village.gateway(number), village.resident(number)
            site.append(f'[[gateway]]\nid = "{gateway}"\nkind = "home"\nplace = "{village.name}"\n')
            site.append(
                f'[[resident]]\nid = "{resident}"\ngateway = "{gateway}"\nplace = "{village.name}"\nname = "张"\n'
                f"tags = {list(village.tags.get(resident, ()))}\n"
            )
        own = folder / village.name
        own.mkdir(exist_ok=True)
        by_day: dict[int, list[Recorded]] = defaultdict(list)
        for recorded in sorted(village.readings, key=lambda one: (one.gateway, one.seq)):
            by_day[(recorded.true_ms - START_MS) // DAY_MS].append(recorded)
        packed = [frame for day in sorted(by_day) for frame in pack_day(day, by_day[day])]
        if frames is not None and village is villages[0]:
            packed = [*frames]
        (own / READINGS_FILE).write_bytes(b"".join(packed))
        (own / VILLAGE_FILE).write_bytes(encode_plan(village.plan or VillagePlan(village.name)))
        total += len(village.readings)
    (folder / SITE_FILE).write_text("\n".join(site), encoding="utf-8")
    manifest = Manifest(
        name="by hand",
        seed=1,
        starts_ms=START_MS,
        ends_ms=START_MS + days * DAY_MS,
        timezone="Asia/Shanghai",
        people=sum(village.homes for village in villages),
        readings=total if readings is None else readings,
        villages=tuple(village.name for village in villages),
    )
    (folder / MANIFEST_FILE).write_bytes(msgspec.json.encode(manifest))
    return folder


def outcome(folder: Path, *villages: Village, days: int = 1) -> tuple[list[Alert], list[Counts]]:
    """Record, replay, read back."""
    recording = record(folder / "recording", *villages, days=days)
    replay(recording, folder / "outcome", pack=None, jobs=1, progress=None)
    return read(folder / "outcome")


def read(file: Path) -> tuple[list[Alert], list[Counts]]:
    """Alerts and accounts of an outcome."""
    with file.open("rb") as stream:
        lines = [*read_outcome(stream, place=str(file))]
    return [line for line in lines if isinstance(line, Alert)], [line for line in lines if isinstance(line, Counts)]
