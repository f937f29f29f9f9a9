"""Records for these tests, small and plain."""

import sqlite3

from kanhu.contract import (
    ClockState,
    Evidence,
    Finding,
    Observation,
    Part,
    Phase,
    Priority,
    Subject,
    SubjectKind,
    Times,
)

BOOT = "b" * 32
RESIDENT = Subject(SubjectKind.RESIDENT, "r-0003")


def times(number: int) -> Times:
    """One second after the other."""
    return Times(1_772_400_000_000 + number * 1000, number * 1_000_000_000, BOOT, ClockState.SYNCED)


def heart_rate(number: int, *, device: str = "strap-03", metric: str = "heart_rate") -> Observation:
    """A reading that can be told from every other by its time."""
    return Observation(metric, (Part(metric, (60 + number % 40,)),), RESIDENT, device, times(number))


def broken_page() -> sqlite3.DatabaseError:
    """What SQLite raises where it reads a page that makes no sense."""
    error = sqlite3.DatabaseError("database disk image is malformed")
    error.sqlite_errorcode = sqlite3.SQLITE_CORRUPT
    return error


def sos(number: int) -> Finding:
    """A finding of high priority."""
    at = times(number)
    return Finding(
        alert_id=f"alert-{number}",
        rule="SOS",
        rule_version="2026.11",
        subject=RESIDENT,
        priority=Priority.HIGH,
        phase=Phase.START,
        reason="confirmed",
        times=at,
        evidence=(Evidence("help_button", 1, "button-03", BOOT, at.mono_ns, at.arrival_ms),),
    )
