"""Puts together what decides, from a message to an alert: the same for the service and for a replay."""

from dataclasses import dataclass
from functools import partial
from pathlib import Path

from kanhu.cloud.alerting.came_back import CameBack
from kanhu.cloud.alerting.deadlines import fire_due
from kanhu.cloud.alerting.faults import Faults
from kanhu.cloud.alerting.intake import Intake
from kanhu.cloud.alerting.listening import Listening
from kanhu.cloud.alerting.nightly import Nightly
from kanhu.cloud.alerting.policy import Policy
from kanhu.cloud.alerting.silence import Watch
from kanhu.cloud.ingest.asking import Asking
from kanhu.cloud.ingest.take import Ingest
from kanhu.cloud.ledger.writer import Job
from kanhu.contract import Clock
from kanhu.vitals import RulePack


@dataclass(frozen=True, slots=True)
class Deciding:
    """The door and the work that is due again and again, over one transaction at a time."""

    policy: Policy
    intake: Intake
    ingest: Ingest
    nightly: Nightly
    came_back: CameBack

    def duties(self) -> dict[str, Job]:
        """What is due again and again, each a job of its own."""
        return {
            "silence": self.ingest.watch.tick,
            "deadlines": partial(fire_due, policy=self.policy),
            "night": self.nightly.tick,
        }


def assemble(
    policy: Policy, pack: RulePack, *, clock: Clock, listening: Listening, asked: Path | None = None
) -> Deciding:
    """Door, watch and night with one policy, one pack and one clock; an administrator asks by the folder `asked`."""
    intake = Intake(policy, pack)
    watch = Watch(intake, clock, listening)
    ingest = Ingest(intake, watch, Faults(intake, clock), listening, Asking(asked))
    return Deciding(policy, intake, ingest, Nightly(intake, clock), CameBack(intake, clock))
