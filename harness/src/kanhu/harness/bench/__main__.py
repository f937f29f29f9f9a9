"""Command line of `./run bench`: a table of tasks, each with a command line of its own."""

import importlib
import sys
from collections.abc import Sequence
from typing import NamedTuple


class Task(NamedTuple):
    """One thing that can be measured."""

    summary: str
    module: str
    """Has `main(arguments) -> int`; imported only when asked for."""


TASKS: dict[str, Task] = {
    "gateway": Task("memory, processor, start and accepting of a gateway", "kanhu.harness.bench.gateway"),
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
        print(f"\nkanhu: ./run bench knows no task {words[0]!r}", file=sys.stderr)
    return 0 if asked else _USAGE


def _usage() -> str:
    lines = ["usage: ./run bench TASK [ARGUMENTS]", ""]
    lines += [f"  {name:<11}{task.summary}" for name, task in TASKS.items()]
    return "\n".join([*lines, "", "./run bench TASK --help says more."])


if __name__ == "__main__":
    sys.exit(main())
