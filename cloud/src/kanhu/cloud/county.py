"""Puts the county together: ledger, alerting, ingest, desk, staff; the assembly that `serve` and tests share."""

from collections.abc import Callable
from dataclasses import dataclass

from kanhu.cloud.alerting.listening import Listening
from kanhu.cloud.alerting.policy import Policy
from kanhu.cloud.config import CloudConfig, policy_of
from kanhu.cloud.deciding import Deciding, assemble
from kanhu.cloud.desk.ledger_desk import LedgerDesk
from kanhu.cloud.desk.model import LIVE_MINUTES, Both
from kanhu.cloud.ingest.asking import FOLDER, want_live
from kanhu.cloud.ingest.take import Ingest
from kanhu.cloud.ledger.database import LEDGER_FILE, Ledger
from kanhu.cloud.ledger.writer import Job, Writer
from kanhu.cloud.nameless.desk import LedgerNamelessDesk
from kanhu.cloud.services import Services, Settings
from kanhu.cloud.staff.accounts import LedgerStaff
from kanhu.cloud.stream import ChangeStream
from kanhu.contract import Clock
from kanhu.vitals import RulePack


@dataclass(frozen=True, slots=True)
class County:
    """Everything but the network."""

    ledger: Ledger
    writer: Writer
    deciding: Deciding
    services: Services

    @property
    def policy(self) -> Policy:
        """Numbers of alert work."""
        return self.deciding.policy

    @property
    def ingest(self) -> Ingest:
        """The door."""
        return self.deciding.ingest

    def duties(self) -> dict[str, Job]:
        """What is due again and again, each a job of its own."""
        return self.deciding.duties()

    def close(self) -> None:
        """Finish what waits and close the file."""
        self.writer.stop()
        self.ledger.close()


def open_county(config: CloudConfig, *, pack: RulePack, clock: Clock, broker: Callable[[], str]) -> County:
    """Open the ledger, bring it to the newest schema, start the writer.

    Raises:
        LedgerUnusable: the file cannot keep the promises.
        ConfigInvalid: settings and rule pack contradict each other.
    """
    policy = policy_of(config, pack)
    ledger = Ledger(config.data / LEDGER_FILE)
    ledger.migrate()
    ledger.check()
    stream = ChangeStream()
    writer = Writer(ledger, clock, announce=stream.announce)
    asked = config.data / FOLDER
    deciding = assemble(policy, pack, clock=clock, listening=Listening(), asked=asked)

    def live(gateway: str, resident: str) -> None:
        want_live(asked, gateway=gateway, minutes=LIVE_MINUTES, resident=resident, now_ms=clock.wall_ms())

    desk = LedgerDesk(ledger, writer, clock, policy, pack, broker, live)
    stream.announce(desk.newest_revision())
    writer.start()
    services = Services(
        desk=desk,
        nameless=LedgerNamelessDesk(ledger, writer, clock, deciding.intake),
        staff=LedgerStaff(ledger, writer, clock),
        clock=clock,
        stream=stream,
        timezone=policy.timezone,
        county=Both(config.county.zh, config.county.en),
        broker=broker,
        settings=Settings(transport=config.http.transport, undo_s=policy.undo_ms / 1000),
    )
    return County(ledger, writer, deciding, services)
