"""Read a file of published frames, in the form of `tests/vectors/device_vectors.json`."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from kanhu.harness.errors import VectorsRefused
from kanhu.harness.vectors.vector import Vector

__all__ = ["read_vectors"]


def read_vectors(file: Path) -> list[Vector]:
    """All records, in the order of the file.

    Raises:
        VectorsRefused: it is not there, is no JSON, or a record has no bytes or no expectation; names which.
    """
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, json.JSONDecodeError, RecursionError) as error:
        raise VectorsRefused(f"{file}: {error}") from error
    records = found.get("records") if isinstance(found, Mapping) else None
    if not isinstance(records, list) or not records:
        raise VectorsRefused(f"{file}: holds no list `records`")
    return [_vector(file, number, record) for number, record in enumerate(records, 1)]


def _vector(file: Path, number: int, record: Any) -> Vector:
    where = f"{file}: record {number}"
    if not isinstance(record, Mapping):
        raise VectorsRefused(f"{where} is no object")
    protocol, text, expected = record.get("protocol"), record.get("hex"), record.get("expected")
    if not isinstance(protocol, str) or not isinstance(text, str) or not isinstance(expected, Mapping):
        raise VectorsRefused(f"{where} needs `protocol`, `hex` and `expected`")
    try:
        frame = bytes.fromhex(text)
        bytes.fromhex(str(record.get("bindkey_hex", "")))
    except ValueError as error:
        raise VectorsRefused(f"{where}: {error}") from error
    return Vector(str(record.get("id", number)), protocol, frame, expected, record)
