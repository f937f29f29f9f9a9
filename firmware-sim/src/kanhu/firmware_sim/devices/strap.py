"""A chest strap with the Bluetooth SIG Heart Rate Service: one notification a second, each one reading."""

from collections import deque

from kanhu.firmware_sim.air import Air, Delivery
from kanhu.firmware_sim.bodies import Beat, BeatSource, beats_of
from kanhu.firmware_sim.devices.connected import ConnectedDevice, Profile
from kanhu.firmware_sim.devices.device import Surroundings
from kanhu.firmware_sim.journal import Value
from kanhu.firmware_sim.scenario.model import Event, LoseContact, Wear
from kanhu.firmware_sim.timeline import Timeline
from kanhu.firmware_sim.wire import Contact, HeartRateReading, heart_rate_measurement
from kanhu.firmware_sim.wire.heart_rate import RR_UNITS_PER_S

_BODY_SENSOR_LOCATION_UUID = 0x2A38
_LOCATION_CHEST = 0x01
_PROFILE = Profile(
    prefix="HR",
    model="chest strap",
    service_uuid=0x180D,
    measurement_uuid=0x2A37,
    delivery=Delivery.NOTIFY,
    constants=((_BODY_SENSOR_LOCATION_UUID, bytes([_LOCATION_CHEST])),),
)
_AVERAGED_BEATS = 8  # straps show a rate smoothed over a few beats
_PERIOD_S = 1.0


class Strap(ConnectedDevice):
    """One strap."""

    def __init__(self, surroundings: Surroundings, *, air: Air, address: str) -> None:
        """Stand in `air`."""
        super().__init__(surroundings, profile=_PROFILE, air=air, address=address)

    async def play(self, timeline: Timeline) -> None:
        """Send once a second while worn."""
        ends = [event.at_s for event in self._around.events[1:]] + [timeline.duration_s]
        for event, end_s in zip(self._around.events, ends, strict=True):
            await timeline.until(event.at_s)
            if isinstance(event, Wear):
                await self._send_beats(event, end_s, timeline)
            elif isinstance(event, LoseContact):
                await self._send_without_contact(event, end_s, timeline)

    async def _send_beats(self, event: Wear, end_s: float, timeline: Timeline) -> None:
        around = self._around
        beats = beats_of(event, around.body, recordings=around.recordings, seed=f"{around.seed}/{self.name}")
        heart = _Heart(beats, began_s=event.at_s)
        for at_s in _seconds(event, end_s):
            await timeline.until(at_s + self._around.spoiler.delay_s(at_s))
            reading, rhythm = heart.reading(at_s, timeline)
            await self._send_reading(reading, rhythm, at_s)

    async def _send_without_contact(self, event: LoseContact, end_s: float, timeline: Timeline) -> None:
        for at_s in _seconds(event, end_s):
            await timeline.until(at_s)
            await self._send_reading(HeartRateReading(0, contact=Contact.NOT_DETECTED), "none", at_s)

    async def _send_reading(self, reading: HeartRateReading, rhythm: str, at_s: float) -> None:
        values: dict[str, Value] = {
            "heart_rate_bpm": reading.heart_rate_bpm,
            "rr_1024": list(reading.rr_intervals_1024),
            "contact": reading.contact.name.lower(),
            "rhythm": rhythm,
        }
        await self._send(heart_rate_measurement(reading), values, at_s=at_s)


class _Heart:
    """Turns beats into once-a-second readings."""

    def __init__(self, source: BeatSource, *, began_s: float) -> None:
        self._source = source
        self._recent: deque[Beat] = deque(maxlen=_AVERAGED_BEATS)
        self._beat_began_s = began_s
        self._beat: Beat | None = None

    def reading(self, at_s: float, timeline: Timeline) -> tuple[HeartRateReading, str]:
        """What the strap sends at `at_s`: the beats that ended since the last reading, and the truth's rhythm."""
        ended: list[Beat] = []
        beat = self._beat or self._source.next_beat(timeline.second_of_day(self._beat_began_s))
        while self._beat_began_s + beat.rr_ms / 1000 <= at_s:
            self._beat_began_s += beat.rr_ms / 1000
            ended.append(beat)
            beat = self._source.next_beat(timeline.second_of_day(self._beat_began_s))
        self._beat = beat
        self._recent.extend(ended)
        averaged = self._recent or [beat]
        rr_ms = sum(each.rr_ms for each in averaged) / len(averaged)
        reading = HeartRateReading(
            round(60_000 / rr_ms),
            contact=Contact.DETECTED,
            rr_intervals_1024=tuple(round(each.rr_ms * RR_UNITS_PER_S / 1000) for each in ended),
        )
        return reading, beat.rhythm


def _seconds(event: Event, end_s: float) -> list[float]:
    """The moments of sending: every full second after the event up to its end."""
    return [event.at_s + turn * _PERIOD_S for turn in range(1, int((end_s - event.at_s) / _PERIOD_S) + 1)]
