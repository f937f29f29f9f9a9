"""What a county signs for its gateways: a ceremony on the command line, what it refuses, and how it stays fresh."""

import asyncio
import json
import os
import stat
from datetime import timedelta
from importlib.resources import files
from pathlib import Path

import httpx
import pytest
from tuf.api.metadata import Metadata, Timestamp

from kanhu.cloud.authority.store import open_authority
from kanhu.cloud.cli import main
from kanhu.cloud.config import CloudConfig
from kanhu.cloud.doctor import Severity, examine
from kanhu.cloud.errors import UpdatesRefused
from kanhu.cloud.updates import repository
from kanhu.cloud.updates.freshness import FOLDER, ONLINE_KEY, SERVED, keep_fresh
from kanhu.cloud.updates.keys import make_key, read_public, read_signer
from kanhu.cloud.updates.repository import TARGETS_DAYS, TIMESTAMP_DAYS, Repository
from kanhu.contract import FakeClock, SystemClock
from tests.cloud.box import door_of
from tests.cloud.town import Town
from tests.cloud.waiting import until

PASSWORD = "correct horse"
CORE = files("kanhu.vitals.packs").joinpath("core.toml").read_text(encoding="utf-8")


class Desk:
    """A folder with three people's keys, the server's, and what they make."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.password = folder / "password"
        self.password.write_text(PASSWORD + "\n", encoding="utf-8")
        for name in ("a", "b", "c"):
            make_key(folder / name, PASSWORD)
        make_key(folder / "online", None)
        self.files = folder / "files"
        self.draft = folder / "draft.json"
        self.public = folder / "public"

    def run(self, *words: str) -> int:
        return main(["updates", *words])

    def at(self, name: str) -> str:
        return str(self.folder / name)

    def write(self, path: str, text: str) -> None:
        file = self.files / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")

    def root(self) -> None:
        holders = [word for name in ("a", "b", "c") for word in ("--holder", self.at(f"{name}.pub"))]
        online = ("--online", self.at("online.pub"))
        assert self.run("root", *holders, *online, "--repository", str(self.public), "--out", str(self.draft)) == 0

    def release(self) -> int:
        return self.run("release", str(self.files), "--repository", str(self.public), "--out", str(self.draft))

    def sign(self, *names: str) -> None:
        for name in names:
            key = ("--key", self.at(f"{name}.key"), "--password-file", str(self.password))
            assert self.run("sign", str(self.draft), *key) == 0

    def publish(self, *more: str) -> int:
        online = ("--online", self.at("online.key"))
        return self.run("publish", str(self.draft), *more, *online, "--repository", str(self.public))

    def published(self) -> None:
        self.root()
        self.sign("a", "c")
        assert self.publish() == 0
        self.write("all/settings.toml", "heartbeat_s = 30\n")
        assert self.release() == 0
        self.sign("b", "c")
        assert self.publish("--files", str(self.files)) == 0


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def test_a_ceremony_from_keys_to_files_that_gateways_read(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    desk.published()
    names = {file.name for file in (desk.public / "metadata").iterdir()}
    assert names == {"1.root.json", "1.targets.json", "1.snapshot.json", "timestamp.json"}
    (target,) = (desk.public / "targets" / "all").iterdir()
    assert target.read_text(encoding="utf-8") == "heartbeat_s = 30\n"
    capsys.readouterr()
    assert desk.run("show", str(desk.draft), "--repository", str(desk.public)) == 0
    said = capsys.readouterr().out
    assert "all/settings.toml  17 bytes" in said
    assert "0 missing" in said


def test_one_signature_is_shown_as_missing_and_refused(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    desk.published()
    desk.write("all/settings.toml", "heartbeat_s = 20\n")
    assert desk.release() == 0
    desk.sign("a")
    desk.sign("a")
    capsys.readouterr()
    assert desk.run("show", str(desk.draft), "--repository", str(desk.public)) == 0
    assert "1 missing" in capsys.readouterr().out
    assert desk.publish("--files", str(desk.files)) == 1
    assert "not signed by enough keys" in capsys.readouterr().err
    assert not (desk.public / "metadata" / "2.targets.json").exists()


def test_an_older_draft_and_other_files_than_were_signed_are_refused(
    desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    desk.published()
    assert desk.publish("--files", str(desk.files)) == 1
    assert "is not newer" in capsys.readouterr().err
    assert desk.release() == 0
    desk.sign("a", "b")
    desk.write("all/settings.toml", "heartbeat_s = 31\n")
    assert desk.publish("--files", str(desk.files)) == 1
    assert "is not the file that was signed" in capsys.readouterr().err
    desk.write("gateway/home-03/settings.toml", "heartbeat_s = 31\n")
    assert desk.publish("--files", str(desk.files)) == 1
    assert "other files than were signed" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("path", "text", "says"),
    [
        ("all/settings.toml", 'broker.host = "evil.example"\n', "unknown field `host`"),
        ("all/settings.toml", "heartbeat_s = 5\n", "heartbeat_s"),
        ("all/contacts.toml", "", "no gateway looks there"),
        ("all/rules.toml", CORE.replace('id = "SOS"', 'id = "HELP"', 1), "is not one of the shipped rules"),
        ("home-03/settings.toml", "", "no gateway looks there"),
    ],
)
def test_what_no_gateway_would_take_is_never_drafted(
    desk: Desk, capsys: pytest.CaptureFixture[str], path: str, text: str, says: str
) -> None:
    desk.published()
    desk.write(path, text)
    assert desk.release() == 1
    assert says in capsys.readouterr().err


def test_a_list_that_is_longer_than_gateways_read_is_refused(
    desk: Desk, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.published()
    monkeypatch.setattr(repository, "MOST_LIST_BYTES", 5000)
    assert desk.release() == 0
    for number in range(9):
        desk.write(f"gateway/home-{number}/settings.toml", "heartbeat_s = 30\n")
    assert desk.release() == 1
    assert "use groups" in capsys.readouterr().err


def test_a_lost_key_is_replaced_by_the_other_two(desk: Desk) -> None:
    desk.published()
    make_key(desk.folder / "d", PASSWORD)
    (desk.folder / "c.pub").write_bytes((desk.folder / "d.pub").read_bytes())
    desk.root()
    desk.sign("a", "b")
    assert desk.publish() == 0
    assert desk.release() == 0
    desk.sign("b", "d")
    assert desk.publish("--files", str(desk.files)) == 0


def test_too_few_people_or_one_twice_make_no_root(desk: Desk) -> None:
    a, b, online = (read_public(desk.folder / f"{name}.pub") for name in ("a", "b", "online"))
    folder, now = Repository(desk.public), FakeClock().now()
    for holders in ([a, b], [a, b, a], [a, b, online]):
        with pytest.raises(UpdatesRefused):
            folder.draft_root(holders, online, now=now)


def test_keys_are_locked_kept_and_told_apart(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    private = desk.folder / "a.key"
    assert stat.S_IMODE(private.stat().st_mode) == 0o400
    assert b"ENCRYPTED" in private.read_bytes()
    for password in (None, "wrong horse"):
        with pytest.raises(UpdatesRefused, match="wrong password"):
            read_signer(private, password)
    with pytest.raises(UpdatesRefused, match="ever overwritten"):
        make_key(desk.folder / "a", PASSWORD)
    with pytest.raises(UpdatesRefused, match="at least"):
        make_key(desk.folder / "new", "short")
    with pytest.raises(UpdatesRefused, match="no public key"):
        read_public(private)
    assert set(json.loads((desk.folder / "a.pub").read_bytes())) == {"keyid", "keytype", "scheme", "keyval"}
    assert desk.run("sign", at_nothing(desk), "--key", desk.at("a.key"), "--password-file", str(desk.password)) == 1
    assert "is no draft" in capsys.readouterr().err


def at_nothing(desk: Desk) -> str:
    desk.draft.write_text("{}", encoding="utf-8")
    return str(desk.draft)


def test_another_key_than_the_root_names_refreshes_nothing(desk: Desk) -> None:
    desk.published()
    before = (desk.public / "metadata" / "timestamp.json").read_bytes()
    make_key(desk.folder / "other", None)
    assert desk.run("refresh", "--online", desk.at("other.key"), "--repository", str(desk.public)) == 1
    assert (desk.public / "metadata" / "timestamp.json").read_bytes() == before
    assert desk.run("refresh", "--online", desk.at("online.key"), "--repository", str(desk.public)) == 0


async def test_a_running_county_says_daily_that_its_files_are_the_newest(desk: Desk, clock: FakeClock) -> None:
    desk.published()
    folder = desk.folder / "county" / FOLDER
    folder.mkdir(parents=True)
    keeping = asyncio.create_task(keep_fresh(folder.parent, clock=clock))
    await asyncio.sleep(0)  # without a key nothing is kept
    desk.public.rename(folder / SERVED)
    (desk.folder / "online.key").rename(folder / ONLINE_KEY)
    file = folder / SERVED / "metadata" / "timestamp.json"

    async def refreshed(version: int) -> Timestamp:
        async with asyncio.timeout(10):
            while True:
                signed = Metadata[Timestamp].from_bytes(file.read_bytes()).signed
                if signed.version >= version:
                    return signed
                clock.advance(3600)
                await asyncio.sleep(0.002)  # it is signed in a thread

    for version in (2, 3):
        signed = await refreshed(version)
        assert timedelta(days=TIMESTAMP_DAYS - 2) < signed.expires - clock.now() <= timedelta(days=TIMESTAMP_DAYS)
    keeping.cancel()
    await asyncio.wait({keeping})


async def test_a_county_that_cannot_sign_says_so_each_hour_and_goes_on_once_it_can(
    desk: Desk, clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    data = kept(desk)
    key = data / FOLDER / ONLINE_KEY
    right = key.rename(desk.folder / "right.key")
    make_key(data / FOLDER / "online", None)
    keeping = asyncio.create_task(keep_fresh(data, clock=clock))
    await until(lambda: len(caplog.messages) == 1)
    assert "is not signed by enough keys" in caplog.text
    key.unlink()
    right.rename(key)
    file = data / FOLDER / SERVED / "metadata" / "timestamp.json"
    while Metadata[Timestamp].from_bytes(file.read_bytes()).signed.version == 1:
        clock.advance(600)
        await asyncio.sleep(0.002)  # it is signed in a thread
    assert not keeping.done()
    keeping.cancel()
    await asyncio.wait({keeping})


def kept(desk: Desk) -> Path:
    """The county's data, with what was published where the service looks for it."""
    desk.published()
    folder = desk.folder / "county" / FOLDER
    folder.mkdir(parents=True)
    desk.public.rename(folder / SERVED)
    (desk.folder / "online.key").rename(folder / ONLINE_KEY)
    return folder.parent


@pytest.mark.parametrize(
    ("days", "severity", "says"),
    [
        (0, Severity.FINE, ""),
        (TIMESTAMP_DAYS - 3.5, Severity.FINE, ""),
        (TIMESTAMP_DAYS - 2.5, Severity.WARNING, "the service does not sign anew"),
        (TIMESTAMP_DAYS + 1, Severity.WARNING, "the service does not sign anew"),
    ],
)
def test_the_doctor_says_until_when_gateways_believe_what_is_there(
    desk: Desk, days: float, severity: Severity, says: str
) -> None:
    config, clock = CloudConfig(data=kept(desk)), FakeClock(SystemClock().now() + timedelta(days=days))
    (found,) = [each for each in examine(config, clock=clock) if each.about == "updates"]
    assert (found.severity, says in found.text) == (severity, True)
    assert found.text.startswith("timestamp valid until 20")


def test_the_doctor_names_a_list_that_people_have_to_sign_again(desk: Desk) -> None:
    data = kept(desk)
    clock = FakeClock(SystemClock().now() + timedelta(days=TARGETS_DAYS - 20))
    Repository(data / FOLDER / SERVED).refresh(read_signer(data / FOLDER / ONLINE_KEY, None), now=clock.now())
    (found,) = [each for each in examine(CloudConfig(data=data), clock=clock) if each.about == "updates"]
    assert (found.severity, "two people sign the next one" in found.text) == (Severity.WARNING, True)


def test_the_doctor_says_nothing_of_releases_where_there_are_none(desk: Desk) -> None:
    found = examine(CloudConfig(data=desk.folder), clock=FakeClock())
    assert [each for each in found if each.about == "updates"] == []


def test_what_root_makes_for_the_service_belongs_to_the_service(tmp_path: Path) -> None:
    service = 4242 if os.geteuid() == 0 else os.geteuid()  # another than root can give nothing away, and need not
    os.chown(tmp_path, service, -1)
    desk = Desk(tmp_path)
    make_key(tmp_path / "updates" / "online", None)
    desk.public = tmp_path / "updates" / "public"
    desk.published()
    made = [tmp_path / "updates", *(tmp_path / "updates").rglob("*")]
    assert {path.name for path in made} >= {"online.key", "metadata", "timestamp.json", "1.root.json", "all"}
    assert [path for path in made if path.suffix != ".pub" and path.stat().st_uid != service] == []


def test_the_doctor_names_what_the_service_does_not_own(desk: Desk) -> None:
    data = kept(desk)
    if os.geteuid() == 0:
        os.chown(data, 4242, -1)
    else:  # who is not root can give nothing away: a link to what is root's
        (data / FOLDER / ONLINE_KEY).unlink()
        (data / FOLDER / ONLINE_KEY).symlink_to("/proc/1/status")
    (found,) = [each for each in examine(CloudConfig(data=data), clock=FakeClock()) if each.about == "updates"]
    assert (found.severity, f"chown -R --reference={data}" in found.text) == (Severity.WARNING, True)


async def test_the_door_serves_files_and_the_rest_of_one(desk: Desk, town: Town, clock: FakeClock) -> None:
    desk.published()
    authority = open_authority(desk.folder / "county", name="Yunling", now=clock.now())
    door = door_of(town, authority, updates=desk.public)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(door), base_url="https://c.example:8884") as http:
        (target,) = (desk.public / "targets" / "all").iterdir()
        path = f"/updates/targets/all/{target.name}"
        assert (await http.get(path)).content == b"heartbeat_s = 30\n"
        rest = await http.get(path, headers={"Range": "bytes=10-"})
        assert (rest.status_code, rest.content) == (206, b"s = 30\n")
        done = await http.get(path, headers={"Range": "bytes=17-"})
        assert done.status_code == 416
        assert (await http.get("/updates/metadata/2.root.json")).status_code == 404
        assert (await http.get("/updates/../online.key")).status_code == 404


async def test_a_county_that_publishes_nothing_has_nothing_there_and_what_comes_later_is_found(
    desk: Desk, town: Town, clock: FakeClock
) -> None:
    authority = open_authority(desk.folder / "county", name="Yunling", now=clock.now())
    door = door_of(town, authority, updates=desk.public)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(door), base_url="https://c.example:8884") as http:
        for path in ("/updates", "/updates/", "/updates/metadata/timestamp.json"):
            assert (await http.get(path, follow_redirects=True)).status_code == 404
        desk.published()
        assert (await http.get("/updates/metadata/timestamp.json")).status_code == 200
