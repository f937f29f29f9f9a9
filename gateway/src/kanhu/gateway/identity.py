"""Who this gateway is towards the county: one file, and TLS that a wrong clock cannot break. Standard library only.

`identity.pem` holds, in this order, a line about itself, the key, the certificate, and the county's authority: one
file, so that a power cut leaves the old or the new. It is made by `enrol`, in a process of its own.

**The clock floor.** A gateway without a clock chip starts in 1970, or at its last shutdown. What is known then is only
a bound: it is not earlier than this release, than the certificate's issue, than the last synchronised time that was
written down. Such a bound can prove that a certificate has run out; it can never prove that one is not valid yet. So
OpenSSL is told not to look at the time, and the end of each certificate is compared with the bound here.
"""

import os
import re
import ssl
from pathlib import Path

import msgspec

from kanhu.contract import Clock, ClockState
from kanhu.gateway.errors import IdentityUnusable

RELEASED_MS = 1_795_564_800_000
"""25 November 2026: moves with the version."""
IDENTITY_FILE = "identity.pem"
FLOOR_FILE = "clock-floor"
RENEW_AFTER_MS = 60 * 86_400_000
"""docs/cloud.md: the county gives the next certificate from day 60 of 90."""
_NO_CHECK_TIME = 0x200000  # X509_V_FLAG_NO_CHECK_TIME in openssl/x509_vfy.h
_ABOUT = b"# kanhu identity "
_BLOCK = re.compile(rb"-----BEGIN ([A-Z ]+)-----\n.*?-----END \1-----\n", re.DOTALL)
_OWNER_READS = 0o400


class About(msgspec.Struct, frozen=True):
    """First line of the file."""

    gateway: str
    county: str
    """HOST:PORT where certificates are given out."""
    issued_ms: int
    until_ms: int


class Identity(msgspec.Struct, frozen=True):
    """The file, read."""

    about: About
    key: bytes
    certificate: bytes
    authority: bytes


def read_identity(folder: Path) -> Identity:
    """Read the identity in a data folder.

    Raises:
        IdentityUnusable: never enrolled, not readable, or damaged.
    """
    file = folder / IDENTITY_FILE
    try:
        content = file.read_bytes()
    except FileNotFoundError as error:
        raise IdentityUnusable("this gateway was never enrolled", remedy="Run kanhu-gateway enrol") from error
    except OSError as error:
        raise IdentityUnusable(
            str(error), remedy="Run as the user who enrolled, or give the file to this one"
        ) from error
    first, _, rest = content.partition(b"\n")
    blocks = [found.group() for found in _BLOCK.finditer(rest)]
    try:
        about = msgspec.json.decode(first.removeprefix(_ABOUT), type=About)
        key, certificate, authority = blocks
    except (ValueError, msgspec.MsgspecError) as error:
        remedy = "Let the county invite this gateway again, and enrol"
        raise IdentityUnusable(f"{file} is damaged", remedy=remedy) from error
    return Identity(about, key, certificate, authority)


def write_identity(folder: Path, identity: Identity) -> None:
    """Put a new identity in the place of the old one, whole."""
    about = _ABOUT + msgspec.json.encode(identity.about) + b"\n"
    replace_file(folder / IDENTITY_FILE, about + identity.key + identity.certificate + identity.authority)


def tls_context(folder: Path, *, clock: Clock) -> ssl.SSLContext:
    """TLS towards the county's broker, as this gateway; files are read anew, so a renewed certificate counts at once.

    Raises:
        IdentityUnusable: never enrolled, or the file is damaged.
    """
    identity = read_identity(folder)
    context = trusting(identity.authority, earliest_ms=earliest_ms(folder, clock=clock, identity=identity))
    try:
        context.load_cert_chain(folder / IDENTITY_FILE)
    except (OSError, ssl.SSLError) as error:
        remedy = "Let the county invite this gateway again, and enrol"
        raise IdentityUnusable(f"key and certificate do not fit: {error}", remedy=remedy) from error
    return context


def trusting(authority: bytes, *, earliest_ms: int) -> ssl.SSLContext:
    """TLS that believes this authority alone, and holds the end of certificates against a lower bound of the time."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.verify_flags = ssl.VerifyFlags(context.verify_flags | _NO_CHECK_TIME)
    try:
        context.load_verify_locations(cadata=authority.decode("ascii"))
    except (ssl.SSLError, UnicodeError) as error:
        remedy = "Let the county invite this gateway again, and enrol"
        raise IdentityUnusable(f"no certificate of an authority: {error}", remedy=remedy) from error

    def check(shown: object) -> None:
        for certificate in (shown, *context.get_ca_certs()):
            ends = str(certificate.get("notAfter", "")) if isinstance(certificate, dict) else ""
            if not ends or ssl.cert_time_to_seconds(ends) * 1000 < earliest_ms:
                msg = f"the county's certificate ran out {ends}"
                raise ssl.SSLCertVerificationError(msg)

    class CheckedSocket(ssl.SSLSocket):
        """Looks at the time after the handshake, before a byte of ours is sent."""

        def do_handshake(self, block: bool = False) -> None:  # the library's own signature
            super().do_handshake(block)
            check(self.getpeercert())

    class CheckedObject(ssl.SSLObject):
        """The same for asyncio."""

        def do_handshake(self) -> None:
            super().do_handshake()
            check(self.getpeercert())

    context.sslsocket_class = CheckedSocket
    context.sslobject_class = CheckedObject
    return context


def earliest_ms(folder: Path, *, clock: Clock, identity: Identity | None = None) -> int:
    """The latest moment that is certainly not later than now, Unix ms."""
    known = [RELEASED_MS, _saved_ms(folder)]
    if identity is not None:
        known.append(identity.about.issued_ms)
    if clock.state() is ClockState.SYNCED:
        known.append(clock.wall_ms())
    return max(known)


def save_floor(folder: Path, *, clock: Clock) -> None:
    """Write down what time it is, where the clock is synchronised: a clock that nobody set must not raise the floor."""
    if clock.state() is ClockState.SYNCED:
        replace_file(folder / FLOOR_FILE, str(clock.wall_ms()).encode())


def _saved_ms(folder: Path) -> int:
    try:
        return int((folder / FLOOR_FILE).read_text(encoding="ascii"))
    except (OSError, ValueError):
        return 0


def replace_file(file: Path, content: bytes) -> None:
    """Write a whole file or none, readable by its owner alone: who owns the folder, where root writes for a service."""
    beside = file.with_name(f".{file.name}.new")
    beside.unlink(missing_ok=True)
    with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _OWNER_READS), "wb") as out:
        if os.geteuid() == 0:
            owner = file.parent.stat()
            os.fchown(out.fileno(), owner.st_uid, owner.st_gid)
        out.write(content)
        out.flush()
        os.fsync(out.fileno())
    beside.replace(file)
    folder = os.open(file.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
