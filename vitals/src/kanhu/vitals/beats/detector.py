"""Heartbeats in an electrocardiogram as it comes, at any rate from 100 to 500 Hz, in any unit and polarity.

A band-pass and the root mean square of a QRS's length give an envelope; its peaks are beats where they stand out from
the beats before (after Pan and Tompkins 1985, "A real-time QRS detection algorithm"). The signal is looked at in steps
of fixed length, so that the blocks in which it comes do not matter.
"""

from enum import StrEnum

import msgspec
import numpy as np
from numpy.typing import ArrayLike, NDArray

from kanhu.vitals.beats.quality import Window, quality_of
from kanhu.vitals.beats.settings import BeatSettings
from kanhu.vitals.errors import StateRefused
from kanhu.vitals.stored_state import read_state

STATE_VERSION = 1
_SLOWEST_HZ, _FASTEST_HZ = 100.0, 500.0
_MOST_ABSURD = 1e9  # units of the signal; what is beyond is no sample of a heart
_MOST_CANDIDATES = 48  # more than a relearning span can hold at 300 peaks a minute


class BeatQuality(StrEnum):
    """How sure a beat is."""

    CLEAR = "clear"
    SEARCHED = "searched"
    """Weaker than the beats before; found because one was missing."""
    FIRST = "first"
    """The first after a beginning or a gap: no interval leads to it."""


class Beat(msgspec.Struct, frozen=True, array_like=True):
    """One beat at `sample` of the stream; `amplitude` is that of the band-passed signal there, with its sign."""

    sample: int
    amplitude: float
    quality: BeatQuality


class Answer(msgspec.Struct, frozen=True):
    """What a block completed: beats in order, and windows that have been judged."""

    beats: tuple[Beat, ...] = ()
    windows: tuple[Window, ...] = ()


class _Peak(msgspec.Struct, frozen=True, array_like=True):
    at: int
    height: float
    slope: float
    sample: int
    amplitude: float


class _Kept(msgspec.Struct, array_like=True):
    version: int
    rate_hz: float
    next_sample: int | None = None
    done: int = 0
    """Peaks before this sample have been looked for."""
    tail: bytes = b""
    """The samples from `next_sample` back, float64, NaN where nothing came."""
    held: float = 0.0
    window_first: int = 0
    window: bytes = b""
    window_envelope: bytes = b""
    learned_until: int = 0
    level: tuple[float, ...] = ()
    noise: tuple[float, ...] = ()
    noted: int = 0
    """Peaks before this sample have been decided on."""
    intervals: tuple[int, ...] = ()
    last: _Peak | None = None
    pending: tuple[_Peak, ...] = ()

    def __post_init__(self) -> None:
        """Refuse what no detector keeps: stored state is read back into this."""
        if any(len(part) % 8 for part in (self.tail, self.window, self.window_envelope)):
            raise ValueError("not samples")
        if len(self.pending) > _MOST_CANDIDATES or len(self.window) != len(self.window_envelope):
            raise ValueError("not a state")


class BeatDetector:
    """Beats of one lead of one person."""

    def __init__(self, settings: BeatSettings, rate_hz: float, state: bytes = b"") -> None:
        """Go on from `state`, or begin.

        Raises:
            ValueError: the rate is not from 100 to 500 Hz.
            StateRefused: `state` is not one of this detector at this rate.
        """
        if not _SLOWEST_HZ <= rate_hz <= _FASTEST_HZ:
            raise ValueError(f"a rate of {rate_hz} Hz; from {_SLOWEST_HZ} to {_FASTEST_HZ} Hz can be read")
        self._settings, self._rate_hz = settings, rate_hz
        self._hop = round(settings.hop_s * rate_hz)
        self._taps = _band_pass(settings, rate_hz)
        self._box = np.full(2 * round(settings.envelope_s * rate_hz / 2) + 1, 1.0)
        self._box /= len(self._box)
        self._apart = round(0.6 * settings.refractory_s * rate_hz)
        self._ahead = round(settings.p_wave_s * rate_hz)
        self._margin = len(self._taps) // 2 + len(self._box) // 2 + self._apart
        self._kept = _read(state, rate_hz) if state else _Kept(STATE_VERSION, rate_hz)
        length = self._hop + 2 * self._margin
        self._tail = np.frombuffer(self._kept.tail).copy()
        if len(self._tail) >= length + self._hop:
            raise StateRefused("more samples than this detector keeps")
        self._window = np.frombuffer(self._kept.window).copy()
        self._envelope = np.frombuffer(self._kept.window_envelope).copy()

    @property
    def delay_s(self) -> float:
        """Longest time from a beat to its answer where it is not searched for."""
        return (self._hop + self._margin + self._ahead) / self._rate_hz

    def state(self) -> bytes:
        """What to store; bounded by a window and a step of samples."""
        kept = self._kept
        kept.tail, kept.window, kept.window_envelope = (
            self._tail.tobytes(),
            self._window.tobytes(),
            self._envelope.tobytes(),
        )
        return msgspec.msgpack.encode(kept)

    def update(self, samples: ArrayLike, first: int) -> Answer:
        """Take a block whose first sample is number `first` of the stream; what came before is left out.

        Samples that do not follow end the stretch: no interval leads over the gap.
        """
        block = np.atleast_1d(np.asarray(samples, dtype=np.float64)).ravel()
        block = np.where(np.abs(block) <= _MOST_ABSURD, block, np.nan)
        beats: list[Beat] = []
        windows: list[Window] = []
        expected = self._kept.next_sample
        if expected is not None and first < expected:
            block, first = block[expected - first :], expected
        if not len(block):
            return Answer()
        if expected is None or first > expected:
            if expected is not None:
                self._end(beats, windows)
            self._begin(first)
        whole = self._hop + 2 * self._margin
        at = 0
        while at < len(block):
            part = block[at : at + whole - len(self._tail)]
            at += len(part)
            self._tail = np.concatenate((self._tail, part))
            self._kept.next_sample = first + at
            if len(self._tail) == whole:
                self._step(beats, windows)
        return Answer(tuple(beats), tuple(windows))

    def close(self) -> Answer:
        """The beats that the end of a stretch holds back; what comes next begins anew."""
        beats: list[Beat] = []
        windows: list[Window] = []
        if self._kept.next_sample is not None:
            self._end(beats, windows)
            self._kept = _Kept(STATE_VERSION, self._rate_hz)
        return Answer(tuple(beats), tuple(windows))

    def _begin(self, first: int) -> None:
        """A stretch: the margin before its first sample holds nothing."""
        self._tail = np.full(self._margin, np.nan)
        self._window, self._envelope = np.empty(0), np.empty(0)
        self._kept = _Kept(
            STATE_VERSION, self._rate_hz, next_sample=first, done=first, window_first=first, held=np.nan,
            learned_until=first + round(self._settings.learning_s * self._rate_hz),
        )  # fmt: skip  # words by rows

    def _end(self, beats: list[Beat], windows: list[Window]) -> None:
        end = self._kept.next_sample or 0
        whole = self._hop + 2 * self._margin
        while self._kept.done < end:
            self._tail = np.concatenate((self._tail, np.full(whole - len(self._tail), np.nan)))
            self._step(beats, windows, end=end)
        if not self._kept.level:
            self._learn()
        self._decide(beats, end)

    def _step(self, beats: list[Beat], windows: list[Window], *, end: int | None = None) -> None:
        kept, margin, hop = self._kept, self._margin, self._hop
        filled, kept.held = _filled(self._tail, kept.held, hop)
        passed = np.convolve(filled - filled[0], self._taps, "valid")  # exactly zero where nothing moves
        envelope = np.sqrt(np.convolve(passed * passed, self._box, "valid"))
        middle = slice(self._apart, self._apart + hop)
        real = self._tail[margin : margin + hop]
        if end is not None:
            real = real[: end - kept.done]
        self._judge(real, envelope[middle][: len(real)], windows)
        steps = np.abs(np.diff(passed, prepend=passed[:1]))
        reach, offset = round(self._settings.refine_s * self._rate_hz), len(self._box) // 2
        for at in (np.flatnonzero(_is_peak(envelope, self._apart)[:hop])).tolist():
            if kept.done + at >= (end if end is not None else kept.done + hop):
                break
            centre = at + self._apart + offset
            near = slice(max(centre - reach, 0), centre + reach + 1)
            best = int(np.argmax(np.abs(passed[near]))) + near.start
            peak = _Peak(
                kept.done + at, float(envelope[at + self._apart]), float(steps[near].max()),
                kept.done + at + best - centre, float(passed[best]),
            )  # fmt: skip  # words by rows
            if peak.height > 0:
                kept.pending = (*kept.pending, peak)[-_MOST_CANDIDATES:]
        kept.done += hop
        self._tail = self._tail[hop:]
        if not kept.level and kept.done >= kept.learned_until:
            self._learn()
        if kept.level:
            self._decide(beats, kept.done - self._ahead)

    def _judge(self, samples: NDArray[np.float64], envelope: NDArray[np.float64], windows: list[Window]) -> None:
        kept = self._kept
        self._window = np.concatenate((self._window, samples))
        self._envelope = np.concatenate((self._envelope, envelope))
        length = round(self._settings.window_s * self._rate_hz)
        while len(self._window) >= length:
            quality = quality_of(
                self._window[:length], self._envelope[:length], rate_hz=self._rate_hz, settings=self._settings
            )
            windows.append(Window(kept.window_first, kept.window_first + length, quality))
            kept.window_first += length
            self._window, self._envelope = self._window[length:], self._envelope[length:]

    def _learn(self) -> None:
        """The level of beats from the strongest peak of each second, the weaker half of those."""
        kept = self._kept
        if not kept.pending:
            kept.learned_until = kept.done + self._hop
            return
        second = round(self._rate_hz)
        strongest: dict[int, float] = {}
        for peak in kept.pending:
            strongest[peak.at // second] = max(strongest.get(peak.at // second, 0.0), peak.height)
        kept.level = (float(np.median(list(strongest.values()))),)

    def _decide(self, beats: list[Beat], now: int) -> None:
        """Beats among the peaks that wait, oldest first; then a missing one is searched for."""
        kept, settings = self._kept, self._settings
        refused: list[_Peak] = []
        ahead = tuple(peak for peak in kept.pending if peak.at >= now)
        for place, peak in enumerate(kept.pending):
            if peak.at >= now:
                break
            level = self._level()
            last = kept.last
            if last is not None and peak.at - last.at < settings.refractory_s * self._rate_hz:
                continue
            missing = self._missing(peak.at)
            if missing is not None and (found := self._searched(refused)) is not None:
                self._accept(found, BeatQuality.SEARCHED, beats)
                refused = [one for one in refused if one.at > found.at]
                last = kept.last
                if last is not None and peak.at - last.at < settings.refractory_s * self._rate_hz:
                    continue
            if (
                peak.height >= settings.threshold_share * level
                and not self._is_t_wave(peak)
                and not self._is_p_wave(place)
            ):
                self._accept(peak, BeatQuality.CLEAR if last else BeatQuality.FIRST, beats)
                refused = []
            else:
                refused.append(peak)
                if peak.at >= kept.noted:  # a peak waits for many steps and is noise once
                    kept.noise = (*kept.noise, peak.height)[-settings.level_beats :]
        if self._missing(now) is not None and (found := self._searched(refused)) is not None:
            self._accept(found, BeatQuality.SEARCHED, beats)
            refused = [one for one in refused if one.at > found.at]
        kept.pending, kept.noted = (*refused, *ahead)[-_MOST_CANDIDATES:], now
        long_ago = kept.last.at if kept.last else kept.learned_until
        if now - long_ago > settings.relearn_after_s * self._rate_hz:
            kept.level, kept.last, kept.intervals, kept.pending = (), None, (), ()
            kept.learned_until = now + round(settings.learning_s * self._rate_hz)

    def _accept(self, peak: _Peak, quality: BeatQuality, beats: list[Beat]) -> None:
        kept, most = self._kept, self._settings.level_beats
        if kept.last is not None:
            kept.intervals = (*kept.intervals, peak.at - kept.last.at)[-most:]
        kept.level = (*kept.level, peak.height)[-most:]
        kept.last = peak
        beats.append(Beat(peak.sample, peak.amplitude, quality))

    def _level(self) -> float:
        return float(np.quantile(self._kept.level, self._settings.level_quantile))

    def _missing(self, at: int) -> int | None:
        """How long a beat has been missing; None where none is."""
        kept = self._kept
        if kept.last is None or len(kept.intervals) < 2:
            return None
        late = at - kept.last.at - round(self._settings.search_after_intervals * float(np.median(kept.intervals)))
        return late if late > 0 else None

    def _searched(self, refused: list[_Peak]) -> _Peak | None:
        settings = self._settings
        noise = float(np.median(self._kept.noise)) if self._kept.noise else 0.0
        least = max(settings.search_share * self._level(), settings.search_noise_times * noise)
        strong = [peak for peak in refused if peak.height >= least and not self._is_t_wave(peak)]
        return max(strong, key=lambda peak: peak.height, default=None)

    def _is_t_wave(self, peak: _Peak) -> bool:
        last, settings = self._kept.last, self._settings
        if last is None or peak.at - last.at > settings.t_wave_s * self._rate_hz:
            return False
        return peak.slope < settings.t_wave_slope_share * last.slope

    def _is_p_wave(self, place: int) -> bool:
        """Whether a steeper peak follows so soon that this one is what led to it."""
        peak, settings = self._kept.pending[place], self._settings
        within = peak.at + settings.p_wave_s * self._rate_hz
        following = (one for one in self._kept.pending[place + 1 :] if one.at <= within)
        return any(peak.slope < settings.p_wave_slope_share * one.slope for one in following)


def _band_pass(settings: BeatSettings, rate_hz: float) -> NDArray[np.float64]:
    """A windowed sinc of `filter_s` that passes nothing at rest."""
    half = round(settings.filter_s * rate_hz / 2)
    steps = np.arange(-half, half + 1) / rate_hz
    window = np.hanning(2 * half + 3)[1:-1]
    low, high = (2 * hz * np.sinc(2 * hz * steps) * window for hz in (settings.band_low_hz, settings.band_high_hz))
    taps = high / high.sum() - low / low.sum()
    return np.asarray(taps, dtype=np.float64)


def _filled(tail: NDArray[np.float64], held: float, hop: int) -> tuple[NDArray[np.float64], float]:
    """The samples with holes held at the value before, and the value that holds after this step."""
    known = np.isfinite(tail)
    if known.all():
        return tail, float(tail[hop - 1])
    places = np.flatnonzero(known)
    if not len(places):
        return np.full(len(tail), held if np.isfinite(held) else 0.0), held
    latest = np.searchsorted(places, np.arange(len(tail)), side="right") - 1
    before = held if np.isfinite(held) else tail[places[0]]
    filled = np.where(latest >= 0, tail[places[np.maximum(latest, 0)]], before)
    return filled, float(filled[hop - 1]) if known[:hop].any() else held


def _is_peak(envelope: NDArray[np.float64], apart: int) -> NDArray[np.bool_]:
    """Where the envelope is highest within `apart` on both sides, the earliest of equals; ends left out."""
    around = np.lib.stride_tricks.sliding_window_view(envelope, 2 * apart + 1)
    middle = around[:, apart]
    found: NDArray[np.bool_] = (middle >= around.max(axis=1)) & (middle > around[:, :apart].max(axis=1))
    return found


def _read(state: bytes, rate_hz: float) -> _Kept:
    kept = read_state(_Kept, state, version=STATE_VERSION)
    if kept.rate_hz != rate_hz:
        raise StateRefused(f"of {kept.rate_hz} Hz")
    return kept
