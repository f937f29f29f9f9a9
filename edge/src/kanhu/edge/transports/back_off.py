"""How long to wait before a way to a device is tried again."""


class BackOff:
    """Doubles from the first wait to the longest, and starts over once the way has proved good."""

    def __init__(self, *, first_s: float, longest_s: float) -> None:
        """Begin with the first wait."""
        self._first_s = first_s
        self._longest_s = longest_s
        self._next_s = first_s

    def next_s(self) -> float:
        """Seconds to wait now; the next wait is twice as long."""
        wait_s = self._next_s
        self._next_s = min(self._longest_s, wait_s * 2)
        return wait_s

    def reset(self) -> None:
        """The way proved good."""
        self._next_s = self._first_s
