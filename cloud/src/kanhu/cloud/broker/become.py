"""Becomes the broker: this process is replaced by nats-server, which the kernel ends when its parent dies.

Run as `python -m kanhu.cloud.broker.become SETTINGS PARENT`: standard library only, so that it starts quickly.
"""

import ctypes
import os
import signal
import sys
from pathlib import Path

_PR_SET_PDEATHSIG = 1


def become(program: Path, settings: Path) -> None:
    """Replace this process by nats-server."""
    os.execv(program, [str(program), "-c", str(settings)])  # no shell is wanted


def die_with_parent(parent: int) -> None:
    """Let the kernel send SIGTERM when the parent ends; exit at once where it has ended already."""
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:
        sys.exit(1)


if __name__ == "__main__":
    die_with_parent(int(sys.argv[3]))
    become(Path(sys.argv[1]), Path(sys.argv[2]))
