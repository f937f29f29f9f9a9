"""A small county of the tests' own: an authority, and the door where docs/cloud.md says that certificates are given."""

import asyncio
import hashlib
import json
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

NOW = datetime(2027, 3, 1, tzinfo=UTC)
YEAR = timedelta(days=365)
TOKEN = "t" * 32
SERVER, CLIENT = ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def pem(thing: ec.EllipticCurvePrivateKey | x509.Certificate) -> bytes:
    if isinstance(thing, x509.Certificate):
        return thing.public_bytes(serialization.Encoding.PEM)
    return thing.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


@dataclass
class SmallCounty:
    """One authority; `begins` and `ends` are those of what it signs."""

    folder: Path
    begins: datetime = NOW - YEAR
    ends: datetime = NOW + YEAR
    host: str = "localhost"
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    asked: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    answer: Callable[[dict[str, Any]], dict[str, Any]] | None = None
    port: int = 0

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        own = self._builder("county", self.key.public_key()).issuer_name(_name("county"))
        own = own.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        self.certificate = own.sign(self.key, hashes.SHA256())

    @property
    def fingerprint(self) -> str:
        return hashlib.sha256(self.certificate.public_bytes(serialization.Encoding.DER)).hexdigest()

    def issue(
        self, name: str, key: ec.EllipticCurvePublicKey, purpose: x509.ObjectIdentifier = CLIENT
    ) -> x509.Certificate:
        builder = self._builder(name, key).issuer_name(_name("county"))
        builder = builder.add_extension(x509.ExtendedKeyUsage([purpose]), critical=False)
        builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(self.host)]), critical=False)
        return builder.sign(self.key, hashes.SHA256())

    def _builder(self, name: str, key: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
        builder = x509.CertificateBuilder().subject_name(_name(name)).public_key(key)
        builder = builder.serial_number(x509.random_serial_number())
        return builder.not_valid_before(self.begins).not_valid_after(self.ends)

    def invitation(self, gateway: str = "home-03", *, fingerprint: str | None = None) -> str:
        return f"kanhu-enrol://localhost:{self.port}/{gateway}/{TOKEN}/{fingerprint or self.fingerprint}"

    def grant(self, asked: dict[str, Any], *, gateway: str = "home-03") -> dict[str, Any]:
        key = x509.load_pem_x509_csr(asked["request"].encode()).public_key()
        assert isinstance(key, ec.EllipticCurvePublicKey)
        now_ms = round(NOW.timestamp() * 1000)
        return {
            "answer": "granted", "certificate": pem(self.issue(gateway, key)).decode(), "issued_ms": now_ms,
            "now_ms": now_ms, "broker": {"host": "localhost", "port": 8883},
        }  # fmt: skip  # one record

    @asynccontextmanager
    async def serving(self, purpose: x509.ObjectIdentifier = SERVER) -> AsyncIterator[int]:
        """HTTPS on a free port of loopback."""
        key = ec.generate_private_key(ec.SECP256R1())
        file = self.folder / "server.pem"
        file.write_bytes(pem(key) + pem(self.issue("server", key.public_key(), purpose)))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(file)
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=context)
        self.port = server.sockets[0].getsockname()[1]
        async with server:
            yield self.port

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            path = head.split()[1]
            length = next((int(line.split(":")[1]) for line in head.splitlines() if line.startswith("Content-L")), 0)
            if path == "/ca":
                body = pem(self.certificate)
            else:
                asked = json.loads(await reader.readexactly(length))
                self.asked.append((path, asked))
                body = json.dumps((self.answer or self.grant)(asked)).encode()
            writer.write(f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode() + body)
            await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()
