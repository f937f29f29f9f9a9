"""What `kanhu-cloud doctor` looks at: each finding names what is, and what to do. Nothing is changed."""

import shutil
import socket
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntEnum
from urllib.parse import urlsplit

from sqlalchemy import Connection, func, select
from tuf.api.metadata import Timestamp

from kanhu.cloud.authority.late import questions
from kanhu.cloud.broker.settings import mosquitto, program
from kanhu.cloud.config import EMBEDDED, MOSQUITTO, CloudConfig
from kanhu.cloud.errors import CloudError, UpdatesRefused
from kanhu.cloud.ledger import schema
from kanhu.cloud.ledger.checkpoints import kept_states
from kanhu.cloud.ledger.counters import counters
from kanhu.cloud.ledger.database import LEDGER_FILE, Ledger
from kanhu.cloud.ledger.tally import tallies, total
from kanhu.cloud.updates.freshness import FOLDER, ONLINE_KEY, SERVED
from kanhu.cloud.updates.repository import Repository
from kanhu.contract import Clock

_LEAST_FREE_SHARE = 0.1
_CONNECT_S = 3.0
_LEAST_FRESH = timedelta(days=3)
"""Of the seven that a timestamp counts: a weekend, and a day to mend it."""
_LEAST_SIGNED = timedelta(days=30)
"""Before a list or a root runs out, for which people have to come together."""
_LOOPBACK = {"127.0.0.1", "::1", "localhost"}


class Severity(IntEnum):
    """Also the exit code: the worst one counts."""

    FINE = 0
    WARNING = 1
    BROKEN = 2


@dataclass(frozen=True, slots=True)
class Complaint:
    """One thing looked at."""

    severity: Severity
    about: str
    text: str

    def line(self) -> str:
        """For people."""
        return f"{self.severity.name.lower():8}{self.about:12}{self.text}"

    def as_json(self) -> dict[str, str]:
        """For programs."""
        return {"severity": self.severity.name.lower(), "about": self.about, "text": self.text}


def examine(config: CloudConfig, *, clock: Clock) -> list[Complaint]:
    """Look at disk, ledger, broker, people, releases and what was refused."""
    found = [_disk(config), *_updates(config, clock.now())]
    path = config.data / LEDGER_FILE
    if not path.exists():
        return [*found, Complaint(Severity.BROKEN, "ledger", f"{path} is not there; run kanhu-cloud site load")]
    ledger = Ledger(path)
    try:
        ledger.check()
        with ledger.read() as connection:
            found += [
                Complaint(Severity.FINE, "ledger", f"{path}: pragmas and schema are right"),
                *_content(connection, clock),
            ]
    except CloudError as error:
        found.append(Complaint(Severity.BROKEN, "ledger", str(error)))
    finally:
        ledger.close()
    return [*found, _broker(config)]


def _disk(config: CloudConfig) -> Complaint:
    folder = config.data if config.data.exists() else config.data.parent
    if not folder.exists():
        return Complaint(Severity.BROKEN, "disk", f"{config.data} is not there; make it, or change `data`")
    usage = shutil.disk_usage(folder)
    share = usage.free / usage.total
    text = f"{usage.free // 2**20} MiB free on {folder}"
    if share < _LEAST_FREE_SHARE:
        return Complaint(Severity.WARNING, "disk", f"{text}; with no room nothing is stored, and gateways keep theirs")
    return Complaint(Severity.FINE, "disk", text)


def _updates(config: CloudConfig, now: datetime) -> list[Complaint]:
    """Of a county that publishes releases: until when gateways believe them, and whether the service can go on."""
    folder = config.data / FOLDER
    try:
        until = Repository(folder / SERVED).until()
        if Timestamp.type not in until:
            return []
        foreign = [
            path
            for path in (folder / SERVED / "metadata", folder / ONLINE_KEY)
            if path.exists() and path.stat().st_uid != config.data.stat().st_uid
        ]
    except (UpdatesRefused, OSError) as error:
        return [Complaint(Severity.WARNING, "updates", f"cannot be read: {error}")]
    text = "; ".join(f"{role} valid until {day:%Y-%m-%d %H:%M} UTC" for role, day in until.items())
    remedy = ""
    if foreign:
        remedy = f"{foreign[0]} is not the service's own: chown -R --reference={config.data} {folder}"
    elif until[Timestamp.type] - now < _LEAST_FRESH:
        remedy = f"the service does not sign anew; is {folder / ONLINE_KEY} there? its log says why"
    elif any(day - now < _LEAST_SIGNED for role, day in until.items() if role != Timestamp.type):
        remedy = "two people sign the next one: docs/updates.md"
    if not remedy:
        return [Complaint(Severity.FINE, "updates", text)]
    return [Complaint(Severity.WARNING, "updates", f"{text}; gateways then take nothing new; {remedy}")]


def _content(connection: Connection, clock: Clock) -> list[Complaint]:
    found = []
    for table, remedy in ((schema.gateway, "run kanhu-cloud site load"), (schema.staff, "run kanhu-cloud user add")):
        rows = connection.execute(select(func.count()).select_from(table)).scalar_one()
        severity = Severity.FINE if rows else Severity.WARNING
        found.append(Complaint(severity, table.name, f"{rows} rows" if rows else f"none; {remedy}"))
    silent = connection.execute(
        select(func.count()).select_from(schema.gateway).where(schema.gateway.c.silent_alert.is_not(None))
    ).scalar_one()
    found.append(Complaint(Severity.WARNING if silent else Severity.FINE, "silent", f"{silent} gateways"))
    ingest = counters(connection, prefix="ingest.")
    foreign = ingest.get("foreign_subject", 0)
    if foreign:
        text = f"{foreign} records about people registered at another gateway: bound to the wrong device, or moved?"
        found.append(Complaint(Severity.WARNING, "foreign", text))
    doors = counters(connection, prefix="identity.")
    guessed, turned = doors.get("unknown_token", 0), doors.get("too_many", 0)
    if guessed or turned:
        text = f"{guessed} asks with an unknown token, {turned} turned away for asking too often; docs/cloud.md"
        found.append(Complaint(Severity.WARNING, "enrolment", text))
    late = len(questions(connection, "/", now_ms=clock.wall_ms()))
    if late:
        text = f"{late} gateways came back with a certificate that had run out: answer on the equipment page"
        found.append(Complaint(Severity.WARNING, "late", text))
    conflicts = ingest.get("conflicts", 0)
    if conflicts:
        text = f"{conflicts} records came twice with other bytes: a copied card? see kanhu-cloud ledger dump"
        found.append(Complaint(Severity.WARNING, "conflicts", text))
    found.append(_tally(connection))
    kept = kept_states(connection)
    text = f"of {sum(one.people for one in kept)} people of {len(kept)} gateways, kept for the next card"
    found.append(Complaint(Severity.FINE, "states", text))
    for reason, amount in counters(connection, prefix="state.refused.").items():
        found.append(Complaint(Severity.WARNING, "states", f"{amount} refused: {reason}; see docs/spec/states.md"))
    for reason, amount in counters(connection, prefix="quarantine.").items():
        found.append(Complaint(Severity.WARNING, "quarantine", f"{amount} messages refused: {reason}"))
    return found


def _tally(connection: Connection) -> Complaint:
    counted = tallies(connection)
    all_of_them = total(connection, counted)
    said = ", ".join(f"{getattr(all_of_them, name)} {name}" for name in ("received", "late", "owed", "lost"))
    if all_of_them.not_known:
        said += f", {all_of_them.not_known} on cards not in use any more"
    wrong = [one.missing for one in counted if one.missing]
    if wrong:
        text = f"{said}; of {len(wrong)} residents they do not add up to what was accepted; see kanhu-cloud tally"
        return Complaint(Severity.WARNING, "readings", text)
    return Complaint(Severity.FINE, "readings", said)


def _broker(config: CloudConfig) -> Complaint:
    if config.broker in {EMBEDDED, MOSQUITTO}:
        try:
            found = program() if config.broker == EMBEDDED else mosquitto()
            return Complaint(Severity.FINE, "broker", f"{config.broker}, {found}")
        except CloudError as error:
            return Complaint(Severity.BROKEN, "broker", str(error))
    address = urlsplit(config.broker)
    try:
        socket.create_connection((address.hostname or "127.0.0.1", address.port or 1883), timeout=_CONNECT_S).close()
    except OSError as error:
        return Complaint(Severity.BROKEN, "broker", f"{config.broker} does not answer: {error}")
    if address.scheme == "mqtt" and address.hostname not in _LOOPBACK:
        said = f"{config.broker} answers, and whoever reaches it can be any gateway; add [identity], see docs/cloud.md"
        return Complaint(Severity.WARNING, "broker", said)
    return Complaint(Severity.FINE, "broker", f"{config.broker} answers")
