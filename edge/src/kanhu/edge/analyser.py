"""An analyser on a serial port: its frames are answered, and the last of a message only once its results are committed.

    bytes --link--> message --decode--> results --whose--> readings, committed --> ACK is written
    silence of a second: a frame without its end is taken or refused; of thirty seconds: the session is over

Where the card takes nothing the last frame is refused, and the analyser sends it again, as long as it has patience.
What was not acknowledged it sends again, after a cut cable as after a power cut, and what it sends again is
folded: a result that names its time is one result however often it comes, one without a time, with the day alone or
from a clock that nobody has set for some minutes.
"""

from kanhu.contract import Subject
from kanhu.edge.arrival import arrived
from kanhu.edge.codecs.astm_fields import local_ms
from kanhu.edge.codecs.astm_link import LinkState, Note, Step, fall_silent, not_kept, receive, time_out
from kanhu.edge.codecs.astm_records import AstmMessage, AstmOrder, AstmResult, decode_astm, observe_astm
from kanhu.edge.codecs.date_time import clock_error_s
from kanhu.edge.codecs.date_time_fields import FIRST_PLAUSIBLE_MS
from kanhu.edge.errors import DecodeError, DecodeReason, LinkReason
from kanhu.edge.intake import Intake
from kanhu.edge.known_results import KnownResults, mark_of
from kanhu.edge.sessions import Sessions


class Analyser:
    """Receives what the port gave, and says what to answer."""

    def __init__(self, intake: Intake) -> None:
        """Begin between two sessions of the link, knowing which results came last before a restart."""
        self._intake = intake
        self._sessions = Sessions(intake.device, clock=intake.clock, people=intake.people)
        self._link = LinkState()
        self._silent = False
        self._bad_bytes = 0
        self._known = KnownResults(intake)

    def opened(self) -> None:
        """The port is open; the analyser speaks when it has a result."""
        self._intake.linked(LinkReason.OPEN)

    async def received(self, data: bytes) -> bytes:
        """The answer to these bytes, once all is committed that it acknowledges."""
        if data:
            self._silent = False
        return await self._follow(receive(self._link, data))

    async def paused(self) -> bytes:
        """First a frame that did not end is taken or refused; the second time in a row the session is over."""
        step = time_out(self._link) if self._silent else fall_silent(self._link)
        self._silent = True
        return await self._follow(step)

    async def lost(self, reason: LinkReason, detail: str) -> None:
        """The port is gone, and with it the session."""
        await self._follow(time_out(self._link))
        self._intake.unlinked(reason, detail)

    async def _follow(self, step: Step) -> bytes:
        kept = [await self._take(text) for text in step.messages]
        if not all(kept):
            step = not_kept(self._link)
        for _ in range(step.notes.count(Note.MESSAGE_DROPPED)):
            detail = "a message broke off, and none of it was acknowledged to its end: the analyser sends it again"
            await self._intake.refuse(DecodeError(DecodeReason.SHORT, detail))
        self._link = step.state
        self._bad_bytes += step.bad_bytes
        frames = len(step.messages) + bool(step.state.text)
        self._intake.bad_bytes(self._bad_bytes)
        self._intake.understood(frames, bad_bytes=self._bad_bytes, reason=LinkReason.OPEN)
        self._intake.tell()
        return step.reply

    async def _take(self, text: bytes) -> bool:
        """Whether all of it was kept that can be."""
        try:
            messages = decode_astm(text)
        except DecodeError as error:  # it would come again just so
            await self._intake.refuse(error)
            return True
        for message in messages:
            self._compare_clock(message)
        kept = [await self._take_results(message) for message in messages]
        return all(kept)

    async def _take_results(self, message: AstmMessage) -> bool:
        whose: dict[tuple[tuple[str, ...], AstmOrder | None], Subject] = {}
        new: list[int] = []
        kept = True
        for result in message.results:
            mark = _mark(result)
            if self._known.has(mark, timed=result.tells_moment):
                self._intake.repeated()
                continue
            sample = (result.patient_ids, result.order)
            if sample not in whose:
                whose[sample] = self._sessions.named(_ids(result))
            if not await self._take_one(result, whose[sample]):
                kept = False
                continue
            new.append(mark)
        await self._known.add(new)
        return kept

    async def _take_one(self, result: AstmResult, subject: Subject) -> bool:
        times = arrived(self._intake.clock)
        device = self._intake.device.id
        return await self._intake.take(lambda: observe_astm(result, subject=subject, device=device, times=times))

    def _compare_clock(self, message: AstmMessage) -> None:
        """The header tells when it was sent; a result may be much older."""
        sent_ms, now = local_ms(message.header.sent_at), self._intake.local_time()
        if sent_ms is not None and sent_ms >= FIRST_PLAUSIBLE_MS and now is not None:
            self._intake.clock_read(clock_error_s(sent_ms, now))


def _ids(result: AstmResult) -> tuple[str, ...]:
    """Of the patient only: an analyser counts its specimens by itself, and such a number may be anybody's."""
    return tuple(one.strip() for one in result.patient_ids)


def _mark(result: AstmResult) -> int:
    order = result.order
    return mark_of(
        result.patient_ids,
        None if order is None else (order.specimen_id, order.instrument_specimen_id),
        (result.test, result.value_text, result.unit, result.flag_text, result.status),
        (result.started_at, result.completed_at),
    )
