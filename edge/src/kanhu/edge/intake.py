"""One device's way into the sink: every reading it sent is accepted or refused there, exactly once."""

import asyncio
import logging
from collections.abc import Callable, Mapping
from typing import NamedTuple

from msgspec.structs import replace

from kanhu.contract import Clock, Observation, Times
from kanhu.edge.arrival import arrived
from kanhu.edge.devices import DeviceConfig, DeviceSeen, Forgetful, LocalTime, Memory, Signals, Sink, unknown_time
from kanhu.edge.ending import to_the_end
from kanhu.edge.errors import DecodeError, DecodeReason, LinkReason
from kanhu.edge.folding import NoiseFold
from kanhu.edge.sessions import mark_unidentified
from kanhu.edge.whose import People

_log = logging.getLogger(__name__)

_NOTHING: Mapping[str, int] = {}

Observe = Callable[[Times], Observation | tuple[Observation, ...]]
"""What arrived becomes a reading, or several of one frame; raises DecodeError where it cannot."""

GARBLED_BYTES = 1000
"""So many without a packet are no disturbance: three seconds of an oximeter; project choice."""

# At one reading a second this is four minutes of a disk that does not answer.
_MOST_WAITING = 256


class Intake:
    """Hands readings to the sink and keeps what is known of the device."""

    def __init__(
        self,
        device: DeviceConfig,
        *,
        sink: Sink,
        clock: Clock,
        people: People | None = None,
        local_time: LocalTime = unknown_time,
        memory: Memory | None = None,
        notes: Mapping[str, int] = _NOTHING,
        signals: Signals | None = None,
    ) -> None:
        """Begin with `notes`, what was kept of the device; without `people` a shared one measures nobody known.

        Without `signals` nobody looks at signals, and a device is not asked for them.
        """
        self.device = device
        self.clock = clock
        self.people = people
        self.signals = signals
        self.notes = dict(notes)
        """What is kept of the device over a restart; see `keep`."""
        self._memory = memory or Forgetful()
        self._local_time = local_time
        self._sink = sink
        self._seen = DeviceSeen(device.id, device.kind, connected=False, reason=LinkReason.STARTING)
        self._told: DeviceSeen | None = None
        self._bad_before = 0

    @property
    def reason(self) -> LinkReason:
        """The present state of the way to the device."""
        return self._seen.reason

    async def take(self, observe: Callable[[], Observation | tuple[Observation, ...]]) -> bool:
        """Accept what `observe` returns, or refuse for the reason it raises; a cancellation waits for the commit.

        False: nothing could keep it, and it is to be sent again, where the device can.
        """
        try:
            observed = observe()
            readings = [mark_unidentified(one) for one in (observed if isinstance(observed, tuple) else (observed,))]
        except DecodeError as error:
            await self.refuse(error)
            return True
        except Exception as error:  # noqa: BLE001  # of a kind that another package may have brought
            _log.exception("%s: its codec failed", self.device.id)
            await self.refuse(DecodeError(DecodeReason.CODEC_FAILED, f"{type(error).__name__}: {error}"))
            return True
        kept = [await to_the_end(self._sink.accept(reading)) for reading in readings]
        return all(kept)

    async def refuse(self, error: DecodeError) -> None:
        """A reading the device sent cannot become an observation."""
        await to_the_end(self._sink.refuse(self.device.id, error.reason.value, error.detail))

    def linked(self, reason: LinkReason) -> None:
        """The way to the device was opened."""
        self._change(replace(self._seen, connected=True, reason=reason, detail="", links=self._seen.links + 1))

    def waiting(self, reason: LinkReason) -> None:
        """All is ready for the device, which was not heard yet."""
        self._change(replace(self._seen, connected=False, reason=reason, detail=""))

    def unlinked(self, reason: LinkReason, detail: str) -> None:
        """The way to the device is gone."""
        self._change(replace(self._seen, connected=False, reason=reason, detail=detail))

    def remark(self, detail: str) -> None:
        """The way is good, and this is to be known about the device; empty where that is over."""
        if detail != self._seen.detail:
            self._change(replace(self._seen, detail=detail))

    def battery(self, percent: int) -> None:
        """The device told its battery."""
        if percent != self._seen.battery_percent:
            self._change(replace(self._seen, battery_percent=percent))

    def local_time(self) -> tuple[int, int] | None:
        """The people's local time now, between these milliseconds; None where nobody knows."""
        return self._local_time()

    def ago_s(self, device_ms: int | None) -> float | None:
        """So long ago this was by the device's clock; None where it does not tell, or nobody knows the time here.

        What its clock was last seen to be off is taken into account; one that was never looked at is believed.
        """
        now = self.local_time()
        if device_ms is None or now is None:
            return None
        return (sum(now) / 2 - device_ms) / 1000 + (self.clock_error_s or 0)

    @property
    def clock_error_s(self) -> int | None:
        """How far the device's own clock was off when last read, ahead counts positive; None: nobody knows."""
        return self._seen.clock_error_s

    def clock_read(self, error_s: int) -> None:
        """The device's own clock was compared with the time known here."""
        self._change(replace(self._seen, clock_error_s=error_s))

    def clock_set(self, error_s: int | None) -> None:
        """The device took the time it was given; before it was off by so much, None where that could not be read."""
        self._change(replace(self._seen, clock_error_s=0, clock_corrected_s=error_s or 0))

    def bad_bytes(self, total: int) -> None:
        """So many bytes so far belonged to no packet; told with the next change or reading."""
        self._seen = replace(self._seen, bad_bytes=total)

    def understood(self, packets: int, *, bad_bytes: int, reason: LinkReason) -> None:
        """So many packets were among what came last, and so many bytes so far belonged to none.

        Where a long stretch holds no packet the device is another one, or talks at another speed; once it is
        understood again, the way to it is good for this reason.
        """
        if packets:
            self._bad_before = bad_bytes
            if self._seen.reason is LinkReason.GARBLED:
                self._change(replace(self._seen, connected=True, reason=reason, detail="", bad_bytes=bad_bytes))
        elif bad_bytes - self._bad_before >= GARBLED_BYTES and self._seen.reason is not LinkReason.GARBLED:
            detail = f"{bad_bytes - self._bad_before} bytes and no packet: look at its kind, its model and its speed"
            seen = replace(self._seen, connected=False, reason=LinkReason.GARBLED, detail=detail, bad_bytes=bad_bytes)
            self._change(seen)

    def repeated(self) -> None:
        """One more repeat was folded; told with the next change or reading."""
        self._seen = replace(self._seen, repeats=self._seen.repeats + 1)

    async def keep(self, notes: Mapping[str, int]) -> None:
        """Keep this over a restart."""
        self.notes |= notes
        await to_the_end(self._memory.keep(self.device.id, notes))

    def tell(self) -> None:
        """Tell the sink what changed since it was last told."""
        if self._seen != self._told:
            self._told = self._seen
            self._sink.device_seen(self._seen)

    def _change(self, seen: DeviceSeen) -> None:
        self._seen = seen
        self.tell()


class _Waiting(NamedTuple):
    observe: Observe
    times: Times
    notes: Mapping[str, int]
    told: Callable[[bool], None] | None = None


class Inbox:
    """Readings that arrived in a callback and wait for their turn; full, it refuses the newest and counts them."""

    def __init__(self, intake: Intake) -> None:
        """Begin empty."""
        self._intake = intake
        self._waiting: asyncio.Queue[_Waiting] = asyncio.Queue(_MOST_WAITING)
        self._overflow = 0

    def put(
        self,
        observe: Observe,
        *,
        notes: Mapping[str, int] = _NOTHING,
        told: Callable[[bool], None] | None = None,
    ) -> None:
        """Take what arrived, with the time of its arrival, which is another when its turn comes.

        `notes` are kept of the device once the reading was accepted or refused, and all before it. `told` is called
        with whether the reading was: where it was not, it may come again, so its notes are not kept either.
        """
        try:
            self._waiting.put_nowait(_Waiting(observe, arrived(self._intake.clock), notes, told))
        except asyncio.QueueFull:
            self._overflow += 1
            if told is not None:
                told(False)

    async def put_patiently(self, observe: Observe, *, told: Callable[[bool], None] | None = None) -> None:
        """Take what can wait for room, because the device still has it; `told` as of `put`."""
        await self._waiting.put(_Waiting(observe, arrived(self._intake.clock), _NOTHING, told))

    async def note(self, notes: Mapping[str, int]) -> None:
        """Keep these of the device once all that was put before was accepted or refused."""
        await self._waiting.put(_Waiting(_nothing_arrived, arrived(self._intake.clock), notes))

    async def settled(self) -> None:
        """Return once all that was put is handed over, while somebody drains."""
        await self._waiting.join()

    async def drain(self) -> None:
        """Hand over until cancelled, or until the sink fails; what had arrived by then is handed over still."""
        try:
            while True:
                one = await self._waiting.get()
                try:
                    await to_the_end(self._hand_over(one))
                finally:
                    self._waiting.task_done()
        except asyncio.CancelledError:
            await self._hand_over_rest(whole=True)
            raise
        except BaseException:
            await self._hand_over_rest(whole=False)
            raise

    async def _hand_over(self, one: _Waiting) -> None:
        notes = await self._take(one)
        if notes:
            await self._intake.keep(notes)
        await self._refuse_overflow()
        self._intake.tell()

    async def _hand_over_rest(self, *, whole: bool) -> None:
        """In order of arrival; where the sink fails for one, it still has the others, and no note says it had all."""
        rest = [self._waiting.get_nowait() for _ in range(self._waiting.qsize())]
        taken = await asyncio.gather(*(self._take(one) for one in rest), return_exceptions=True)
        for _ in rest:
            self._waiting.task_done()
        to_keep = [notes for notes in taken if not isinstance(notes, BaseException)]
        if whole and len(to_keep) == len(rest):
            for notes in filter(None, to_keep):
                await self._intake.keep(notes)
        await self._refuse_overflow()
        self._intake.tell()

    async def _take(self, one: _Waiting) -> Mapping[str, int]:
        """The notes that are to be kept now."""
        kept = await self._intake.take(lambda: one.observe(one.times))
        if one.told is None:
            return one.notes
        one.told(kept)
        return one.notes if kept else _NOTHING

    async def _refuse_overflow(self) -> None:
        """Refuse what did not fit until now, many in one commit; what overflows meanwhile waits for the next reading.

        A device that sends faster than the disk commits would otherwise never get a turn for what it had sent before.
        """
        owed = self._overflow
        while owed:
            count = min(owed, _MOST_WAITING)
            owed -= count
            self._overflow -= count
            error = DecodeError(DecodeReason.BACKLOG_FULL, f"{_MOST_WAITING} readings waited for the disk")
            await asyncio.gather(*(self._intake.refuse(error) for _ in range(count)))


class Noise:
    """Advertisements of one device that cannot be read: each is refused once, and its repeats are counted."""

    def __init__(self, intake: Intake, inbox: Inbox) -> None:
        """Begin having heard none."""
        self._intake = intake
        self._inbox = inbox
        self._fold = NoiseFold()
        self._bad_bytes = 0

    def heard(self, content: bytes, refusal: Observe, *, mono_ns: int) -> None:
        """`refusal` raises why; where too many came, the bytes are counted and nothing is refused by itself."""
        if self._fold.is_repeat(content, mono_ns=mono_ns):
            self._intake.repeated()
        elif self._fold.is_due(mono_ns=mono_ns):
            self._inbox.put(refusal)
        else:
            self._bad_bytes += len(content)
            self._intake.bad_bytes(self._bad_bytes)


def refused(error: DecodeError) -> Observe:
    """For the inbox: what arrived and was found to be no reading before its turn came."""

    def observe(times: Times) -> Observation:
        del times
        raise error

    return observe


def _nothing_arrived(times: Times) -> tuple[Observation, ...]:
    del times
    return ()
