"""Looks at the alarms once a second, does what the ladder asks for, and writes down what was done.

Each way of telling has its own task for each attempt, so that a modem that hangs delays no voice, and nothing here
delays a reading: the keeper shares with the rest of the gateway only the outbox's thread, for one commit before and
one after each attempt.
"""

import asyncio
import logging
from collections.abc import Callable, Coroutine, Mapping, Sequence
from contextlib import suppress
from functools import partial

import msgspec

from kanhu.contract import AlarmStatus, Clock, Finding, Lane, Phase, Priority, Times
from kanhu.contract.actions import ACTED_LOCALLY, ActionOutcome, LocalAction
from kanhu.gateway.alarm import ladder
from kanhu.gateway.alarm.acting import Acknowledgement, Message, News, Result, Way
from kanhu.gateway.alarm.book import Alarm, Channel, End
from kanhu.gateway.alarm.ladder import Moment, Reason
from kanhu.gateway.alarm.notes import part_of
from kanhu.gateway.alarm.standing import note_fault, standing
from kanhu.gateway.committer import Committer
from kanhu.gateway.errors import OutboxError
from kanhu.gateway.outbox import Outbox

_LOOK_S = 1.0
_ACT_S = 180.0  # longer than any way of telling takes by itself: a slow modem with a message in three parts
_FIRST_ACTIONS = 24
_LAST_ACTIONS = 24

_log = logging.getLogger(__name__)


Tidings = Callable[[], Coroutine[object, object, News]]
"""What came back since the last question."""


def channel_name(way: Way) -> str:
    """Under which name the book keeps a way."""
    return f"{way.channel}:{way.role}" if way.role else way.channel


class AlarmKeeper:
    """Acts by itself when a high finding has no receipt in time."""

    def __init__(
        self,
        committer: Committer,
        ways: Sequence[Way],
        *,
        receipt_s: float,
        clock: Clock,
        announce: Callable[[Sequence[Lane]], None],
        tidings: Tidings | None = None,
        beside: Callable[[], Coroutine[object, object, None]] | None = None,
        confirmed: Callable[[str], bool] = lambda _: False,
    ) -> None:
        """`announce` is told on which lanes new records are; `beside` runs as long as this does.

        `confirmed` says whether the county has an alert that the card would not take, sent from memory.
        """
        self._committer = committer
        self._ways = {channel_name(way): way for way in ways}
        self._receipt_s = receipt_s
        self._clock = clock
        self._announce = announce
        self._tidings = tidings
        self._beside = beside
        self._confirmed = confirmed
        self._acting: dict[tuple[str, str], asyncio.Task[None]] = {}
        self._unstored: dict[str, Alarm] = {}
        """What the card would not take; it leads over what the card says."""
        self._resting = False

    def way(self, channel: str) -> Way | None:
        """One way of telling; None where it is not fitted."""
        return self._ways.get(channel)

    def sound(self, findings: Sequence[Finding]) -> None:
        """High findings that the card would not take; where memory would not either, nobody else ever hears of them.

        One a rule and subject: a judge that is restored after each of them makes each press another alert.
        """
        for finding in findings:
            if finding.phase is Phase.END or finding.priority is not Priority.HIGH:
                continue
            known = ((one.finding.rule, one.finding.subject) for one in self._unstored.values())
            if (finding.rule, finding.subject) not in known:
                self._unstored[finding.alert_id] = Alarm(finding.alert_id, 0, finding)

    def standing(self, outbox: Outbox) -> AlarmStatus:
        """For the heartbeat; runs in the outbox's thread."""
        return standing(outbox, ways=tuple(self._ways), unstored=tuple(self._unstored.values()))

    async def run(self) -> None:
        """Until cancelled; an attempt that is cancelled with it is done once more after the next start."""
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._watch(), name="alarm watch")
                if self._beside is not None:
                    tasks.create_task(self._beside(), name="alarm beside")
        finally:
            for task in self._acting.values():
                task.cancel()
            await asyncio.gather(*self._acting.values(), return_exceptions=True)
            self._acting.clear()

    # -------------------------------------------------------------------------------------------- look

    async def _watch(self) -> None:
        await self._recover()
        while True:
            await self._look()
            await self._clock.sleep(_LOOK_S)

    async def _recover(self) -> None:
        now = self._now()

        def recover(outbox: Outbox) -> None:
            alarms = []
            for alarm in outbox.alarms.running():
                channels = {
                    name: ladder.recovered(alarm, channel, now=now) if channel.running else channel
                    for name, channel in alarm.channels.items()
                }
                if channels != alarm.channels:
                    alarms.append(msgspec.structs.replace(alarm, channels=channels))
            if alarms:
                outbox.record_alarms(alarms)

        try:
            await self._committer.call(recover)
        except OutboxError as error:  # what was under way is then simply done once more
            _log.error("the alarms could not be recovered: %s", error)

    async def _look(self) -> None:
        if not self._committer.alarms_open and not self._unstored:
            await self._rest()
            return
        for alert in [alert for alert in self._unstored if self._confirmed(alert)]:
            await self._change(alert, _receipted, reason=End.RECEIPTED.value)
            self._unstored.pop(alert, None)
        for alarm in await self._running():
            await self._attend(alarm)
        if self._tidings is not None:
            news = await self._tidings()
            for reference, delivered in news.delivered.items():
                await self._reported(reference, delivered)
            for answer in news.seen_to:
                await self._seen_to(answer)

    async def _running(self) -> list[Alarm]:
        found: list[Alarm] = []
        try:
            found = await self._committer.call(lambda outbox: outbox.alarms.running())
        except OutboxError as error:
            _log.error("the alarms could not be read: %s", error)
        stored = {alarm.alert for alarm in found}
        extra = [alarm for alert, alarm in self._unstored.items() if alert not in stored]
        return [self._unstored.get(alarm.alert, alarm) for alarm in found] + extra

    async def _attend(self, alarm: Alarm) -> None:
        ways = {name: way for name, way in self._ways.items() if way.concerns(alarm.finding)}
        now = self._now()
        reasons = {}
        for name in ways:
            if (alarm.alert, name) not in self._acting:
                channel = alarm.channels.get(name, Channel())
                reasons[name] = ladder.decide(alarm, channel, now=now, receipt_s=self._receipt_s)
        for name, reason in reasons.items():
            if reason in ladder.ACTS:
                self._resting = False
                work = self._act(alarm, name, reason=reason)
                task = asyncio.create_task(work, name=f"alarm {name}")
                self._acting[alarm.alert, name] = task
                task.add_done_callback(partial(self._acted, (alarm.alert, name)))
        if len(reasons) == len(ways) and all(reason in ladder.ENDS for reason in reasons.values()):
            await self._end(alarm, reasons)

    def _acted(self, key: tuple[str, str], task: asyncio.Task[None]) -> None:
        self._acting.pop(key, None)
        if not task.cancelled() and task.exception() is not None:
            _log.error("alarm %s failed", key[1], exc_info=task.exception())

    async def _end(self, alarm: Alarm, reasons: Mapping[str, Reason]) -> None:
        if not reasons:
            overdue = ladder.decide(alarm, Channel(), now=self._now(), receipt_s=self._receipt_s)
            if overdue is Reason.WAITING_FOR_RECEIPT:
                return
            end = End.NOTHING_FITTED
        elif alarm.called_off:
            end = End.CALLED_OFF
        else:
            over = Reason.CONDITION_ENDED in reasons.values()
            end = End.CONDITION_ENDED if over else End.LADDER_ENDED
        action = self._action(alarm, "button", "", Result(ActionOutcome.CALLED_OFF)) if alarm.called_off else None
        _log.warning("alarm %s ended: %s", alarm.alert, end.value)
        await self._change(
            alarm.alert,
            lambda kept: msgspec.structs.replace(kept, ended=end.value),
            reason=end.value,
            action=action if alarm.actions else None,
        )

    # --------------------------------------------------------------------------------------------- act

    async def _act(self, seen: Alarm, name: str, *, reason: Reason) -> None:
        way, alert = self._ways[name], seen.alert
        alarm = await self._change(alert, partial(_begun, seen=seen, name=name), reason=reason.value)
        if alarm is None:
            return  # something happened between the look and this: the next look decides anew
        message = Message.CALLED_OFF if reason is Reason.TAKEN_BACK else Message.CALL
        _log.warning("alarm %s: %s, %s", alert, name, reason.value)
        try:
            async with asyncio.timeout(_ACT_S):
                result = await way.tell(message, alarm.finding)
        except TimeoutError:
            result = Result(ActionOutcome.FAILED, "no_end")
        except Exception:  # noqa: BLE001  # whatever failed, it counts as a failure of this way and the others go on
            _log.exception("alarm %s: %s", alert, name)
            result = Result(ActionOutcome.FAILED, "fault")
        if not result.well:
            _log.error("alarm %s: %s failed: %s", alert, name, result.detail)

        def change(kept: Alarm) -> Alarm:
            after = self._after(kept, kept.channels.get(name, Channel()), message=message, result=result)
            return msgspec.structs.replace(kept, channels={**kept.channels, name: after})

        detail = f"{name}.{result.outcome.value}"
        taken_back = message is Message.CALLED_OFF and result.well
        said = Result(result.outcome, "called_off") if taken_back else result
        action = self._action(alarm, way.channel, way.role, said)
        unknown = self._action(alarm, way.channel, way.role, Result(ActionOutcome.UNKNOWN))
        before = [unknown] if reason is Reason.END_UNKNOWN else []
        await self._change(alert, change, reason=detail, action=action, before=before)
        if message is Message.CALL or not result.well:  # a light says nothing new when something is called off
            fault = "" if result.well else result.detail or result.outcome.value
            with suppress(OutboxError):  # a card that takes no notes is told of by itself
                await self._committer.call(partial(note_fault, part=part_of(way.channel), reason=fault))

    def _after(self, alarm: Alarm, channel: Channel, *, message: Message, result: Result) -> Channel:
        now = self._now()
        if not result.well:
            return ladder.failed(alarm, channel, now=now)
        if message is Message.CALLED_OFF:
            return msgspec.structs.replace(channel, running=False, called_off=True)
        return ladder.succeeded(channel, now=now, references=result.references)

    async def _reported(self, reference: int, delivered: bool) -> None:
        for alarm in await self._running():
            for name, channel in alarm.channels.items():
                if reference not in channel.references or name not in self._ways:
                    continue
                way = self._ways[name]
                left = tuple(one for one in channel.references if one != reference)
                outcome = ActionOutcome.DELIVERED if delivered else ActionOutcome.FAILED
                action = None
                if not (delivered and left):
                    action = self._action(
                        alarm, way.channel, way.role, Result(outcome, "" if delivered else "not_delivered")
                    )
                forget = partial(_without_reference, reference=reference)
                change = partial(_with_channel, name=name, change=forget)
                await self._change(alarm.alert, change, reason=f"{name}.{outcome.value}", action=action)
                return

    async def _seen_to(self, answer: Acknowledgement) -> None:
        """Be quiet for a while about what somebody sees to who was told of it."""
        now = self._now()

        def quiet(kept: Alarm) -> Alarm:
            channels = {name: ladder.seen_to(channel, now=now) for name, channel in kept.channels.items()}
            return msgspec.structs.replace(kept, channels=channels)

        for alarm in await self._running():
            told = alarm.channels.get(f"sms:{answer.role}", Channel()).told
            if told and answer.concerns(alarm.finding.subject):
                action = self._action(alarm, "sms", answer.role, Result(ActionOutcome.ACKNOWLEDGED))
                await self._change(alarm.alert, quiet, reason=f"sms:{answer.role}.acknowledged", action=action)

    async def _rest(self) -> None:
        if not self._resting and not self._acting:
            self._resting = True
            await asyncio.gather(*(way.rest() for way in self._ways.values()))

    # ------------------------------------------------------------------------------------------- write

    async def _change(
        self,
        alert: str,
        change: Callable[[Alarm], Alarm],
        *,
        reason: str,
        action: LocalAction | None = None,
        before: Sequence[LocalAction] = (),
    ) -> Alarm | None:
        """Commit a change, its named reason, and what the county shall know of it, in one transaction.

        Returns the alarm after it; None where there is no such alarm, or nothing changed and nothing was written.
        """
        actions = tuple(one.text() for one in (*before, action) if one is not None)
        unstored = self._unstored.get(alert)
        write = partial(
            _write, alert=alert, change=change, reason=reason, actions=actions, times=self._times(), unstored=unstored
        )
        try:
            alarm = await self._committer.call(write)
        except OutboxError as error:
            _log.error("alarm %s goes on in memory, the card took no %s: %s", alert, reason, error)
            kept = unstored
            if kept is None:
                kept = next((one for one in await self._running() if one.alert == alert), None)
            if kept is None:
                return None
            alarm = _changed(kept, change, actions)
            if alarm == kept:
                return None
            self._unstored[alert] = alarm
            if alarm.ended is not None:
                del self._unstored[alert]
            return alarm
        self._unstored.pop(alert, None)
        if actions:
            self._announce([Lane.ALERT])
        return alarm

    def _action(self, alarm: Alarm, channel: str, role: str, result: Result) -> LocalAction:
        times, now = alarm.finding.times, self._now()
        after_s = (now.mono_ns - times.mono_ns) // 1_000_000_000 if times.boot == now.boot else None
        return LocalAction(channel, result.outcome, role, result.detail, after_s)

    def _now(self) -> Moment:
        return Moment(self._clock.boot, self._clock.mono_ns())

    def _times(self) -> Times:
        return Times(self._clock.wall_ms(), self._clock.mono_ns(), self._clock.boot, self._clock.state())


def _write(
    outbox: Outbox,
    *,
    alert: str,
    change: Callable[[Alarm], Alarm],
    reason: str,
    actions: tuple[str, ...],
    times: Times,
    unstored: Alarm | None,
) -> Alarm | None:
    """Runs in the outbox's thread, so nobody comes between reading and writing."""
    kept = outbox.alarms.read(alert)
    if unstored is not None:
        kept = unstored if kept is None else msgspec.structs.replace(unstored, ended=kept.ended, seq=kept.seq)
    if kept is None:
        return None
    alarm = _changed(kept, change, actions)
    if alarm == kept:
        return None
    outbox.record_alarms([alarm], reports=[_report(alarm, times)] if actions else [], reasons=[reason])
    if alarm.seq == 0 and actions:  # its finding was never stored: this report is the first that the county can confirm
        alarm = msgspec.structs.replace(alarm, seq=outbox.last_seq)
        outbox.record_alarms([alarm])
    return alarm


def _changed(alarm: Alarm, change: Callable[[Alarm], Alarm], actions: tuple[str, ...]) -> Alarm:
    done = (*alarm.actions, *actions)
    if len(done) > _FIRST_ACTIONS + _LAST_ACTIONS:
        done = (*done[:_FIRST_ACTIONS], *done[-_LAST_ACTIONS:])
    return msgspec.structs.replace(change(alarm), actions=done)


def _report(alarm: Alarm, times: Times) -> Finding:
    """The same alert once more, with what was done; the county neither counts nor re-opens by it."""
    return msgspec.structs.replace(
        alarm.finding,
        phase=Phase.CONTINUE,
        reason=ACTED_LOCALLY,
        times=times,
        actions=alarm.actions,
    )


def _receipted(alarm: Alarm) -> Alarm:
    return msgspec.structs.replace(alarm, ended=End.RECEIPTED.value)


def _begun(kept: Alarm, *, seen: Alarm, name: str) -> Alarm:
    """With the attempt begun, unless the alarm is not any more as it was when that was decided."""
    before = seen.channels.get(name, Channel())
    if kept.ended is not None or kept.called_off != seen.called_off or kept.channels.get(name, Channel()) != before:
        return kept
    return _with_channel(kept, name=name, change=ladder.begun)


def _with_channel(alarm: Alarm, *, name: str, change: Callable[[Channel], Channel]) -> Alarm:
    channel = change(alarm.channels.get(name, Channel()))
    return msgspec.structs.replace(alarm, channels={**alarm.channels, name: channel})


def _without_reference(channel: Channel, *, reference: int) -> Channel:
    return msgspec.structs.replace(channel, references=tuple(one for one in channel.references if one != reference))
