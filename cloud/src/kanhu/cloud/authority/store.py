"""The authority's folder: keys nobody else may read, certificates for everybody, made at first use.

authority/  ca.key 0400, ca.pem        the authority; whoever holds the key can be any gateway
            server.key 0400, server.pem    broker and enrolment, remade when names change or years have passed
            county.key 0400, county.pem    the county's own client at the broker
            revoked.pem                    for brokers that read a list; others ask the ledger
"""

import fcntl
import ipaddress
import os
import ssl
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509

from kanhu.cloud.authority.certificates import (
    SERVER_DAYS,
    Issuer,
    Leaf,
    issue_client,
    issue_server,
    key_pem,
    new_key,
    read_key,
    self_sign,
)
from kanhu.cloud.broker.settings import COUNTY_NAME
from kanhu.cloud.errors import AuthorityUnusable

FOLDER = "authority"
_REMAKE_BEFORE = timedelta(days=2 * 365)
_ONLY_READ_BY_OWNER = 0o400
_READ_BY_ALL = 0o444
_OWNERS_FOLDER = 0o700
_LOOPBACK = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True, slots=True)
class Authority:
    """The folder, opened."""

    folder: Path
    issuer: Issuer

    @property
    def authority_file(self) -> Path:
        """The authority's certificate."""
        return self.folder / "ca.pem"

    @property
    def revoked_file(self) -> Path:
        """The list of certificates taken back."""
        return self.folder / "revoked.pem"

    def files(self, name: str) -> tuple[Path, Path]:
        """Certificate and key of `server` or `county`."""
        return self.folder / f"{name}.pem", self.folder / f"{name}.key"

    def client_context(self) -> ssl.SSLContext:
        """TLS towards the broker, as the county itself."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.load_verify_locations(self.authority_file)
        context.load_cert_chain(*self.files("county"))
        return context

    def certificate(self, name: str) -> x509.Certificate:
        """The certificate of `server` or `county`."""
        return x509.load_pem_x509_certificate(self.files(name)[0].read_bytes())


def open_authority(data: Path, *, name: str, now: datetime) -> Authority:
    """Open the authority of a county's data folder, and make it where there is none yet.

    Raises:
        AuthorityUnusable: the folder cannot be read or written, or holds a certificate without its key.
    """
    folder = data / FOLDER
    try:
        folder.mkdir(mode=_OWNERS_FOLDER, parents=True, exist_ok=True)
        with _locked(folder):
            return Authority(folder, _issuer(folder, name=name, now=now))
    except (OSError, ValueError) as error:
        remedy = "check its owner, or restore the folder from a backup"
        raise AuthorityUnusable(f"{folder}: {error}; {remedy}") from error


def equip(authority: Authority, *, hosts: Sequence[str], now: datetime) -> None:
    """Make what the service itself needs: the server's certificate for these names and loopback, the county's client.

    Raises:
        AuthorityUnusable: the folder cannot be written.
    """
    hosts = list(dict.fromkeys((*hosts, *_LOOPBACK)))
    try:
        with _locked(authority.folder):
            if not _serves(authority, hosts, now=now):
                _put_leaf(authority, "server", issue_server(authority.issuer, hosts=hosts, now=now))
            if not _lasts(authority, "county", now=now):
                lifetime = timedelta(days=SERVER_DAYS)
                leaf = issue_client(authority.issuer, name=COUNTY_NAME, now=now, lifetime=lifetime)
                _put_leaf(authority, "county", leaf)
    except OSError as error:
        raise AuthorityUnusable(f"{authority.folder}: {error}; check its owner and the disk") from error


def write_revoked(authority: Authority, pem: bytes) -> None:
    """Put a new list of revoked certificates in the place of the old one."""
    put(authority.revoked_file, pem, mode=_READ_BY_ALL)


def put(file: Path, content: bytes, *, mode: int) -> None:
    """Write a whole file or none: beside it, to the disk, then over it. It belongs to who owns the folder."""
    beside = file.with_name(f".{file.name}.new")
    beside.unlink(missing_ok=True)
    with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as out:
        give(out.fileno(), file.parent)
        out.write(content)
        out.flush()
        os.fsync(out.fileno())
    beside.replace(file)
    folder = os.open(file.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def made(folder: Path) -> Path:
    """Make a folder and those above it that are missing; each belongs to who owns the one above."""
    if not folder.is_dir():
        made(folder.parent)
        folder.mkdir(exist_ok=True)
        opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        try:
            give(opened, folder.parent)
        finally:
            os.close(opened)
    return folder


def give(opened: int, folder: Path) -> None:
    """Let what root made for a service belong to who owns the folder; of anybody else it is so already."""
    owner = folder.stat()
    if os.geteuid() == 0 and owner.st_uid != 0:
        with suppress(PermissionError):  # root without the right to do so: the doctor tells of it
            os.fchown(opened, owner.st_uid, owner.st_gid)


def _issuer(folder: Path, *, name: str, now: datetime) -> Issuer:
    key_file, file = folder / "ca.key", folder / "ca.pem"
    if not key_file.exists():
        if file.exists():
            msg = "ca.pem is there and ca.key is not"
            raise ValueError(msg)
        put(key_file, key_pem(new_key()), mode=_ONLY_READ_BY_OWNER)
    key = read_key(key_file.read_bytes())
    if not file.exists():
        put(file, self_sign(key, name=f"kanhu {name}"[:64], now=now).pem, mode=_READ_BY_ALL)
    return Issuer(x509.load_pem_x509_certificate(file.read_bytes()), key)


def _serves(authority: Authority, hosts: Sequence[str], *, now: datetime) -> bool:
    if not _lasts(authority, "server", now=now):
        return False
    names = authority.certificate("server").extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    held = {str(name.value) for name in names}
    return {_as_written(host) for host in hosts} <= held


def _as_written(host: str) -> str:
    try:
        return str(ipaddress.ip_address(host))
    except ValueError:
        return host.encode("idna").decode("ascii")


def _lasts(authority: Authority, name: str, *, now: datetime) -> bool:
    file, key_file = authority.files(name)
    if not (file.exists() and key_file.exists()):
        return False
    certificate = authority.certificate(name)
    public = read_key(key_file.read_bytes()).public_key()
    return certificate.public_key() == public and certificate.not_valid_after_utc - _REMAKE_BEFORE > now


def _put_leaf(authority: Authority, name: str, leaf: Leaf) -> None:
    file, key_file = authority.files(name)
    put(key_file, leaf.key, mode=_ONLY_READ_BY_OWNER)
    put(file, leaf.certificate, mode=_READ_BY_ALL)


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """One process at a time: the service and an administrator's command may begin together."""
    with (folder / ".lock").open("ab") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
