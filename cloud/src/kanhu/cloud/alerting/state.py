"""An alert as the fold of its log: four axes that are never one, and the events that move them.

condition   absent, present              is it so at this moment (pending belongs to the gateway's confirmation)
signal      on, latched, ack, off        is somebody being told
activation  on, paused                   held for the night
handling    new, in_progress, closed     what people do about it

A finding counts once, whatever the order in which findings come: condition follows the newest of each gateway by its
own time, and holds while one of them says so; priority is the highest so far. Deadlines are written into events, so
folding needs no clock and no settings.
"""

from enum import StrEnum

import msgspec

from kanhu.contract import Evidence, Phase, Priority
from kanhu.contract.actions import parse_action
from kanhu.contract.records import MAX_ACTIONS

_LAST_S = 1_000_000_000  # what was done at a time that nobody knows stands behind the rest
RANK = {Priority.HIGH: 0, Priority.MEDIUM: 1, Priority.LOW: 2, Priority.TECHNICAL: 3}


class Condition(StrEnum):
    """Whether the condition holds."""

    ABSENT = "absent"
    PRESENT = "present"


class Signal(StrEnum):
    """Codes of the FHIR R6 DeviceAlert."""

    ON = "on"
    LATCHED = "latched"
    ACK = "ack"
    OFF = "off"


class Activation(StrEnum):
    """Whether the signal may sound."""

    ON = "on"
    PAUSED = "paused"


class Handling(StrEnum):
    """What people do about it."""

    NEW = "new"
    IN_PROGRESS = "in_progress"
    CLOSED = "closed"


class Grouping(StrEnum):
    """Why a finding with a new id belongs to an alert that is open."""

    RECURRED = "recurred"
    LEVEL_ROSE = "level_rose"
    CALLED_AGAIN = "called_again"


class Reopening(StrEnum):
    """Why a closed alert comes back."""

    CALLED_AGAIN = "called_again"
    RETURNED = "returned"


ENDED_AND_BACK = "recurred"
"""What a gateway says of a condition that had ended and is there again, under the id it had."""


class Texts(msgspec.Struct, frozen=True, array_like=True):
    """What staff read, fixed when the finding came: a later rule never rewrites it."""

    title_zh: str
    title_en: str
    text_zh: str
    text_en: str
    source: str
    """Of the limit."""


class Found(msgspec.Struct, frozen=True, tag="found"):
    """A finding of this alert was stored."""

    phase: Phase
    priority: Priority
    """As it counts here and now: late data counts less."""
    said: Priority
    """As the judge said."""
    rule: str
    rule_version: str
    subject: str
    reason: str
    stages: tuple[tuple[str, str], ...]
    """Each stage of the pipeline with its named reason."""
    order: tuple[int, int, str]
    """Own time, monotonic time, digest: which finding is the newest."""
    texts: Texts
    evidence: tuple[Evidence, ...]
    late: bool
    act_within_ms: int
    escalate_ms: int
    held_until_ms: int | None = None
    actions: tuple[str, ...] = ()
    gateway: str = ""
    """Who judged; empty for the county."""


class Recurred(msgspec.Struct, frozen=True, tag="recurred"):
    """A finding with another id came for the same subject and rule while this was open, and is part of it from now."""

    alert: str
    """The id it came with."""
    reason: Grouping
    act_within_ms: int
    escalate_ms: int


class Foreign(msgspec.Struct, frozen=True, tag="foreign_subject"):
    """A finding of this alert came by a gateway at which the person is not registered."""

    gateway: str
    registered: str


class Acted(msgspec.Struct, frozen=True, tag="acted"):
    """The gateway told what it did on the spot while nobody could be reached: all of it so far."""

    actions: tuple[str, ...]
    gateway: str


class Annunciated(msgspec.Struct, frozen=True, tag="annunciated"):
    """What was held for the night is told now."""


class Claimed(msgspec.Struct, frozen=True, tag="claimed"):
    """Somebody took it."""

    user: str
    name: str
    recheck_ms: int


class Released(msgspec.Struct, frozen=True, tag="released"):
    """Given back: by its owner, within the undo time, or because the recheck passed."""

    reason: str
    escalate_ms: int


class Escalated(msgspec.Struct, frozen=True, tag="escalated"):
    """Nobody took it in time."""

    level: int
    escalate_ms: int


class Closed(msgspec.Struct, frozen=True, tag="closed"):
    """Ended by a named person with an outcome."""

    user: str
    name: str
    outcome: str
    note: str


class Ended(msgspec.Struct, frozen=True, tag="ended"):
    """Equipment is well again: a technical alert ends by itself."""

    reason: str


Event = Found | Recurred | Foreign | Acted | Annunciated | Claimed | Released | Escalated | Closed | Ended


class Ownership(msgspec.Struct, frozen=True, array_like=True):
    """Who has it, since when, until when."""

    user: str
    name: str
    at_ms: int
    recheck_ms: int


class Standing(msgspec.Struct, frozen=True, array_like=True):
    """What one gateway said last."""

    order: tuple[int, int, str]
    condition: Condition


class AlertState(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that follows from an alert's events."""

    rule: str
    rule_version: str
    subject: str
    priority: Priority
    condition: Condition
    signal: Signal
    activation: Activation = Activation.ON
    handling: Handling = Handling.NEW
    level: int = 0
    late: bool
    count: int
    opened_ms: int
    due_ms: int
    escalate_ms: int
    held_until_ms: int | None
    standing: dict[str, Standing] = {}
    """Newest word of each gateway."""
    leading: tuple[int, int, int, str]
    """Rank and order of the finding whose texts and evidence are shown."""
    texts: Texts
    evidence: tuple[Evidence, ...]
    actions: tuple[str, ...] = ()
    """What gateways did on the spot, in the order in which it was done."""
    claim: Ownership | None = None
    outcome: str | None = None
    closed_ms: int | None = None

    def is_open(self) -> bool:
        """Whether it is on the board."""
        return self.handling is not Handling.CLOSED


def fold(events: "list[tuple[int, Event]]") -> AlertState | None:
    """State after these events, each with its time, in the order of the log."""
    state: AlertState | None = None
    for at_ms, event in events:
        state = apply(state, event, at_ms=at_ms)
    return state


def apply(state: AlertState | None, event: Event, *, at_ms: int) -> AlertState | None:
    """State after one more event; what makes no sense changes nothing."""
    if isinstance(event, Found):
        state = _first(event, at_ms) if state is None else _found(state, event, at_ms)
        return _with_actions(state, event.actions)
    if state is not None and isinstance(event, Acted):  # also of one that is closed: who looks it up sees what was done
        return _with_actions(state, event.actions)
    if state is None or not state.is_open():
        return state
    match event:
        case Recurred():
            called = event.reason is Grouping.CALLED_AGAIN and state.claim is not None
            return _given_back(state, event, at_ms) if called else state
        case Foreign() | Acted():
            return state
        case Annunciated():
            return msgspec.structs.replace(state, activation=Activation.ON, held_until_ms=None)
        case Claimed():
            return msgspec.structs.replace(
                state,
                claim=Ownership(event.user, event.name, at_ms, event.recheck_ms),
                handling=Handling.IN_PROGRESS,
                signal=Signal.ACK if state.condition is Condition.PRESENT else Signal.OFF,
            )
        case Released():
            return msgspec.structs.replace(
                state,
                claim=None,
                handling=Handling.NEW,
                signal=_unclaimed_signal(state.condition, state.priority),
                escalate_ms=event.escalate_ms,
            )
        case Escalated():
            return msgspec.structs.replace(state, level=event.level, escalate_ms=event.escalate_ms)
        case Closed():
            return msgspec.structs.replace(
                state, handling=Handling.CLOSED, signal=Signal.OFF, outcome=event.outcome, closed_ms=at_ms
            )
        case Ended():
            return msgspec.structs.replace(
                state, handling=Handling.CLOSED, signal=Signal.OFF, condition=Condition.ABSENT, closed_ms=at_ms
            )


def reopening(state: AlertState, *, phase: Phase, priority: Priority, reason: str, own_ms: int) -> Reopening | None:
    """Why a finding newer than the close brings a closed alert back; None where it does not."""
    if state.closed_ms is None or phase is Phase.END or own_ms <= state.closed_ms:
        return None
    if priority is Priority.HIGH or RANK[priority] < RANK[state.priority]:
        return Reopening.CALLED_AGAIN
    return Reopening.RETURNED if reason == ENDED_AND_BACK else None


def _first(event: Found, at_ms: int) -> AlertState:
    condition = _condition(event.phase)
    return AlertState(
        rule=event.rule,
        rule_version=event.rule_version,
        subject=event.subject,
        priority=event.priority,
        condition=condition,
        signal=_unclaimed_signal(condition, event.priority),
        activation=Activation.ON if event.held_until_ms is None else Activation.PAUSED,
        late=event.late,
        count=_counts(event.phase),
        opened_ms=at_ms,
        due_ms=at_ms + event.act_within_ms,
        escalate_ms=event.escalate_ms,
        held_until_ms=event.held_until_ms,
        standing={event.gateway: Standing(event.order, condition)},
        leading=_lead(event),
        texts=event.texts,
        evidence=event.evidence,
    )


def _found(state: AlertState, event: Found, at_ms: int) -> AlertState:
    raised = RANK[event.priority] < RANK[state.priority]
    back = reopening(state, phase=event.phase, priority=event.priority, reason=event.reason, own_ms=event.order[0])
    if raised and state.claim is not None and event.phase is not Phase.END:
        state = _given_back(state, event, at_ms)
    standing = _heard(state.standing, event)
    condition = _together(standing)
    state = msgspec.structs.replace(
        state,
        condition=condition,
        standing=standing,
        count=state.count + _counts(event.phase),
        late=state.late and event.late,
        priority=event.priority if raised else state.priority,
        opened_ms=min(state.opened_ms, at_ms),
        due_ms=min(state.due_ms, at_ms + event.act_within_ms) if raised else state.due_ms,
        escalate_ms=min(state.escalate_ms, event.escalate_ms) if raised else state.escalate_ms,
    )
    if _lead(event) < state.leading:
        state = msgspec.structs.replace(
            state, leading=_lead(event), texts=event.texts, evidence=event.evidence, rule_version=event.rule_version
        )
    if not state.is_open():
        return state if back is None else _reopened(state, event, at_ms)
    if raised or (event.priority is state.priority and event.held_until_ms is None):
        held = event.held_until_ms
        state = msgspec.structs.replace(
            state, held_until_ms=held, activation=Activation.ON if held is None else Activation.PAUSED
        )
    if state.claim is not None:
        signal = Signal.ACK if condition is Condition.PRESENT else Signal.OFF
        return msgspec.structs.replace(state, signal=signal)
    return msgspec.structs.replace(state, signal=_unclaimed_signal(condition, state.priority))


def _reopened(state: AlertState, event: Found, at_ms: int) -> AlertState:
    return msgspec.structs.replace(
        state,
        priority=event.priority,
        late=event.late,
        leading=_lead(event),
        texts=event.texts,
        evidence=event.evidence,
        rule_version=event.rule_version,
        handling=Handling.NEW,
        signal=Signal.ON,
        claim=None,
        outcome=None,
        closed_ms=None,
        level=0,
        opened_ms=at_ms,
        due_ms=at_ms + event.act_within_ms,
        escalate_ms=event.escalate_ms,
        held_until_ms=event.held_until_ms,
        activation=Activation.ON if event.held_until_ms is None else Activation.PAUSED,
    )


def _given_back(state: AlertState, event: Found | Recurred, at_ms: int) -> AlertState:
    """What somebody has taken calls anew: it waits for a person from the start."""
    return msgspec.structs.replace(
        state,
        claim=None,
        handling=Handling.NEW,
        signal=_unclaimed_signal(state.condition, state.priority),
        level=0,
        due_ms=at_ms + event.act_within_ms,
        escalate_ms=event.escalate_ms,
    )


def _with_actions(state: AlertState, actions: tuple[str, ...]) -> AlertState:
    """With these as well; the same whatever the order in which reports come."""
    if not actions:
        return state
    together = tuple(sorted({*state.actions, *actions}, key=_when_done))[:MAX_ACTIONS]
    return msgspec.structs.replace(state, actions=together)


def _when_done(action: str) -> tuple[int, str]:
    done = parse_action(action)
    return (_LAST_S if done is None or done.after_s is None else done.after_s), action


def _heard(standing: dict[str, Standing], event: Found) -> dict[str, Standing]:
    known = standing.get(event.gateway)
    if known is not None and known.order > event.order:
        return standing
    return {**standing, event.gateway: Standing(event.order, _condition(event.phase))}


def _together(standing: dict[str, Standing]) -> Condition:
    """Present while one gateway says so: that another sees nothing ends nothing."""
    present = any(one.condition is Condition.PRESENT for one in standing.values())
    return Condition.PRESENT if present else Condition.ABSENT


def _condition(phase: Phase) -> Condition:
    return Condition.ABSENT if phase is Phase.END else Condition.PRESENT


def _counts(phase: Phase) -> int:
    return 0 if phase is Phase.END else 1


def _unclaimed_signal(condition: Condition, priority: Priority) -> Signal:
    if condition is Condition.PRESENT:
        return Signal.ON
    return Signal.LATCHED if priority in {Priority.HIGH, Priority.MEDIUM} else Signal.OFF


def _lead(event: Found) -> tuple[int, int, int, str]:
    """Smallest leads: the highest priority, then the earliest; an end never leads while there is anything else."""
    rank = RANK[event.priority] + (len(RANK) if event.phase is Phase.END else 0)
    return rank, *event.order
