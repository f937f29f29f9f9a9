"""Frames that a publisher of a format has shown, by the name of the codec that reads them."""

import json
from collections.abc import Iterator
from pathlib import Path

__all__ = ["ROOT", "published_frames"]

ROOT = Path(__file__).resolve().parents[5]


def published_frames(target: str) -> Iterator[bytes]:
    """Of `module.function`; nothing where there are none."""
    file = ROOT / "tests" / "vectors" / target.split(".", 1)[0] / "published.json"
    if file.exists():
        for case in json.loads(file.read_text(encoding="utf-8"))["cases"]:
            yield bytes.fromhex(case["hex"])
