"""Microlife cuffs: on each link the clock is set and all that is stored is asked for; a record is one reading once.

    linked --set time--> acknowledged --get records--> frame --new ones--> readings, committed --> goodbye

A cuff tells its whole memory every time; what is known of it already is folded, over a restart too. It wakes its radio
for a short while after a measurement, and ends the link at the goodbye.
"""

import asyncio
from functools import partial

from kanhu.contract import Observation, Subject, Times
from kanhu.edge.codecs.microlife import (
    MicrolifeRecord,
    decode_microlife,
    decode_microlife_records,
    encode_microlife_disconnect,
    encode_microlife_get_records,
    encode_microlife_set_time,
    microlife_frame_bytes,
    observe_microlife,
)
from kanhu.edge.errors import DecodeError, DecodeReason, LinkLost, LinkReason
from kanhu.edge.intake import Intake, refused
from kanhu.edge.known_results import KnownResults, mark_of
from kanhu.edge.linked import LinkedPeer
from kanhu.edge.ways import GattTarget, Write

SILENT_S = 60.0
"""A cuff that has not answered by then will not (joergmlpts/blood-pressure-monitor waits as long)."""
_AGAIN_S = 60.0
"""A link that outlives the goodbye is asked again; project choice."""
_LEAST_S = 15.0  # no cuff is faster; as of other cuffs
_MINUTE_S = 60.0  # a record's time is of the minute
_MOST_KEPT = 256
"""Records of a cuff known over a restart; a BP3GY1-2N keeps 99 of each of two users."""
_MOST_BYTES = 16 * 1024
_MOST_ANSWERS = 8
_ACKNOWLEDGED = b"\x81"

_SERVICE = "0000fff0-0000-1000-8000-00805f9b34fb"
_FROM_CUFF = "0000fff1-0000-1000-8000-00805f9b34fb"
_TO_CUFF = "0000fff2-0000-1000-8000-00805f9b34fb"


class MicrolifePeer(LinkedPeer):
    """One cuff, and what is asked of it. Its clock is set by a frame of its own, and cannot be read."""

    also: tuple[str, ...] = ()

    def __init__(self, intake: Intake) -> None:
        """Begin before the first link, knowing what was told before a restart."""
        super().__init__(intake, GattTarget(_SERVICE, _FROM_CUFF))
        self.asking = self
        self._known = KnownResults(intake, kept=_MOST_KEPT)
        self._kept: set[int] = set()
        self._frame = bytearray()
        self._payloads: asyncio.Queue[bytes] = asyncio.Queue(_MOST_ANSWERS)
        self._bad_bytes = 0

    def told(self, characteristic_uuid: str, value: bytes) -> None:
        """It is subscribed to nothing besides."""

    def notified(self, value: bytes) -> None:
        """A piece of a frame."""
        self._frame += value
        length = microlife_frame_bytes(bytes(self._frame))
        if length is None or (len(self._frame) < length <= _MOST_BYTES):
            return
        frame, self._frame = bytes(self._frame), bytearray()
        try:
            payload = decode_microlife(frame)
        except DecodeError as error:  # the next answer begins anew
            self._bad_bytes += len(frame)
            self._intake.bad_bytes(self._bad_bytes)
            self.inbox.put(refused(error))
            return
        if not self._payloads.full():  # a cuff answers each question once; more is noise
            self._payloads.put_nowait(payload)

    async def ask(self, write: Write) -> float:
        """Set its clock, fetch its memory, and say goodbye.

        Raises:
            LinkLost: it refuses.
            TimeoutError: it fell silent.
        """
        self._frame.clear()
        while not self._payloads.empty():
            self._payloads.get_nowait()
        now = self._intake.local_time()
        if now is not None and await self._asked(write, encode_microlife_set_time(sum(now) // 2)) != _ACKNOWLEDGED:
            raise LinkLost(LinkReason.SERVICE_MISSING, "the cuff does not let its clock be set")
        await self._hand_over(decode_microlife_records(await self._asked(write, encode_microlife_get_records())))
        await write(_TO_CUFF, encode_microlife_disconnect())
        return _AGAIN_S

    def unlinked(self, reason: LinkReason, detail: str) -> None:
        """The link is gone, and with it a frame that was begun."""
        if self._frame:
            self.inbox.put(refused(DecodeError(DecodeReason.SHORT, f"{len(self._frame)} bytes of a frame")))
            self._frame.clear()
        super().unlinked(reason, detail)

    async def _asked(self, write: Write, question: bytes) -> bytes:
        await write(_TO_CUFF, question)
        async with asyncio.timeout(SILENT_S):
            return await self._payloads.get()

    async def _hand_over(self, records: tuple[MicrolifeRecord, ...]) -> None:
        """New records, oldest first; what the card does not take is told again on the next link."""
        marks = {_mark(record): record for record in records}
        new = sorted(
            (record.measured_at_ms, mark) for mark, record in marks.items() if not self._known.has(mark, timed=True)
        )
        for _, mark in new:
            record = marks[mark]
            reading = partial(self._observe, record, self._whose(record, alone=len(new) == 1))
            await self.inbox.put_patiently(reading, told=partial(self._told_of, mark))
        await self.inbox.settled()
        await self._known.add([mark for _, mark in new if mark in self._kept])
        self._kept.clear()

    def _told_of(self, mark: int, kept: bool) -> None:
        if kept:
            self._kept.add(mark)

    def _whose(self, record: MicrolifeRecord, *, alone: bool) -> Subject:
        """On a shared cuff only a single record of just now can be of who is chosen."""
        passed_s = self._intake.ago_s(record.measured_at_ms) if alone else None
        return self._sessions.kept(passed_s, takes_s=_LEAST_S, blur_s=_MINUTE_S)

    def _observe(self, record: MicrolifeRecord, subject: Subject, times: Times) -> Observation:
        return observe_microlife(record, subject=subject, device=self._intake.device.id, times=times)


def _mark(record: MicrolifeRecord) -> int:
    return mark_of(record.measured_at_ms, record.systolic_mmhg, record.diastolic_mmhg, record.pulse_bpm)
