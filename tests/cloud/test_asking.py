"""After each start the county asks every gateway once for what its ledger lacks."""

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import msgspec
import pytest

from kanhu.cloud import cli
from kanhu.cloud.desk.model import LIVE_MINUTES
from kanhu.cloud.ingest import gathered
from kanhu.cloud.ingest.asking import FOLDER, Wanted, missing, want_live
from kanhu.cloud.ingest.door import Message
from kanhu.cloud.ledger import values
from kanhu.contract import Ask, Request, SeqRanges, decode_status, encode_status
from kanhu.contract.receipt import MAX_RANGES
from tests.cloud.town import EPOCH, VILLAGE, Town, envelope, heartbeat, oximetry

_LAST = 2**63 - 1
_OTHER = "f" * 32


def beat(town: Town, *taken: int, epoch: str = EPOCH, retained: bool = False) -> list[Request]:
    """A heartbeat that names requests; returns what is asked upon it."""
    plain = heartbeat("home-01", town.clock.wall_ms())
    status = msgspec.structs.replace(decode_status(plain.body), requests=taken, epoch=epoch)
    town.deliver(Message(plain.topic, encode_status(status), retained=retained))
    return list(town.county.ingest.asking.due())


def test_a_gateway_is_asked_for_what_the_ledger_lacks_until_it_has_taken_that(town: Town) -> None:
    town.send(*((seq, oximetry(town.clock.wall_ms(), 97)) for seq in (1, 2, 5)))
    (asked,) = beat(town)
    assert (asked.gateway, asked.ask, asked.epoch) == ("home-01", Ask.RESEND, EPOCH)
    assert asked.ranges == ((3, 4), (6, _LAST))
    (again,) = beat(town, 999)
    assert again == asked, "it may have been lost on the way"
    assert beat(town, 999, asked.number) == []
    assert beat(town) == [], "taken is taken, also once later numbers have taken its place"


def test_what_is_stored_behind_a_heartbeat_in_the_same_breath_is_not_asked_for(town: Town) -> None:
    plain = heartbeat("home-01", town.clock.wall_ms())
    status = msgspec.structs.replace(decode_status(plain.body), requests=())
    readings = envelope(*((seq, oximetry(town.clock.wall_ms(), 97)) for seq in range(1, 501)))
    town.deliver(Message(plain.topic, encode_status(status), retained=False), readings)
    (asked,) = town.county.ingest.asking.due()
    assert asked.ranges == ((501, _LAST),)


def test_another_outbox_and_another_start_are_asked_anew(town: Town) -> None:
    (first,) = beat(town)
    assert beat(town, first.number) == []
    (other,) = beat(town, first.number, epoch=_OTHER)
    assert (other.epoch, other.ranges) == (_OTHER, ((1, _LAST),))
    town.stop()
    town.start()
    (later,) = beat(town, first.number, other.number)
    assert later.number not in {first.number, other.number}


def test_who_takes_no_requests_or_is_only_remembered_by_the_broker_is_not_asked(town: Town) -> None:
    town.beat("home-01")
    assert list(town.county.ingest.asking.due()) == []
    assert beat(town, retained=True) == []


def test_more_holes_than_a_request_holds_leave_the_oldest_for_the_next() -> None:
    many = SeqRanges((2 * number, 2 * number) for number in range(1, MAX_RANGES + 10))
    lacking, left_out = missing(many)
    assert len(lacking) == MAX_RANGES
    assert lacking[-1] == (2 * (MAX_RANGES + 10) - 1, _LAST)
    rest, nothing = missing(many, upto=left_out)
    assert (*rest, *lacking) == (*((n, n) for n in range(1, 2 * MAX_RANGES + 19, 2)), lacking[-1])
    assert nothing == 0
    assert missing(SeqRanges()) == (((1, _LAST),), 0)
    assert missing(SeqRanges([(1, 9)]), upto=4) == ((), 0)
    assert missing(SeqRanges([(7, 9)]), upto=4) == (((1, 4),), 0)


def test_what_one_request_cannot_name_is_asked_for_once_that_was_taken(town: Town) -> None:
    at_ms, there = town.clock.wall_ms(), range(2, 2 * MAX_RANGES + 20, 2)
    town.send(*((seq, oximetry(at_ms, 97)) for seq in there))
    (first,) = beat(town)
    assert len(first.ranges) == MAX_RANGES
    town.send((first.ranges[-2][0], oximetry(at_ms, 97)))  # on its way already
    (again,) = beat(town)
    assert again.number == first.number
    (second,) = beat(town, first.number)
    assert second.number != first.number
    assert second.ranges == tuple((n, n) for n in range(1, first.ranges[0][0], 2))
    assert beat(town, first.number) == [second]
    assert beat(town, first.number, second.number) == []


def test_an_administrator_asks_for_a_live_view_that_is_repeated_until_taken(
    town: Town, capsys: pytest.CaptureFixture[str]
) -> None:
    (of_itself,) = beat(town)
    settings = town.folder.parent / "cloud.toml"
    settings.write_text(f"data = {json.dumps(str(town.folder))}\n", encoding="utf-8")
    asked = ["ask", "live", "home-01", "--minutes", "7", "--resident", "r-0001", "--config", str(settings)]
    assert cli.main(asked) == 0
    waiting = town.folder / FOLDER / "home-01.json"
    wanted = msgspec.json.decode(waiting.read_bytes(), type=Wanted)
    (live,) = beat(town, of_itself.number)
    assert (live.ask, live.minutes, live.resident, live.number) == (Ask.LIVE, 7, "r-0001", wanted.number)
    assert beat(town, of_itself.number) == [live]
    assert beat(town, of_itself.number, live.number) == []
    assert not waiting.exists()
    assert cli.main([*asked[:2], "home-99", *asked[3:]]) == 1
    assert "home-99" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        cli.main(["ask", "live", "home-01", "--minutes", "31"])


def test_staff_ask_for_a_live_view_of_whom_they_may_see_and_it_is_in_the_audit(town: Town) -> None:
    (of_itself,) = beat(town)
    desk = town.county.services.desk
    assert desk.ask_live(VILLAGE, "r-0002") == "not_found"  # of another village
    assert beat(town, of_itself.number) == []
    assert desk.ask_live(VILLAGE, "r-0001") == "done"
    (live,) = beat(town, of_itself.number)
    assert (live.ask, live.gateway, live.resident, live.minutes) == (Ask.LIVE, "home-01", "r-0001", LIVE_MINUTES)
    assert [entry[2:] for entry in town.table("audit")] == [
        ("zhao", "ask live", "r-0002", "not_found"),
        ("zhao", "ask live", "r-0001", "done"),
    ]


def test_a_heartbeat_taken_again_because_of_another_message_asks_once(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    (of_itself,) = beat(town)
    want_live(town.folder / FOLDER, gateway="home-01", minutes=7, resident="", now_ms=town.clock.wall_ms())
    honest = values.keep_values
    tries: list[tuple[Any, ...]] = []

    def breaks_once(*arguments: Any, **named: Any) -> None:
        tries.append(arguments)
        if len(tries) == 1:
            raise OverflowError("Python int too large to convert to SQLite INTEGER")
        honest(*arguments, **named)

    monkeypatch.setattr(gathered, "keep_values", breaks_once)
    plain = heartbeat("home-01", town.clock.wall_ms())
    status = msgspec.structs.replace(decode_status(plain.body), requests=(of_itself.number,))
    reading = envelope((1, oximetry(town.clock.wall_ms(), 97)), gateway="home-02")
    town.deliver(Message(plain.topic, encode_status(status), retained=False), reading)
    assert [request.ask for request in town.county.ingest.asking.due()] == [Ask.LIVE]
    assert (len(tries), [line.gateway for line in town.lines()]) == (2, ["home-02"])


def test_what_an_administrator_asks_goes_where_no_link_points(town: Town, tmp_path: Path) -> None:
    """The county's folder is the service's, and who asks is often root."""
    folder, elsewhere = town.folder / FOLDER, tmp_path / "elsewhere"
    elsewhere.write_bytes(b"of somebody else")
    folder.mkdir()
    for name in ("home-01.new", ".home-01.new", "home-01.json"):
        (folder / name).symlink_to(elsewhere)
    want_live(folder, gateway="home-01", minutes=7, resident="", now_ms=0)
    assert elsewhere.read_bytes() == b"of somebody else"
    assert not (folder / "home-01.json").is_symlink()
    assert msgspec.json.decode((folder / "home-01.json").read_bytes(), type=Wanted).minutes == 7
    beyond = tmp_path / "beyond"
    beyond.mkdir()
    linked = tmp_path / "linked"
    linked.symlink_to(beyond)
    with pytest.raises(OSError, match="linked"):
        want_live(linked, gateway="home-01", minutes=7, resident="", now_ms=0)
    assert list(beyond.iterdir()) == []


@pytest.mark.parametrize("left", [b"", b"{", b'{"number": "x"}', b'{"number": 5, "until_ms": 1, "minutes": 9}'])
def test_what_is_too_old_or_cut_short_is_not_asked_and_goes(town: Town, left: bytes) -> None:
    (of_itself,) = beat(town)
    file = town.folder / FOLDER / "home-01.json"
    file.parent.mkdir()
    file.write_bytes(left)
    assert beat(town, of_itself.number) == []
    assert not file.exists()


def test_two_who_ask_for_the_same_gateway_at_once_are_both_served(tmp_path: Path) -> None:
    folder = tmp_path / FOLDER

    def ask(number: int) -> None:
        for turn in range(200):
            want_live(folder, gateway="home-01", minutes=5, resident=f"r-{number}-{turn}", now_ms=0)

    with ThreadPoolExecutor(4) as threads:
        for done in [threads.submit(ask, number) for number in range(4)]:
            done.result()
    assert [file.name for file in folder.iterdir()] == ["home-01.json"], "what was begun was left behind"
    assert msgspec.json.decode((folder / "home-01.json").read_bytes(), type=Wanted).resident.endswith("-199")
