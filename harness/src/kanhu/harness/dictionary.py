"""Train the zstd dictionary that envelopes share, on seeded traffic of many homes, and weigh what it saves.

Only what homes have in common may settle in it: codes, words, typical differences. Every home therefore has its own
epoch, boot, people and devices. Another dictionary needs another compression number in `kanhu.contract.envelope`.
"""

import argparse
import random
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
import zstandard

from kanhu.contract import (
    ClockState,
    Context,
    Envelope,
    Evidence,
    Finding,
    Gap,
    GapReason,
    Motion,
    Observation,
    Part,
    Phase,
    Posture,
    Priority,
    Quality,
    QualityLevel,
    QualityReason,
    Record,
    Subject,
    SubjectKind,
    Times,
    alert_id,
    encode_envelope,
)
from kanhu.contract.envelope import encode_body
from kanhu.harness.report import Output, Report, finish

__all__ = ["DICTIONARY_ID", "Home", "envelopes", "figures", "main", "train"]

NAME = "dictionary"
DICTIONARY_ID = 0x6B680001
"""Stated in every frame; bytes `01 00 68 6b`. Fixed, because zstd would draw another one at each training."""

_LARGEST_BYTES = 8 * 1024  # 16 KiB saves one byte in a hundred more, and every gateway holds it in memory
_LEVEL = 9
_TRAINING_ENVELOPES = 1500
_WEIGHED_READINGS = 3000
_BATCHES = (1, 10, 100)
_DAY_MS = 24 * 60 * 60 * 1000
_FIRST_DAY_MS = 1_790_000_000_000


@dataclass(slots=True)
class Home:
    """One gateway with its people's usual values; clocks and sequence numbers go on from call to call."""

    draw: random.Random
    gateway: str = ""
    epoch: str = ""
    boot: str = ""
    seq: int = 0
    wall_ms: int = 0
    mono_ns: int = 0
    subjects: tuple[Subject, ...] = ()
    usual: dict[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Draw who lives here."""
        number = self.draw.randint(1, 9999)
        self.gateway = f"{self.draw.choice(('home', 'home', 'clinic'))}-{number:02d}"
        self.epoch, self.boot = (f"{self.draw.getrandbits(128):032x}" for _ in range(2))
        self.seq = self.draw.choice((0, self.draw.randint(1, 300), self.draw.randint(1, 10**6)))
        self.wall_ms = _FIRST_DAY_MS + self.draw.randrange(1000 * _DAY_MS)
        self.mono_ns = self.draw.randrange(10**15)
        self.subjects = tuple(
            Subject(SubjectKind.RESIDENT, f"r-{self.draw.randint(1, 9999):04d}") for _ in range(self.draw.randint(1, 2))
        )
        self.usual = {
            "systolic": self.draw.gauss(138, 16),
            "diastolic": self.draw.gauss(80, 9),
            "pulse": self.draw.gauss(74, 9),
            "spo2": self.draw.gauss(95.5, 1.8),
        }

    def times(self, passed_ms: float, *, device_offset_ms: int | None = None) -> Times:
        """Let time pass, with the jitter of a radio link, and read the clocks."""
        passed_ns = round(passed_ms * 1e6) + self.draw.randrange(4_000_000)
        self.mono_ns += passed_ns
        self.wall_ms += passed_ns // 1_000_000
        clock = ClockState.SYNCED if self.draw.random() < 0.95 else ClockState.RESTORED
        device_ms = None if device_offset_ms is None else (self.wall_ms + device_offset_ms) // 1000 * 1000
        return Times(self.wall_ms, self.mono_ns, self.boot, clock, device_ms)

    def device(self, kind: str) -> str:
        """Id as an installer writes it: kind and the number of the home."""
        return f"{kind}-{self.gateway.rpartition('-')[2]}"

    def around(self, what: str, spread: float) -> int:
        """One draw around the usual value."""
        return max(1, round(self.draw.gauss(self.usual[what], spread)))


def train(seed: int) -> bytes:
    """Dictionary from one seed; its bytes also depend on the version of zstd, its id does not."""
    bodies: list[bytes | bytearray | memoryview] = [
        encode_body(envelope) for envelope in envelopes(seed, _TRAINING_ENVELOPES)
    ]
    return zstandard.train_dictionary(_LARGEST_BYTES, bodies, level=_LEVEL, dict_id=DICTIONARY_ID).as_bytes()


def envelopes(seed: int, count: int) -> Iterator[Envelope]:
    """Traffic of as many homes: single records that must leave at once, small batches, full ones."""
    draw = random.Random(seed)
    for _ in range(count):
        home = Home(draw)
        scene = draw.choices(tuple(_SCENES), weights=tuple(_SCENES.values()))[0]
        longest = draw.choice((1, 5, 20, 100))
        yield _envelope(home, _take(scene, home, longest))


def figures(dictionary: bytes, *, seed: int) -> dict[str, float]:
    """Bytes a reading on traffic that the dictionary was not trained on, beside two ways without it."""
    shared = zstandard.ZstdCompressionDict(dictionary, dict_type=zstandard.DICT_TYPE_FULLDICT)
    with_dictionary = zstandard.ZstdCompressor(level=_LEVEL, dict_data=shared, write_checksum=True)
    without = zstandard.ZstdCompressor(level=_LEVEL, write_checksum=True)
    found: dict[str, float] = {"dictionary_bytes": len(dictionary)}
    for size in _BATCHES:
        draw = random.Random(seed + size)
        readings, sums = 0, dict.fromkeys(("dictionary", "plain", "rows", "shipped"), 0)
        while readings < _WEIGHED_READINGS:
            home = Home(draw)
            envelope = _envelope(home, _take(draw.choice(_ROUTINE), home, size))
            body = encode_body(envelope)
            readings += len(envelope.records)
            sums["dictionary"] += 4 + len(with_dictionary.compress(body))
            sums["plain"] += 4 + len(without.compress(body))
            sums["rows"] += len(msgspec.msgpack.encode(envelope.records))
            sums["shipped"] += len(encode_envelope(envelope))
        for way, total in sums.items():
            found[f"batch_{size}_{way}_bytes_a_reading"] = round(total / readings, 1)
    return found


def main(arguments: Sequence[str] | None = None) -> int:
    """Train, write where asked, and print what it saves."""
    parser = argparse.ArgumentParser(prog="python -m kanhu.harness.dictionary", description=__doc__)
    parser.add_argument("--out", type=Path, help="file to write; without it the dictionary is only weighed")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", action="store_true", help="end with one JSON object on a line of its own")
    options = parser.parse_args(arguments)
    dictionary = train(options.seed)
    if options.out is not None:
        options.out.write_bytes(dictionary)
    measured = figures(dictionary, seed=options.seed + 1)
    versions = {"zstandard": zstandard.__version__, "zstd": ".".join(map(str, zstandard.ZSTD_VERSION))}
    output = Output.TABLE_AND_JSON if options.json else Output.TABLE
    return finish(Report(NAME, measured, {}, seed=options.seed, versions=versions), output=output)


_Scene = Callable[[Home], Iterator[Record]]


def _take(scene: _Scene, home: Home, longest: int) -> list[Record]:
    return [record for record, _ in zip(scene(home), range(longest), strict=False)]


def _envelope(home: Home, records: Sequence[Record]) -> Envelope:
    numbered = []
    for record in records:
        home.seq += 1 if home.draw.random() < 0.9 else home.draw.randint(1, 4)  # the other lanes take numbers too
        numbered.append((home.seq, record))
    return Envelope(home.gateway, home.epoch, tuple(numbered))


def _strap(home: Home) -> Iterator[Record]:
    while True:
        yield _strap_reading(home, 1000)


def _oximeter(home: Home) -> Iterator[Record]:
    while True:
        yield _oximeter_reading(home, 10_000)


def _worn_together(home: Home) -> Iterator[Record]:
    while True:
        for _ in range(10):
            yield _strap_reading(home, 1000)
        yield _oximeter_reading(home, 5)


def _cuff(home: Home) -> Iterator[Record]:
    offset_ms = 8 * 3_600_000 + home.draw.randint(-60_000, 60_000)
    while True:
        for wait_ms in (home.draw.uniform(0.2, 0.5) * _DAY_MS, 65_000, 65_000):
            systolic, diastolic = home.around("systolic", 8), home.around("diastolic", 5)
            values = (systolic, diastolic, (systolic + 2 * diastolic) // 3, home.around("pulse", 4))
            codes = ("systolic", "diastolic", "mean_pressure", "pulse_cuff")
            yield Observation(
                "bp",
                tuple(Part(code, (value * 100,)) for code, value in zip(codes, values, strict=True)),
                home.subjects[0],
                home.device("cuff"),
                home.times(wait_ms, device_offset_ms=offset_ms),
                _quality(home, (QualityReason.CUFF_LOOSE, QualityReason.MOTION, QualityReason.IMPLAUSIBLE_PAIR)),
                Context(posture=home.draw.choice((None, Posture.SITTING))),
            )


def _dwelling(home: Home) -> Iterator[Record]:
    subject = Subject(SubjectKind.DWELLING, home.gateway)
    while True:
        code = home.draw.choice(("motion", "motion", "motion", "contact", "usage", "room_temperature", "room_humidity"))
        step = home.draw.randint(1400, 6500) if code.startswith("room") else home.draw.randint(0, 1)
        wait_ms = home.draw.expovariate(1 / 240_000)
        yield Observation(code, (Part(code, (step,)),), subject, home.device(code[:7]), home.times(wait_ms))


def _help(home: Home) -> Iterator[Record]:
    press = Observation(
        "help_button", (Part("help_button", (1,)),), home.subjects[0], home.device("button"), home.times(0)
    )
    yield press
    yield _finding((press,), rule="SOS", priority=Priority.HIGH, params={})


def _low_oxygen(home: Home) -> Iterator[Record]:
    home.usual["spo2"] = home.draw.uniform(82, 90)
    seen = []
    for _ in range(3):
        seen.append(_oximeter_reading(home, 10_000))
        yield seen[-1]
    params = {"value": str(seen[-1].value("spo2")), "limit": "92", "count": "3"}
    yield _finding(seen, rule="SPO2-LOW", priority=Priority.MEDIUM, params=params)


def _high_pressure(home: Home) -> Iterator[Record]:
    home.usual.update(systolic=190, diastolic=112)
    readings = _cuff(home)
    first, second = (reading for reading in (next(readings), next(readings)) if isinstance(reading, Observation))
    yield from (first, second)
    params = {"systolic": "189", "diastolic": "111", "systolic_limit": "180", "diastolic_limit": "110"}
    yield _finding((first, second), rule="BP-SEVERE", priority=Priority.MEDIUM, params=params)


def _gap(home: Home) -> Iterator[Record]:
    first = home.draw.randint(1, 10**5)
    ranges = tuple((first + 2 * n, first + 2 * n) for n in range(home.draw.randint(1, 40)))
    yield Gap(
        GapReason.OUTBOX_FULL, "heart_rhythm", ranges, home.wall_ms - 9_000_000, home.wall_ms - 1000, home.times(1)
    )


def _strap_reading(home: Home, passed_ms: float) -> Observation:
    rate_bpm = home.around("pulse", 3)
    beats = home.draw.choices((0, 1, 2), weights=(1, 8, 3))[0]
    intervals = tuple(round(1024 * 60 / max(30, home.draw.gauss(rate_bpm, 2))) * 125 for _ in range(beats))
    parts = (Part("heart_rate", (rate_bpm,)), *((Part("rr_interval", intervals),) if intervals else ()))
    quality = _quality(home, (QualityReason.MOTION, QualityReason.NO_CONTACT))
    context = Context(motion=home.draw.choices((None, Motion.STILL, Motion.MOVING), weights=(8, 1, 1))[0])
    return Observation(
        "heart_rhythm", parts, home.subjects[0], home.device("strap"), home.times(passed_ms), quality, context
    )


def _oximeter_reading(home: Home, passed_ms: float) -> Observation:
    parts = (
        Part("spo2", (min(100, home.around("spo2", 0.7)) * 10,)),
        Part("pulse_oximeter", (home.around("pulse", 3) * 10,)),
    )
    reasons = (
        QualityReason.FINGER_OUT,
        QualityReason.SEARCHING,
        QualityReason.WEAK_SIGNAL,
        QualityReason.UNSTABLE,
        QualityReason.LOW_PERFUSION,
    )
    quality = _quality(home, reasons)
    return Observation("oximetry", parts, home.subjects[-1], home.device("oximeter"), home.times(passed_ms), quality)


def _quality(home: Home, reasons: Sequence[QualityReason]) -> Quality:
    if home.draw.random() < 0.93:
        return Quality()
    return Quality(QualityLevel.QUESTIONABLE, tuple(home.draw.sample(reasons, home.draw.randint(1, 2))))


def _finding(
    seen: Sequence[Observation],
    *,
    rule: str,
    priority: Priority,
    params: Mapping[str, str],
) -> Finding:
    evidence = tuple(
        Evidence(each.parts[0].metric, each.parts[0].steps[0], each.device, each.times.boot, each.times.mono_ns,
                 each.times.arrival_ms)
        for each in seen
    )  # fmt: skip
    return Finding(
        alert_id=alert_id(seen[0].subject, rule, evidence[0]),
        rule=rule,
        rule_version="2026.11",
        subject=seen[0].subject,
        priority=priority,
        phase=Phase.START,
        reason="confirmed",
        times=seen[-1].times,
        evidence=evidence,
        params=dict(params),
    )


_SCENES: dict[_Scene, int] = {
    _strap: 6,
    _oximeter: 6,
    _worn_together: 6,
    _cuff: 6,
    _dwelling: 3,
    _help: 2,
    _low_oxygen: 2,
    _high_pressure: 1,
    _gap: 1,
}
_ROUTINE = (_strap, _oximeter, _worn_together, _cuff)


if __name__ == "__main__":
    sys.exit(main())
