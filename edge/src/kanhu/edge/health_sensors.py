"""Generic health sensors: on each link they are told to begin, and what they measure from then on is read.

    linked --START_LIVE--> started --segments--> GhsSegments --an observation--> readings

Experimental, as the codec is. What a sensor has stored is not asked for: it may be what it has sent before, and nothing
in a record says so.
"""

import asyncio
from functools import partial

from kanhu.contract import Observation, Subject, Times
from kanhu.edge.codecs.ghs import CONTROL_UUID, LIVE_UUID, SERVICE_UUID, START_LIVE, STARTED, decode_ghs
from kanhu.edge.codecs.ghs_readings import observe_ghs
from kanhu.edge.codecs.ghs_segments import GhsSegments
from kanhu.edge.errors import DecodeError, DecodeReason, LinkLost, LinkReason
from kanhu.edge.intake import Intake, refused
from kanhu.edge.linked import LinkedPeer
from kanhu.edge.ways import GattTarget, Write

SILENT_S = 30.0
"""A sensor that has not answered by then will not; the time that the other profiles with a control point give."""
_AGAIN_S = 86_400.0
"""The command holds as long as the link; said again once a day it does no harm. Project choice."""
_LEAST_S = 15.0
"""What such a sensor is nobody knows before it speaks; a cuff takes longest, and none is faster. Project choice."""
_MOST_ANSWERS = 8


class HealthSensorPeer(LinkedPeer):
    """One sensor, and what of its next observation has arrived. Its clock is another service's; nobody sets it."""

    also: tuple[str, ...] = (CONTROL_UUID,)

    def __init__(self, intake: Intake) -> None:
        """Begin before the first link."""
        super().__init__(intake, GattTarget(SERVICE_UUID, LIVE_UUID))
        self.asking = self
        self._segments = GhsSegments()
        self._broken = 0
        self._answers: asyncio.Queue[bytes] = asyncio.Queue(_MOST_ANSWERS)

    def notified(self, value: bytes) -> None:
        """A segment; with the last an observation has arrived."""
        bodies = self._segments.feed(value)
        self._refuse_broken()
        for body in bodies:
            self._sessions.begin(ago_s=_LEAST_S)
            self.inbox.put(partial(self._observe, body, self._sessions.measured()))

    def told(self, characteristic_uuid: str, value: bytes) -> None:
        """An answer of the control point."""
        del characteristic_uuid  # there is no other
        if not self._answers.full():  # a sensor answers each command once; more is noise
            self._answers.put_nowait(value)

    async def ask(self, write: Write) -> float:
        """Tell it to begin.

        Raises:
            LinkLost: it will not.
            TimeoutError: it does not answer.
        """
        while not self._answers.empty():
            self._answers.get_nowait()
        await write(CONTROL_UUID, START_LIVE)
        async with asyncio.timeout(SILENT_S):
            answer = await self._answers.get()
        if answer != STARTED:
            raise LinkLost(
                LinkReason.SERVICE_MISSING, f"told to begin, the sensor answered {answer.hex() or 'nothing'}"
            )
        return _AGAIN_S

    def unlinked(self, reason: LinkReason, detail: str) -> None:
        """The link is gone, and with it the rest of what had begun to arrive."""
        self._segments.end()
        self._refuse_broken()
        super().unlinked(reason, detail)

    def _refuse_broken(self) -> None:
        for _ in range(self._segments.broken - self._broken):
            self.inbox.put(refused(DecodeError(DecodeReason.NOT_SYNCHRONISED, "an observation with a part missing")))
        self._broken = self._segments.broken

    def _observe(self, body: bytes, subject: Subject, times: Times) -> tuple[Observation, ...]:
        return observe_ghs(decode_ghs(body), subject=subject, device=self._intake.device.id, times=times)
