"""Open outboxes one after another as a gateway does when the power is back: the process whose recovery is recorded.

    python -m kanhu.harness.prove.power.recovering SAID MAX_MIB FOLDER...

Each is opened, takes readings and calls whose promises go to SAID, and is closed.
"""

import sys
from pathlib import Path

from kanhu.contract import Lane, SystemClock
from kanhu.gateway.disk import open_outbox
from kanhu.gateway.errors import OutboxError
from kanhu.gateway.journal import Journal
from kanhu.harness.prove.power.survival import OUTBOX, first_reading

__all__ = ["main"]

_COMMITS = 3


def main(arguments: list[str]) -> int:
    """Recover each folder."""
    said, max_mib, *folders = arguments
    clock = SystemClock()
    for folder in folders:
        with Journal(Path(said)) as journal:
            try:
                outbox, _ = open_outbox(Path(folder) / OUTBOX, clock=clock, max_mib=int(max_mib))
            except OutboxError:  # the first cut broke it already, and is counted there
                continue
            for number in range(_COMMITS):
                reading = first_reading(clock)
                (seq,) = outbox.accept([(Lane.ALERT if number == 1 else Lane.LIVE, reading)])
                journal.accepted(seq, reading, epoch=outbox.epoch)
            outbox.close()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
