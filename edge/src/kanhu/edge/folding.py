"""What makes one reading out of many messages: the window of an oximeter, repeats of a button, states that stand.

All keep memory between messages, which no codec does. None asks a clock.
"""

from collections import OrderedDict
from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple, Protocol

from kanhu.contract import Observation, Part, Quality, QualityLevel, QualityReason, Subject, Times, metric
from kanhu.edge.errors import DecodeError, DecodeReason

WINDOW_PACKETS = 600
"""Ten seconds at 60 packets a second: long enough for a stable median, short enough for three in half a minute."""

SESSION_PAUSE_S = 2.0
"""Silence after which an oximeter's next packet begins a new session: it sends 60 a second while a finger is in."""

# The next three limits are our own, until recordings of real fingers say better; docs/devices names them.
# Of the middle nine tenths of a window, so that a single packet does not decide. Finger clips are good to about two
# points of SpO2; more than four within ten seconds is a finger that moved rather than a lung.
_STABLE_SPO2_POINTS = 4
# An irregular pulse may well differ by 20 from beat to beat; the device already averages over several.
_STABLE_PULSE_BPM = 30
_TAIL_DIVISOR = 20  # a twentieth is left out at each end
# On the device's scale of 0 to 8, for which its maker gives no limit.
_WEAK_SIGNAL_BELOW = 3

# A BTHome button repeats one event for seconds; its packet id has one byte, so it returns after 256 events at the
# earliest. A minute without hearing an id again is far beyond the one and far below the other.
REPEAT_WINDOW_S = 60.0
NOISE_AT_ONCE, NOISE_EVERY_S = 20_000, 1.0
"""So many may be refused at once, and then one more each second; project choice: more than any fault of a device is,
and a wild sender nearby then costs the card about what an oximeter that is worn all the time costs it."""
_MOST_EVENTS = 257  # every packet id, and none


class OximeterPacket(Protocol):
    """What a window needs of a packet; the codecs of the oximeters make them."""

    @property
    def signal(self) -> int:
        """0 to 8."""

    @property
    def pulse_bpm(self) -> int | None:
        """None where the device has none."""

    @property
    def spo2_percent(self) -> int | None:
        """None where the device has none."""

    @property
    def doubt(self) -> QualityReason | None:
        """Why the device itself does not trust its values; None where it does."""


class OximeterWindow:
    """Folds each 600 consecutive packets of a session into one reading: medians of the valid packets."""

    def __init__(self, packets: int = WINDOW_PACKETS) -> None:
        """Begin with an empty window; a device that sends faster than 60 a second has more packets in ten seconds."""
        self._full = packets
        self._count = 0
        self._spo2: list[int] = []
        self._pulse: list[int] = []
        self._reasons: set[QualityReason] = set()
        self._weak = 0

    @property
    def packets(self) -> int:
        """Packets in the window that is being filled."""
        return self._count

    @property
    def full(self) -> bool:
        """Whether `fold` is due."""
        return self._count >= self._full

    def add(self, packet: OximeterPacket) -> None:
        """Count one packet into the window."""
        self._count += 1
        pulse, spo2 = packet.pulse_bpm, packet.spo2_percent
        if packet.doubt is not None:
            self._reasons.add(packet.doubt)
        elif pulse is None or spo2 is None:
            self._reasons.add(QualityReason.NOT_A_NUMBER)
        else:
            self._spo2.append(spo2)
            self._pulse.append(pulse)
            if packet.signal < _WEAK_SIGNAL_BELOW:
                self._weak += 1

    def fold(self, *, subject: Subject, device: str, times: Times) -> Observation:
        """The reading of the full window, which is then empty.

        Raises:
            DecodeError: not one packet was valid.
        """
        spo2, pulse = sorted(self._spo2), sorted(self._pulse)
        reasons = set(self._reasons)
        if self._weak * 2 > len(spo2):
            reasons.add(QualityReason.WEAK_SIGNAL)
        self._empty()
        if not spo2:
            named = ", ".join(sorted(reasons))
            raise DecodeError(DecodeReason.NO_VALID_PACKETS, f"{self._full} packets: {named}")
        if _middle_spread(spo2) > _STABLE_SPO2_POINTS or _middle_spread(pulse) > _STABLE_PULSE_BPM:
            reasons.add(QualityReason.UNSTABLE)
        quality = Quality(QualityLevel.QUESTIONABLE, tuple(sorted(reasons))) if reasons else Quality()
        parts = (_median("spo2", spo2), _median("pulse_oximeter", pulse))
        return Observation("oximetry", parts, subject, device, times, quality)

    def cut(self) -> int:
        """The session ended: empty the window and return how many packets it held."""
        count = self._count
        self._empty()
        return count

    def _empty(self) -> None:
        self._count = 0
        self._weak = 0
        self._spo2 = []
        self._pulse = []
        self._reasons = set()


class ButtonFold:
    """Tells a new event of one button from its repeats."""

    def __init__(self) -> None:
        """Begin having heard nothing."""
        self._heard_ns: OrderedDict[int | bytes | None, int] = OrderedDict()

    def is_new(self, event: int | bytes | None, *, mono_ns: int) -> bool:
        """Whether this packet id, or these bytes, were not heard within the last minute; a device without ids has one.

        Hearing it again extends the minute: a button may repeat for longer.
        """
        before = self._heard_ns.pop(event, None)
        self._heard_ns[event] = mono_ns
        if len(self._heard_ns) > _MOST_EVENTS:
            self._heard_ns.popitem(last=False)
        return before is None or mono_ns - before > REPEAT_WINDOW_S * 1e9


class NoiseFold:
    """Which advertisements that cannot be read are refused one by one: each once, and in the long run one a second.

    Anybody near can send others without end; those are counted as bad bytes, and cost no commit.
    """

    def __init__(self) -> None:
        """Begin having heard nothing."""
        self._heard = ButtonFold()
        self._left: float = NOISE_AT_ONCE
        self._looked_ns: int | None = None

    def is_repeat(self, content: bytes, *, mono_ns: int) -> bool:
        """Whether it was heard within the last minute."""
        return not self._heard.is_new(content, mono_ns=mono_ns)

    def is_due(self, *, mono_ns: int) -> bool:
        """Whether one may be refused by itself now; that uses up one of those that may."""
        if self._looked_ns is not None:
            passed_s = (mono_ns - self._looked_ns) / 1e9
            self._left = min(NOISE_AT_ONCE, self._left + passed_s / NOISE_EVERY_S)
        self._looked_ns = mono_ns
        if self._left < 1:
            return False
        self._left -= 1
        return True


class Telling(NamedTuple):
    """When a state that is sent again and again is told."""

    least_change: int
    """In steps of the metric; less is no change."""
    every_s: float
    """Told again after so long, though it did not change: it is still measured."""
    after_s: float = 0.0
    """A change is told at the earliest so long after the last telling."""


@dataclass(slots=True)
class _Told:
    step: int
    at_ns: int


class StateFold:
    """What one device told last of each metric, and so whether it is news."""

    def __init__(self) -> None:
        """Begin having told nothing."""
        self._told: dict[str, _Told] = {}

    def is_news(self, code: str, step: int, telling: Telling, *, mono_ns: int) -> bool:
        """Whether the metric is to be told now; then it counts as told."""
        last = self._told.get(code)
        if last is not None:
            waited_s = (mono_ns - last.at_ns) / 1e9
            changed = abs(step - last.step) >= telling.least_change and waited_s >= telling.after_s
            if not changed and waited_s < telling.every_s:
                return False
        self._told[code] = _Told(step, mono_ns)
        return True


def _middle_spread(ordered: list[int]) -> int:
    tail = len(ordered) // _TAIL_DIVISOR
    return ordered[-1 - tail] - ordered[tail]


def _median(code: str, ordered: list[int]) -> Part:
    middle = len(ordered) // 2
    twice = ordered[middle] * 2 if len(ordered) % 2 else ordered[middle - 1] + ordered[middle]
    return Part(code, (metric(code).steps(Decimal(twice) / 2),))
