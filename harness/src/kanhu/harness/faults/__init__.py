"""Faults as pieces that can be put together: what goes wrong when, and what makes it go wrong.

Here live schedules, their shrinking, and one piece a place: processes, links, disks, clocks. Not here: what a run
under faults has to prove (prove/), and what simulated devices and people get wrong by themselves (kanhu-sim).
"""

from kanhu.harness.faults.clock import ClockFaults, FakedClock
from kanhu.harness.faults.disk import Disk, DiskFaults, Medium
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
from kanhu.harness.faults.shrink import Trial, shrink

__all__ = [
    "KINDS",
    "Breakable",
    "CannotBeHad",
    "ClockFaults",
    "Disk",
    "DiskFaults",
    "FakedClock",
    "Fault",
    "Hit",
    "Kind",
    "LinkFaults",
    "LinkProxy",
    "Medium",
    "Place",
    "Played",
    "ProcessFaults",
    "Schedule",
    "ScheduleRefused",
    "Startable",
    "Target",
    "Trial",
    "faults_from_tables",
    "play",
    "random_schedule",
    "read_schedule",
    "schedule_as_json",
    "schedule_as_toml",
    "shrink",
]
