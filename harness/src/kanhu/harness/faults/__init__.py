"""Faults as pieces that can be put together: what goes wrong when, and what makes it go wrong.

Here live schedules, their shrinking, and one piece a place: processes, links, disks, clocks. Not here: what a run
under faults has to prove (prove/), and what simulated devices and people get wrong by themselves (kanhu-sim).
"""

from kanhu.harness.faults.errors import CannotBeHad, ScheduleRefused
from kanhu.harness.faults.play import Breakable, Hit, Played, play
from kanhu.harness.faults.process import ProcessFaults, Startable
from kanhu.harness.faults.proxy import LinkFaults, LinkProxy
from kanhu.harness.faults.schedule import (
    KINDS,
    Fault,
    Kind,
    Place,
    Schedule,
    Target,
    faults_from_tables,
    random_schedule,
    read_schedule,
    schedule_as_json,
    schedule_as_toml,
)

__all__ = [
    "KINDS",
    "Breakable",
    "CannotBeHad",
    "Fault",
    "Hit",
    "Kind",
    "LinkFaults",
    "LinkProxy",
    "Place",
    "Played",
    "ProcessFaults",
    "Schedule",
    "ScheduleRefused",
    "Startable",
    "Target",
    "faults_from_tables",
    "play",
    "random_schedule",
    "read_schedule",
    "schedule_as_json",
    "schedule_as_toml",
]
