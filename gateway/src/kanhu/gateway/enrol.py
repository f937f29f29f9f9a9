"""Asks the county for a certificate: the first one with an invitation, the next with the one held so far.

A process of its own, `kanhu-gateway enrol` and `kanhu-gateway renew`: `cryptography` never stays in the memory of a
running gateway. The key is made here and leaves the box never. It lies in `identity.next` until its certificate has
come, so that an answer lost on the way is asked for again with the same key, which the county answers once more.
"""

import base64
import hashlib
import http.client
import re
import ssl
import sys
from pathlib import Path
from typing import Any

import msgspec
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from kanhu.contract import Clock, SystemClock
from kanhu.gateway.errors import EnrolmentFailed, IdentityUnusable
from kanhu.gateway.identity import About, Identity, earliest_ms, read_identity, replace_file, trusting, write_identity

_NEXT_KEY = "identity.next"
_TEXT = re.compile(
    r"kanhu-enrol://(?P<host>[^/\s:]+):(?P<port>\d{1,5})/(?P<gateway>[a-z0-9-]{1,32})"
    r"/(?P<token>[A-Za-z0-9_-]{32})/(?P<fingerprint>[0-9a-f]{64})"
)
_RENEWAL_WORDS = b"kanhu renewal 1\n"
_PATIENCE_S = 20.0
_MOST_BYTES = 65_536
_CLOCK_OFF_MS = 86_400_000
_INVITE_AGAIN = "Let the county run kanhu-cloud gateway invite again"
_REMEDIES = {
    "unknown_token": f"Scan or type it again, whole. {_INVITE_AGAIN} where that does not help",
    "token_used": f"Another box was enrolled with it: tell the county. {_INVITE_AGAIN}",
    "token_expired": f"It is older than 72 hours, or a newer one was made. {_INVITE_AGAIN}",
    "other_gateway": "It is for another gateway: use its own, or correct `gateway` in the settings",
    "revoked": f"The county has taken this gateway's certificate back: ask why. {_INVITE_AGAIN}",
    "renewed_already": f"Another box holds a copy of this card: tell the county. {_INVITE_AGAIN}",
    "ran_out_too_long": f"The certificate ran out more than 180 days ago. {_INVITE_AGAIN}",
    "unknown_certificate": f"It is not of this county. {_INVITE_AGAIN}",
    "unconfirmed": "It came back with a certificate that had run out: let somebody say on the county's equipment page "
    "that it stands where it should; then the next comes by itself within a day",
    "too_early": "Nothing to do: the county gives the next certificate from day 60",
}


class Enrolled(msgspec.Struct, frozen=True):
    """What came of it."""

    until_ms: int
    broker_host: str
    broker_port: int
    clock_off: bool
    """This box's clock is more than a day off the county's."""


def enrol(folder: Path, text: str, *, gateway: str, clock: Clock) -> Enrolled:
    """Turn an invitation into an identity.

    Raises:
        EnrolmentFailed: with the remedy; nothing was changed.
    """
    found = _TEXT.fullmatch(text.strip())
    if found is None:
        remedy = "Give the whole text that begins with kanhu-enrol:// between quotes"
        raise EnrolmentFailed("this is no invitation", remedy=remedy)
    if found["gateway"] != gateway:
        raise EnrolmentFailed(f"this invitation is for {found['gateway']}", remedy=_REMEDIES["other_gateway"])
    where = f"{found['host']}:{found['port']}"
    authority = _authority(where, fingerprint=found["fingerprint"])
    key = _next_key(folder)
    asked = {"gateway": gateway, "token": found["token"], "request": _request(key, gateway).decode()}
    context = trusting(authority, earliest_ms=earliest_ms(folder, clock=clock))
    answer = _granted(_ask(where, context, "/enrol", asked))
    return _keep(folder, answer, key, gateway=gateway, county=where, authority=authority, clock=clock)


def renew(folder: Path, *, gateway: str, clock: Clock) -> Enrolled:
    """Take the next certificate, with a new key.

    Raises:
        EnrolmentFailed, IdentityUnusable: with the remedy; nothing was changed.
    """
    held = read_identity(folder)
    key = _next_key(folder)
    request = _request(key, gateway)
    old = serialization.load_pem_private_key(held.key, password=None)
    if not isinstance(old, ec.EllipticCurvePrivateKey):
        raise IdentityUnusable("the key is no EC key", remedy=_INVITE_AGAIN)
    signature = old.sign(_RENEWAL_WORDS + request, ec.ECDSA(hashes.SHA256()))
    asked = {
        "certificate": held.certificate.decode(),
        "request": request.decode(),
        "signature": base64.b64encode(signature).decode(),
    }
    context = trusting(held.authority, earliest_ms=earliest_ms(folder, clock=clock, identity=held))
    answer = _granted(_ask(held.about.county, context, "/renew", asked))
    county = held.about.county
    return _keep(folder, answer, key, gateway=gateway, county=county, authority=held.authority, clock=clock)


def _authority(where: str, *, fingerprint: str) -> bytes:
    """The county's authority, believed only by its fingerprint."""
    stranger = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    stranger.check_hostname = False
    stranger.verify_mode = ssl.CERT_NONE  # nothing is believed yet, and nothing is sent
    _, pem = _exchange(where, stranger, "/ca", None)
    try:
        digest = hashlib.sha256(ssl.PEM_cert_to_DER_cert(pem.decode("ascii"))).hexdigest()
    except ValueError:
        digest = ""
    if digest != fingerprint:
        remedy = "Check the address in it, and that nobody stands in between. Nothing was sent"
        raise EnrolmentFailed(f"{where} is not the county of this invitation", remedy=remedy)
    return pem


def _ask(where: str, context: ssl.SSLContext, path: str, asked: dict[str, str]) -> dict[str, Any]:
    status, body = _exchange(where, context, path, msgspec.json.encode(asked))
    try:
        return msgspec.json.decode(body, type=dict[str, Any])
    except msgspec.MsgspecError as error:
        remedy = "Check that kanhu-cloud listens there, and not another program"
        raise EnrolmentFailed(f"{where} answered {status} with something else", remedy=remedy) from error


def _exchange(where: str, context: ssl.SSLContext, path: str, body: bytes | None) -> tuple[int, bytes]:
    host, _, port = where.rpartition(":")
    connection = http.client.HTTPSConnection(host, int(port), timeout=_PATIENCE_S, context=context)
    try:
        connection.request("GET" if body is None else "POST", path, body)
        answer = connection.getresponse()
        return answer.status, answer.read(_MOST_BYTES)
    except ssl.SSLCertVerificationError as error:
        remedy = "It is another county, or somebody stands in between: tell the county"
        raise EnrolmentFailed(f"{where} does not prove that it is the county: {error}", remedy=remedy) from error
    except (OSError, http.client.HTTPException) as error:
        remedy = "Check the network of this box, the address, and that the county's service runs; then the same again"
        raise EnrolmentFailed(f"{where} does not answer: {error}", remedy=remedy) from error
    finally:
        connection.close()


def _granted(answer: dict[str, Any]) -> dict[str, Any]:
    word = str(answer.get("answer"))
    if word != "granted":
        remedy = _REMEDIES.get(word, "Look into the audit log of the county")
        raise EnrolmentFailed(f"the county refuses: {word}", remedy=remedy)
    return answer


def _keep(
    folder: Path,
    answer: dict[str, Any],
    key: ec.EllipticCurvePrivateKey,
    *,
    gateway: str,
    county: str,
    authority: bytes,
    clock: Clock,
) -> Enrolled:
    try:
        pem = str(answer["certificate"]).encode()
        certificate = x509.load_pem_x509_certificate(pem)
        certificate.verify_directly_issued_by(x509.load_pem_x509_certificate(authority))
        names = [name.value for name in certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)]
        if names != [gateway] or certificate.public_key() != key.public_key():
            raise EnrolmentFailed("the county answered with another's certificate", remedy=_INVITE_AGAIN)
        issued_ms, now_ms = int(answer["issued_ms"]), int(answer["now_ms"])
        broker = answer["broker"]
        until_ms = round(certificate.not_valid_after_utc.timestamp() * 1000)
        enrolled = Enrolled(
            until_ms, str(broker["host"]), int(broker["port"]), abs(clock.wall_ms() - now_ms) > _CLOCK_OFF_MS
        )
    except (KeyError, TypeError, ValueError, InvalidSignature) as error:
        remedy = "Check that kanhu-cloud there is of the same version"
        raise EnrolmentFailed(f"the county's answer cannot be used: {error!r}", remedy=remedy) from error
    about = About(gateway, county, issued_ms, until_ms)
    write_identity(folder, Identity(about, _pem(key), pem, authority))
    (folder / _NEXT_KEY).unlink(missing_ok=True)
    return enrolled


def _next_key(folder: Path) -> ec.EllipticCurvePrivateKey:
    """The key that waits for its certificate; made where there is none, and on the disk before it is used."""
    file = folder / _NEXT_KEY
    try:
        found = serialization.load_pem_private_key(file.read_bytes(), password=None)
        if isinstance(found, ec.EllipticCurvePrivateKey):
            return found
    except (FileNotFoundError, ValueError):  # ValueError: cut short by a power cut, before anybody was asked
        pass
    key = ec.generate_private_key(ec.SECP256R1())
    replace_file(file, _pem(key))
    return key


def _request(key: ec.EllipticCurvePrivateKey, gateway: str) -> bytes:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, gateway)])
    request = x509.CertificateSigningRequestBuilder().subject_name(name).sign(key, hashes.SHA256())
    return request.public_bytes(serialization.Encoding.PEM)


def _pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


if __name__ == "__main__":  # started by a running gateway: FOLDER GATEWAY
    try:
        renew(Path(sys.argv[1]), gateway=sys.argv[2], clock=SystemClock())
    except (EnrolmentFailed, IdentityUnusable) as failure:
        sys.exit(str(failure))
