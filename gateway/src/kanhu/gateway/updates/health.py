"""Whether a gateway is well with a new release; a function of what was before and what is now."""

from kanhu.contract.remote import ReleaseReason
from kanhu.gateway.updates.facts import Facts
from kanhu.gateway.updates.store import Trial

WELL_AFTER_S = 60.0
"""As long as the gateway's own patience with the county, and a heartbeat of the usual rhythm."""
DECIDED_AFTER_S = 80.0
"""With the pause of the service manager and a start this leaves the old release back within two minutes."""
KILLED_AFTER_S = 100.0
"""The kernel ends a process on trial that does not come to a decision, by an alarm that no hang can hold up."""
LET_GO_S = 60.0
"""After the decision against a release, for so long alerts that are nowhere but in memory hold up the end."""
ENDED_AFTER_S = 25.0
"""From then on the kernel gives a process so long to end: devices 5 s, detector states 3 s, flush and goodbye 8 s."""


class Unhealthy(Exception):
    """The release has to go."""

    def __init__(self, reason: ReleaseReason, detail: str) -> None:
        """Keep both."""
        super().__init__(detail)
        self.reason = reason
        self.detail = detail


def is_well(trial: Trial, *, before: Facts, now: Facts, after_s: float) -> bool:
    """Whether the trial is over; False: not yet known.

    That `now` could be had at all says that the outbox answers: it is read in the outbox's own thread.

    Raises:
        Unhealthy: work of the gateway fails, readings came before and none is accepted now, or the county is silent.
    """
    failed = sorted(name for name, count in now.restarts.items() if count and name not in trial.failing)
    if failed:
        raise Unhealthy(ReleaseReason.TASK_FAILED, ", ".join(failed))
    if after_s < WELL_AFTER_S:
        return False
    if trial.readings and now.refused > before.refused and now.accepted == before.accepted:
        raise Unhealthy(ReleaseReason.READINGS, f"{now.refused - before.refused} readings came, and none was accepted")
    if trial.county and not now.receipts:
        if after_s < DECIDED_AFTER_S:
            return False
        raise Unhealthy(ReleaseReason.COUNTY, "no receipt of the county, which answered before")
    return True
