"""Command line of `./run prove`: a table of tasks, each with a command line of its own."""

import importlib
import sys
from collections.abc import Sequence
from typing import NamedTuple


class Task(NamedTuple):
    """One thing that can be proven."""

    summary: str
    module: str
    """Has `main(arguments) -> int`; imported only when asked for."""


TASKS: dict[str, Task] = {
    "chaos": Task("no accepted reading is lost, stored twice or changed", "kanhu.harness.prove.chaos"),
    "disk-full": Task("a full disk jams nothing, and what it cost is named exactly", "kanhu.harness.prove.disk_full"),
    "power-cut": Task("what was accepted outlives a cut of the power anywhere", "kanhu.harness.prove.power_cut"),
    "offline": Task(
        "thirty days without a county: nothing lost, drained in time, alerts first", "kanhu.harness.prove.offline"
    ),
    "identity": Task("no gateway can be another, or throw one off", "kanhu.harness.prove.identity"),
    "scenarios": Task("each story raises what it must, and nothing else", "kanhu.harness.prove.scenarios"),
    "village": Task("a village under faults: every high alert reaches a person in time", "kanhu.harness.prove.village"),
}

_USAGE = 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one task; 0 where every limit is kept, 1 where one is broken, 2 for wrong usage."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    if words[:1] and words[0] in TASKS:
        task = importlib.import_module(TASKS[words[0]].module)
        code: int = task.main(words[1:])
        return code
    asked = bool(words) and words[0] in {"-h", "--help"}
    print(_usage(), file=sys.stdout if asked else sys.stderr)
    if words and not asked:
        print(f"\nkanhu: ./run prove knows no task {words[0]!r}", file=sys.stderr)
    return 0 if asked else _USAGE


def _usage() -> str:
    lines = ["usage: ./run prove TASK [ARGUMENTS]", ""]
    width = max(map(len, TASKS)) + 2
    lines += [f"  {name:<{width}}{task.summary}" for name, task in TASKS.items()]
    return "\n".join([*lines, "", "./run prove TASK --help says more."])


if __name__ == "__main__":
    sys.exit(main())
