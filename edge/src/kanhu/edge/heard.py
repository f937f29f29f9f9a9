"""Sensors that are only heard: the same again and again by advertisement, and readings only of what is new in it.

    advertisement --decode--> quantities --SensorFold--> metrics that are news --Inbox--> one reading each

Who sent a frame is proven where the device has a key: what opens with it and is no older frame sent again. What is not
proven is refused, except that it may be somebody in danger: that is taken, and marked.
"""

from collections.abc import Mapping
from functools import partial

from kanhu.contract import (
    MetricKind,
    Observation,
    Part,
    Quality,
    Subject,
    Times,
    metric,
)
from kanhu.edge.codecs.advertised import steps_of
from kanhu.edge.counters import COUNTER, UNPROVEN, CounterReason, ReplayCounter
from kanhu.edge.errors import DecodeError, DecodeReason, LinkReason
from kanhu.edge.folding import ButtonFold, StateFold, Telling
from kanhu.edge.intake import Inbox, Intake, Noise
from kanhu.edge.kinds.kind import HeardKind, Told
from kanhu.edge.sessions import Sessions
from kanhu.edge.ways import Asking, GattTarget, Heard, OwnClock

_DANGER = frozenset({"help_button", "fall", "smoke", "gas", "carbon_monoxide", "water"})


# Project choices. A rule on a dwelling's temperature looks at half degrees and hours; ten minutes show a sensor that
# fell silent soon enough, and are 144 readings a day.
_EVERY_S = 600.0
_EVENT = Telling(1, _EVERY_S)
_STATES: Mapping[str, Telling] = {
    "room_temperature": Telling(50, _EVERY_S),
    "room_humidity": Telling(500, _EVERY_S),
    "contact": _EVENT,
    "presence": _EVENT,
    "bed_occupancy": _EVENT,
    "smoke": _EVENT,
    "gas": _EVENT,
    "carbon_monoxide": _EVENT,
    "water": _EVENT,
    "motion": Telling(1, 60.0),
}
"""What stands until it changes; everything else is told once, such as a press or a weighing."""


class SensorFold:
    """What one sensor told last, and so what is news."""

    def __init__(self) -> None:
        """Begin having heard nothing."""
        self._states = StateFold()
        self._once: dict[str, ButtonFold] = {}

    def news(self, steps: Mapping[str, int], *, event: int | bytes, mono_ns: int) -> dict[str, int]:
        """The metrics to be told of an advertisement; `event` is its packet id, or its bytes."""
        return {code: step for code, step in steps.items() if self._is_news(code, step, event, mono_ns)}

    def _is_news(self, code: str, step: int, event: int | bytes, mono_ns: int) -> bool:
        telling = _STATES.get(code)
        if telling is None:
            if metric(code).kind is not MetricKind.EVENT:  # a weighing is told for as long as somebody stands there
                return self._once.setdefault(code, ButtonFold()).is_new(step, mono_ns=mono_ns)
            return step > 0 and self._once.setdefault(code, ButtonFold()).is_new(event, mono_ns=mono_ns)
        return self._states.is_news(code, step, telling, mono_ns=mono_ns)


class SensorPeer:
    """A sensor of the radio."""

    def __init__(self, intake: Intake, *, kind: HeardKind) -> None:
        """Begin before the radio listens."""
        self.address = (intake.device.address or "").upper()
        self.target: GattTarget | None = None
        self.own_clock: OwnClock | None = None
        self.asking: Asking | None = None
        self.inbox = Inbox(intake)
        self._kind = kind
        self._intake = intake
        self._key = intake.device.key_bytes
        self._sender = bytes.fromhex(self.address.replace(":", ""))
        self._counter = ReplayCounter(intake.notes.get(COUNTER))
        self._fold = SensorFold()
        self._noise = Noise(intake, self.inbox)
        self._heard_ns: int | None = None
        self._sessions = Sessions(intake.device, clock=intake.clock, people=intake.people)

    def advertised(self, heard: Heard) -> None:
        """What is news in it goes to the inbox; what cannot be read goes there once, to be refused."""
        mono_ns = self._intake.clock.mono_ns()
        try:
            told = self._decoded(heard)
        except Exception:  # noqa: BLE001  # whatever the codec of another package raises; the inbox meets it and counts it
            self._refuse_once(heard, mono_ns, None)
            return
        if told is None or not told.values:
            return
        trust = self._trust(told)
        if trust is CounterReason.REPEATED:
            self._intake.repeated()
            return
        steps = steps_of(told.values)
        if not self._kind.calls:
            steps.pop("help_button", None)
        if not trust.accepted:
            steps = {code: step for code, step in steps.items() if code in _DANGER and step}
            if not steps:
                self._refuse_once(heard, mono_ns, trust)
                return
        self._heard(told)
        event = told.packet if told.packet is not None else heard.content()
        news = self._fold.news(steps, event=event, mono_ns=mono_ns)
        if not news:
            self._intake.repeated()
            return
        self._put(news, Quality() if trust.accepted else UNPROVEN)

    def minutes_passed(self) -> None:
        """Show a sensor that speaks all the time, and was not heard for long, as silent."""
        limit_s, heard_ns = self._kind.silent_s, self._heard_ns
        if limit_s is None or heard_ns is None or self._intake.reason is not LinkReason.HEARD:
            return
        if self._intake.clock.mono_ns() - heard_ns > limit_s * 1e9:
            self._intake.unlinked(LinkReason.TIMED_OUT, f"not heard for {limit_s / 60:.0f} min")

    def notified(self, value: bytes) -> None:
        """It is never subscribed to."""

    def battery(self, percent: int) -> None:
        """The battery comes with its advertisements."""

    def linked(self, reason: LinkReason) -> None:
        """The radio listens."""
        self._intake.waiting(reason)

    def unlinked(self, reason: LinkReason, detail: str) -> None:
        """The radio is gone."""
        self._intake.unlinked(reason, detail)

    def _decoded(self, heard: Heard) -> Told | None:
        return self._kind.decode(heard, key=self._key, address=self._sender)

    def _trust(self, told: Told) -> CounterReason:
        if self._key is None or (told.sealed and told.counter is None):
            return CounterReason.NEW
        return self._counter.judge(told.counter)

    def _heard(self, told: Told) -> None:
        self._heard_ns = self._intake.clock.mono_ns()
        if self._intake.reason in {LinkReason.LISTENING, LinkReason.TIMED_OUT}:
            self._intake.linked(LinkReason.HEARD)
        battery = next((one.value for one in told.values if one.name == "battery_percent"), None)
        if battery is not None:
            self._intake.battery(int(battery))

    def _put(self, news: Mapping[str, int], quality: Quality) -> None:
        self._sessions.begin()
        subject = self._sessions.measured()
        for code, step in news.items():
            reading = partial(_reading, code, step, subject=subject, device=self._intake.device.id, quality=quality)
            self.inbox.put(reading, notes=self._counter.notes)

    def _refuse_once(self, heard: Heard, mono_ns: int, trust: CounterReason | None) -> None:
        def again(times: Times) -> Observation:
            del times
            if trust is None:
                self._decoded(heard)
            raise DecodeError(DecodeReason.UNPROVEN, "" if trust is None else f"counter: {trust.value}")

        self._noise.heard(heard.content(), again, mono_ns=mono_ns)


def _reading(code: str, step: int, times: Times, *, subject: Subject, device: str, quality: Quality) -> Observation:
    return Observation(code, (Part(code, (step,)),), subject, device, times, quality)
