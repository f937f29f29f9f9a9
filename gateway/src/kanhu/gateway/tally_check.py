"""What the doctor says of readings by resident: accepted, confirmed, owed, lost."""

from collections.abc import Mapping

from kanhu.gateway._tally import ReadingTally
from kanhu.gateway.check import Check, Level


def tally_check(tallies: Mapping[str, ReadingTally]) -> Check:
    """All of them together, and by name those of whom readings were lost."""
    accepted, confirmed, owed, lost = (
        sum(getattr(one, name) for one in tallies.values()) for name in ("accepted", "confirmed", "owed", "lost")
    )
    people = len(tallies.keys() - {""})
    found = f"{accepted} accepted, of {people} residents by name: {confirmed} confirmed, {owed} owed, {lost} lost"
    if not lost:
        return Check("readings", Level.OK, found)
    of = ", ".join(f"{name or 'others'} {one.lost}" for name, one in tallies.items() if one.lost)
    return Check("readings", Level.ATTENTION, f"{found} ({of})", "See gaps and quarantine above for why")
