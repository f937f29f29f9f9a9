"""A gateway's half of enrolment, written from docs/cloud.md and not taken from the gateway, and a town's door."""

import base64
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from starlette.applications import Starlette

from kanhu.cloud.authority.door import create_door
from kanhu.cloud.authority.store import Authority
from kanhu.cloud.config import Identity
from tests.cloud.town import Town

RENEWAL_WORDS = b"kanhu renewal 1\n"


@dataclass
class Box:
    """One key, and what is asked with it."""

    claims: str = "home-01"
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))

    @cached_property
    def request(self) -> bytes:
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, self.claims)])
        builder = x509.CertificateSigningRequestBuilder().subject_name(name)
        return builder.sign(self.key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)

    @property
    def key_pem(self) -> bytes:
        return self.key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )

    def signature(self, request: bytes) -> bytes:
        return self.key.sign(RENEWAL_WORDS + request, ec.ECDSA(hashes.SHA256()))

    def renewal(self, certificate: str, new: "Box") -> dict[str, str]:
        signed = base64.b64encode(self.signature(new.request)).decode()
        return {"certificate": certificate, "request": new.request.decode(), "signature": signed}


def door_of(town: Town, authority: Authority, *, updates: Path) -> Starlette:
    """The door where a town's gateways ask."""
    identity, came_back = Identity(host="county.example"), town.county.deciding.came_back
    return create_door(authority, identity, town.county.writer, came_back=came_back, updates=updates, clock=town.clock)
