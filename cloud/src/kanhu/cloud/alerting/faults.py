"""Equipment that is broken, has a wrong clock, or sends without end: one technical alert a part, which ends by itself.

                  fault told                   still told after `wait_s`
    [well] ------------------> [waiting] --------------------------------> [raised] -- closed by a person,
       ^                           |                                          |        told for `renew_s` -> raised anew
       +------ not told any more --+------------- not told any more ----------+

A heartbeat that does not speak of the matter, as of another make of gateway, mends nothing and breaks nothing. A
silent gateway says nothing: that is WATCH-LOST's. Deadlines are stored, one a fault, and looked at with the heartbeat
that tells it again, so there is no tick. That a gateway sends without end is told by what the county turns away of it.
"""

from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, bindparam, select

from kanhu.cloud.alerting import log
from kanhu.cloud.alerting.intake import Intake
from kanhu.cloud.alerting.log import TimerKind
from kanhu.cloud.alerting.policy import SECOND_MS
from kanhu.cloud.alerting.state import Ended
from kanhu.cloud.alerting.technical import part_of, raise_technical
from kanhu.cloud.ledger import schema
from kanhu.cloud.ledger.counters import count
from kanhu.cloud.ledger.writer import Transaction
from kanhu.cloud.people.register import enrolled_among
from kanhu.contract import AlarmStatus, Clock, DeviceStatus, Status, Subject
from kanhu.vitals import Rule
from kanhu.vitals.rules.records import AlarmTrigger, ClockTrigger, FloodTrigger

_FAULT = "fault"
_SENDING = "sending"
MENDED = "mended"
SENDS_AS_OTHERS = "sends_as_others"
_MOST_FAULTS = 16
"""Of one gateway: more are counted and not raised, because a gateway that says so is itself the fault."""
_MOST_PART_CHARACTERS = 64  # with a gateway's id before it, it still is the id of a subject
_UNITS = ((86_400, "d"), (3_600, "h"), (60, "min"))
_BETWEEN = " "  # in no id of a gateway, so that no gateway's faults are found under another's
_STANDING = select(schema.timer.c.key, schema.timer.c.due_ms).where(
    schema.timer.c.kind == TimerKind.FAULT.value,
    schema.timer.c.key >= bindparam("first"),
    schema.timer.c.key < bindparam("beyond"),
)
_DUE = select(schema.timer.c.key, schema.timer.c.due_ms).where(
    schema.timer.c.kind == TimerKind.FAULT.value, schema.timer.c.key.in_(bindparam("keys", expanding=True))
)
_OPEN = select(schema.alert.c.id).where(
    schema.alert.c.subject == bindparam("of"), schema.alert.c.rule == bindparam("by"), schema.alert.c.is_open == 1
)


@dataclass(frozen=True, slots=True)
class Fault:
    """One part that does not do what it is there for."""

    part: str
    """Under which it is known: the part, or the device."""
    params: dict[str, str]
    """Of the rule's sentence."""
    wait_s: float
    """It has to last so long before anybody is told."""


@dataclass(frozen=True, slots=True)
class _Said:
    """What one heartbeat says about what one rule watches."""

    faults: list[Fault]
    unsure: frozenset[str] = frozenset()
    """Parts of which it says neither that they are well nor that they are not."""


class Faults:
    """Hears what heartbeats say of equipment."""

    def __init__(self, intake: Intake, clock: Clock) -> None:
        """Judge with the county's pack."""
        self._intake = intake
        self._clock = clock
        self._rules = [
            rule for rule in intake.pack.rules if isinstance(rule.trigger, AlarmTrigger | ClockTrigger | FloodTrigger)
        ]
        self._turned_away_ns: dict[str, int] = {}
        """When last, by gateway; those that were heard without it since are left out."""
        self._began_ns = clock.mono_ns()

    def heard(self, transaction: Transaction, status: Status) -> None:
        """A live heartbeat of an enrolled gateway."""
        standing = _standing(transaction.connection, status.gateway)
        for rule in self._rules:
            known = standing.get(rule.id, {})
            flood = rule.trigger if isinstance(rule.trigger, FloodTrigger) else None
            said = _said(rule, status, known) if flood is None else self._flooding(status.gateway, flood)
            if rule.approved() and said is not None:
                self._judge(transaction, status.gateway, rule, said, known)

    def turned_away(self, transaction: Transaction, messages: Mapping[str, int]) -> None:
        """So many messages of each gateway found no room because as many of it waited as may of one."""
        if not messages:
            return
        enrolled = enrolled_among(transaction.connection, messages)  # whoever else that is, nobody is unseen behind it
        self._turned_away_ns.update(dict.fromkeys(enrolled, self._clock.mono_ns()))
        for rule in self._rules:
            if isinstance(rule.trigger, FloodTrigger) and rule.approved():
                keys = {_key(gateway, rule, _SENDING): gateway for gateway in sorted(enrolled)}
                due_ms = {row.key: row.due_ms for row in transaction.connection.execute(_DUE, {"keys": [*keys]})}
                for key, gateway in keys.items():
                    fault = Fault(_SENDING, {"messages": str(messages[gateway])}, rule.trigger.for_s)
                    standing = {_SENDING: due_ms[key]} if key in due_ms else {}
                    self._judge(transaction, gateway, rule, _Said([fault]), standing)

    def _flooding(self, gateway: str, limits: FloodTrigger) -> _Said:
        """What a heartbeat says of it: that it is over, once nothing was turned away for long enough.

        What was turned away before this start nobody remembers: it may have been a moment ago.
        """
        last_ns = self._turned_away_ns.get(gateway, self._began_ns)
        if self._clock.mono_ns() - last_ns < limits.clear_s * 1e9:
            return _Said([], frozenset({_SENDING}))
        self._turned_away_ns.pop(gateway, None)
        return _Said([])

    def _judge(self, transaction: Transaction, gateway: str, rule: Rule, said: _Said, standing: dict[str, int]) -> None:
        if len(said.faults) > _MOST_FAULTS:
            count(transaction.connection, {"ingest.faults_over_limit": len(said.faults) - _MOST_FAULTS})
        now = {fault.part: fault for fault in said.faults[:_MOST_FAULTS]}
        for part in standing:
            if part not in now and part not in said.unsure:
                log.drop_timer(transaction.connection, TimerKind.FAULT, _key(gateway, rule, part))
                self._mended(transaction, rule, part_of(gateway, part))
        for part, fault in now.items():
            due_ms = standing.get(part)
            if due_ms is None and fault.wait_s > 0:
                self._wait(transaction, _key(gateway, rule, part), fault.wait_s)
            elif due_ms is None or due_ms <= transaction.now_ms:
                self._wait(transaction, _key(gateway, rule, part), rule.renew_s)
                self._raise(transaction, gateway, rule, fault)

    def _raise(self, transaction: Transaction, gateway: str, rule: Rule, fault: Fault) -> None:
        if _open(transaction.connection, rule, part_of(gateway, fault.part)) is None:
            raise_technical(
                transaction,
                self._intake,
                self._clock,
                rule,
                gateway=gateway,
                part=fault.part,
                reason=_FAULT,
                params=fault.params,
            )

    def _mended(self, transaction: Transaction, rule: Rule, subject: Subject) -> None:
        alert = _open(transaction.connection, rule, subject)
        kept = None if alert is None else log.read_alert(transaction.connection, alert)
        if kept is not None:
            reason = SENDS_AS_OTHERS if isinstance(rule.trigger, FloodTrigger) else MENDED
            log.append(transaction, kept.alert, Ended(reason), key=f"{reason}:{transaction.now_ms}", place=kept.place)

    def _wait(self, transaction: Transaction, key: str, seconds: float) -> None:
        due_ms = transaction.now_ms + round(seconds * SECOND_MS)
        log.set_timer(transaction.connection, TimerKind.FAULT, key, due_ms=due_ms)


def _said(rule: Rule, status: Status, standing: Container[str]) -> _Said | None:
    """What this heartbeat says; None where it does not speak of the matter."""
    match rule.trigger:
        case AlarmTrigger(for_s=for_s) if isinstance(status.alarm, AlarmStatus):
            faults = status.alarm.faults.items()
            return _Said([Fault(_short(part), {"part": part, "fault": why}, for_s) for part, why in faults])
        case ClockTrigger() as limits if status.devices:  # none are named where they are too many for a heartbeat
            return _clocks(limits, status.devices, standing)
        case _:
            return None


def _clocks(limits: ClockTrigger, devices: Iterable[DeviceStatus], standing: Container[str]) -> _Said:
    faults, unsure = [], set()
    for device in devices:
        part, error_s = _short(device.device), device.clock_error_s
        if not isinstance(error_s, int):
            unsure.add(part)
        elif limits.is_off(error_s) or (part in standing and abs(error_s) > limits.clear_s):
            wait_s = limits.ahead_for_s if error_s > 0 else limits.behind_for_s
            faults.append(Fault(part, {"device": part, **_in_words(error_s)}, wait_s))
    return _Said(faults, frozenset(unsure))


def _in_words(error_s: int) -> dict[str, str]:
    """In the largest unit of which there are two: nobody counts the minutes since 1970."""
    seconds = abs(error_s)
    each_s, unit = next((one for one in _UNITS if seconds >= 2 * one[0]), _UNITS[-1])
    return {"number": str(round(seconds / each_s)), "unit": unit, "way": "ahead" if error_s > 0 else "behind"}


def _standing(connection: Connection, gateway: str) -> dict[str, dict[str, int]]:
    """Deadlines of a gateway's faults, by rule and part."""
    asked = {"first": gateway + _BETWEEN, "beyond": gateway + chr(ord(_BETWEEN) + 1)}
    standing: dict[str, dict[str, int]] = {}
    for row in connection.execute(_STANDING, asked):
        _, rule, part = row.key.split(_BETWEEN, 2)
        standing.setdefault(rule, {})[part] = row.due_ms
    return standing


def _open(connection: Connection, rule: Rule, subject: Subject) -> str | None:
    return connection.execute(_OPEN, {"of": subject.id, "by": rule.id}).scalar()


def _short(part: str) -> str:
    return part[:_MOST_PART_CHARACTERS]


def _key(gateway: str, rule: Rule, part: str) -> str:
    return _BETWEEN.join((gateway, rule.id, part))
