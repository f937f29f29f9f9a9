"""The external ledger: each way in which books can be wrong has its own count."""

import json
import random
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest

from kanhu.harness.ledger import Account, Books, balance, count_emitted

EPOCH = "ab" * 16
Balanced = Callable[..., Account]


def _write(path: Path, lines: Iterable[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    return path


def _emitted(count: int) -> list[dict[str, Any]]:
    return [{"n": n, "home": "home-01", "device": "cuff-01", "t_ms": n} for n in range(1, count + 1)]


def _accepted(seq: int, *, kind: str = "reading", sha256: str = "") -> dict[str, Any]:
    return {"kind": kind, "epoch": EPOCH, "seq": seq, "sha256": sha256 or f"digest-{seq}"}


def _stored(seq: int, *, sha256: str = "") -> dict[str, Any]:
    return {"gateway": "home-01", "epoch": EPOCH, "seq": seq, "sha256": sha256 or f"digest-{seq}"}


@pytest.fixture
def books(tmp_path: Path) -> Balanced:
    def build(*, emitted: int, journal: list[dict[str, Any]], ledger: list[dict[str, Any]]) -> Account:
        return balance(
            emitted=_write(tmp_path / "emitted", _emitted(emitted)),
            journals=[("home-01", _write(tmp_path / "accepted", journal))],
            ledger=_write(tmp_path / "ledger", ledger),
        )

    return build


def test_books_that_balance_have_no_problem(books: Balanced) -> None:
    account = books(
        emitted=3,
        journal=[_accepted(1), _accepted(2), _accepted(3, kind="finding"), {"refused": "short", "device": "cuff-01"}],
        ledger=[_stored(1), _stored(2), _stored(3)],
    )
    assert account.problems() == []
    assert (account.emitted, account.accepted, account.refused, account.stored) == (3, 2, {"short": 1}, 2)


@pytest.mark.parametrize(
    ("emitted", "journal", "ledger", "problem"),
    [
        (1, [_accepted(1)], [], "1 lost"),
        (0, [_accepted(1, kind="finding")], [], "1 lost"),
        (2, [_accepted(1), _accepted(1, sha256="other")], [_stored(1, sha256="other")], "1 lost"),
        (1, [_accepted(1)], [_stored(1), _stored(1)], "1 duplicated"),
        (1, [_accepted(1)], [_stored(1, sha256="other")], "1 stored with other bytes"),
        (1, [_accepted(1)], [_stored(1), _stored(2)], "1 stored but never accepted"),
        (2, [_accepted(1)], [_stored(1)], "emitted 2 is not accepted 1 + refused 0"),
        (0, [_accepted(1)], [_stored(1)], "emitted 0 is not accepted 1 + refused 0"),
    ],
)
def test_every_kind_of_wrong_book_is_named(
    books: Balanced, emitted: int, journal: list[dict[str, Any]], ledger: list[dict[str, Any]], problem: str
) -> None:
    assert problem in books(emitted=emitted, journal=journal, ledger=ledger).problems()


def test_a_line_still_being_written_is_not_counted(tmp_path: Path) -> None:
    journal = tmp_path / "emitted"
    journal.write_text('{"n": 1}\n{"n": 2', encoding="utf-8")
    assert count_emitted(journal) == 1


def test_a_journal_that_does_not_exist_yet_holds_nothing(tmp_path: Path) -> None:
    assert count_emitted(tmp_path / "never") == 0


def test_what_waits_in_an_outbox_is_owed_and_not_lost() -> None:
    books = Books()
    for seq in (1, 2, 3):
        books.note("home-01", _accepted(seq))
    account = books.account([_stored(1)], owed={("home-01", EPOCH): [2, 7]})
    assert (account.lost, account.owed, account.stored) == (1, 1, 1)
    assert account.broken_promises() == ["1 lost"]


def test_an_outbox_of_another_epoch_excuses_nothing() -> None:
    books = Books()
    books.note("home-01", _accepted(1))
    account = books.account([], owed={("home-01", "cd" * 16): [1], ("home-02", EPOCH): [1]})
    assert (account.lost, account.owed) == (1, 0)


def test_a_promise_made_and_never_heard_is_unclaimed_and_breaks_nothing() -> None:
    account = Books().account([_stored(1)])
    assert (account.unclaimed, account.broken_promises()) == (1, [])


def test_the_same_promise_written_down_twice_is_one_promise() -> None:
    books = Books()
    books.note("home-01", _accepted(1))
    books.note("home-01", _accepted(1))
    assert books.account([_stored(1)]).broken_promises() == []


def test_lateness_is_counted_from_the_promise_to_the_first_storing() -> None:
    books = Books()
    for seq in range(1, 101):
        books.note("home-01", _accepted(seq), at_ms=1000 * seq)
    stored = [_stored(seq) | {"received_ms": 1000 * seq + 10 * seq} for seq in range(1, 101)]
    account = books.account([*stored, _stored(1) | {"received_ms": 10**9}], late_after_ms=900)
    assert (account.late, account.late_ms_p95, account.duplicated) == (10, 960.0, 1)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_every_planted_error_is_counted_once_among_thousands(seed: int) -> None:
    draw = random.Random(seed)
    seqs = list(range(1, 3001))
    books = Books()
    for seq in draw.sample(seqs, len(seqs)):
        books.note("home-01", _accepted(seq, sha256=f"{seq:064x}"))
    lost, wrong, again = (set(part) for part in (seqs[:7], seqs[100:111], seqs[500:513]))
    stored = [_stored(seq, sha256=f"{seq + 10**6 * (seq in wrong):064x}") for seq in seqs if seq not in lost]
    stored += [_stored(seq, sha256=f"{seq:064x}") for seq in again]
    draw.shuffle(stored)
    account = books.account(stored)
    assert (account.lost, account.wrong, account.duplicated, account.stored) == (7, 11, 13, 2993)
