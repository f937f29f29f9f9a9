"""What the county and nats-server say to one another about who may connect: nkeys and JWTs, as NATS writes them.

Key text: base32 of prefix, 32 bytes of an Ed25519 public key, and CRC-16 (XMODEM) of both, little end first
(github.com/nats-io/nkeys). Claims: github.com/nats-io/jwt, version 2.
"""

import base64
import binascii
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

_ACCOUNT = 0  # the prefix that makes the text begin with A
_HEADER = {"typ": "JWT", "alg": "ed25519-nkey"}


@dataclass(frozen=True, slots=True)
class Question:
    """nats-server asks: may this connection be?"""

    server: str
    user_key: str
    client_id: str
    """What the MQTT client calls itself."""
    certificate: bytes | None
    """PEM of the verified certificate; None where there is none."""


@dataclass(frozen=True, slots=True)
class Permissions:
    """Subjects a connection may publish and subscribe to."""

    publish: Sequence[str]
    subscribe: Sequence[str]


class Signer:
    """The account key that nats-server is told to believe; made anew with each broker's settings."""

    def __init__(self) -> None:
        """Draw a key."""
        self._key = Ed25519PrivateKey.generate()
        raw = bytes([_ACCOUNT]) + self._key.public_key().public_bytes_raw()
        check = binascii.crc_hqx(raw, 0).to_bytes(2, "little")
        self.public = base64.b32encode(raw + check).decode("ascii").rstrip("=")

    def allow(self, question: Question, permissions: Permissions, *, account: str, name: str, now_s: int) -> bytes:
        """Yes, with these permissions."""
        rights = {"pub": {"allow": list(permissions.publish)}, "sub": {"allow": list(permissions.subscribe)}}
        user = {**rights, "subs": -1, "data": -1, "payload": -1, "type": "user", "version": 2}
        claims = {"sub": question.user_key, "aud": account, "name": name, "nats": user}
        return self._answer(question, {"jwt": self._sign(claims, now_s).decode("ascii")}, now_s)

    def refuse(self, question: Question, *, why: str, now_s: int) -> bytes:
        """No; `why` stands in the broker's log."""
        return self._answer(question, {"error": why}, now_s)

    def _answer(self, question: Question, said: Mapping[str, str], now_s: int) -> bytes:
        nats = {**said, "type": "authorization_response", "version": 2}
        return self._sign({"sub": question.user_key, "aud": question.server, "nats": nats}, now_s)

    def _sign(self, claims: Mapping[str, Any], now_s: int) -> bytes:
        body = {**claims, "iss": self.public, "iat": now_s}
        digest = hashlib.new("sha512_256", json.dumps(body).encode()).digest()
        body["jti"] = base64.b32encode(digest).decode("ascii").rstrip("=")
        text = _part(_HEADER) + b"." + _part(body)
        return text + b"." + _base64(self._key.sign(text))


def read_question(body: bytes) -> Question:
    """Read a request; only nats-server can send one, on the account of the callout, so its signature is not looked at.

    Raises:
        ValueError: not such a request.
    """
    try:
        middle = body.split(b".")[1]
        nats = json.loads(base64.urlsafe_b64decode(middle + b"=" * (-len(middle) % 4)))["nats"]
        chains = nats.get("client_tls", {}).get("verified_chains") or [[None]]
        leaf = chains[0][0]
        return Question(
            server=nats["server_id"]["id"],
            user_key=nats["user_nkey"],
            client_id=nats["client_info"].get("mqtt_id", ""),
            certificate=None if leaf is None else leaf.encode("ascii"),
        )
    except (IndexError, KeyError, TypeError, AttributeError, UnicodeError) as error:
        msg = f"not an authorization request: {error!r}"
        raise ValueError(msg) from error


def _part(value: Mapping[str, Any]) -> bytes:
    return _base64(json.dumps(value, separators=(",", ":")).encode())


def _base64(raw: bytes) -> bytes:
    return base64.urlsafe_b64encode(raw).rstrip(b"=")
