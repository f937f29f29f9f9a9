"""The people of a village who are told: when they take an alert, and when they have done with it."""

from dataclasses import dataclass

from kanhu.cloud.desk.model import Role, Viewer
from kanhu.contract.recording import VillagePlan

__all__ = ["Reacting", "Staff"]

_TOP_LEVEL = 2


@dataclass(frozen=True, slots=True)
class Reacting:
    """What somebody does about one telling."""

    claim_ms: int
    close_after_ms: int


class Staff:
    """Reacts to tellings in the order in which they come."""

    def __init__(self, plan: VillagePlan) -> None:
        """Nothing was told yet."""
        self._plan = plan
        self._tellings = 0
        doctor = f"{plan.village}-doctor"
        self._by_level = (
            Viewer(doctor, doctor, Role.VILLAGE, plan.village),
            Viewer("township", "township", Role.TOWNSHIP, "township"),
            Viewer("county", "county", Role.COUNTY, "county"),
        )

    def reacts(self, sounds_ms: int) -> Reacting | None:
        """What becomes of the next telling, which is heard at this moment; None where nobody ever answers."""
        reactions = self._plan.reactions
        if not reactions:
            return None
        reaction = reactions[self._tellings % len(reactions)]
        self._tellings += 1
        claim_ms = self._present_ms(self._present_ms(sounds_ms) + round(reaction.claim_after_s * 1000))
        return Reacting(claim_ms, round(reaction.close_after_s * 1000))

    def on_duty(self, level: int) -> Viewer:
        """Who answers once an alert has been escalated so far."""
        return self._by_level[min(level, _TOP_LEVEL)]

    def named(self, user: str) -> Viewer:
        """The one of them who is called so."""
        return next(viewer for viewer in self._by_level if viewer.user == user)

    def _present_ms(self, at_ms: int) -> int:
        """The first moment from this on at which somebody is there."""
        for from_ms, to_ms in self._plan.absences:
            if from_ms <= at_ms < to_ms:
                at_ms = to_ms
        return at_ms
