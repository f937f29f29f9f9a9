"""A radar on a serial port: bytes to frames, frames to reports, and readings only of what is new in them.

    bytes --framing--> frames --decode--> report --RadarFold--> metrics that are news --> one reading each

A radar sends for as long as it lives, whether somebody is there or not: silence is a radar that failed, never nobody.
"""

from collections.abc import Callable, Mapping
from typing import Protocol

from kanhu.edge.arrival import arrived
from kanhu.edge.codecs.radar_report import RadarReport, observe_steps, steps_of_radar
from kanhu.edge.errors import DecodeError, LinkReason
from kanhu.edge.folding import ButtonFold, StateFold, Telling
from kanhu.edge.intake import Intake
from kanhu.edge.sessions import Sessions

SILENCE_S = 75.0
"""A radar silent for a minute has failed; a quarter more for a heartbeat that is late. Project choice."""

_EVERY_S = 60.0


# Project choices. A rate comes every three seconds or oftener and wavers by one or two; a state is told as it changes.
_STATE = Telling(1, _EVERY_S)
_TELLINGS: Mapping[str, Telling] = {
    "respiration": Telling(20, _EVERY_S, 10.0),
    "heart_rate_radar": Telling(5, _EVERY_S, 10.0),
}


class RadarFold:
    """What a radar told last, and so what is news: what changed, and each minute what did not."""

    def __init__(self) -> None:
        """Begin having heard nothing."""
        self._states = StateFold()
        self._nobody = False

    def news(self, steps: Mapping[str, int], *, mono_ns: int) -> dict[str, int]:
        """The metrics to be told; no rate of breath or heart while the radar says that nobody is there."""
        if "presence" in steps:
            self._nobody = steps["presence"] == 0
        return {
            code: step
            for code, step in steps.items()
            if not (self._nobody and code in _TELLINGS)
            and self._states.is_news(code, step, _TELLINGS.get(code, _STATE), mono_ns=mono_ns)
        }


class Framing(Protocol):
    """Cuts a stream into frames; each radar's protocol has one beside its codec."""

    @property
    def bad_bytes(self) -> int:
        """Bytes so far that belonged to no frame."""

    def feed(self, data: bytes) -> list[bytes]:
        """Frames that these bytes complete, in order."""

    def end(self) -> list[bytes]:
        """The stream paused or was cut."""


class Radar:
    """Receives what the port gave."""

    def __init__(
        self,
        intake: Intake,
        *,
        framing: Callable[[], Framing],
        decode: Callable[[bytes], RadarReport],
        silence_s: float = SILENCE_S,
    ) -> None:
        """Begin before the port is open."""
        self._intake = intake
        self._framing = framing()
        self._decode = decode
        self._silence_ns = silence_s * 1e9
        self._fold = RadarFold()
        self._refused = ButtonFold()
        self._sessions = Sessions(intake.device, clock=intake.clock, people=intake.people)
        self._alive = False
        self._last_ns = 0

    def opened(self) -> None:
        """The port is open; whether a radar lives behind it is another question."""
        self._intake.waiting(LinkReason.OPEN)

    async def received(self, data: bytes) -> bytes:
        """Hear these bytes; what is news in them is handed over at once."""
        if data:
            self._last_ns = self._intake.clock.mono_ns()
        frames = self._framing.feed(data)
        await self._hear(frames)
        self._intake.understood(len(frames), bad_bytes=self._framing.bad_bytes, reason=LinkReason.HEARD)
        return b""

    async def paused(self) -> bytes:
        """The radar failed where it was silent for so long; else the reading ends."""
        await self._hear(self._framing.end())
        self._intake.bad_bytes(self._framing.bad_bytes)
        if self._alive and self._intake.clock.mono_ns() - self._last_ns >= self._silence_ns:
            self._forget()
            self._intake.unlinked(LinkReason.TIMED_OUT, f"silent for {self._silence_ns / 1e9:.0f} s")
        self._intake.tell()
        return b""

    async def lost(self, reason: LinkReason, detail: str) -> None:
        """The port is gone, and with it the radar."""
        await self._hear(self._framing.end())
        self._intake.bad_bytes(self._framing.bad_bytes)
        self._forget()
        self._intake.unlinked(reason, detail)

    def _forget(self) -> None:
        """What was told before a silence may have changed in it."""
        self._alive = False
        self._fold = RadarFold()

    async def _hear(self, frames: list[bytes]) -> None:
        for frame in frames:
            if not self._alive:
                self._alive = True
                self._intake.linked(LinkReason.HEARD)
            await self._hear_one(frame)

    async def _hear_one(self, frame: bytes) -> None:
        now_ns = self._intake.clock.mono_ns()
        try:
            steps = steps_of_radar(self._decode(frame))
        except DecodeError as error:
            if self._refused.is_new(frame, mono_ns=now_ns):
                await self._intake.refuse(error)
            else:
                self._intake.repeated()
            return
        news = self._fold.news(steps, mono_ns=now_ns)
        if not news:
            if steps:
                self._intake.repeated()
            return
        self._sessions.begin()
        subject, times = self._sessions.measured(), arrived(self._intake.clock)
        await self._intake.take(
            lambda: observe_steps(news, subject=subject, device=self._intake.device.id, times=times)
        )
        self._intake.bad_bytes(self._framing.bad_bytes)
        self._intake.tell()
