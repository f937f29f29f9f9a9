"""Command line of `./run score`: a table of tasks, each with a command line of its own."""

import sys
from collections.abc import Sequence

from kanhu.harness.tasks import Task, run_task

TASKS: dict[str, Task] = {
    "anomaly": Task("novelty of unlabelled series", "kanhu.harness.score.anomaly"),
    "baselines": Task("personal baselines on simulated people", "kanhu.harness.score.baselines"),
    "beats": Task("heartbeats in electrocardiograms, and how good the signal is", "kanhu.harness.score.beats"),
    "budget": Task("limits from a budget of false alerts, on other people", "kanhu.harness.score.budget"),
    "deterioration": Task("courses of vital signs", "kanhu.harness.score.deterioration"),
    "falls": Task("falls from acceleration", "kanhu.harness.score.falls"),
    "glucose": Task("glucose 30 minutes ahead, and warnings of lows", "kanhu.harness.score.glucose"),
    "inactivity": Task("silence in homes against what is usual there", "kanhu.harness.score.inactivity"),
    "rhythm": Task("irregular pulse from beat intervals", "kanhu.harness.score.rhythm"),
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one task; 0 where every limit is kept, 1 where one is broken, 2 for wrong usage."""
    return run_task("score", TASKS, arguments)


if __name__ == "__main__":
    sys.exit(main())
