"""The tasks of one verb of `./run`, by name: each has a command line of its own and is imported only when asked for."""

import importlib
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from kanhu.harness.errors import HarnessError
from kanhu.harness.stopping import STOPPED

__all__ = ["Task", "run_task"]

_USAGE = 2


class Task(NamedTuple):
    """One word after the verb."""

    summary: str
    module: str
    """Has `main(arguments) -> int`."""


def run_task(verb: str, tasks: Mapping[str, Task], arguments: Sequence[str] | None = None) -> int:
    """Run the task that the first word names, and say in words what ended it early.

    0 where every limit is kept, 1 where one is broken or a part of it failed, 2 for wrong usage, 3 where this machine
    cannot make what it needs, 130 where a person stopped it.
    """
    words = list(sys.argv[1:] if arguments is None else arguments)
    if words[:1] and words[0] in tasks:
        return _ended(importlib.import_module(tasks[words[0]].module).main, words[1:])
    asked = bool(words) and words[0] in {"-h", "--help"}
    width = max(map(len, tasks)) + 2
    lines = [f"usage: ./run {verb} TASK [ARGUMENTS]", ""]
    lines += [f"  {name:<{width}}{task.summary}" for name, task in tasks.items()]
    lines += ["", f"./run {verb} TASK --help says more."]
    print("\n".join(lines), file=sys.stdout if asked else sys.stderr)
    if words and not asked:
        print(f"\nkanhu: ./run {verb} knows no task {words[0]!r}", file=sys.stderr)
    return 0 if asked else _USAGE


def _ended(main: Callable[[Sequence[str]], int], arguments: Sequence[str]) -> int:
    try:
        return main(arguments)
    except HarnessError as error:
        said, code = str(error), error.exit_code
    except KeyboardInterrupt:
        said, code = "stopped; nothing is left behind", STOPPED
    print(f"kanhu: {said}", file=sys.stderr)
    return code
