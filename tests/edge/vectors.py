"""Published frames under tests/vectors, one file a device."""

import json
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

_FOLDER = Path(__file__).resolve().parents[1] / "vectors"


@dataclass(frozen=True, slots=True)
class Vector:
    """One case; `given` is everything the file says of it."""

    name: str
    frame: bytes
    expected: dict[str, Any]
    given: dict[str, Any]


def vectors(device: str) -> list[Vector]:
    """Read all cases of a device; numbers with a point stay exact."""
    text = (_FOLDER / device / "published.json").read_text(encoding="utf-8")
    cases = json.loads(text, parse_float=Decimal)["cases"]
    return [Vector(case["name"], bytes.fromhex(case["hex"]), case["expected"], case) for case in cases]


def name_of(vector: Vector) -> str:
    """Id of a parametrised case."""
    return f"{vector.name}-{vector.frame.hex()}"
