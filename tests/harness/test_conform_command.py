"""The command: wrong usage is refused before anything starts, and its page says what it does."""

import argparse
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from kanhu.harness.conform import __main__ as program
from kanhu.harness.conform import thingsboard
from kanhu.harness.conform.candidates import GATEWAY, PLACES, Door, Wire, command, kanhu
from kanhu.harness.conform.cell import Figures
from kanhu.harness.conform.clauses import CLAUSES, ENROLLED, NOBODY
from kanhu.harness.conform.document import PAGE, clause_table, figure_tables, put_between
from kanhu.harness.conform.judging import Answer, Verdict
from kanhu.harness.conform.rows import ROWS
from kanhu.harness.errors import ProgramFailed
from kanhu.harness.report import Value, read_limits
from kanhu.harness.report import Verdict as Judged
from tests.architecture.layout import ROOT

_WRONG = {
    "--speed 10": "keep real time",
    "--gateway x --cloud mqtt://127.0.0.1": "two tests",
    "--gateway {nowhere}": "names 'nowhere'",
    "--cloud http://127.0.0.1": "is no address",
    "--cloud 127.0.0.1:1883": "is no address",
    "--ledger x": "belong to --cloud",
    "--cloud mqtt://127.0.0.1 --kill x": "belong together",
    "--gateway no-such-gateway": "there is no such program",
    "--cloud mqtt://127.0.0.1 --ledger no-such-dump": "there is no such program",
    "--cloud mqtt://127.0.0.1 --ledger 'dump": "No closing quotation",
    "--cloud mqtt://127.0.0.1 --kill true --start no-such-county": "there is no such program",
    "--rate 0": "0.01 to 100",
    "--rate nan": "0.01 to 100",
    "--jobs 0": "1 to 64",
    "--row nonsense": "invalid choice",
    "--write --quick": "whole table",
}


@pytest.mark.parametrize("arguments", _WRONG)
def test_wrong_usage_is_refused_in_words(
    arguments: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["conform", *arguments.split()])
    with pytest.raises(SystemExit) as refused:
        program.main()
    assert refused.value.code == 2
    assert _WRONG[arguments] in capsys.readouterr().err.splitlines()[-1]


def test_the_help_of_run_names_each_option() -> None:
    text = (ROOT / "harness/src/kanhu/harness/conform/__main__.py").read_text(encoding="utf-8")
    options = set(re.findall(r'add_argument\(\s*"(--[a-z-]+)"', text)) - {"--speed"}
    door = subprocess.run(
        [str(ROOT / "run"), "conform", "--help"], capture_output=True, text=True, check=False, timeout=60
    )
    assert set(re.findall(r"^  (--[a-z-]+)", door.stdout, re.MULTILINE)) == options


async def test_a_gateway_that_cannot_be_fetched_is_left_out_by_name(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    async def fails(*_: object, **__: object) -> Path:
        raise ProgramFailed("fetching thingsboard-gateway", "no such host")

    monkeypatch.setattr(thingsboard, "ensure_installed", fails)
    figures: dict[str, Value] = {}
    known = await program._known(argparse.Namespace(cache=tmp_path), figures)
    assert [each.name for each in known] == ["kanhu"]
    assert figures == {"thingsboard_left_out": "fetching thingsboard-gateway failed:"}
    assert "is left out" in capsys.readouterr().err


def test_settings_of_the_other_gateway_send_it_where_it_is_sent(tmp_path: Path) -> None:
    shipped = tmp_path / "venv/lib/python3.11/site-packages/thingsboard_gateway/config/logs.json"
    shipped.parent.mkdir(parents=True)
    shipped.write_text("{}", encoding="utf-8")
    thingsboard.write_settings(
        tmp_path / "run", host="10.0.0.1", port=7, feed_port=9, storage="file", program=tmp_path / "venv/bin/gateway"
    )
    settings = json.loads((tmp_path / "run/config/tb_gateway.json").read_text(encoding="utf-8"))
    rest = json.loads((tmp_path / "run/config/rest.json").read_text(encoding="utf-8"))
    assert (settings["thingsboard"]["host"], settings["thingsboard"]["port"]) == ("10.0.0.1", 7)
    assert settings["storage"]["type"] == "file"
    assert not settings["thingsboard"]["remoteConfiguration"]
    assert (rest["server"]["host"], rest["server"]["port"]) == ("127.0.0.1", "9")


def test_the_page_names_every_row_clause_place_and_gateway() -> None:
    page = PAGE.read_text(encoding="utf-8")
    words = [f"`{row.name}`" for row in ROWS] + [f"`{clause.name}`" for clause in CLAUSES]
    words += [f"`{{{place}}}`" for place in PLACES] + [f"`{name}`" for name in (*ENROLLED, NOBODY, GATEWAY)]
    words += [f"--feed {door.value}" for door in Door] + [f"--wire {wire.value}" for wire in Wire]
    assert [word for word in words if word not in page] == []
    assert thingsboard.VERSION in page


def test_tables_are_put_between_their_markers_and_nowhere_else() -> None:
    page = "before\n<!-- figures: begin -->\nold\n<!-- figures: end -->\nafter\n"
    written = put_between(page, "figures", "new")
    assert written == "before\n<!-- figures: begin -->\n\nnew\n\n<!-- figures: end -->\nafter\n"
    assert put_between(written, "figures", "new") == written
    with pytest.raises(ValueError, match="no markers"):
        put_between("nothing here", "figures", "new")


def test_each_gateway_has_its_column_and_a_row_that_does_not_apply_says_so() -> None:
    stranger = command("my-gateway {folder}", wire=Wire.JSON, door=Door.HTTP)
    rows = [row for row in ROWS if row.name in {"reset", "county-away"}]
    done = {
        (each.name, "reset"): Figures(each.name, "reset", 9, 8, 3, 0, 0, 0, 1.5, 40.0, 0.5, 3.0, 100.0, 60.0)
        for each in (kanhu(), stranger)
    }
    text = figure_tables([kanhu(), stranger], rows, done, how="./run conform")
    assert "| connection reset every 5 s | 3 of 8 | 3 of 8 |" in text
    assert not stranger.can_be_put_into(next(row for row in rows if row.name == "county-away"))
    assert "does not apply" in text


def test_a_gateway_that_promised_nothing_and_one_that_no_row_applied_to_are_not_ok() -> None:
    stranger = command("my-gateway {folder}", wire=Wire.JSON, door=Door.HTTP)
    rows = [row for row in ROWS if row.name in {"reset", "refused"}]
    limits = read_limits("conform")

    def broken(*accepted: int) -> set[str]:
        done = {
            (stranger.name, row.name): Figures(
                stranger.name, row.name, 9, many, 0, 0, 0, 0, 1.5, 40.0, 0.5, 3.0, 1.0, 60.0, due=9
            )
            for row, many in zip(rows, accepted, strict=False)
        }
        figures = program._matrix_figures([stranger], rows, done)
        return {
            name for name, value in figures.items() if name in limits and limits[name].judge(value) is Judged.BROKEN
        }

    assert broken(8, 9) == set()
    assert broken(8, 0) == {"least_accepted_share"}
    assert broken() == {"cells"}


def test_a_clause_that_was_not_asked_is_in_the_table_all_the_same() -> None:
    text = clause_table([Answer(CLAUSES[0], Verdict.BROKEN)], of="yours")
    assert f"| `{CLAUSES[0].name}` |" in text
    assert text.count("not asked") == len(CLAUSES) - 1
