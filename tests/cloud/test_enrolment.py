"""Identity of gateways in the ledger: one token, one certificate, one successor; taken back whole, and all audited."""

import stat
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from kanhu.cloud.authority import enrolment
from kanhu.cloud.authority.certificates import fingerprint, revocation_list
from kanhu.cloud.authority.enrolment import Answer, Granted
from kanhu.cloud.authority.store import Authority, equip, open_authority
from kanhu.cloud.broker.settings import COUNTY_NAME
from kanhu.cloud.errors import AuthorityUnusable, EnrolmentRefused
from kanhu.contract import FakeClock, InvalidTopic, check_gateway_id
from tests.cloud.box import Box, door_of
from tests.cloud.town import Town

_DAY_S = 86_400


@pytest.fixture
def authority(tmp_path: Path, clock: FakeClock) -> Authority:
    return open_authority(tmp_path / "county", name="Yunling", now=clock.now())


def invite(town: Town, gateway: str = "home-01") -> str:
    return town.county.writer.run(lambda tx: enrolment.invite(tx, gateway=gateway, by="console:root")).token


def enrol(town: Town, authority: Authority, token: str, box: Box, gateway: str = "home-01") -> Granted:
    asked = {"gateway": gateway, "token": token, "request": box.request}
    return town.county.writer.run(lambda tx: enrolment.enrol(tx, authority.issuer, **asked))  # type: ignore[arg-type]  # as named


def renew(town: Town, authority: Authority, held: Granted, box: Box, new: Box) -> Granted:
    signed = box.signature(new.request)
    return town.county.writer.run(
        lambda tx: enrolment.renew(
            tx,
            authority.issuer,
            certificate=held.certificate,
            request=new.request,
            signature=signed,
            late=enrolment.Late(14, town.county.deciding.came_back),
        )
    )


def results(town: Town, act: str) -> list[str]:
    return [row[5] for row in town.table("audit") if row[3] == act]


def test_the_name_comes_from_the_token_and_never_from_the_request(town: Town, authority: Authority) -> None:
    granted = enrol(town, authority, invite(town), Box(claims="home-02"))
    certificate = x509.load_pem_x509_certificate(granted.certificate)
    (name,) = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    assert name.value == "home-01"
    assert certificate.not_valid_after_utc - certificate.not_valid_before_utc == timedelta(days=90, hours=1)
    usage = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(usage) == [ExtendedKeyUsageOID.CLIENT_AUTH], "it can never serve as the county's own broker"
    certificate.verify_directly_issued_by(authority.issuer.certificate)


def test_a_token_is_good_once_and_for_its_gateway_and_for_72_hours(
    town: Town, authority: Authority, clock: FakeClock
) -> None:
    assert enrol(town, authority, "guessed", Box()).answer is Answer.UNKNOWN_TOKEN
    token = invite(town)
    assert enrol(town, authority, token, Box(), "home-02").answer is Answer.OTHER_GATEWAY
    box = Box()
    first = enrol(town, authority, token, box)
    assert first.answer is Answer.GRANTED, "a refusal spends nothing"
    assert enrol(town, authority, token, Box()).answer is Answer.TOKEN_USED
    assert enrol(town, authority, token, box) == first, "an answer that was lost on the way is given again"
    late = invite(town, "home-02")
    clock.advance(72 * 3600 + 1)
    assert enrol(town, authority, late, Box(), "home-02").answer is Answer.TOKEN_EXPIRED
    assert results(town, "enrol gateway") == ["other_gateway", "granted", "token_used", "token_expired"]
    assert results(town, "invite gateway") == ["done", "done"]


def test_a_newer_invitation_voids_the_older_and_the_token_is_kept_as_a_hash_only(
    town: Town, authority: Authority
) -> None:
    old, new = invite(town), invite(town)
    assert enrol(town, authority, old, Box()).answer is Answer.TOKEN_EXPIRED
    stored = repr([town.table(name) for name in ("invitation", "audit", "certificate")])
    assert old not in stored
    assert new not in stored
    assert len(new) == 32, "24 random bytes"


def test_who_is_not_in_the_register_is_neither_invited_nor_revoked(town: Town) -> None:
    with pytest.raises(EnrolmentRefused, match="site file"):
        invite(town, "home-99")
    with pytest.raises(EnrolmentRefused, match="site file"):
        town.county.writer.run(lambda tx: enrolment.revoke(tx, gateway="home-99", by="console:root"))


def test_a_replaced_card_takes_the_old_ones_certificate_back(town: Town, authority: Authority) -> None:
    old = enrol(town, authority, invite(town), Box())
    new = enrol(town, authority, invite(town), Box())
    assert holders(town, old, new) == [None, "home-01"]


def test_revocation_takes_everything_of_one_gateway_and_nothing_of_another(town: Town, authority: Authority) -> None:
    box = Box()
    mine = enrol(town, authority, invite(town), box)
    other = enrol(town, authority, invite(town, "home-02"), Box(), "home-02")
    invited = invite(town)
    assert town.county.writer.run(lambda tx: enrolment.revoke(tx, gateway="home-01", by="console:root")) == 1
    assert holders(town, mine, other) == [None, "home-02"]
    assert enrol(town, authority, invited, Box()).answer is Answer.TOKEN_EXPIRED
    town.clock.advance(60 * _DAY_S)
    assert renew(town, authority, mine, box, Box()).answer is Answer.REVOKED
    with town.county.ledger.read() as connection:
        taken = enrolment.taken_back(connection)
        standing = enrolment.standings(connection, now_ms=town.clock.wall_ms())
    assert [row.gateway for row in taken] == ["home-01"]
    assert [(one.gateway, one.until_ms is None, one.revoked_ms is None) for one in standing] == [
        ("home-01", True, False), ("home-02", False, True), ("home-03", True, True),
    ]  # fmt: skip  # a row a gateway
    listed = x509.load_pem_x509_crl(
        revocation_list(authority.issuer, [(row.serial, town.clock.now()) for row in taken], now=town.clock.now())
    )
    serial = x509.load_pem_x509_certificate(mine.certificate).serial_number
    assert [row.serial_number for row in listed] == [serial]
    assert results(town, "revoke gateway") == ["1 certificates"]


def holders(town: Town, *granted: Granted) -> list[str | None]:
    digests = [fingerprint(x509.load_pem_x509_certificate(one.certificate)) for one in granted]
    with town.county.ledger.read() as connection:
        return [enrolment.holder(connection, digest) for digest in digests]


def test_each_certificate_is_followed_by_one_from_day_60_and_by_no_second(
    town: Town, authority: Authority, clock: FakeClock
) -> None:
    box, new = Box(), Box()
    first = enrol(town, authority, invite(town), box)
    clock.advance(60 * _DAY_S - 1)
    assert renew(town, authority, first, box, new).answer is Answer.TOO_EARLY
    clock.advance(1)
    assert renew(town, authority, first, new, new).answer is Answer.BAD_SIGNATURE, "who copied the certificate alone"
    second = renew(town, authority, first, box, new)
    assert second.answer is Answer.GRANTED
    assert renew(town, authority, first, box, new) == second
    assert renew(town, authority, first, box, Box()).answer is Answer.RENEWED_ALREADY, "a copied card shows itself"
    assert holders(town, first, second) == ["home-01", "home-01"]


def test_one_that_ran_out_is_renewed_once_within_180_days(town: Town, authority: Authority, clock: FakeClock) -> None:
    boxes = {"home-01": Box(), "home-02": Box()}
    held = {name: enrol(town, authority, invite(town, name), box, name) for name, box in boxes.items()}
    clock.advance((90 + 180) * _DAY_S)
    assert renew(town, authority, held["home-01"], boxes["home-01"], Box()).answer is Answer.GRANTED
    clock.advance(1)
    late = renew(town, authority, held["home-02"], boxes["home-02"], Box())
    assert late.answer is Answer.RAN_OUT_TOO_LONG


def test_only_p256_requests_signed_by_their_own_key_are_answered(town: Town, authority: Authority) -> None:
    big = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([]))
    strange = big.sign(rsa.generate_private_key(65537, 2048), hashes.SHA256())
    token = invite(town)
    honest = Box().request
    spoiled = honest[:-60] + (b"A" if honest[-60:-59] != b"A" else b"B") + honest[-59:]
    for request in (b"", b"x" * 9000, strange.public_bytes(serialization.Encoding.PEM), spoiled):
        asked = town.county.writer.run(
            lambda tx, request=request: enrolment.enrol(  # type: ignore[misc]  # mypy cannot infer a lambda's default
                tx, authority.issuer, gateway="home-01", token=token, request=request
            )
        )
        assert asked.answer is Answer.BAD_REQUEST
    assert enrol(town, authority, token, Box()).answer is Answer.GRANTED


def test_keys_are_for_their_owner_and_the_authority_stays_the_same(tmp_path: Path, clock: FakeClock) -> None:
    authority = open_authority(tmp_path, name="Yunling", now=clock.now())
    equip(authority, hosts=["county.example"], now=clock.now())
    folder = tmp_path / "authority"
    modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in folder.glob("*.key")}
    assert modes == {"ca.key": 0o400, "server.key": 0o400, "county.key": 0o400}
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    before = authority.certificate("server"), authority.certificate("county")
    again = open_authority(tmp_path, name="Yunling", now=clock.now())
    equip(again, hosts=["county.example"], now=clock.now())
    assert again.issuer.fingerprint == authority.issuer.fingerprint
    assert (again.certificate("server"), again.certificate("county")) == before
    equip(again, hosts=["10.0.0.7"], now=clock.now())
    assert again.certificate("server") != before[0], "another name, another certificate"
    clock.advance(4 * 365 * _DAY_S)
    equip(again, hosts=["10.0.0.7"], now=clock.now())
    assert again.certificate("county") != before[1], "remade before it runs out"
    (folder / "ca.key").unlink()
    with pytest.raises(AuthorityUnusable, match="backup"):
        open_authority(tmp_path, name="Yunling", now=clock.now())


def test_no_gateway_can_be_called_like_the_county() -> None:
    with pytest.raises(InvalidTopic):
        check_gateway_id(COUNTY_NAME)


async def test_the_door_answers_in_named_words(town: Town, authority: Authority, tmp_path: Path) -> None:
    door = door_of(town, authority, updates=tmp_path)
    transport = httpx.ASGITransport(door)
    async with httpx.AsyncClient(transport=transport, base_url="https://county.example:8884") as http:
        assert (await http.get("/ca")).content == authority.issuer.pem
        box, token = Box(), invite(town)
        asked = {"gateway": "home-01", "token": token, "request": box.request.decode()}
        granted = (await http.post("/enrol", json=asked)).json()
        assert granted["broker"] == {"host": "county.example", "port": 8883}
        assert granted["certificate"].startswith("-----BEGIN CERTIFICATE-----")
        used = await http.post("/enrol", json={**asked, "request": Box().request.decode()})
        assert (used.status_code, used.json()["answer"]) == (403, "token_used")
        early = await http.post("/renew", json=box.renewal(granted["certificate"], Box()))
        assert early.json()["answer"] == "too_early"
        for path, body in (
            ("/enrol", b"["),
            ("/enrol", b"[" * 5000),
            ("/enrol", b'{"gateway": 1}'),
            ("/renew", b'{"certificate":"x","request":"y","signature":"\xc3\xa4"}'),
            ("/renew", b'{"certificate":"x","request":"y","signature":""}'),
            ("/enrol", b'{"gateway":"home-01","token":"\\ud800","request":""}'),
        ):
            answer = await http.post(path, content=body)
            assert answer.status_code in {400, 403}, body
            assert answer.json()["answer"] in set(Answer), body
        assert (await http.post("/enrol", content=b"x" * 300_000)).status_code == 413
