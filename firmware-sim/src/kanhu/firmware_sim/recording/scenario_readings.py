"""One device's events as the readings a gateway makes of them, in virtual time.

What no gateway would have accepted (a window without one valid packet, a strap that touches no skin) is no reading.
"""

import math
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from kanhu.contract import EventWord, Meal, QualityReason, Subject
from kanhu.firmware_sim.bodies import Body, beats_of
from kanhu.firmware_sim.recording.readings import (
    BloodPressure,
    Reading,
    blood_pressure,
    daily_event,
    glucose,
    heart_rhythm,
    help_button,
    oximetry,
    room_temperature,
    temperature,
    weight,
)
from kanhu.firmware_sim.scenario.model import (
    WINDOW_S,
    Artefact,
    Concluded,
    CuffNotice,
    DailyWord,
    DeviceClock,
    DeviceEntry,
    DeviceKind,
    Event,
    Measure,
    Press,
    Warm,
    Wear,
    Window,
)

__all__ = ["Stand", "readings_of"]

_MS = 1000
_RR_UNITS_PER_S = 1024
_AVERAGED_BEATS = 8  # straps show a rate smoothed over a few beats
_MAKERS_DEFAULT_MS = 1_420_070_400_000  # 2015-01-01: where a cuff's clock starts after its battery was changed
_ROOM_EVERY_S = 600
_DAY_S = 86_400
_WARMEST_S = 15 * 3600
_WORDS = {
    DailyWord.SIGN_GIVEN: EventWord.SIGN_GIVEN,
    DailyWord.SIGN_MISSING: EventWord.SIGN_MISSING,
    DailyWord.DOSE_TAKEN: EventWord.DOSE_TAKEN,
    DailyWord.DOSE_MISSED: EventWord.DOSE_MISSED,
}
_LOOSE_SPO2_PERCENT = (70, 84)
_LOOSE_PULSE_BPM = (40, 120)

_NOTICES = {
    CuffNotice.MOVEMENT: QualityReason.MOTION,
    CuffNotice.LOOSE_CUFF: QualityReason.CUFF_LOOSE,
    CuffNotice.IMPROPER_POSITION: QualityReason.POSITION,
    CuffNotice.PULSE_ABOVE_RANGE: QualityReason.PULSE_OUT_OF_RANGE,
    CuffNotice.PULSE_BELOW_RANGE: QualityReason.PULSE_OUT_OF_RANGE,
}
_SPOILT = {
    Artefact.LOOSE_FINGER: (QualityReason.FINGER_OUT, QualityReason.WEAK_SIGNAL),
    Artefact.SEARCHING: (QualityReason.SEARCHING,),
    Artefact.WEAK_SIGNAL: (QualityReason.WEAK_SIGNAL,),
    Artefact.UNSTABLE: (QualityReason.UNSTABLE,),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Stand:
    """Where a device stands and whom it measures."""

    entry: DeviceEntry
    subject: Subject | None
    """None: shared, so that nobody knows whose a reading is."""
    dwelling: Subject
    body: Body
    begins_ms: int
    """The start of the play, true Unix milliseconds."""
    begins_s: float
    """The same on the body's own clock."""
    ends_s: float
    """Of the play."""
    seed: str
    recordings: Path

    def ms(self, at_s: float) -> int:
        """True time of a second of the play."""
        return self.begins_ms + round(at_s * _MS)


def readings_of(stand: Stand, events: Sequence[Event]) -> Iterator[Reading]:
    """All readings of one device, in order."""
    for number, event in enumerate(events, 1):
        end_s = events[number].at_s if number < len(events) else stand.ends_s
        match event:
            case Press():
                yield help_button(stand.ms(event.at_s), stand.entry.id, subject=stand.subject or stand.dwelling)
            case Measure():
                yield _measured(stand, event)
            case Warm():
                yield from _room(stand, event, end_s)
            case Concluded():
                subject = stand.subject or stand.dwelling
                yield daily_event(stand.ms(event.at_s), stand.entry.id, word=_WORDS[event.word], subject=subject)
            case Wear() if stand.entry.kind is DeviceKind.OXIMETER:
                yield from _windows(stand, event, end_s)
            case Wear():
                yield from _seconds(stand, event, end_s)
            case _:  # taken off, or without contact: nothing a gateway accepts
                pass


def _measured(stand: Stand, event: Measure) -> Reading:
    state = stand.body.seated(stand.begins_s + event.at_s)
    true_ms, device, subject = stand.ms(event.at_s), stand.entry.id, stand.subject
    match stand.entry.kind:
        case DeviceKind.SCALE:
            return weight(true_ms, device, subject=subject, kg=event.weight_kg or state.weight_kg)
        case DeviceKind.THERMOMETER:
            celsius = event.temperature_celsius or state.temperature_celsius
            return temperature(true_ms, device, subject=subject, celsius=celsius)
        case DeviceKind.GLUCOSE_METER:
            mmol_l = event.glucose_mmol_l or state.glucose_mmol_l
            return glucose(true_ms, device, subject=subject, mmol_l=mmol_l, meal=Meal(event.meal))
        case _:
            shown = BloodPressure(
                event.systolic_mmhg or round(state.systolic_mmhg),
                event.diastolic_mmhg or round(state.diastolic_mmhg),
                event.pulse_bpm or round(state.heart_rate_bpm),
            )
            reasons = tuple(dict.fromkeys(_NOTICES[notice] for notice in event.notices if notice in _NOTICES))
            device_ms = _own_clock(stand, event.at_s)
            return blood_pressure(true_ms, device, subject=subject, shown=shown, reasons=reasons, device_ms=device_ms)


def _room(stand: Stand, event: Warm, end_s: float) -> Iterator[Reading]:
    """One reading every ten minutes, warmest at three in the afternoon."""
    for turn in range(int((end_s - event.at_s) // _ROOM_EVERY_S) + 1):
        at_s = event.at_s + turn * _ROOM_EVERY_S
        day = 2 * math.pi * (stand.begins_s + at_s - _WARMEST_S) / _DAY_S
        celsius = event.room_celsius + event.swing_celsius * math.cos(day)
        yield room_temperature(stand.ms(at_s), stand.entry.id, dwelling=stand.dwelling, celsius=celsius)


def _own_clock(stand: Stand, at_s: float) -> int | None:
    match stand.entry.clock:
        case DeviceClock.SET:
            return stand.ms(at_s)
        case DeviceClock.RESET:
            return _MAKERS_DEFAULT_MS + round(at_s * _MS)
        case DeviceClock.ABSENT:
            return None


def _windows(stand: Stand, event: Wear, end_s: float) -> Iterator[Reading]:
    whole = max(1, int((end_s - event.at_s) // WINDOW_S))
    windows = event.windows or (Window(count=whole),)
    draw = random.Random(f"{stand.seed}/{stand.entry.id}/{event.at_s:g}")
    at_s = event.at_s
    for window in windows:
        for _ in range(window.count):
            at_s += WINDOW_S
            if at_s > stand.ends_s:
                return
            if window.artefact is not Artefact.FINGER_OUT:
                yield _window(stand, window, at_s, session_s=event.at_s, draw=draw)


def _window(stand: Stand, window: Window, at_s: float, *, session_s: float, draw: random.Random) -> Reading:
    state = stand.body.seated(stand.begins_s + at_s)
    spo2_percent = window.spo2_percent or round(state.spo2_percent)
    pulse_bpm = window.pulse_bpm or round(state.heart_rate_bpm)
    reasons: tuple[QualityReason, ...] = ()
    if window.artefact is not None:
        reasons = _SPOILT[window.artefact]
    if window.artefact is Artefact.LOOSE_FINGER:
        spo2_percent, pulse_bpm = draw.randint(*_LOOSE_SPO2_PERCENT), draw.randint(*_LOOSE_PULSE_BPM)
    return oximetry(
        stand.ms(at_s),
        stand.entry.id,
        subject=stand.subject,
        spo2_percent=spo2_percent,
        pulse_bpm=pulse_bpm,
        reasons=tuple(sorted(reasons)),
        session_ms=stand.ms(session_s),
    )


def _seconds(stand: Stand, event: Wear, end_s: float) -> Iterator[Reading]:
    """One reading a second: the beats that ended in it."""
    seed = f"{stand.seed}/{stand.entry.id}"
    source = beats_of(event, stand.body, recordings=stand.recordings, seed=seed)
    recent: list[float] = []
    beat_began_s = event.at_s
    beat = source.next_beat(stand.begins_s + beat_began_s)
    for turn in range(1, int(end_s - event.at_s) + 1):
        at_s = event.at_s + turn
        ended: list[float] = []
        while beat_began_s + beat.rr_ms / _MS <= at_s:
            beat_began_s += beat.rr_ms / _MS
            ended.append(beat.rr_ms)
            beat = source.next_beat(stand.begins_s + beat_began_s)
        recent = [*recent, *ended][-_AVERAGED_BEATS:] or [beat.rr_ms]
        yield heart_rhythm(
            stand.ms(at_s),
            stand.entry.id,
            subject=stand.subject,
            rate_bpm=round(60 * _MS * len(recent) / sum(recent)),
            intervals_1024th_s=[round(rr_ms * _RR_UNITS_PER_S / _MS) for rr_ms in ended],
            session_ms=stand.ms(event.at_s),
        )
