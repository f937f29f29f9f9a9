"""The clauses: a county that keeps the specification is found to keep it, and each broken one is caught by name."""

from pathlib import Path

import pytest

from kanhu.cloud.ledger.database import LEDGER_FILE
from kanhu.contract import Envelope, SystemClock, decode_envelope, new_epoch
from kanhu.harness.conform.bench import Bench
from kanhu.harness.conform.clauses import CLAUSES, FIRST, Clause
from kanhu.harness.conform.county import ReferenceCounty
from kanhu.harness.conform.judging import Answer, Verdict, ask_all
from kanhu.harness.conform.kanhu_county import KanhuCounty
from kanhu.harness.conform.readings import Maker
from kanhu.harness.conform.spoiled import SPOILED, Spoiled, sealed
from kanhu.harness.conform.virtual_gateway import ClauseBroken
from kanhu.harness.ports import free_port
from kanhu.harness.village.processes import Processes, environment
from tests.architecture.layout import ROOT
from tests.harness.conform_ground import (
    ForgetsConflicts,
    LedgerFile,
    PromisesEverything,
    SaysSoFirst,
    county_bench,
    reason_of,
)

_REASONS = {
    "empty": "empty",
    "other-format": "not_kanhu",
    "version-2": "unknown_version",
    "compression-9": "unknown_compression",
    "flipped-bit": "bad_compression",
    "two-frames": "bad_compression",
    "bomb": "expands_too_far",
    "size-not-stated": "expands_too_far",
    "too-large": "too_large",
    "too-many": "malformed",
    "cut-short": "malformed",
    "column-more": "malformed",
    "column-less": "malformed",
    "columns-differ": "inconsistent",
    "step-left-over": "inconsistent",
    "step-missing": "inconsistent",
    "same-number-twice": "inconsistent",
    "longer-record": "malformed",
    "unknown-metric": "inconsistent",
    "unknown-word": "malformed",
}


def _envelope() -> Envelope:
    return Envelope(FIRST, new_epoch(), ((1, Maker(FIRST, clock=SystemClock()).reading(1)),))


def _broken(answers: list[Answer]) -> set[str]:
    return {answer.clause.name for answer in answers if answer.verdict is Verdict.BROKEN}


@pytest.mark.parametrize("clause", CLAUSES, ids=lambda clause: clause.name)
def test_each_clause_quotes_the_specification_word_for_word(clause: Clause) -> None:
    page = " ".join((ROOT / "docs/spec" / clause.page).read_text(encoding="utf-8").split())
    assert " ".join(clause.says.split()) in page


def test_no_two_clauses_share_a_name() -> None:
    assert len({clause.name for clause in CLAUSES}) == len(CLAUSES)


@pytest.mark.parametrize("spoiled", SPOILED, ids=lambda spoiled: spoiled.name)
def test_each_spoiled_envelope_breaks_what_it_says(spoiled: Spoiled) -> None:
    assert reason_of(spoiled.make(_envelope())) == _REASONS[spoiled.name]


@pytest.mark.parametrize("compression", [0, 1, 2])
def test_honest_envelopes_are_honest_under_each_compression(compression: int) -> None:
    made = _envelope()
    wire = sealed(made, compression=compression)
    assert wire[3] == compression
    assert decode_envelope(wire) == made


@pytest.mark.broker
async def test_a_county_written_from_the_pages_keeps_every_clause(tmp_path: Path) -> None:
    async with county_bench(tmp_path, ReferenceCounty) as bench:
        answers = await ask_all(bench)
    assert [(each.clause.name, each.detail) for each in answers if each.verdict is not Verdict.KEPT] == []


@pytest.mark.broker
async def test_a_receipt_ahead_of_the_ledger_is_caught(tmp_path: Path) -> None:
    wanted = [clause for clause in CLAUSES if clause.name in {"commit-first", "epochs-apart"}]
    async with county_bench(tmp_path, SaysSoFirst) as bench:
        assert _broken(await ask_all(bench, clauses=wanted)) == {"commit-first"}


@pytest.mark.broker
async def test_a_county_that_promises_everything_is_caught(tmp_path: Path) -> None:
    names = {"cumulative", "epochs-apart", "tells-the-time", "refuses-flipped-bit", "refuses-unknown-metric"}
    async with county_bench(tmp_path, PromisesEverything) as bench:
        assert _broken(await ask_all(bench, clauses=[each for each in CLAUSES if each.name in names])) == names


@pytest.mark.broker
async def test_a_county_that_hides_conflicts_is_caught(tmp_path: Path) -> None:
    wanted = [clause for clause in CLAUSES if clause.name in {"conflict", "redelivery"}]
    async with county_bench(tmp_path, ForgetsConflicts) as bench:
        assert _broken(await ask_all(bench, clauses=wanted)) == {"conflict"}


@pytest.mark.broker
async def test_clauses_that_lack_a_ledger_or_a_switch_are_named_and_not_asked(tmp_path: Path) -> None:
    async with county_bench(tmp_path, ReferenceCounty) as bench:
        bare = Bench(bench.url, bench.clock, patience_s=3)
        answers = await ask_all(bare, clauses=[each for each in CLAUSES if each.needs])
    assert {answer.verdict for answer in answers} == {Verdict.NOT_ASKED}
    assert all(answer.detail.startswith("needs --") for answer in answers)


async def test_an_address_where_no_broker_is_ends_the_test_in_words() -> None:
    bench = Bench(f"mqtt://127.0.0.1:{free_port()}", SystemClock())
    with pytest.raises(ClauseBroken, match="no broker takes connections"):
        await ask_all(bench)


@pytest.mark.broker
async def test_the_county_of_this_repository_keeps_every_clause(tmp_path: Path) -> None:
    processes = Processes(tmp_path, environment())
    try:
        county = await KanhuCounty.begin(tmp_path / "county", processes)
        look = LedgerFile(county.folder / "county" / LEDGER_FILE)
        answers = await ask_all(Bench(county.url, SystemClock(), crashes=1, ledger=look, power=county))
    finally:
        await processes.stop_all()
    assert [(each.clause.name, each.detail) for each in answers if each.verdict is not Verdict.KEPT] == []
