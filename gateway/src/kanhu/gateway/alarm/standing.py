"""What the heartbeat tells of the alarm: what is fitted, what of it is broken, what it does alone at this moment.

Everything but the list of ways is read from the outbox, so a restart forgets no fault.
"""

from collections.abc import Iterable, Sequence

from kanhu.contract import AlarmStatus, Alone
from kanhu.contract.actions import ActionOutcome, parse_action
from kanhu.contract.status import MAX_ALONE, UNDER_WAY
from kanhu.gateway.alarm.book import Alarm
from kanhu.gateway.alarm.notes import faults, part_of, with_fault
from kanhu.gateway.outbox import Outbox


def standing(outbox: Outbox, *, ways: Sequence[str], unstored: Iterable[Alarm]) -> AlarmStatus:
    """Runs in the outbox's thread; `unstored` are alarms that the card would not take, and lead over what it says."""
    alarms = {alarm.alert: alarm for alarm in (*outbox.alarms.running(), *unstored)}
    parts = {part_of(name.partition(":")[0]) for name in ways}
    broken = {part: reason for part, reason in faults(outbox.notes()).items() if part in parts}
    begun = [Alone(alarm.alert, _ways(alarm)) for alarm in alarms.values() if alarm.channels]
    return AlarmStatus(tuple(ways), broken, tuple(begun[:MAX_ALONE]))


def note_fault(outbox: Outbox, *, part: str, reason: str) -> None:
    """Write down that a part does not work, or, with an empty reason, that it does; only where that is news."""
    changed = with_fault(outbox.notes(), part, reason)
    if changed:
        outbox.remember(changed)


def _ways(alarm: Alarm) -> dict[str, str]:
    """How far each way has come: what is under way now, else how it last came out."""
    said = {}
    for action in filter(None, map(parse_action, alarm.actions)):
        name = f"{action.channel}:{action.role}" if action.role else action.channel
        taken_back = action.outcome is not ActionOutcome.FAILED and action.detail == ActionOutcome.CALLED_OFF.value
        said[name] = ActionOutcome.CALLED_OFF.value if taken_back else action.outcome.value
    running = {name: UNDER_WAY for name, channel in alarm.channels.items() if channel.running}
    return {name: word for name, word in {**said, **running}.items() if name in alarm.channels}
