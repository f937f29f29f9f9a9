"""Who gets a certificate, who gets the next one, and whose are taken back: decisions over the ledger, each audited.

    invite ──▶ token, 72 h ──▶ enrol ──▶ certificate, 90 days ──▶ renew from day 60 ──▶ …
                                              └─ ran out: renew within 180 days ──▶ certificate, provisional
                                                     renewed in its turn once a person has confirmed it (late)
    revoke: every certificate and open invitation of the gateway, at once

Asking again with the same key gives the same certificate: an answer that was lost on the way costs nothing.
"""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from sqlalchemy import Connection, Select, insert, select, update

from kanhu.cloud.alerting import came_back
from kanhu.cloud.authority.certificates import (
    GATEWAY_DAYS,
    RENEW_AFTER_DAYS,
    Issuer,
    RequestRefused,
    fingerprint,
    issue_gateway,
    key_digest,
    request_key,
    signed_by,
)
from kanhu.cloud.errors import EnrolmentRefused
from kanhu.cloud.ledger import schema
from kanhu.cloud.ledger.counters import count
from kanhu.cloud.ledger.writer import Transaction
from kanhu.cloud.people.register import enrolled_gateway
from kanhu.cloud.staff import audit

TOKEN_BYTES = 24
TOKEN_H = 72
LATE_DAYS = 180
"""So long after it ran out a certificate may still be renewed: a summer without a link, and no more."""
RENEWAL_WORDS = b"kanhu renewal 1\n"
"""What a renewal's signature begins with, so that it can stand for nothing else."""

_HOUR_MS = 3_600_000
_DAY_MS = 24 * _HOUR_MS


class Answer(StrEnum):
    """Named answer to a gateway that asks for a certificate."""

    GRANTED = "granted"
    TOO_MANY = "too_many"
    BAD_REQUEST = "bad_request"
    UNKNOWN_TOKEN = "unknown_token"  # noqa: S105  # a word, not a secret
    TOKEN_USED = "token_used"  # noqa: S105  # a word, not a secret
    TOKEN_EXPIRED = "token_expired"  # noqa: S105  # a word, not a secret
    OTHER_GATEWAY = "other_gateway"
    UNKNOWN_CERTIFICATE = "unknown_certificate"
    REVOKED = "revoked"
    BAD_SIGNATURE = "bad_signature"
    TOO_EARLY = "too_early"
    RENEWED_ALREADY = "renewed_already"
    UNCONFIRMED = "unconfirmed"
    RAN_OUT_TOO_LONG = "ran_out_too_long"


@dataclass(frozen=True, slots=True)
class Granted:
    """The answer; a certificate, PEM, where it is `granted`."""

    answer: Answer
    certificate: bytes = b""
    issued_ms: int = 0
    """From when its gateway counts the days until it asks for the next: GATEWAY_DAYS before the end."""


@dataclass(frozen=True, slots=True)
class Late:
    """How a gateway is taken back whose certificate had run out."""

    provisional_days: int
    came_back: came_back.CameBack


@dataclass(frozen=True, slots=True)
class Invitation:
    """A token, shown once and kept as a hash."""

    gateway: str
    token: str
    until_ms: int


@dataclass(frozen=True, slots=True)
class Standing:
    """One gateway of the register and its certificates."""

    gateway: str
    until_ms: int | None
    """End of its newest certificate that was not taken back; None where there is none."""
    invited_until_ms: int | None
    revoked_ms: int | None
    unconfirmed: bool
    """It came back late, and nobody has said yet that it stands where it should."""


@dataclass(frozen=True, slots=True)
class TakenBack:
    """One certificate that counts no longer."""

    serial: int
    gateway: str
    revoked_ms: int
    sha256: bytes


def invite(transaction: Transaction, *, gateway: str, by: str) -> Invitation:
    """Make a token for one gateway; an earlier one that nobody used is void.

    Raises:
        EnrolmentRefused: no such gateway in the register.
    """
    connection, table = transaction.connection, schema.invitation
    _known(transaction, gateway)
    _end_invitations(transaction, gateway)
    made = Invitation(gateway, secrets.token_urlsafe(TOKEN_BYTES), transaction.now_ms + TOKEN_H * _HOUR_MS)
    row = {"token_sha256": _hash(made.token), "gateway": gateway, "made_ms": transaction.now_ms}
    connection.execute(insert(table).values(**row, until_ms=made.until_ms))
    audit.note(transaction, by=by, act="invite gateway", about=gateway, result="done")
    return made


def enrol(transaction: Transaction, issuer: Issuer, *, gateway: str, token: str, request: bytes) -> Granted:
    """Turn a token into a certificate, once; certificates that the gateway had before are taken back."""
    table = schema.invitation
    row = transaction.connection.execute(select(table).where(table.c.token_sha256 == _hash(token))).first()
    if row is None:
        count(transaction.connection, {f"identity.{Answer.UNKNOWN_TOKEN}": 1})  # no audit row for a guess: no flood
        return Granted(Answer.UNKNOWN_TOKEN)
    try:
        key = request_key(request)
    except RequestRefused:
        return _refused(transaction, row.gateway, Answer.BAD_REQUEST, act="enrol")
    digest = key_digest(key)
    if row.gateway != gateway:
        return _refused(transaction, row.gateway, Answer.OTHER_GATEWAY, act="enrol")
    if row.used_ms is not None:
        again = _issued_for(transaction, digest) if row.key_sha256 == digest else None
        return again or _refused(transaction, row.gateway, Answer.TOKEN_USED, act="enrol")
    if transaction.now_ms > row.until_ms:
        return _refused(transaction, row.gateway, Answer.TOKEN_EXPIRED, act="enrol")
    used = {"used_ms": transaction.now_ms, "key_sha256": digest}
    transaction.connection.execute(update(table).where(table.c.token_sha256 == row.token_sha256).values(**used))
    _take_back(transaction, row.gateway, reason=came_back.REPLACED, by=_box(row.gateway))
    return _issue(transaction, issuer, key, gateway=row.gateway, act="enrol")


def renew(
    transaction: Transaction, issuer: Issuer, *, certificate: bytes, request: bytes, signature: bytes, late: Late
) -> Granted:
    """The next certificate for the holder of the last one's key: each is followed by one, and by no second.

    Where the last one had run out, the next is provisional, and followed by none until a person has confirmed it.
    """
    try:
        held = x509.load_pem_x509_certificate(certificate)
        key = request_key(request)
    except (RequestRefused, ValueError):
        return Granted(Answer.BAD_REQUEST)
    table = schema.certificate
    row = transaction.connection.execute(select(table).where(table.c.sha256 == fingerprint(held))).first()
    if row is None:
        return Granted(Answer.UNKNOWN_CERTIFICATE)
    if not signed_by(held, signature=signature, message=RENEWAL_WORDS + request):
        return _refused(transaction, row.gateway, Answer.BAD_SIGNATURE, act="renew")
    if row.revoked_ms is not None:
        return _refused(transaction, row.gateway, Answer.REVOKED, act="renew")
    if row.renewed_ms is not None:
        again = _issued_for(transaction, key_digest(key))
        return again or _refused(transaction, row.gateway, Answer.RENEWED_ALREADY, act="renew")
    until_ms = row.until_ms
    if row.confirmed_ms is not None:  # for so long a confirmation counts, however late it was given
        until_ms = max(until_ms, row.confirmed_ms + late.provisional_days * _DAY_MS)
    if transaction.now_ms > until_ms + LATE_DAYS * _DAY_MS:
        return _refused(transaction, row.gateway, Answer.RAN_OUT_TOO_LONG, act="renew")
    if row.ran_out_ms is not None and row.confirmed_ms is None:
        late.came_back.say(
            transaction, row.gateway, since_ms=row.issued_ms, ran_out_ms=row.ran_out_ms, until_ms=until_ms
        )
        return Granted(Answer.UNCONFIRMED)  # asked daily, as below
    if transaction.now_ms < row.until_ms - (GATEWAY_DAYS - RENEW_AFTER_DAYS) * _DAY_MS:
        return Granted(Answer.TOO_EARLY)  # asked daily by a gateway whose clock nobody set: no audit row for each
    renewed = update(table).where(table.c.serial == row.serial).values(renewed_ms=transaction.now_ms)
    transaction.connection.execute(renewed)
    if transaction.now_ms <= until_ms:
        return _issue(transaction, issuer, key, gateway=row.gateway, act="renew")
    given = _issue(
        transaction, issuer, key, gateway=row.gateway, act="renew late", days=late.provisional_days, ran_out_ms=until_ms
    )
    ends_ms = transaction.now_ms + late.provisional_days * _DAY_MS
    late.came_back.say(transaction, row.gateway, since_ms=transaction.now_ms, ran_out_ms=until_ms, until_ms=ends_ms)
    return given


def revoke(transaction: Transaction, *, gateway: str, by: str) -> int:
    """Take back every certificate and open invitation of a gateway; answers how many certificates.

    Raises:
        EnrolmentRefused: no such gateway in the register.
    """
    _known(transaction, gateway)
    _end_invitations(transaction, gateway)
    taken = _take_back(transaction, gateway, reason=came_back.REVOKED, by=by)
    audit.note(transaction, by=by, act="revoke gateway", about=gateway, result=f"{taken} certificates")
    return taken


def standings(connection: Connection, *, now_ms: int) -> list[Standing]:
    """Every gateway of the register, by id, with what it holds."""
    found = []
    for gateway in connection.scalars(select(schema.gateway.c.id).order_by(schema.gateway.c.id)).all():
        mine = connection.execute(select(schema.certificate).where(schema.certificate.c.gateway == gateway)).all()
        found.append(
            Standing(
                gateway,
                until_ms=max((row.until_ms for row in mine if row.revoked_ms is None), default=None),
                invited_until_ms=connection.scalar(_open_invitations(gateway, now_ms=now_ms)),
                revoked_ms=max((row.revoked_ms for row in mine if row.revoked_ms is not None), default=None),
                unconfirmed=any(
                    row.ran_out_ms is not None and row.confirmed_ms is None and row.revoked_ms is None for row in mine
                ),
            )
        )
    return found


def holder(connection: Connection, sha256: bytes) -> str | None:
    """The gateway to whom a certificate with this digest was given and not taken back."""
    table = schema.certificate
    query = select(table.c.gateway).where(table.c.sha256 == sha256, table.c.revoked_ms.is_(None))
    return connection.scalar(query)


def taken_back(connection: Connection) -> list[TakenBack]:
    """Every certificate that was taken back, oldest first."""
    table = schema.certificate
    columns = (table.c.serial, table.c.gateway, table.c.revoked_ms, table.c.sha256)
    query = select(*columns).where(table.c.revoked_ms.is_not(None)).order_by(table.c.revoked_ms, table.c.serial)
    return [TakenBack(int(row.serial, 16), *row[1:]) for row in connection.execute(query)]


def _known(transaction: Transaction, gateway: str) -> None:
    if enrolled_gateway(transaction.connection, gateway) is None:
        raise EnrolmentRefused(f"there is no gateway {gateway!r}; name it in the site file, and load that first")


def _issue(
    transaction: Transaction,
    issuer: Issuer,
    key: ec.EllipticCurvePublicKey,
    *,
    gateway: str,
    act: str,
    days: int = GATEWAY_DAYS,
    ran_out_ms: int | None = None,
) -> Granted:
    until_ms = transaction.now_ms + days * _DAY_MS
    pem = issue_gateway(issuer, key, gateway=gateway, until=datetime.fromtimestamp(until_ms / 1000, UTC))
    certificate = x509.load_pem_x509_certificate(pem)
    transaction.connection.execute(
        insert(schema.certificate).values(
            serial=f"{certificate.serial_number:x}",
            gateway=gateway,
            issued_ms=transaction.now_ms,
            until_ms=until_ms,
            ran_out_ms=ran_out_ms,
            sha256=fingerprint(certificate),
            key_sha256=key_digest(key),
            pem=pem,
        )
    )
    audit.note(transaction, by=_box(gateway), act=f"{act} gateway", about=gateway, result="granted")
    return _granted(pem, until_ms)


def _granted(pem: bytes, until_ms: int) -> Granted:
    return Granted(Answer.GRANTED, pem, until_ms - GATEWAY_DAYS * _DAY_MS)


def _issued_for(transaction: Transaction, key_sha256: bytes) -> Granted | None:
    table = schema.certificate
    query = select(table.c.pem, table.c.until_ms).where(table.c.key_sha256 == key_sha256, table.c.revoked_ms.is_(None))
    row = transaction.connection.execute(query).first()
    return None if row is None else _granted(row.pem, row.until_ms)


def _refused(transaction: Transaction, gateway: str, answer: Answer, *, act: str) -> Granted:
    audit.note(transaction, by=_box(gateway), act=f"{act} gateway", about=gateway, result=answer.value)
    return Granted(answer)


def _take_back(transaction: Transaction, gateway: str, *, reason: str, by: str) -> int:
    table = schema.certificate
    mine = update(table).where(table.c.gateway == gateway, table.c.revoked_ms.is_(None))
    taken = transaction.connection.execute(mine.values(revoked_ms=transaction.now_ms, reason=reason))
    came_back.answered(transaction, gateway, word=reason, by=by)
    return taken.rowcount


def _open_invitations(gateway: str, *, now_ms: int) -> "Select[int]":
    table = schema.invitation
    return select(table.c.until_ms).where(
        table.c.gateway == gateway, table.c.used_ms.is_(None), table.c.until_ms >= now_ms
    )


def _end_invitations(transaction: Transaction, gateway: str) -> None:
    table = schema.invitation
    open_ones = update(table).where(table.c.gateway == gateway, table.c.used_ms.is_(None))
    transaction.connection.execute(open_ones.values(until_ms=0))


def _box(gateway: str) -> str:
    return f"gateway:{gateway}"


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
