"""Ed25519 keys of TUF: a private file locked with a password, or the server's own without; a public one beside it."""

import os
from pathlib import Path

import msgspec
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from securesystemslib.signer import CryptoSigner, SSlibKey

from kanhu.cloud.authority.store import give, made
from kanhu.cloud.errors import UpdatesRefused

_ONLY_READ_BY_OWNER = 0o400
_LEAST_PASSWORD = 8


def make_key(out: Path, password: str | None) -> tuple[Path, Path]:
    """Make `OUT.key` and `OUT.pub`, and their folder; without a password the file's mode alone guards it.

    Raises:
        UpdatesRefused: one of them is there already, or the password is short.
    """
    private, public = out.with_name(f"{out.name}.key"), out.with_name(f"{out.name}.pub")
    if password is not None and len(password) < _LEAST_PASSWORD:
        raise UpdatesRefused(f"{private}: give a password of at least {_LEAST_PASSWORD} characters")
    for file in (private, public):
        if file.exists():
            raise UpdatesRefused(f"{file} is there already; no key is ever overwritten: give another name")
    made(private.parent)
    key = Ed25519PrivateKey.generate()
    lock = (
        serialization.NoEncryption()
        if password is None
        else serialization.BestAvailableEncryption(password.encode("utf-8"))
    )
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, lock)
    with os.fdopen(os.open(private, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _ONLY_READ_BY_OWNER), "wb") as out_file:
        give(out_file.fileno(), private.parent)
        out_file.write(pem)
        out_file.flush()
        os.fsync(out_file.fileno())
    named = SSlibKey.from_crypto(key.public_key())
    public.write_bytes(msgspec.json.encode({"keyid": named.keyid, **named.to_dict()}) + b"\n")
    return private, public


def read_public(file: Path) -> SSlibKey:
    """Read `NAME.pub`.

    Raises:
        UpdatesRefused: it is no such file.
    """
    try:
        table = msgspec.json.decode(file.read_bytes(), type=dict[str, object])
        keyid = str(table.pop("keyid"))
        key = SSlibKey.from_dict(keyid, table)
    except (ValueError, KeyError, TypeError, msgspec.MsgspecError) as error:
        raise UpdatesRefused(f"{file} is no public key: give the .pub file beside the .key file") from error
    if key.scheme != "ed25519":
        raise UpdatesRefused(f"{file} is no Ed25519 key: make one with kanhu-cloud updates key")
    return key


def read_signer(file: Path, password: str | None) -> CryptoSigner:
    """Read `NAME.key`.

    Raises:
        UpdatesRefused: no such key, or another password.
    """
    locked = None if password is None else password.encode("utf-8")
    try:
        key = serialization.load_pem_private_key(file.read_bytes(), password=locked)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise UpdatesRefused(f"{file} cannot be opened: wrong password, or no key") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise UpdatesRefused(f"{file} is no Ed25519 key: make one with kanhu-cloud updates key")
    return CryptoSigner(key)


def is_locked(file: Path) -> bool:
    """Whether it asks for a password."""
    return b"ENCRYPTED" in file.read_bytes()[:64]
