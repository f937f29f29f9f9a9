"""Attacks on updates, each against the real client with real signed files over HTTP; each ends with the old version."""

import json
import shutil
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest
from tuf.api.metadata import Metadata, Snapshot, Targets, Timestamp

from kanhu.cloud.errors import UpdatesRefused
from kanhu.contract.remote import ReleaseReason
from kanhu.gateway.updates.fetching import BYTES_A_SECOND, MOST_BYTES
from kanhu.gateway.updates.store import Named, Round, State, refused
from tests.end_to_end.signing_county import NOW, AskingGateway, Server, SigningCounty, new_key, public, served, signed

OLD = {"all/settings.toml": "heartbeat_s = 30\n"}
NEW = {"all/settings.toml": "heartbeat_s = 20\n"}
LONG = "heartbeat_s = 20\n" + "# why\n" * 1000
DAY = timedelta(days=1)


@pytest.fixture
def county(tmp_path: Path) -> SigningCounty:
    county = SigningCounty(tmp_path / "county")
    county.publish(OLD)
    return county


@pytest.fixture
def server(county: SigningCounty) -> Iterator[Server]:
    with served(county.public) as server:
        yield server


@pytest.fixture
def gateway(tmp_path: Path, county: SigningCounty, server: Server) -> AskingGateway:
    return AskingGateway(tmp_path / "gateway", county.first_root, server.url)


def takes(gateway: AskingGateway, settings: str) -> Named:
    """It does, as a gateway that keeps what it was given."""
    answer = gateway.ask()
    assert (answer.round, answer.detail) == (Round.STAGED, "")
    assert gateway.files(answer) == {"settings.toml": settings}
    assert answer.release is not None
    gateway.store.keep(State(running=answer.release, seen=answer.seen))
    return answer.release


def nothing_new_is_on_the_card(gateway: AskingGateway) -> bool:
    running = gateway.store.state().running
    assert running is not None
    return [file.name for file in gateway.store.folder.glob("release-*")] == [
        f"release-{running.number}-{running.digest[:16]}"
    ]


def test_what_was_signed_is_taken_once_and_the_next_one_after_it(county: SigningCounty, gateway: AskingGateway) -> None:
    takes(gateway, "heartbeat_s = 30\n")
    assert gateway.ask().round is Round.CURRENT
    county.publish(NEW)
    takes(gateway, "heartbeat_s = 20\n")


def test_rollback_old_signed_files_are_refused(county: SigningCounty, gateway: AskingGateway, tmp_path: Path) -> None:
    shutil.copytree(county.public, tmp_path / "old")
    county.publish(NEW)
    takes(gateway, "heartbeat_s = 20\n")
    shutil.rmtree(county.public)
    shutil.copytree(tmp_path / "old", county.public)
    assert gateway.ask().round is Round.OLDER
    assert nothing_new_is_on_the_card(gateway)


def test_rollback_is_refused_by_a_card_that_lost_what_the_client_remembers(
    county: SigningCounty, gateway: AskingGateway, tmp_path: Path
) -> None:
    shutil.copytree(county.public, tmp_path / "old")
    county.publish(NEW)
    takes(gateway, "heartbeat_s = 20\n")
    shutil.rmtree(county.public)
    shutil.copytree(tmp_path / "old", county.public)
    shutil.rmtree(gateway.store.folder / "metadata")
    answer = gateway.ask()
    assert (answer.round, answer.detail) == (Round.OLDER, "list 1; 2 was seen before")


def test_freeze_a_county_held_still_is_noticed_when_its_word_runs_out(gateway: AskingGateway) -> None:
    takes(gateway, "heartbeat_s = 30\n")
    assert gateway.ask(NOW + 6 * DAY).round is Round.CURRENT
    assert gateway.ask(NOW + 8 * DAY).round is Round.EXPIRED


def test_freeze_stale_files_are_never_taken(gateway: AskingGateway) -> None:
    answer = gateway.ask(NOW + 8 * DAY)
    assert (answer.round, answer.release) == (Round.EXPIRED, None)


def test_mix_and_match_an_older_list_under_the_name_of_the_new_one_is_refused(
    county: SigningCounty, gateway: AskingGateway
) -> None:
    takes(gateway, "heartbeat_s = 30\n")
    county.publish(NEW)
    county.overwrite("2.targets.json", county.metadata("1.targets.json").read_bytes())
    assert gateway.ask().round in {Round.UNTRUSTED, Round.OLDER}
    assert nothing_new_is_on_the_card(gateway)


def test_mix_and_match_a_file_of_another_release_is_refused(county: SigningCounty, gateway: AskingGateway) -> None:
    takes(gateway, "heartbeat_s = 30\n")
    before = set(county.public.glob("targets/all/*"))
    county.publish(NEW)
    (new,) = set(county.public.glob("targets/all/*")) - before
    (old,) = before
    new.unlink()
    shutil.copy(old, new)
    assert gateway.ask().round is Round.UNTRUSTED
    assert nothing_new_is_on_the_card(gateway)


def test_fast_forward_by_a_thief_of_the_servers_key_ends_with_the_next_root(
    county: SigningCounty, gateway: AskingGateway
) -> None:
    takes(gateway, "heartbeat_s = 30\n")
    timestamp = Metadata[Timestamp].from_bytes(county.metadata("timestamp.json").read_bytes())
    snapshot = Metadata[Snapshot].from_bytes(county.metadata("1.snapshot.json").read_bytes())
    timestamp.signed.version = timestamp.signed.snapshot_meta.version = snapshot.signed.version = 2**31
    for stolen, name in ((timestamp, "timestamp.json"), (snapshot, f"{2**31}.snapshot.json")):
        stolen.sign(county.online)
        county.overwrite(name, stolen.to_bytes())
    assert gateway.ask().round is Round.CURRENT
    county.metadata(f"{2**31}.snapshot.json").unlink()
    county.metadata("timestamp.json").unlink()
    county.publish(NEW)
    assert gateway.ask().round is Round.OLDER, "it holds to the highest number it was shown"
    county.online = new_key()
    county.new_root(county.holders[1:])
    county.refresh()
    takes(gateway, "heartbeat_s = 20\n")


def test_a_thief_of_the_servers_key_can_sign_no_files(county: SigningCounty, gateway: AskingGateway) -> None:
    takes(gateway, "heartbeat_s = 30\n")
    draft = signed(county.draft(NEW), [county.online])
    with pytest.raises(UpdatesRefused, match="not signed by enough"):
        county.repository.publish_targets(draft, county.folder / "files", now=county.now)
    forced(county, draft)
    assert gateway.ask().round is Round.UNTRUSTED
    assert nothing_new_is_on_the_card(gateway)


def forced(county: SigningCounty, draft: "Metadata[Targets]") -> None:
    """Put a list into the folder past all checks, shown by the server's own key."""
    county.publish(NEW)  # the files are there, and a true list, which is put aside
    county.overwrite(f"{draft.signed.version}.targets.json", draft.to_bytes())


def test_wrong_key_another_county_is_not_believed(tmp_path: Path, gateway: AskingGateway) -> None:
    takes(gateway, "heartbeat_s = 30\n")
    other = SigningCounty(tmp_path / "other")
    for _ in range(2):
        other.publish(NEW)
    with served(other.public) as server:
        gateway.url = server.url
        assert gateway.ask().round in {Round.UNTRUSTED, Round.OLDER}
    assert nothing_new_is_on_the_card(gateway)


def test_threshold_one_of_three_is_not_enough_however_often_he_signs(
    county: SigningCounty, gateway: AskingGateway
) -> None:
    takes(gateway, "heartbeat_s = 30\n")
    draft = signed(county.draft(NEW), [county.holders[0], county.holders[0]])
    with pytest.raises(UpdatesRefused, match="1/2"):
        county.repository.publish_targets(draft, county.folder / "files", now=county.now)
    forced(county, draft)
    assert gateway.ask().round is Round.UNTRUSTED


def test_a_signature_copied_under_another_key_is_not_counted(county: SigningCounty, gateway: AskingGateway) -> None:
    takes(gateway, "heartbeat_s = 30\n")
    draft = signed(county.draft(NEW), [county.holders[0]])
    table = json.loads(draft.to_bytes())
    (signature,) = table["signatures"]
    table["signatures"].append({**signature, "keyid": county.holders[1].public_key.keyid})
    forced(county, Metadata.from_bytes(json.dumps(table).encode()))
    assert gateway.ask().round is Round.UNTRUSTED


def test_a_key_that_was_taken_back_counts_no_more(county: SigningCounty, gateway: AskingGateway) -> None:
    takes(gateway, "heartbeat_s = 30\n")
    lost, county.holders[2] = county.holders[2], new_key()
    county.new_root(county.holders[:2])
    draft = signed(county.draft(NEW), [county.holders[0], lost])
    forced(county, draft)
    assert gateway.ask().round is Round.UNTRUSTED


def test_a_root_that_only_its_own_keys_signed_is_refused(county: SigningCounty, gateway: AskingGateway) -> None:
    takes(gateway, "heartbeat_s = 30\n")
    county.holders = [new_key() for _ in range(3)]
    with pytest.raises(UpdatesRefused, match="the root before"):
        county.new_root(county.holders)
    keys = [public(key) for key in county.holders]
    draft = signed(county.repository.draft_root(keys, public(county.online), now=county.now), county.holders)
    county.overwrite("2.root.json", draft.to_bytes())
    assert gateway.ask().round is Round.UNTRUSTED


def test_endless_answers_are_cut_short(county: SigningCounty, gateway: AskingGateway) -> None:
    takes(gateway, "heartbeat_s = 30\n")
    county.overwrite("timestamp.json", b" " * (2 * MOST_BYTES))
    assert gateway.ask().round is Round.TOO_LARGE
    assert gateway.waited_s < 2 * MOST_BYTES / BYTES_A_SECOND / 8, "it read on"


@pytest.mark.parametrize("root", [b"", b"{}", b"not json"])
def test_a_root_that_cannot_be_read_is_said_and_nothing_is_asked(
    gateway: AskingGateway, server: Server, root: bytes
) -> None:
    gateway.root.unlink()
    gateway.root.write_bytes(root)
    assert gateway.ask().round is Round.ROOT_UNUSABLE
    assert server.asked == []


def test_a_silent_county_is_unreachable(gateway: AskingGateway) -> None:
    gateway.url = "http://127.0.0.1:1/updates/"
    assert gateway.ask().round is Round.UNREACHABLE


def test_the_most_particular_file_wins_and_others_files_are_not_read(
    county: SigningCounty, gateway: AskingGateway, server: Server
) -> None:
    county.publish(
        {
            "all/settings.toml": "heartbeat_s = 10\n",
            "group/clinics/settings.toml": "heartbeat_s = 11\n",
            "gateway/home-03/settings.toml": "heartbeat_s = 12\n",
            "gateway/home-04/settings.toml": "heartbeat_s = 13\n",
        }
    )
    for gateway.gateway, gateway.group, expected in (
        ("home-03", "clinics", 12),
        ("home-05", "clinics", 11),
        ("home-05", None, 10),
    ):
        assert gateway.files(gateway.ask()) == {"settings.toml": f"heartbeat_s = {expected}\n"}
    assert not [path for path, _ in server.asked if "home-04" in path]


def broken_off(county: SigningCounty, gateway: AskingGateway, server: Server) -> None:
    """After 2500 bytes of a long file."""
    county.publish({"all/settings.toml": LONG})
    server.breaks_off_after = 2500
    assert gateway.ask().round is Round.UNREACHABLE


def test_a_download_that_broke_off_goes_on_where_it_was(
    county: SigningCounty, gateway: AskingGateway, server: Server
) -> None:
    broken_off(county, gateway, server)
    assert gateway.ask().round is Round.UNREACHABLE
    server.breaks_off_after = None
    gateway.waited_s = 0
    assert gateway.files(gateway.ask()) == {"settings.toml": LONG}
    assert [begin for path, begin in server.asked if "/targets/" in path] == [None, "bytes=2500-", "bytes=5000-"]
    assert gateway.waited_s == 0, "a few kilobytes are not worth waiting for"


def test_a_long_file_leaves_room_on_the_slowest_link(county: SigningCounty, gateway: AskingGateway) -> None:
    text = "heartbeat_s = 20\n" + "# why\n" * 3000
    county.publish({"all/settings.toml": text})
    assert gateway.files(gateway.ask()) == {"settings.toml": text}
    assert gateway.waited_s > (len(text) - 4096) / BYTES_A_SECOND


def test_what_a_power_cut_left_of_the_clients_own_files_does_no_harm(
    county: SigningCounty, gateway: AskingGateway
) -> None:
    takes(gateway, "heartbeat_s = 30\n")
    files = [file for file in (gateway.store.folder / "metadata").rglob("*.json") if not file.is_symlink()]
    assert len(files) == 4
    for file in files:
        content = file.read_bytes()
        for left in (b"", content[: len(content) // 2], bytes(len(content))):
            file.write_bytes(left)
            assert gateway.ask().round is Round.CURRENT
    (gateway.store.folder / "metadata" / "tmpleft").write_bytes(b"{")
    county.publish(NEW)
    takes(gateway, "heartbeat_s = 20\n")
    assert not list((gateway.store.folder / "metadata").glob("tmp*"))


def test_a_beginning_that_was_spoiled_is_dropped_and_fetched_again(
    county: SigningCounty, gateway: AskingGateway, server: Server
) -> None:
    broken_off(county, gateway, server)
    (part,) = (gateway.store.folder / "parts").glob("*")
    part.write_bytes(bytes(2500))
    server.breaks_off_after = None
    assert gateway.ask().round is Round.UNTRUSTED
    assert gateway.files(gateway.ask()) == {"settings.toml": LONG}


def test_a_refused_release_is_not_taken_again(county: SigningCounty, gateway: AskingGateway) -> None:
    release = takes(gateway, "heartbeat_s = 30\n")
    gateway.store.keep(refused(gateway.store.state(), release, ReleaseReason.DIED, "", at_ms=0))
    assert gateway.ask().round is Round.REFUSED_BEFORE
    county.publish({**OLD, "gateway/home-09/settings.toml": "heartbeat_s = 31\n"})
    assert gateway.ask().round is Round.REFUSED_BEFORE, "the same files under a later number"
    county.publish(NEW)
    takes(gateway, "heartbeat_s = 20\n")


def test_every_answer_can_be_said(gateway: AskingGateway) -> None:
    answer = gateway.ask()
    assert msgspec.json.decode(msgspec.json.encode(answer), type=type(answer)) == answer
