"""From frames of samples to stretches of signal, by the device's own clock. No other clock is asked.

    frame --joins the one before--> samples gather --enough--> stretch
      |                                                          ^
      +-- does not: samples are missing, or its clock was set ---+ what had gathered so far; a new one begins

A frame says when its last sample was taken. It joins the one before where the time between them is that of its samples;
nothing is put into a hole, and nothing is moved.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from kanhu.contract import Quality, QualityLevel, QualityReason, Subject, SubjectKind, Times, Waveform
from kanhu.edge.devices import Stretch
from kanhu.edge.errors import DecodeError, DecodeReason

__all__ = ["STRETCH_S", "Gathered", "SignalFold", "stretch_of"]

STRETCH_S = 10
"""Project choice: some beats of a slow heart, a fall with what came before and after; 2.6 kB of ECG at 130 Hz."""

# The time of a frame may differ by so much from what its samples take: a twentieth, and two samples. A real H10 runs at
# 130.17 Hz where it says 130 (phdiethelm/h10_ecg), its maker says 1 % (polar-ble-sdk, issue 580). A lost frame is
# missing whole: 19 samples at least of ECG, 9 of acceleration, at the smallest size of messages.
_TOLERANCE_DIVISOR = 20
_TOLERANCE_SAMPLES = 2
_NS_PER_S = 1_000_000_000
_MILLI = 1000
_STEP_NANO = 1_000_000  # a thousandth of the metric's unit: a microvolt, or a thousandth of g
_SMALLEST, _LARGEST = -(1 << 15), (1 << 15) - 1


@dataclass(frozen=True, slots=True)
class Gathered:
    """Samples without a hole, oldest first."""

    axes: tuple[tuple[int, ...], ...]
    last_ns: int
    """Of the last sample, by the device's clock."""
    rate_millihertz: int
    """As measured by the device's clock; the nominal one where a single frame stands alone."""
    joins: bool


class SignalFold:
    """Gathers the frames of one signal."""

    def __init__(self, rate_hz: int, axes: int, *, stretch_s: int = STRETCH_S) -> None:
        """Begin before the first frame; `rate_hz` is what the device was asked for."""
        self._rate_hz = rate_hz
        self._enough = rate_hz * stretch_s
        self._axes: tuple[list[int], ...] = tuple([] for _ in range(axes))
        self._last_ns: int | None = None
        self._measured_from_ns: int | None = None
        self._unmeasured = 0  # samples before that time
        self._joins = False

    def add(self, last_ns: int, samples: Sequence[Sequence[int]]) -> tuple[Gathered, ...]:
        """One frame, its samples by time and axis; the stretches that it ends.

        Raises:
            DecodeError: a sample is larger than a waveform can say. The frame is left out, so the next does not join.
        """
        for sample in samples:
            if min(sample) < _SMALLEST or max(sample) > _LARGEST:
                raise DecodeError(DecodeReason.INFINITE, f"a sample {tuple(sample)}, limit {_LARGEST}")
        ended: tuple[Gathered, ...] = ()
        if self._last_ns is None or not self._follows(self._last_ns, last_ns, len(samples)):
            ended = self.cut()
            self._measured_from_ns, self._unmeasured = last_ns, len(samples)
        for axis, gathered in enumerate(self._axes):
            gathered += [sample[axis] for sample in samples]
        self._last_ns = last_ns
        return ended if len(self._axes[0]) < self._enough else (*ended, self._end())

    def cut(self) -> tuple[Gathered, ...]:
        """The signal is interrupted: what had gathered, if anything; what comes next does not join."""
        ended = (self._end(),) if self._axes[0] else ()
        self._last_ns = None
        self._joins = False
        return ended

    def _follows(self, before_ns: int, last_ns: int, count: int) -> bool:
        off = (last_ns - before_ns) * self._rate_hz - count * _NS_PER_S
        return abs(off) <= count * _NS_PER_S // _TOLERANCE_DIVISOR + _TOLERANCE_SAMPLES * _NS_PER_S

    def _end(self) -> Gathered:
        last_ns, count = self._last_ns or 0, len(self._axes[0])
        gathered = Gathered(tuple(tuple(axis) for axis in self._axes), last_ns, self._measured(count), self._joins)
        for axis in self._axes:
            axis.clear()
        self._measured_from_ns, self._unmeasured = last_ns, 0
        self._joins = True
        return gathered

    def _measured(self, count: int) -> int:
        passed_ns = (self._last_ns or 0) - (self._measured_from_ns or 0)
        if passed_ns <= 0:
            return self._rate_hz * _MILLI
        scaled = (count - self._unmeasured) * _NS_PER_S * _MILLI
        return (2 * scaled + passed_ns) // (2 * passed_ns)  # to the nearest


def stretch_of(
    gathered: Gathered, *, metrics: Sequence[str], subject: Subject, device: str, times: Times, epoch_ms: int
) -> Stretch:
    """As records; `metrics` name the axes, `epoch_ms` is where the device's clock begins, Unix milliseconds."""
    times = msgspec.structs.replace(times, device_ms=epoch_ms + gathered.last_ns // 1_000_000)
    quality = Quality()
    if subject.kind is SubjectKind.UNIDENTIFIED:
        quality = Quality(QualityLevel.QUESTIONABLE, (QualityReason.IDENTITY_UNKNOWN,))
    return Stretch(
        tuple(
            Waveform(
                metric=metric,
                subject=subject,
                device=device,
                times=times,
                rate_millihertz=gathered.rate_millihertz,
                step_nano=_STEP_NANO,
                samples=b"".join(sample.to_bytes(2, "little", signed=True) for sample in axis),
                quality=quality,
            )
            for metric, axis in zip(metrics, gathered.axes, strict=True)
        ),
        gathered.joins,
    )
