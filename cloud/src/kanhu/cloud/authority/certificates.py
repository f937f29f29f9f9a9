"""X.509 as this county uses it: EC P-256, one authority, leaves that may do one thing each.

Lifetimes follow docs/cloud.md, section Identity of gateways. A certificate of a gateway begins an hour early, because
no two clocks agree.
"""

import ipaddress
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

GATEWAY_DAYS = 90
RENEW_AFTER_DAYS = 60
_AUTHORITY_DAYS = 20 * 365
SERVER_DAYS = 5 * 365
"""Gateways check it by a clock that may stand still for years; the key never leaves the county's machine."""
_REVOCATIONS_DAYS = 10 * 365
"""A list that ran out would shut out every gateway, because nobody was there to write a new one."""
_EARLY = timedelta(hours=1)
_MOST_REQUEST_BYTES = 8192


class RequestRefused(ValueError):
    """Not a signing request that this authority answers."""


@dataclass(frozen=True, slots=True)
class Leaf:
    """A certificate with its key, both PEM."""

    certificate: bytes
    key: bytes


@dataclass(frozen=True, slots=True)
class Issuer:
    """The authority's certificate and key."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    @property
    def pem(self) -> bytes:
        """The certificate, for everybody."""
        return self.certificate.public_bytes(serialization.Encoding.PEM)

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the certificate, hex: by it a first contact is recognised."""
        return fingerprint(self.certificate).hex()


def new_key() -> ec.EllipticCurvePrivateKey:
    """A fresh P-256 key."""
    return ec.generate_private_key(ec.SECP256R1())


def key_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    """The key as PKCS 8, without a password: the file's mode guards it."""
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def read_key(pem: bytes) -> ec.EllipticCurvePrivateKey:
    """The same, read back.

    Raises:
        ValueError: no P-256 key.
    """
    key = serialization.load_pem_private_key(pem, password=None)
    if not isinstance(key, ec.EllipticCurvePrivateKey) or not isinstance(key.curve, ec.SECP256R1):
        msg = "not an EC P-256 key"
        raise ValueError(msg)
    return key


def self_sign(key: ec.EllipticCurvePrivateKey, *, name: str, now: datetime) -> Issuer:
    """The authority's own certificate: it may sign leaves and revocation lists, and no further authority."""
    builder = _builder(name, key.public_key(), now=now, days=_AUTHORITY_DAYS).issuer_name(_name(name))
    certificate = (
        builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs_certificates=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    return Issuer(certificate, key)


def issue_server(issuer: Issuer, *, hosts: Sequence[str], now: datetime) -> Leaf:
    """A certificate for a server that is reached under these names and addresses."""
    key = new_key()
    names = x509.SubjectAlternativeName([_host(host) for host in hosts])
    builder = _leaf(issuer, hosts[0][:64], key.public_key(), now=now, days=SERVER_DAYS).add_extension(
        names, critical=False
    )
    return Leaf(_sign(builder, issuer, ExtendedKeyUsageOID.SERVER_AUTH), key_pem(key))


def issue_client(issuer: Issuer, *, name: str, now: datetime, lifetime: timedelta) -> Leaf:
    """A certificate of the county itself, for a connection to a broker."""
    key = new_key()
    builder = _leaf(issuer, name, key.public_key(), now=now, days=0).not_valid_after(now + lifetime)
    return Leaf(_sign(builder, issuer, ExtendedKeyUsageOID.CLIENT_AUTH), key_pem(key))


def issue_gateway(issuer: Issuer, key: ec.EllipticCurvePublicKey, *, gateway: str, until: datetime) -> bytes:
    """A gateway's certificate, PEM; the name comes from the token, never from the request.

    It begins GATEWAY_DAYS before it ends: a short one is the end of a long one, so that every gateway asks for the next
    in time, and a county whose clock was ahead shuts nobody out when it is put right.
    """
    begins = until - timedelta(days=GATEWAY_DAYS)
    builder = _leaf(issuer, gateway, key, now=begins, days=GATEWAY_DAYS)
    return _sign(builder, issuer, ExtendedKeyUsageOID.CLIENT_AUTH)


def request_key(request: bytes) -> ec.EllipticCurvePublicKey:
    """The public key of a signing request whose sender holds the private one; nothing else of it is believed.

    Raises:
        RequestRefused: no request, not signed by its own key, or not EC P-256.
    """
    try:
        if len(request) > _MOST_REQUEST_BYTES:
            raise RequestRefused("longer than any request")
        found = x509.load_pem_x509_csr(request)
        key = found.public_key()
        if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP256R1):
            raise RequestRefused("not an EC P-256 key")
        if not found.is_signature_valid:
            raise RequestRefused("not signed by its own key")
    except RequestRefused:
        raise
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise RequestRefused(str(error)) from error
    return key


def signed_by(certificate: x509.Certificate, *, signature: bytes, message: bytes) -> bool:
    """Whether the holder of this certificate's key signed the message (ECDSA, SHA-256)."""
    key = certificate.public_key()
    if not isinstance(key, ec.EllipticCurvePublicKey):
        return False
    try:
        key.verify(signature, message, ec.ECDSA(hashes.SHA256()))
    except InvalidSignature:
        return False
    return True


def revocation_list(issuer: Issuer, serials: Iterable[tuple[int, datetime]], *, now: datetime) -> bytes:
    """The list of certificates taken back, PEM, for brokers that read one."""
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(issuer.certificate.subject)
        .last_update(now)
        .next_update(now + timedelta(days=_REVOCATIONS_DAYS))
    )
    for serial, when in serials:
        row = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(when).build()
        builder = builder.add_revoked_certificate(row)
    return builder.sign(issuer.key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


def fingerprint(certificate: x509.Certificate) -> bytes:
    """SHA-256 of the certificate's bytes."""
    return certificate.fingerprint(hashes.SHA256())


def key_digest(key: ec.EllipticCurvePublicKey) -> bytes:
    """SHA-256 of a public key: the same box asks again, or another one does."""
    digest = hashes.Hash(hashes.SHA256())
    digest.update(key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo))
    return digest.finalize()


def _builder(name: str, key: ec.EllipticCurvePublicKey, *, now: datetime, days: int) -> x509.CertificateBuilder:
    builder = x509.CertificateBuilder().subject_name(_name(name)).public_key(key)
    builder = builder.serial_number(x509.random_serial_number()).not_valid_before(now - _EARLY)
    return builder.not_valid_after(now + timedelta(days=days)) if days else builder


def _leaf(
    issuer: Issuer, name: str, key: ec.EllipticCurvePublicKey, *, now: datetime, days: int
) -> x509.CertificateBuilder:
    authority_key = x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer.key.public_key())
    return (
        _builder(name, key, now=now, days=days)
        .issuer_name(issuer.certificate.subject)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs_certificates=False), critical=True)
        .add_extension(authority_key, critical=False)
    )


def _sign(builder: x509.CertificateBuilder, issuer: Issuer, purpose: x509.ObjectIdentifier) -> bytes:
    builder = builder.add_extension(x509.ExtendedKeyUsage([purpose]), critical=False)
    return builder.sign(issuer.key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _host(text: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(text))
    except ValueError:
        return x509.DNSName(text.encode("idna").decode("ascii"))
