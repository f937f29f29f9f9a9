"""The agreed sign of one person: waited for, asked for, missed or given. Pure; all time comes in.

    waiting ── the hour ──▶ prompted 1 ── apart_s ──▶ prompted 2 ── apart_s ──▶ missing
       └──────────── a sign since `since` of this day, at any of these ─────────────▶ signed

A sign is kept by the monotonic clock, so that a clock that is set later moves the sign with it. Where nobody has set
the clock there is no hour: then a day of running without any sign is asked about instead. On the day on which a card
begins to know of the person nobody is asked: the sign may have been given before.
"""

from datetime import date
from enum import StrEnum
from zoneinfo import ZoneInfo

import msgspec

from kanhu.gateway.daily.hours import Moment, day_of, instant_ms
from kanhu.gateway.daily.settings import WellCheckConfig
from kanhu.vitals.rules.records import Asked

_MS_PER_S = 1000
_NS_PER_MS = 1_000_000
_UNSET_MS = 24 * 3600 * _MS_PER_S
"""Without a clock: so long without a sign is asked about. A day, as with one; project choice."""
_JITTER_MS = 3600 * _MS_PER_S
"""A clock that is set back by less than this does not begin yesterday's check again."""
_NO_DAY = "clock unset"


class Step(StrEnum):
    """What is to be done now, and if nothing, why."""

    PROMPT = "prompt"
    MISSING = "missing"
    SIGNED = "signed"
    WAITING = "waiting"
    """The hour has not come."""
    BETWEEN = "between"
    """Asked, and time for an answer is left."""
    AWAITING_SIGN = "awaiting_sign"
    """It is known that the sign is missing; it still ends the alert."""
    SETTLED = "settled"
    """The sign was given."""
    UNKNOWN = "unknown"
    """Whether the sign was given before this card knew of the person; the next day is asked about."""
    CLOCK_UNSET = "clock_unset"
    """Nobody has set the clock, and there was a sign within a day of running."""


class Given(msgspec.Struct, frozen=True):
    """The last sign."""

    ms: int | None
    """When, as far as is known."""
    boot: str
    mono_ns: int
    told: bool = False
    """The record of it says by itself that it is the sign."""


class WellState(msgspec.Struct, frozen=True):
    """How far one person's check has come; what is on the card."""

    day: str = ""
    prompts: int = 0
    prompted_ms: int | None = None
    prompted_boot: str = ""
    prompted_ns: int = 0
    missing: bool = False
    signed: bool = False
    given: Given | None = None

    def __post_init__(self) -> None:
        """Refuse a day that the card has damaged."""
        if self.day not in {"", _NO_DAY}:
            date.fromisoformat(self.day)

    @property
    def begun(self) -> bool:
        """Whether the person was asked and the check has no end yet."""
        return self.prompts > 0 and not self.missing and not self.signed


def heard(state: WellState, now: Moment, *, told: bool) -> WellState:
    """A sign came now; `told` where its own record is a `well_check` of zero."""
    return msgspec.structs.replace(state, given=Given(now.ms, now.boot, now.mono_ns, told))


def step(
    config: WellCheckConfig,
    asked: Asked,
    state: WellState,
    *,
    now: Moment,
    zone: ZoneInfo,
    known_since: Moment | None = None,
) -> tuple[WellState, Step]:
    """What one look answers, and the state after it has been done.

    `known_since`: when this card began to know of the person; None where nobody knows that any more.
    """
    state = _dated(state, now)
    since = None if known_since is None else known_since.dated(now)
    day = None if now.ms is None else _day(config, state, now_ms=now.ms, zone=zone)
    if day is None or now.ms is None:
        return _without_clock(asked, state, now=now, since=since)
    if state.day == _NO_DAY and state.begun:
        state = msgspec.structs.replace(state, day=day.isoformat())
    if state.day != day.isoformat():
        state = WellState(day=day.isoformat(), given=state.given)
    given_ms = None if state.given is None else state.given.ms
    if given_ms is not None and given_ms >= instant_ms(day, config.since, zone):
        return _with_sign(state)
    if state.signed and given_ms is None:  # given on this day, and nothing that is known since says otherwise
        return state, Step.SETTLED
    if not state.begun and not state.missing:
        if since is not None and since.ms is not None and day_of(since.ms, config.since, zone) == day:
            return state, Step.UNKNOWN
        if now.ms < instant_ms(day, config.by, zone):
            return state, Step.WAITING
    return _without_sign(asked, state, now=now)


def _day(config: WellCheckConfig, state: WellState, *, now_ms: int, zone: ZoneInfo) -> date | None:
    """The day whose sign is looked for."""
    today = day_of(now_ms, config.since, zone)
    if today is None or state.day in {"", _NO_DAY}:
        return today
    kept = date.fromisoformat(state.day)
    back = kept > today and instant_ms(kept, config.since, zone) - now_ms <= _JITTER_MS
    # A check that was begun is ended before the next begins: it would otherwise be forgotten at `since`.
    return kept if back or (state.begun and kept < today) else today


def _without_clock(asked: Asked, state: WellState, *, now: Moment, since: Moment | None) -> tuple[WellState, Step]:
    given = state.given
    mine = given is not None and given.boot == now.boot
    answered = mine and (state.prompted_boot != now.boot or (given is not None and given.mono_ns >= state.prompted_ns))
    if (state.begun or (state.missing and not state.signed)) and answered:
        return _with_sign(state)
    if state.begun:
        return _without_sign(asked, state, now=now)
    quiet_since_ns = max(
        given.mono_ns if given is not None and mine else 0,
        state.prompted_ns if state.prompted_boot == now.boot else 0,
        since.mono_ns if since is not None and since.boot == now.boot else 0,
    )
    if (now.mono_ns - quiet_since_ns) // _NS_PER_MS < _UNSET_MS:
        return state, Step.CLOCK_UNSET
    return _without_sign(asked, WellState(day=_NO_DAY, given=given), now=now)


def _with_sign(state: WellState) -> tuple[WellState, Step]:
    if state.signed:
        return state, Step.SETTLED
    return msgspec.structs.replace(state, signed=True), Step.SIGNED


def _without_sign(asked: Asked, state: WellState, *, now: Moment) -> tuple[WellState, Step]:
    if state.missing:
        return state, Step.AWAITING_SIGN
    if state.prompts and _passed_ms(state, now) < asked.apart_s * _MS_PER_S:
        return state, Step.BETWEEN
    if state.prompts < asked.prompts:
        after = msgspec.structs.replace(
            state,
            prompts=state.prompts + 1,
            prompted_ms=now.ms,
            prompted_boot=now.boot,
            prompted_ns=now.mono_ns,
            signed=False,
        )
        return after, Step.PROMPT
    return msgspec.structs.replace(state, missing=True), Step.MISSING


def _passed_ms(state: WellState, now: Moment) -> int:
    """Since the last prompt: in one boot by the monotonic clock, else the longest that is sure."""
    mono_ms = now.mono_ns // _NS_PER_MS
    if state.prompted_boot == now.boot:
        return mono_ms - state.prompted_ns // _NS_PER_MS
    wall_ms = 0 if now.ms is None or state.prompted_ms is None else now.ms - state.prompted_ms
    return max(mono_ms, wall_ms)


def _dated(state: WellState, now: Moment) -> WellState:
    """With the sign dated by what is known of the time now; one of another boot that lies ahead has no date."""
    given = state.given
    if now.ms is None or given is None:
        return state
    at_ms = given.ms if given.ms is not None and given.ms <= now.ms else None
    if given.boot == now.boot:
        at_ms = now.ms - (now.mono_ns - given.mono_ns) // _NS_PER_MS
    return msgspec.structs.replace(state, given=msgspec.structs.replace(given, ms=at_ms))
