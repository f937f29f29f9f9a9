"""The doses of one person: reminded of, acknowledged or missed. Pure; all time comes in.

    idle ── a time of day ──▶ open ── acknowledged ──▶ taken
                                └── `within_min` later ──▶ missed

Where nobody has set the clock no dose is due. A dose whose whole time passed while the gateway was off is neither taken
nor missed: nobody was reminded, and nobody could say so. One that was due before this card knew of the person may have
been taken: nobody is reminded of it, because a dose taken twice does more harm than one reminder less.
"""

from datetime import datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

import msgspec

from kanhu.gateway.daily.hours import Moment, instant_ms
from kanhu.gateway.daily.settings import MedicineConfig

_MS_PER_MIN = 60_000
_SET_BACK_MS = 60 * _MS_PER_MIN
"""A dose that was due so far ahead was reminded of by a clock that has been set back since: nobody judges it."""
_DAY_MS = 24 * 60 * _MS_PER_MIN


class Dose(StrEnum):
    """What is to be done now, and if nothing, why."""

    REMIND = "remind"
    MISSED = "missed"
    OPEN = "open"
    """Reminded; time for it is left."""
    IDLE = "idle"
    TAKEN_BEFORE = "taken_before"
    """Acknowledged shortly before its time: nobody is reminded."""
    CLOCK_UNSET = "clock_unset"


class MedicineState(msgspec.Struct, frozen=True):
    """The dose that was last due; what is on the card."""

    at_ms: int = 0
    open: bool = False
    taken_ms: int | None = None


def acknowledged(state: MedicineState, now: Moment) -> MedicineState:
    """Somebody said that it was taken."""
    return msgspec.structs.replace(state, open=False, taken_ms=now.ms)


def step(
    config: MedicineConfig, state: MedicineState, *, now: Moment, zone: ZoneInfo, known_since: Moment | None = None
) -> tuple[MedicineState, Dose]:
    """What one look answers, and the state after it has been done; what was due before `known_since` is left alone."""
    if now.ms is None:
        return state, Dose.CLOCK_UNSET
    within_ms = config.within_min * _MS_PER_MIN
    if state.open and state.at_ms - now.ms > _SET_BACK_MS:
        return msgspec.structs.replace(state, open=False), Dose.IDLE
    if state.open:
        if now.ms >= state.at_ms + within_ms:
            return msgspec.structs.replace(state, open=False), Dose.MISSED
        return state, Dose.OPEN
    due_ms = _due_ms(config, now.ms, within_ms=within_ms, zone=zone)
    since_ms = 0 if known_since is None else known_since.dated(now).ms or 0
    # Nobody is reminded twice of one dose, and who set the clock back by hours is rather not reminded than twice.
    if due_ms is None or any(0 <= settled_ms - due_ms < _DAY_MS for settled_ms in (state.at_ms, since_ms)):
        return state, Dose.IDLE
    if state.taken_ms is not None and due_ms - within_ms <= state.taken_ms <= now.ms:
        return msgspec.structs.replace(state, at_ms=due_ms), Dose.TAKEN_BEFORE
    return msgspec.structs.replace(state, at_ms=due_ms, open=True), Dose.REMIND


def _due_ms(config: MedicineConfig, now_ms: int, *, within_ms: int, zone: ZoneInfo) -> int | None:
    """The time of the dose that is due now."""
    try:
        today = datetime.fromtimestamp(now_ms / 1000, zone).date()
        days = (today - timedelta(days=1), today)
        times = [instant_ms(day, at, zone) for day in days for at in config.times]
    except (ValueError, OverflowError, OSError):  # a clock beyond the calendar
        return None
    return max((at_ms for at_ms in times if at_ms <= now_ms < at_ms + within_ms), default=None)
