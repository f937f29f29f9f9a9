"""One real county with one real broker that lets in by certificate, and what is done to it from outside.

Everything goes by its doors: HTTPS, MQTT over TLS, the administrator's commands. What arrived is read from the ledger.
"""

import asyncio
import json
import logging
import secrets
import socket
import sqlite3
import ssl
import sys
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiomqtt
import httpx
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from kanhu.contract import (
    ClockState,
    Envelope,
    GatewayState,
    Lane,
    Observation,
    Part,
    Status,
    Subject,
    SubjectKind,
    SystemClock,
    Times,
    Up,
    encode_envelope,
    encode_status,
    up_topic,
)
from kanhu.contract.status import STATUS_VERSION
from kanhu.gateway.link import Link
from kanhu.harness.errors import ProgramFailed
from kanhu.harness.village.processes import Processes, environment

__all__ = ["BROKERS", "GATEWAYS", "Key", "Pass", "Rig", "heartbeat", "letter", "new_epoch", "rig"]

BROKERS = ("embedded", "mosquitto")
GATEWAYS = ("home-01", "home-02", "home-03", "home-04")
CONNECT_S = 8.0
_UP_S = 120.0
_ARRIVES_S = 60.0
_STEP_S = 0.05
_SITE = '[[place]]\nid = "yunling"\nkind = "county"\nzh = "云岭县"\nen = "Yunling"\n' + "".join(
    f'[[gateway]]\nid = "{name}"\nkind = "home"\nplace = "yunling"\n' for name in GATEWAYS
)
_quiet = logging.getLogger("kanhu.harness.prove.mqtt")
_quiet.addHandler(logging.NullHandler())
_quiet.propagate = False  # what a client is refused is what is looked for


@dataclass
class Key:
    """A box's key, made here."""

    private: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))

    @property
    def pem(self) -> bytes:
        """The private key."""
        return self.private.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )

    def request(self, name: str) -> str:
        """A signing request under any name."""
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        made = x509.CertificateSigningRequestBuilder().subject_name(subject).sign(self.private, hashes.SHA256())
        return made.public_bytes(serialization.Encoding.PEM).decode()

    def signs(self, name: str, key: "Key", *, begins: datetime, days: int) -> bytes:
        """A certificate for another key, or for itself: what anybody can make at home."""
        issuer = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "somebody" if key is not self else name)])
        builder = (
            x509.CertificateBuilder()
            .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
            .issuer_name(issuer)
            .public_key(key.private.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(begins)
            .not_valid_after(begins + timedelta(days=days))
        )
        return builder.sign(self.private, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


@dataclass(frozen=True)
class Pass:
    """What a client shows: key and certificate in one file."""

    name: str
    file: Path


@dataclass
class Rig:
    """The county under test."""

    folder: Path
    kind: str
    broker_port: int
    enrol_port: int
    processes: Processes

    @property
    def data(self) -> Path:
        """The county's data folder."""
        return self.folder / "county"

    async def command(self, *words: str) -> str:
        """Run one command of the administrator; answers what it printed."""
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "kanhu.cloud.cli", *words, "--config", str(self.folder / "cloud.toml"),
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip  # a command line reads as a line
        out, said = await process.communicate()
        if process.returncode:
            raise ProgramFailed(" ".join(words), said.decode(errors="replace"))
        return out.decode().strip()

    async def token(self, gateway: str) -> str:
        """Invite a gateway; the token of the text."""
        return (await self.command("gateway", "invite", gateway)).split("/")[-2]

    async def ask(self, path: str, body: dict[str, str]) -> dict[str, Any]:
        """Ask at the door where certificates are given."""
        trusted = ssl.create_default_context(cafile=str(self.data / "authority" / "ca.pem"))
        async with httpx.AsyncClient(verify=trusted, timeout=30) as http:
            answer = await http.post(f"https://localhost:{self.enrol_port}{path}", json=body)
        found: dict[str, Any] = answer.json()
        return found

    async def enrol(self, gateway: str, token: str) -> Pass:
        """Enrol as a gateway does."""
        key = Key()
        answer = await self.ask("/enrol", {"gateway": gateway, "token": token, "request": key.request(gateway)})
        if answer.get("answer") != "granted":
            raise ProgramFailed(f"enrolling {gateway}", json.dumps(answer))
        return self.shown(gateway, key, str(answer["certificate"]).encode())

    def shown(self, name: str, key: Key, certificate: bytes) -> Pass:
        """Put key and certificate into a file."""
        file = self.folder / f"{name}-{secrets.token_hex(4)}.pem"
        file.write_bytes(key.pem + certificate)
        return Pass(name, file)

    def client(self, holder: Pass, *, client_id: str = "", will: aiomqtt.Will | None = None) -> Link:
        """An MQTT client with this certificate, under its own name unless told otherwise."""
        return Link(
            "localhost", self.broker_port, identifier=client_id or holder.name, tls_context=self.trusting(holder),
            will=will, timeout=CONNECT_S, keepalive=15, logger=_quiet,
        )  # fmt: skip  # a client in a glance

    def trusting(self, holder: Pass) -> ssl.SSLContext:
        """Shows this certificate, and believes the county's authority."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.load_verify_locations(self.data / "authority" / "ca.pem")
        context.load_cert_chain(holder.file)
        return context

    def rows(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        """What the ledger holds."""
        with sqlite3.connect(f"file:{self.data / 'ledger.db'}?mode=ro", uri=True, timeout=10) as ledger:
            return ledger.execute(query, values).fetchall()

    def write(self, statement: str, *values: object) -> None:
        """Change the ledger as time, and nothing else, would have."""
        with sqlite3.connect(self.data / "ledger.db", timeout=10) as ledger:
            ledger.execute(statement, values)

    def reached_as(self, gateway: str) -> int:
        """Everything that got past the broker under this gateway's topic, stored or refused by the county."""
        ((stored,),) = self.rows("SELECT count(*) FROM segment WHERE gateway = ?", gateway)
        ((refused,),) = self.rows("SELECT count(*) FROM quarantine WHERE topic LIKE ?", f"kanhu/v1/up/{gateway}/%")
        return int(stored + refused)

    async def until_stored(self, epoch: str) -> None:
        """Wait for a letter; what was published before it has then been dealt with.

        Raises:
            ProgramFailed: it does not come, so nothing can be said about what else did not.
        """

        def stored() -> bool:
            return bool(self.rows("SELECT 1 FROM segment WHERE epoch = ?", epoch))

        await self._until(stored, _ARRIVES_S, f"an honest envelope through {self.kind}")

    async def until_listening(self) -> None:
        """Wait until the county serves, and hears its broker."""

        def listens() -> bool:
            """It is the county, and nobody else who has its port for a moment."""
            try:
                trusted = ssl.create_default_context(cafile=str(self.data / "authority" / "ca.pem"))
                with socket.create_connection(("127.0.0.1", self.enrol_port), timeout=_ARRIVES_S) as plain:
                    trusted.wrap_socket(plain, server_hostname="localhost").close()
            except OSError:  # an SSLError is one, too
                return False
            return True

        await self._until(listens, _UP_S, f"the county with {self.kind}")

    async def _until(self, done: Callable[[], bool], limit_s: float, what: str) -> None:
        ends = time.monotonic() + limit_s
        while not done():
            self.processes.check()
            if time.monotonic() > ends:
                logs = [self.processes.logs / "county.log", self.data / "broker" / "broker.log"]
                tails = [log.read_text(encoding="utf-8", errors="replace")[-1500:] for log in logs if log.exists()]
                raise ProgramFailed(f"waiting {limit_s:.0f} s for {what}", "\n".join(tails))
            await asyncio.sleep(_STEP_S)


@asynccontextmanager
async def rig(folder: Path, kind: str, *, broken: str | None) -> AsyncIterator[Rig]:
    """Start one in a folder that is there, and leave no process behind.

    Raises:
        ProgramFailed, ProcessDied: it does not start.
    """
    http, broker, enrol = _free_ports(3)
    (folder / "site.toml").write_text(_SITE, encoding="utf-8")
    (folder / "cloud.toml").write_text(
        f'data = "{folder / "county"}"\nbroker = "{kind}"\n[http]\nport = {http}\n[identity]\nhost = "localhost"\n'
        f'listen = "127.0.0.1"\nbroker_port = {broker}\nenrol_port = {enrol}\n',
        encoding="utf-8",
    )
    processes = Processes(folder, environment())
    made = Rig(folder, kind, broker, enrol, processes)
    await made.command("site", "load", str(folder / "site.toml"))
    module = ["kanhu.cloud.cli"] if broken is None else ["kanhu.harness.prove.broken_county", broken]
    serve = [sys.executable, "-m", *module, "serve", "--config", str(folder / "cloud.toml")]
    try:
        await processes.start("county", serve)
        await made.until_listening()
        yield made
    finally:
        await processes.stop_all()


def new_epoch() -> str:
    """An epoch by which one letter is found again."""
    return secrets.token_hex(16)


def letter(gateway: str, epoch: str, *, topic_of: str = "", lane: Lane = Lane.LIVE) -> tuple[str, bytes]:
    """Topic and body of an envelope with one reading."""
    times = Times(SystemClock().wall_ms(), 1, "0" * 32, ClockState.SYNCED)
    parts = (Part("spo2", (970,)), Part("pulse_oximeter", (720,)))
    reading = Observation("oximetry", parts, Subject(SubjectKind.RESIDENT, "r-0001"), "oximeter-01", times)
    return up_topic(topic_of or gateway, lane), encode_envelope(Envelope(gateway, epoch, ((1, reading),)))


def heartbeat(gateway: str) -> tuple[str, bytes]:
    """Topic and body of a heartbeat; the county answers with a receipt."""
    status = Status(
        STATUS_VERSION, gateway, "b" * 32, GatewayState.ONLINE, boot="0" * 32, sent_ms=SystemClock().wall_ms(),
        clock=ClockState.SYNCED,
    )  # fmt: skip  # one record
    return up_topic(gateway, Up.STATUS), encode_status(status)


def _free_ports(count: int) -> Sequence[int]:
    probes = [socket.socket() for _ in range(count)]
    try:
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [int(probe.getsockname()[1]) for probe in probes]
    finally:
        for probe in probes:
            probe.close()


def long_ago(days: int) -> datetime:
    """A moment in the past."""
    return datetime.fromtimestamp(SystemClock().wall_ms() / 1000, UTC) - timedelta(days=days)
