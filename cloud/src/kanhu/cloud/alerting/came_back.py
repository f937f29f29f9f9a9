"""CAME-BACK: a gateway is back with a certificate that had run out, and somebody has to say where it stands.

Raised in the transaction that lets it in again, ended in the one in which a person answers, or its certificates are
taken back. One that a person closed without an answer is raised anew `renew_s` later, with the next ask of its gateway,
which comes daily: so there is no tick and no timer.
"""

from sqlalchemy import bindparam, select

from kanhu.cloud.alerting import log
from kanhu.cloud.alerting.intake import Intake
from kanhu.cloud.alerting.policy import DAY_MS, SECOND_MS
from kanhu.cloud.alerting.state import Ended
from kanhu.cloud.alerting.technical import part_of, raise_technical
from kanhu.cloud.ledger import schema
from kanhu.cloud.ledger.writer import Transaction
from kanhu.contract import Clock

RULE = "CAME-BACK"
CONFIRMED = "confirmed"
REVOKED = "revoked"
REPLACED = "replaced"
_CERTIFICATE = "certificate"
_REASON = "came_back"
_OF_GATEWAY = (
    select(schema.alert.c.id, schema.alert.c.is_open, schema.alert.c.closed_ms)
    .where(schema.alert.c.subject == bindparam("of"), schema.alert.c.rule == RULE)
    .where(schema.alert.c.opened_ms >= bindparam("since"))
    .order_by(schema.alert.c.opened_ms.desc())
)


class CameBack:
    """Asks staff about a gateway, once."""

    def __init__(self, intake: Intake, clock: Clock) -> None:
        """Ask with the county's pack; one without the rule asks on the equipment page alone."""
        self._intake = intake
        self._clock = clock

    def say(self, transaction: Transaction, gateway: str, *, since_ms: int, ran_out_ms: int, until_ms: int) -> None:
        """It is in since then by a certificate that ends at `until_ms`; the one before had run out at `ran_out_ms`."""
        rule, now_ms = self._intake.pack.rule(RULE), transaction.now_ms
        if rule is None or not rule.approved():
            return
        of = part_of(gateway, _CERTIFICATE).id
        asked = transaction.connection.execute(_OF_GATEWAY, {"of": of, "since": since_ms}).first()
        if asked is not None and (asked.is_open or now_ms < asked.closed_ms + rule.renew_s * SECOND_MS):
            return
        raise_technical(
            transaction,
            self._intake,
            self._clock,
            rule,
            gateway=gateway,
            part=_CERTIFICATE,
            reason=_REASON,
            params={"days": str(days_late(since_ms, ran_out_ms)), "left": str(max(0, (until_ms - now_ms) // DAY_MS))},
        )


def days_late(back_ms: int, ran_out_ms: int) -> int:
    """Days between the end of a certificate and the coming back of its gateway, begun ones included."""
    return max(1, -(-(back_ms - ran_out_ms) // DAY_MS))


def answered(transaction: Transaction, gateway: str, *, word: str, by: str) -> None:
    """End what is asked about a gateway; nothing where nothing is."""
    asked = transaction.connection.execute(_OF_GATEWAY, {"of": part_of(gateway, _CERTIFICATE).id, "since": 0}).all()
    for alert in (row.id for row in asked if row.is_open):
        kept = log.read_alert(transaction.connection, alert)
        if kept is not None:
            log.append(transaction, alert, Ended(word), key=f"{word}:{transaction.now_ms}", place=kept.place, actor=by)
