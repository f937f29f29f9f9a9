"""One line for each promise made, written after the commit: what an acceptance run compares with the ledger."""

import hashlib
from pathlib import Path
from typing import Self

import msgspec

from kanhu.contract import Finding, Gap, Observation, Record, encode_record
from kanhu.gateway._entries import kind_of


class Journal:
    """An NDJSON file that is only appended to; without a file it takes lines and keeps none."""

    def __init__(self, file: Path | None) -> None:
        """Open for appending; the caller closes."""
        self._lines = None if file is None else file.open("ab", buffering=0)

    def __enter__(self) -> Self:
        """Use as a context."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close."""
        if self._lines is not None:
            self._lines.close()

    def accepted(self, seq: int, record: Record, *, epoch: str) -> None:
        """A record was committed under this number."""
        if self._lines is None:
            return
        line: dict[str, str | int] = {
            "kind": _kind(record),
            "seq": seq,
            "epoch": epoch,
            "sha256": hashlib.sha256(encode_record(record)).hexdigest(),
            "metric": kind_of(record),
            "device": record.device if isinstance(record, Observation) else "",
        }
        if isinstance(record, Finding):
            line |= {
                "rule": record.rule,
                "alert_id": record.alert_id,
                "priority": record.priority.value,
                "phase": record.phase.value,
            }
        self._write(line)

    def refused(self, device: str, reason: str) -> None:
        """A reading was refused, and the refusal counted."""
        self._write({"refused": reason, "device": device})

    def _write(self, line: dict[str, str | int]) -> None:
        if self._lines is not None:
            self._lines.write(msgspec.json.encode(line) + b"\n")


def _kind(record: Record) -> str:
    if isinstance(record, Observation):
        return "reading"
    if isinstance(record, Finding):
        return "finding"
    return "gap" if isinstance(record, Gap) else "waveform"
