"""The county at nats-server's gate: answers whether a connection may be, and ends the ones that may no longer.

A connection is let in where its verified certificate was given to a gateway and not taken back, and the client calls
itself as that gateway is called; it may then write and read below its own name. What nats-server verified before it
asked: the authority's signature, and the time.
"""

import asyncio
import hashlib
import ssl
from functools import partial

from kanhu.cloud.authority.certificates import fingerprint
from kanhu.cloud.authority.enrolment import holder, taken_back
from kanhu.cloud.authority.late import run_out
from kanhu.cloud.broker.guarded import ACCOUNT, GATE_USER, SYSTEM_USER, GuardedNats
from kanhu.cloud.broker.nats_client import NatsClient
from kanhu.cloud.broker.nats_words import Permissions, Question, read_question
from kanhu.cloud.broker.settings import COUNTY_NAME
from kanhu.cloud.ledger.counters import count
from kanhu.cloud.ledger.database import Ledger
from kanhu.cloud.ledger.writer import Transaction, Writer
from kanhu.cloud.staff import audit
from kanhu.contract import Clock

SWEEP_S = 5.0
"""Revocation of an open session is promised within 60 s."""
_SWEEPS = 3
"""So often the same list is held against all connections: one that was let in while it was written is found as well."""
_PAGE = 500
_QUESTIONS = "$SYS.REQ.USER.AUTH"


class NatsGate:
    """Two tasks for the supervisor: `answer` and `enforce`."""

    def __init__(self, kind: GuardedNats, ledger: Ledger, writer: Writer, clock: Clock) -> None:
        """Nothing runs yet."""
        self._kind = kind
        self._ledger = ledger
        self._writer = writer
        self._clock = clock
        self._swept: frozenset[str] = frozenset()
        self._sweeps = 0

    async def answer(self) -> None:
        """Answer until the broker is gone.

        Raises:
            OSError: it is; the supervisor begins again.
        """
        county = await asyncio.to_thread(lambda: fingerprint(self._kind.authority.certificate("county")))
        async with NatsClient.connected(self._kind.nats_port, user=GATE_USER, password=self._kind.password) as nats:
            await nats.subscribe(_QUESTIONS)
            while True:
                delivery = await nats.next()
                await nats.publish(delivery.reply, await asyncio.to_thread(self._said, delivery.body, county))

    def _said(self, body: bytes, county: bytes) -> bytes:
        question = read_question(body)
        name = self._holder(question, county)
        signer, now_s = self._kind.signer, self._clock.wall_ms() // 1000
        why = refusal(name, client_id=question.client_id)
        if why or name is None:
            self._writer.submit(partial(_count, name=f"identity.refused_{why}"))
            return signer.refuse(question, why=why, now_s=now_s)
        return signer.allow(question, permissions(name), account=ACCOUNT, name=name, now_s=now_s)

    def _holder(self, question: Question, county: bytes) -> str | None:
        if question.certificate is None:
            return None
        digest = hashlib.sha256(ssl.PEM_cert_to_DER_cert(question.certificate.decode("ascii"))).digest()
        if digest == county:
            return COUNTY_NAME
        with self._ledger.read() as connection:
            return holder(connection, digest)

    async def enforce(self) -> None:
        """End sessions whose certificate was taken back, every few seconds, until the broker is gone.

        Raises:
            OSError: it is; the supervisor begins again.
        """
        while True:
            taken = await asyncio.to_thread(self._taken)
            self._sweeps = 0 if taken.keys() != self._swept else self._sweeps + 1
            self._swept = frozenset(taken)
            if taken and self._sweeps < _SWEEPS:
                await self._sweep(taken)
            await self._clock.sleep(SWEEP_S)

    def _taken(self) -> dict[str, str]:
        """Gateway of each certificate that was taken back, or ran out unconfirmed, by digest in hex."""
        with self._ledger.read() as connection:
            gone = [*taken_back(connection), *run_out(connection, now_ms=self._clock.wall_ms())]
            return {row.sha256.hex(): row.gateway for row in gone}

    async def _sweep(self, taken: dict[str, str]) -> None:
        async with NatsClient.connected(self._kind.nats_port, user=SYSTEM_USER, password=self._kind.password) as nats:
            offset, total = 0, 1
            while offset < total:
                asked = {"auth": True, "limit": _PAGE, "offset": offset}
                page = (await nats.ask(f"$SYS.REQ.SERVER.{nats.server}.CONNZ", asked))["data"]
                for connection in page["connections"]:
                    shown = connection.get("tls_peer_certs") or [{}]
                    leaf = shown[0].get("cert_sha256", "")
                    if leaf in taken:
                        await nats.ask(f"$SYS.REQ.SERVER.{nats.server}.KICK", {"cid": connection["cid"]})
                        self._writer.submit(partial(ended, gateway=taken[leaf]))
                offset, total = offset + _PAGE, page["total"]


def refusal(name: str | None, *, client_id: str) -> str:
    """Why a connection may not be, in one word; empty where it may."""
    if name is None:
        return "unknown_or_revoked"
    return "" if client_id == name else "other_name"


def permissions(name: str) -> Permissions:
    """What the holder of a certificate may write and read."""
    if name == COUNTY_NAME:
        return Permissions(["kanhu.v1.down.>"], ["kanhu.v1.up.>"])
    return Permissions([f"kanhu.v1.up.{name}.>"], [f"kanhu.v1.down.{name}.>"])


def ended(transaction: Transaction, *, gateway: str) -> None:
    """Note that a session was ended because its certificate was taken back."""
    audit.note(transaction, by="county", act="end session", about=gateway, result="revoked")


def _count(transaction: Transaction, *, name: str) -> None:
    count(transaction.connection, {name: 1})
