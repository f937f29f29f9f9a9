import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest

from kanhu.harness.demo.account import Account, balance, count_emitted

EPOCH = "ab" * 16
Books = Callable[..., Account]


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
def books(tmp_path: Path) -> Books:
    def build(*, emitted: int, journal: list[dict[str, Any]], ledger: list[dict[str, Any]]) -> Account:
        return balance(
            emitted=_write(tmp_path / "emitted", _emitted(emitted)),
            journals=[("home-01", _write(tmp_path / "accepted", journal))],
            ledger=_write(tmp_path / "ledger", ledger),
        )

    return build


def test_books_that_balance_have_no_problem(books: Books) -> None:
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
        (1, [_accepted(1)], [_stored(1), _stored(1)], "1 duplicated"),
        (1, [_accepted(1)], [_stored(1, sha256="other")], "1 stored with other bytes"),
        (1, [_accepted(1)], [_stored(1), _stored(2)], "1 stored but never accepted"),
        (2, [_accepted(1)], [_stored(1)], "emitted 2 is not accepted 1 + refused 0"),
        (0, [_accepted(1)], [_stored(1)], "emitted 0 is not accepted 1 + refused 0"),
    ],
)
def test_every_kind_of_wrong_book_is_named(
    books: Books, emitted: int, journal: list[dict[str, Any]], ledger: list[dict[str, Any]], problem: str
) -> None:
    assert problem in books(emitted=emitted, journal=journal, ledger=ledger).problems()


def test_a_line_still_being_written_is_not_counted(tmp_path: Path) -> None:
    journal = tmp_path / "emitted"
    journal.write_text('{"n": 1}\n{"n": 2', encoding="utf-8")
    assert count_emitted(journal) == 1


def test_a_journal_that_does_not_exist_yet_holds_nothing(tmp_path: Path) -> None:
    assert count_emitted(tmp_path / "never") == 0
