"""The county keeps detector states under pseudonyms, gives them to the next card, and says what it refuses."""

from pathlib import Path
from random import Random

import msgspec
import pytest
from sqlalchemy import Connection

from kanhu.cloud.config import CloudConfig
from kanhu.cloud.doctor import examine
from kanhu.cloud.ingest.door import Message
from kanhu.cloud.ledger import checkpoints
from kanhu.cloud.ledger.checkpoints import KEPT_OF_A_PERSON, MOST_PEOPLE, keep
from kanhu.cloud.ledger.counters import counters
from kanhu.contract import (
    Checkpoint,
    FakeClock,
    Phase,
    StateKept,
    StateRefusal,
    StatesAsked,
    StatesGiven,
    StatesKept,
    StatesSent,
    encode_states,
)
from kanhu.contract.states import PAGE_BYTES, StatesMessage, sealed
from tests.cloud.town import EPOCH, Town, finding, heartbeat

NEXT = "0" * 31 + "2"
LAST = "0" * 31 + "3"


@pytest.fixture
def town(tmp_path: Path) -> Town:
    town = Town(tmp_path, FakeClock())
    town.connected()
    town.beat("home-01")
    return town


def checkpoint(
    seq: int,
    state: bytes = b"state",
    *,
    who: str = "r-0001",
    epoch: str = EPOCH,
    gateway: str = "home-01",
    alerts: tuple[str, ...] = (),
) -> Checkpoint:
    return sealed(gateway, Checkpoint(who, epoch, seq, 1_790_000_000_000, alerts, state, b""))


def deliver(town: Town, message: StatesMessage, *, gateway: str = "home-01") -> StatesMessage | None:
    answers = town.answers(Message(f"kanhu/v1/up/{gateway}/state", encode_states(message), retained=False))
    return answers.states[0].message if answers.states else None


def send(town: Town, *checkpoints: Checkpoint, epoch: str = EPOCH) -> list[StateRefusal | None]:
    answer = deliver(town, StatesSent("home-01", epoch, checkpoints))
    assert isinstance(answer, StatesKept)
    return [one.refused for one in answer.answers]


def ask(town: Town, *, epoch: str = NEXT, after: str = "") -> StatesGiven:
    answer = deliver(town, StatesAsked("home-01", epoch, "nonce", after))
    assert isinstance(answer, StatesGiven)
    assert (answer.gateway, answer.epoch, answer.nonce) == ("home-01", epoch, "nonce")
    return answer


def counted(town: Town, prefix: str = "state.") -> dict[str, int]:
    with town.county.ledger.read() as connection:
        return counters(connection, prefix=prefix)


def test_the_next_card_gets_the_newest_of_each_person(town: Town) -> None:
    newest = checkpoint(9, b"newest")
    other = checkpoint(8, b"other", who="r-0002")
    assert send(town, checkpoint(5), newest, other) == [None, None, None]
    assert ask(town).checkpoints == (newest, other)
    assert counted(town) == {"asked": 1, "given": 2, "kept": 3}


def test_a_first_card_gets_nothing_and_no_card_gets_its_own(town: Town) -> None:
    assert ask(town).checkpoints == ()
    send(town, checkpoint(5))
    assert ask(town, epoch=EPOCH).checkpoints == ()


def test_another_gateway_gets_nothing_of_it(town: Town) -> None:
    send(town, checkpoint(5))
    answer = deliver(town, StatesAsked("home-02", NEXT, "nonce"), gateway="home-02")
    assert isinstance(answer, StatesGiven)
    assert answer.checkpoints == ()
    assert deliver(town, StatesAsked("home-01", NEXT, "nonce"), gateway="home-02") is None
    assert counted(town, "quarantine.") == {"wrong_gateway": 1}


def test_a_third_card_goes_on_from_whichever_was_last(town: Town) -> None:
    send(town, checkpoint(50), checkpoint(51, who="r-0002"))
    town.deliver(heartbeat("home-01", town.clock.wall_ms(), epoch=NEXT))
    newer = checkpoint(3, b"of the second card", epoch=NEXT)
    assert send(town, newer, epoch=NEXT) == [None]
    assert ask(town, epoch=LAST).checkpoints == (newer, checkpoint(51, who="r-0002"))


@pytest.mark.parametrize(
    ("sent", "reason"),
    [
        (checkpoint(9, b"later"), StateRefusal.CONFLICT),
        (checkpoint(8), StateRefusal.OLDER),
        (msgspec.structs.replace(checkpoint(10), state=b"changed"), StateRefusal.CORRUPT),
        (checkpoint(10, gateway="home-02"), StateRefusal.CORRUPT),
        (checkpoint(10, epoch=NEXT), StateRefusal.OTHER_EPOCH),
    ],
)
def test_what_may_not_be_gone_on_from_is_refused_counted_and_shown(
    town: Town, sent: Checkpoint, reason: StateRefusal
) -> None:
    kept = checkpoint(9)
    send(town, kept)
    assert send(town, sent) == [reason]
    assert ask(town).checkpoints == (kept,)
    assert counted(town, "state.refused.") == {reason.value: 1}
    shown = [one.text for one in examine(CloudConfig(data=town.folder), clock=town.clock) if one.about == "states"]
    assert shown[0] == "of 1 people of 1 gateways, kept for the next card"
    assert reason.value in shown[1]


def test_a_card_that_was_taken_out_has_no_say_any_more(town: Town) -> None:
    town.deliver(heartbeat("home-01", town.clock.wall_ms(), epoch=NEXT))
    assert send(town, checkpoint(9)) == [StateRefusal.OTHER_EPOCH]


def test_the_same_again_is_kept_already(town: Town) -> None:
    assert send(town, checkpoint(9)) == [None]
    later = sealed("home-01", msgspec.structs.replace(checkpoint(9), taken_ms=1_790_000_000_999))
    assert send(town, checkpoint(9), later) == [None, None]
    with town.county.ledger.read() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM checkpoint").scalar() == 1


def test_the_county_keeps_few_of_a_person_and_of_few_enough(town: Town) -> None:
    send(town, *(checkpoint(seq) for seq in range(1, 20)))
    with town.county.ledger.read() as connection:
        kept = connection.exec_driver_sql("SELECT seq FROM checkpoint ORDER BY id").scalars().all()
    assert kept == list(range(20 - KEPT_OF_A_PERSON, 20))

    def fill(connection: Connection) -> StateRefusal | None:
        people = (checkpoint(1, who=f"p-{n}") for n in range(MOST_PEOPLE))
        return [keep(connection, one, gateway="home-01", now_ms=0) for one in people][-1]

    last = town.county.writer.run(lambda transaction: fill(transaction.connection))
    assert last is StateRefusal.TOO_MANY
    assert send(town, checkpoint(21)) == [None]


def test_what_fits_into_no_answer_is_refused_and_what_is_kept_is_given_to_whoever_asks(town: Town) -> None:
    noise, signs = Random(1), [chr(code) for code in range(0x10000, 0x10FFFF)]
    alerts = tuple(f"{noise.getrandbits(256):064x}" for _ in range(64))
    sizes = (40_000, 54_000, 54_400, 54_800, 55_200, 55_600, 56_000, 56_400)
    largest = [checkpoint(n + 1, noise.randbytes(size), alerts=alerts) for n, size in enumerate(sizes)]
    refused = [send(town, one)[0] for one in largest]
    last = refused.index(StateRefusal.TOO_LARGE)
    assert refused == last * [None] + (len(sizes) - last) * [StateRefusal.TOO_LARGE]
    assert last > 0
    asked = StatesAsked("home-01", NEXT, "".join(noise.choices(signs, k=128)))
    given = deliver(town, asked)
    assert isinstance(given, StatesGiven)
    assert given.checkpoints == (largest[last - 1],)
    assert set(given.unknown) == set(alerts)
    encode_states(given)


def test_a_state_kept_before_its_size_was_bounded_is_passed_over_and_nobody_waits_for_it(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checkpoints, "is_returnable", lambda *_: True)
    large = Random(1).randbytes(61_200)
    small = checkpoint(9, who="r-0002")
    assert send(town, checkpoint(5, large)) == [None]
    assert send(town, small) == [None]
    assert send(town, checkpoint(7, large, who="r-0003")) == [None]
    asked = StatesAsked("home-01", NEXT, "".join(Random(2).choices("abcdefghijkmnopqrstuvwxyz0123456789", k=128)))
    first = deliver(town, asked)
    assert isinstance(first, StatesGiven)
    assert (first.checkpoints, first.more) == ((small,), True)
    last = deliver(town, msgspec.structs.replace(asked, after="r-0002"))
    assert isinstance(last, StatesGiven)
    assert (last.checkpoints, last.more) == ((), False)
    assert counted(town) == {"asked": 2, "given": 1, "kept": 3, "left_out": 2}


def test_pages_are_small_and_together_hold_everybody(town: Town) -> None:
    noise = b"".join(bytes([n * 37 % 251, n * 91 % 241]) for n in range(300))
    everybody = [checkpoint(n + 1, noise[n:] + noise[:n], who=f"r-{n:04}") for n in range(40)]
    for one in everybody:
        send(town, one)
    found: list[Checkpoint] = []
    pages, more = 0, True
    while more:
        page = ask(town, after=found[-1].subject if found else "")
        assert len(encode_states(page)) <= PAGE_BYTES
        found += page.checkpoints
        pages, more = pages + 1, page.more
    assert found == everybody
    assert pages > 1


def test_the_card_learns_what_ended_what_stands_and_what_never_came(town: Town) -> None:
    now_ms = town.clock.wall_ms()
    first, second = finding(now_ms, rule="SPO2-LOW"), finding(now_ms, number=2)
    town.send((1, first), (2, second), (3, finding(now_ms + 1, rule="SPO2-LOW", phase=Phase.END)))
    send(town, checkpoint(2, alerts=(first.alert_id, second.alert_id, "never-came")))
    given = ask(town)
    assert (given.ended, given.unknown) == ((first.alert_id,), ("never-came",))


def test_a_restart_of_the_county_keeps_them(town: Town) -> None:
    send(town, checkpoint(9))
    town.stop()
    town.start()
    assert ask(town).checkpoints == (checkpoint(9),)


def test_messages_of_a_county_are_refused_from_a_gateway(town: Town) -> None:
    assert deliver(town, StatesKept("home-01", EPOCH, (StateKept("r-0001", 1),))) is None
    assert counted(town, "quarantine.") == {"malformed": 1}
