"""A serial line that ends in a pseudo terminal, with a stable name beside it as under /dev/serial/by-id.

Nothing is ever written while nobody has the line open, and a slow reader never blocks the writer.
"""

import os
import select
import tty
from contextlib import suppress
from pathlib import Path

_READ_BYTES = 4096


class SerialLine:
    """The device's end of one serial line."""

    def __init__(self, name: Path) -> None:
        """Make the line and point `name` at it; `close` removes both."""
        self._master, slave = os.openpty()
        tty.setraw(slave)
        os.set_blocking(self._master, False)
        self._name = name
        name.parent.mkdir(parents=True, exist_ok=True)
        name.unlink(missing_ok=True)
        name.symlink_to(os.ttyname(slave))
        os.close(slave)  # from here the master reports a hang-up whenever no reader has the line open
        self._poll = select.poll()
        self._poll.register(self._master, select.POLLIN)
        self._heard = b""

    @property
    def name(self) -> Path:
        """The stable name to open."""
        return self._name

    def is_open(self) -> bool:
        """Whether a reader has the line open now."""
        self._heard = self._take()  # or a reader that says much to a device that takes no commands would be held up
        return not any(event & select.POLLHUP for _, event in self._poll.poll(0))

    def read(self) -> bytes:
        """What the reader has sent since the last time, at most the last 4 KiB of it."""
        heard, self._heard = self._take(), b""
        return heard

    def write(self, data: bytes) -> int:
        """Write what the line takes now and say how many bytes that were."""
        try:
            return os.write(self._master, data)
        except BlockingIOError:
            return 0
        except OSError:  # the reader closed the line between two looks
            return 0

    def close(self) -> None:
        """Unplug: readers see the end of the line."""
        self._name.unlink(missing_ok=True)
        os.close(self._master)

    def _take(self) -> bytes:
        return (self._heard + self._arrived())[-_READ_BYTES:]

    def _arrived(self) -> bytes:
        if any(event & select.POLLIN for _, event in self._poll.poll(0)):
            with suppress(OSError):  # the reader closed the line between two looks
                return os.read(self._master, _READ_BYTES)
        return b""
