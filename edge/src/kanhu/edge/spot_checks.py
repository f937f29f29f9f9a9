"""Spot checks of a Nonin oximeter on a serial port: each is one reading, with the oximeter's own time."""

from collections.abc import Iterable

from kanhu.contract import Subject
from kanhu.edge.arrival import arrived
from kanhu.edge.codecs.date_time import clock_error_s
from kanhu.edge.codecs.nonin_frames import NoninSpotCheckFraming
from kanhu.edge.codecs.nonin_seconds import NoninSpotCheck, decode_nonin_spot_check, observe_nonin_spot_check
from kanhu.edge.errors import LinkReason
from kanhu.edge.intake import Intake
from kanhu.edge.known_results import KnownResults, mark_of
from kanhu.edge.sessions import Sessions

_LEAST_S = 4.0
"""From the finger in it to a value that stands still pass some beats; project choice: none does it in four seconds."""


class SpotChecks:
    """Receives what the port gave."""

    def __init__(self, intake: Intake) -> None:
        """Begin between two checks, knowing which came last before a restart."""
        self._intake = intake
        self._framing = NoninSpotCheckFraming()
        self._sessions = Sessions(intake.device, clock=intake.clock, people=intake.people)
        self._known = KnownResults(intake)

    def opened(self) -> None:
        """The port is open; the oximeter speaks when it has measured."""
        self._intake.linked(LinkReason.OPEN)

    async def received(self, data: bytes) -> bytes:
        """Take the checks that these bytes complete."""
        frames = self._framing.feed(data)
        await self._take(frames)
        self._intake.understood(len(frames), bad_bytes=self._framing.bad_bytes, reason=LinkReason.OPEN)
        return b""

    async def paused(self) -> bytes:
        """A check that was begun is none, and may hide one that is whole."""
        await self._take(self._framing.end())
        return b""

    async def lost(self, reason: LinkReason, detail: str) -> None:
        """The port is gone."""
        await self.paused()
        self._intake.unlinked(reason, detail)

    async def _take(self, frames: Iterable[bytes]) -> None:
        for frame in frames:
            check = decode_nonin_spot_check(frame)
            told = (check.measured_at_ms, check.pulse_bpm, check.spo2_percent, check.no_measurement)
            mark = mark_of(*told)  # whether it comes from memory makes it no other
            if self._known.has(mark, timed=check.measured_at_ms is not None):
                self._intake.repeated()
                continue
            if await self._take_one(check):
                await self._known.add([mark])
        self._intake.bad_bytes(self._framing.bad_bytes)
        self._intake.tell()

    async def _take_one(self, check: NoninSpotCheck) -> bool:
        self._compare_clock(check)
        subject, times = self._whose(check), arrived(self._intake.clock)
        device = self._intake.device.id
        return await self._intake.take(
            lambda: observe_nonin_spot_check(check, subject=subject, device=device, times=times)
        )

    def _compare_clock(self, check: NoninSpotCheck) -> None:
        now = self._intake.local_time()
        if not check.from_memory and check.measured_at_ms is not None and now is not None:
            self._intake.clock_read(clock_error_s(check.measured_at_ms, now))

    def _whose(self, check: NoninSpotCheck) -> Subject:
        """On a shared oximeter a check from its memory may be of anybody."""
        if check.from_memory:
            return self._sessions.stored()
        self._sessions.begin(ago_s=_LEAST_S)
        return self._sessions.measured()
