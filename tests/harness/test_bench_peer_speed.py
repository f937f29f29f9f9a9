"""`./run bench devices --peers`: a library is timed on frames that it decodes; what it cannot decode is never fast."""

import asyncio
import sys
from pathlib import Path

import pytest

from kanhu.harness.bench.peer_speed import beside, tell_beside
from kanhu.harness.errors import ProgramFailed
from kanhu.harness.vectors.second_opinion import peer
from kanhu.harness.vectors.vector import Vector

_RATES = [Vector(one, "BLE HRS 0x2A37", bytes.fromhex("0055"), {"heart_rate_bpm": 85}, {"id": one}) for one in "ab"]


def stub(folder: Path, answers: str) -> list[str]:
    script = folder / "peer.py"
    script.write_text(f"import json, sys\njson.load(sys.stdin)\nprint({answers!r})\n", encoding="utf-8")
    return [sys.executable, "-I", str(script)]


def test_only_frames_that_it_decodes_are_timed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    start = stub(tmp_path, '[{"told": {"x": 1}, "us": 70.0}, {"told": null}]')
    found = asyncio.run(beside(_RATES, peer=start))
    assert [(one.library, one.asked, one.decoded, one.theirs_us) for one in found] == [("bluetooth-sig", 2, 1, 70.0)]
    assert found[0].ours_us is not None
    assert found[0].ours_us > 0
    tell_beside(found)
    assert "70.0" in capsys.readouterr().out


def test_a_library_that_decodes_nothing_has_no_time(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = asyncio.run(beside(_RATES, peer=stub(tmp_path, '[{"told": null}, {"raised": "no"}]')))
    assert (found[0].decoded, found[0].theirs_us, found[0].ours_us) == (0, None, None)
    tell_beside(found)
    assert "decodes none" in capsys.readouterr().out


def test_an_answer_too_few_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ProgramFailed, match="1 answers to 2 frames"):
        asyncio.run(beside(_RATES, peer=stub(tmp_path, '[{"told": null}]')))


def test_a_slower_library_takes_longer() -> None:
    quick = peer._time(lambda frame: frame, {}, 5, 3)
    slow = peer._time(lambda frame: {"n": sum(range(20_000 + len(frame)))}, {}, 5, 3)
    assert slow > 10 * quick
