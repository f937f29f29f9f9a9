"""Who a gateway is: made on the box, kept whole, believed by fingerprint, and never broken by a clock nobody set."""

import asyncio
import socket
import stat
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509

from kanhu.contract import ClockState, FakeClock
from kanhu.gateway.check import Level
from kanhu.gateway.config import BrokerConfig, GatewayConfig
from kanhu.gateway.county_link import county_checks
from kanhu.gateway.enrol import _REMEDIES, Enrolled, enrol, renew
from kanhu.gateway.errors import EnrolmentFailed, IdentityUnusable
from kanhu.gateway.identity import RENEW_AFTER_MS, earliest_ms, read_identity, save_floor, tls_context, trusting
from kanhu.gateway.renewal import due
from tests.gateway.authority import CLIENT, NOW, YEAR, SmallCounty, pem

DAY = timedelta(days=1)


def ms(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)


async def handshake(port: int, county: SmallCounty, *, earliest: datetime, host: str = "localhost") -> str:
    """What came of a connection as paho and http.client make it: "" where it stands."""

    def connect() -> str:
        context = trusting(pem(county.certificate), earliest_ms=ms(earliest))
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=10) as plain:
                context.wrap_socket(plain, server_hostname=host).close()
        except OSError as error:
            return str(error)
        return ""

    return await asyncio.to_thread(connect)


async def taken(folder: Path, county: SmallCounty, clock: FakeClock | None = None, text: str = "") -> Enrolled:
    said, used = text or county.invitation(), clock or FakeClock(start=NOW)
    return await asyncio.to_thread(lambda: enrol(folder, said, gateway="home-03", clock=used))


async def test_a_certificate_that_seems_not_valid_yet_is_believed(tmp_path: Path) -> None:
    county = SmallCounty(tmp_path, begins=NOW + 50 * YEAR, ends=NOW + 60 * YEAR)
    async with county.serving() as port:
        assert await handshake(port, county, earliest=NOW) == "", "so does every certificate to a clock in 1970"


async def test_one_that_has_certainly_run_out_is_not(tmp_path: Path) -> None:
    county = SmallCounty(tmp_path)
    async with county.serving() as port:
        assert await handshake(port, county, earliest=county.ends - DAY) == ""
        assert "ran out" in await handshake(port, county, earliest=county.ends + DAY)


async def test_another_authority_another_name_or_another_gateway_is_not_the_county(tmp_path: Path) -> None:
    county, other = SmallCounty(tmp_path / "a"), SmallCounty(tmp_path / "b")
    async with county.serving() as port:
        assert "verify failed" in await handshake(port, other, earliest=NOW)
        assert "mismatch" in await handshake(port, county, earliest=NOW, host="other.example")
    async with county.serving(CLIENT) as port:
        assert "verify failed" in await handshake(port, county, earliest=NOW), "a stolen gateway is no broker"


def test_the_floor_is_raised_by_a_synchronised_clock_only(tmp_path: Path) -> None:
    clock = FakeClock(start=NOW)
    clock.set_state(ClockState.SYNCED)
    save_floor(tmp_path, clock=clock)
    assert earliest_ms(tmp_path, clock=clock) == ms(NOW)
    clock.step_wall(10 * YEAR.total_seconds())
    clock.set_state(ClockState.RESTORED)
    save_floor(tmp_path, clock=clock)
    assert earliest_ms(tmp_path, clock=clock) == ms(NOW), "ten years ahead, and nobody says so"
    clock.step_wall(-70 * YEAR.total_seconds())
    clock.set_state(ClockState.UNSET)
    assert earliest_ms(tmp_path, clock=clock) == ms(NOW), "1970"
    (tmp_path / "clock-floor").unlink()
    (tmp_path / "clock-floor").write_bytes(b"\xff")
    assert 0 < earliest_ms(tmp_path, clock=clock) < ms(NOW), "never before this release"


async def test_enrolment_keeps_key_certificate_and_authority_in_one_file_of_its_owner(tmp_path: Path) -> None:
    county, box = SmallCounty(tmp_path / "county"), tmp_path / "box"
    box.mkdir()
    async with county.serving():
        given = await taken(box, county)
    assert (given.broker_host, given.broker_port, given.clock_off) == ("localhost", 8883, False)
    assert {file.name: stat.S_IMODE(file.stat().st_mode) for file in box.iterdir()} == {"identity.pem": 0o400}
    held = read_identity(box)
    assert held.about.gateway == "home-03"
    assert held.authority == pem(county.certificate)
    tls_context(box, clock=FakeClock(start=NOW))
    ((_, asked),) = county.asked
    assert "PRIVATE" not in asked["request"]


async def test_the_wrong_county_is_told_nothing(tmp_path: Path) -> None:
    county, other = SmallCounty(tmp_path / "a"), SmallCounty(tmp_path / "b")
    async with county.serving():
        with pytest.raises(EnrolmentFailed, match="not the county of this invitation"):
            await taken(tmp_path, county, text=county.invitation(fingerprint=other.fingerprint))
    assert county.asked == []


async def test_an_answer_lost_on_the_way_is_asked_for_again_with_the_same_key(tmp_path: Path) -> None:
    county = SmallCounty(tmp_path / "county")
    async with county.serving():
        county.answer = lambda _: {"answer": "granted"}
        with pytest.raises(EnrolmentFailed, match="cannot be used"):
            await taken(tmp_path, county)
        county.answer = None
        await taken(tmp_path, county)
    first, second = (x509.load_pem_x509_csr(asked["request"].encode()).public_key() for _, asked in county.asked)
    assert first == second


async def test_a_certificate_of_another_is_not_kept(tmp_path: Path) -> None:
    county = SmallCounty(tmp_path / "county")
    county.answer = lambda asked: county.grant(asked, gateway="home-04")
    async with county.serving():
        with pytest.raises(EnrolmentFailed, match="another's certificate"):
            await taken(tmp_path, county)
    assert not (tmp_path / "identity.pem").exists()


@pytest.mark.parametrize("word", sorted(_REMEDIES))
async def test_every_refusal_of_the_county_has_a_remedy(tmp_path: Path, word: str) -> None:
    county = SmallCounty(tmp_path / "county", answer=lambda _: {"answer": word})
    async with county.serving():
        with pytest.raises(EnrolmentFailed, match=word) as refused:
            await taken(tmp_path, county)
    assert refused.value.remedy == _REMEDIES[word]


async def test_no_network_other_invitations_and_nonsense_are_told_apart(tmp_path: Path, free_port: int) -> None:
    county = SmallCounty(tmp_path / "county", port=free_port)
    for text, said in (
        (county.invitation(), "does not answer"),
        (county.invitation("home-04"), "for home-04"),
        (county.invitation()[:-1], "no invitation"),
        ("", "no invitation"),
    ):
        with pytest.raises(EnrolmentFailed, match=said):
            await taken(tmp_path, county, text=text or " ")


async def test_a_clock_far_off_is_told_and_breaks_nothing(tmp_path: Path) -> None:
    county, clock = SmallCounty(tmp_path / "county"), FakeClock(start=NOW)
    clock.step_wall(-57 * YEAR.total_seconds())
    clock.set_state(ClockState.UNSET)
    async with county.serving():
        assert (await taken(tmp_path, county, clock)).clock_off


async def test_renewal_signs_with_the_old_key_and_brings_a_new_one(tmp_path: Path) -> None:
    county, clock = SmallCounty(tmp_path / "county"), FakeClock(start=NOW)
    async with county.serving():
        await taken(tmp_path, county, clock)
        before = read_identity(tmp_path)
        await asyncio.to_thread(lambda: renew(tmp_path, gateway="home-03", clock=clock))
    after = read_identity(tmp_path)
    path, asked = county.asked[-1]
    assert path == "/renew"
    assert asked["certificate"].encode() == before.certificate
    assert after.key != before.key
    assert after.about.county == before.about.county


async def test_renewal_is_due_from_day_60_or_whenever_nobody_set_the_clock(tmp_path: Path) -> None:
    county = SmallCounty(tmp_path / "county")
    async with county.serving():
        await taken(tmp_path, county)
    held = read_identity(tmp_path)
    day_60 = held.about.issued_ms + RENEW_AFTER_MS
    assert not due(held, now_ms=day_60 - 1, clock=ClockState.SYNCED)
    assert due(held, now_ms=day_60, clock=ClockState.SYNCED)
    assert due(held, now_ms=held.about.issued_ms, clock=ClockState.RESTORED)


@pytest.mark.parametrize("spoil", [lambda raw: raw[: len(raw) // 2], lambda _: b"", lambda raw: b"\xff" + raw])
async def test_a_damaged_file_is_named_with_a_remedy(tmp_path: Path, spoil: Callable[[bytes], bytes]) -> None:
    county = SmallCounty(tmp_path / "county")
    async with county.serving():
        await taken(tmp_path, county)
    file = tmp_path / "identity.pem"
    whole = file.read_bytes()
    file.unlink()
    file.write_bytes(spoil(whole))
    with pytest.raises(IdentityUnusable) as refused:
        tls_context(tmp_path, clock=FakeClock(start=NOW))
    assert "enrol" in refused.value.remedy


@pytest.mark.parametrize(("host", "level"), [("127.0.0.1", Level.OK), ("broker.county.example", Level.ATTENTION)])
async def test_the_doctor_warns_of_a_plain_link_that_leaves_this_machine(
    tmp_path: Path, free_port: int, host: str, level: Level
) -> None:
    config = _config(tmp_path, BrokerConfig(host=host, port=free_port))
    identity, _ = await county_checks(config, clock=FakeClock())
    assert identity.level is level


async def test_the_doctor_knows_whether_county_and_gateway_trust_one_another(tmp_path: Path) -> None:
    clock = FakeClock(start=NOW)
    county, other = SmallCounty(tmp_path / "a"), SmallCounty(tmp_path / "b")
    async with county.serving() as port, other.serving() as other_port:
        config = _config(tmp_path, BrokerConfig(host="localhost", port=port, tls=True))
        assert [check.level for check in await county_checks(config, clock=clock)] == [Level.BROKEN, Level.BROKEN]
        await taken(tmp_path, county, clock)
        assert [check.level for check in await county_checks(config, clock=clock)] == [Level.OK, Level.OK]
        strange = _config(tmp_path, BrokerConfig(host="localhost", port=other_port, tls=True))
        assert [check.level for check in await county_checks(strange, clock=clock)] == [Level.OK, Level.BROKEN]


async def test_the_doctor_says_that_a_certificate_ends_soon_and_that_it_ended(tmp_path: Path, free_port: int) -> None:
    county, clock = SmallCounty(tmp_path / "county"), FakeClock(start=NOW)
    async with county.serving():
        await taken(tmp_path, county, clock)
    config = _config(tmp_path, BrokerConfig(host="localhost", port=free_port, tls=True))
    clock.set_state(ClockState.SYNCED)
    for left_days, level in ((15, Level.OK), (14, Level.ATTENTION), (-1, Level.BROKEN)):
        clock.step_wall((county.ends - left_days * DAY - clock.now()).total_seconds())
        identity, _ = await county_checks(config, clock=clock)
        assert identity.level is level, left_days
        assert level is Level.OK or "county" in identity.remedy


def _config(folder: Path, broker: BrokerConfig) -> GatewayConfig:
    return GatewayConfig(gateway="home-03", data=str(folder), timezone="Asia/Shanghai", broker=broker)
