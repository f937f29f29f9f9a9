"""What the doctor says of detector states: whether the county keeps them, and what a new card went on from."""

from collections.abc import Mapping
from datetime import UTC, datetime

from kanhu.contract import Clock
from kanhu.gateway.check import Check, Level
from kanhu.gateway.states import AFRESH, EVERY_S, KEPT, REFUSED, RESUMED, RESUMED_AT, TAKEN_AT, are_wanted_by

_OLD_MS = 2 * round(EVERY_S * 1000)


def states_check(notes: Mapping[str, int], said: str | None, *, clock: Clock) -> Check:
    """From the notes of an outbox, and what it says of its states."""
    found = "; ".join((_kept(notes, clock), *_resumed(notes)))
    refused = {name.removeprefix(REFUSED): count for name, count in notes.items() if name.startswith(REFUSED)}
    if refused:
        reasons = ", ".join(f"{reason} {count}" for reason, count in sorted(refused.items()))
        remedy = "None was gone on from; docs/spec/states.md explains each reason"
        return Check("states", Level.ATTENTION, f"{found}; refused: {reasons}", remedy)
    if are_wanted_by(said):
        remedy = "Let it reach the county: until then rules know nothing of before this card"
        return Check(
            "states", Level.ATTENTION, "this card is new, and the county was not heard of the one before", remedy
        )
    kept_ms = notes.get(KEPT)
    if kept_ms is not None and clock.wall_ms() - kept_ms > _OLD_MS:
        return Check("states", Level.ATTENTION, found, "Restore the way to the county: a new card would know less")
    return Check("states", Level.OK, found)


def _kept(notes: Mapping[str, int], clock: Clock) -> str:
    kept_ms = notes.get(KEPT)
    if kept_ms is None:
        return "the county keeps none of this card yet"
    return f"the county got them {max(0, clock.wall_ms() - kept_ms) // 3_600_000} h ago"


def _resumed(notes: Mapping[str, int]) -> tuple[str, ...]:
    people, taken_ms, resumed_ms = (notes.get(name) for name in (RESUMED, TAKEN_AT, RESUMED_AT))
    if not people or taken_ms is None or resumed_ms is None:
        return ()
    said = [
        f"went on from those of {people} people, unmeasured from {_moment(taken_ms)} to {_moment(resumed_ms)} at most"
    ]
    if notes.get(AFRESH):
        said.append(f"{notes[AFRESH]} rules of another version started afresh")
    return tuple(said)


def _moment(ms: int) -> str:
    return f"{datetime.fromtimestamp(ms / 1000, UTC):%Y-%m-%d %H:%M} UTC"
