"""A reader written from docs/spec alone, sharing no code with kanhu, reads every golden envelope to the same words.

It knows msgpack, zstd and the pages of the spec; `in_words` of the golden messages is what it must arrive at.
"""

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
import zstandard

FOLDER = Path(__file__).parents[1] / "vectors" / "contract" / "golden_v1"
DICTIONARY = Path(__file__).parents[2] / "contract/src/kanhu/contract/envelope_v1.zdict"

TIMES = ("arrival_ms", "mono_ns", "boot", "clock", "device_ms", "earliest_ms", "latest_ms")
CONTEXT = ("meal", "posture", "motion", "oxygen")
EVIDENCE = ("metric", "steps", "device", "boot", "mono_ns", "arrival_ms")
WHOLE: dict[str, tuple[str, tuple[str, ...]]] = {
    "w": ("Waveform", ("metric", "subject", "device", "times", "rate_millihertz", "step_nano", "samples", "quality")),
    "f": (
        "Finding",
        ("alert_id", "rule", "rule_version", "subject", "priority", "phase", "reason", "times", "evidence", "params",
         "actions"),
    ),
    "g": ("Gap", ("reason", "metric", "ranges", "from_ms", "to_ms", "times")),
}  # fmt: skip


def named(names: tuple[str, ...], values: list[Any]) -> dict[str, Any]:
    return dict(zip(names, values, strict=True))


def read_whole(fields: list[Any]) -> dict[str, Any]:
    kind, names = WHOLE[fields[0]]
    record = {"type": kind, **named(names, fields[1:])}
    for name, inner in (("times", TIMES), ("subject", ("kind", "id")), ("quality", ("level", "reasons"))):
        if name in record:
            record[name] = named(inner, record[name])
    if kind == "Finding":
        record["evidence"] = [named(EVIDENCE, each) for each in record["evidence"]]
    if kind == "Waveform":
        record["samples"] = record["samples"].hex()
    return record


def sums(differences: list[int | None]) -> list[int | None]:
    last, found = 0, []
    for difference in differences:
        last += difference or 0
        found.append(None if difference is None else last)
    return found


def read_envelope(wire: bytes) -> dict[str, Any]:
    assert wire[:3] == b"KH\x01"
    body = wire[4:]
    if wire[3]:
        dictionary = zstandard.ZstdCompressionDict(DICTIONARY.read_bytes()) if wire[3] == 2 else None
        body = zstandard.ZstdDecompressor(dict_data=dictionary).decompress(body)
    gateway, epoch, seqs, origins, origin, whole, *clocks, lengths, steps = msgspec.msgpack.decode(body)
    columns = [iter(sums(column)) for column in clocks]
    length_of = dict(zip(lengths[::2], lengths[1::2], strict=True))
    last: dict[tuple[str, str], int] = {}
    rest, part_index = iter(steps), 0
    travelling = iter(whole)
    records = []
    for seq, row in zip(sums(seqs), origin, strict=True):
        if row == -1:
            records.append([seq, read_whole(next(travelling))])
            continue
        metric, codes, subject, device, boot, clock, quality, context = origins[row]
        arrival, mono, *others = (next(column) for column in columns)
        parts = []
        for code in codes:
            values = []
            for _ in range(length_of.get(part_index, 1)):
                last[device, code] = last.get((device, code), 0) + next(rest)
                values.append(last[device, code])
            part_index += 1
            parts.append({"metric": code, "steps": values})
        observation = {
            "type": "Observation",
            "metric": metric,
            "parts": parts,
            "subject": named(("kind", "id"), subject),
            "device": device,
            "times": named(TIMES, [arrival, mono, boot, clock, *others]),
            "quality": named(("level", "reasons"), quality),
            "context": named(CONTEXT, context),
        }
        records.append([seq, observation])
    assert next(rest, None) is None
    return {"gateway": gateway, "epoch": epoch.hex(), "records": records}


def without_digests(words: dict[str, Any]) -> dict[str, Any]:
    for _, record in words["records"]:
        del record["sha256"]
    return words


@pytest.mark.parametrize("path", sorted(FOLDER.glob("envelope_*.bin")), ids=lambda path: path.stem)
def test_a_stranger_reads_what_the_spec_says(path: Path) -> None:
    words = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
    assert read_envelope(path.read_bytes()) == without_digests(words)
