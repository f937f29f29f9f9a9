"""What the doctor found about one thing."""

from enum import StrEnum

import msgspec


class Level(StrEnum):
    """How a check came out."""

    OK = "ok"
    ATTENTION = "attention"
    BROKEN = "broken"


class Check(msgspec.Struct, frozen=True):
    """One thing looked at."""

    name: str
    level: Level
    found: str
    remedy: str = ""
