"""Whether a frame of a device with a key is a new one: attackers can repeat an old frame, not make a new counter.

A device that lost its power counts again from zero. Its frames must not be refused until it has counted up to where it
was, so a counter near zero is believed (bthome-ble draws the line at 100, as here); so may be a frame of an attacker
who recorded the first hundred of a device. Ask only about frames that their key opened.
"""

from enum import StrEnum

from kanhu.contract import Quality, QualityLevel, QualityReason

COUNTER = "counter"
"""Kept of a device with a key: the last counter that was believed."""
UNPROVEN = Quality(QualityLevel.QUESTIONABLE, (QualityReason.UNPROVEN,))
"""Of a call for help that anybody near may have sent: it is taken all the same."""

RESTART_BELOW = 100
"""A counter below this may be lower than the last."""


class CounterReason(StrEnum):
    """What the counter of one frame says."""

    NEW = "new"
    RESTARTED = "restarted"
    """Lower than the last, and near zero."""
    REPEATED = "repeated"
    """The last one again, as sensors send each frame many times."""
    OLD = "old"
    """Lower than the last: recorded and sent again."""
    PLAIN = "plain"
    """Not encrypted, though the device has a key: anybody may have sent it."""

    @property
    def accepted(self) -> bool:
        """The frame may become a reading."""
        return self in {CounterReason.NEW, CounterReason.RESTARTED}


class ReplayCounter:
    """Remembers the last counter of one device with a key."""

    def __init__(self, last: int | None = None) -> None:
        """Begin with what was kept over a restart of this gateway, if anything was."""
        self.last = last

    @property
    def notes(self) -> dict[str, int]:
        """What is to be kept of the device over a restart."""
        return {} if self.last is None else {COUNTER: self.last}

    def judge(self, counter: int | None) -> CounterReason:
        """Judge a frame by its counter, None where it came without encryption; an accepted one is remembered."""
        if counter is None:
            return CounterReason.PLAIN
        if self.last is None or counter > self.last:
            self.last = counter
            return CounterReason.NEW
        if counter == self.last:
            return CounterReason.REPEATED
        if counter < RESTART_BELOW:
            self.last = counter
            return CounterReason.RESTARTED
        return CounterReason.OLD
