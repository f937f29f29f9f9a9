"""The process that fuzzes one codec until its frames are used up or its time is over; libFuzzer never returns.

`python -m kanhu.harness.fuzz.child TARGET FOLDER [libFuzzer's arguments]`. An exception is written to FOLDER and ends
nothing; how many frames were tried is told by libFuzzer, in its last lines.
"""

import sys
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["kanhu.edge.codecs", "kanhu.edge.framing", "kanhu.harness.fuzz.watch"]):
    from kanhu.harness.fuzz.names import BROKEN
    from kanhu.harness.fuzz.targets import find_targets
    from kanhu.harness.fuzz.watch import broken, watched

    _TARGETS = {**find_targets(), BROKEN: broken}  # they import the codecs, which have to be instrumented


def main() -> None:
    """Fuzz, until libFuzzer ends the process."""
    name, folder, arguments = sys.argv[1], Path(sys.argv[2]), sys.argv[3:]
    atheris.Setup([sys.argv[0], *arguments], watched(_TARGETS[name], folder))
    atheris.Fuzz()


if __name__ == "__main__":
    main()
