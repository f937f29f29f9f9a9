"""`./run score glucose`: any folder of that format, other people, any number; every figure and answer is explained."""

import json
from pathlib import Path

import numpy as np
import pytest

from kanhu.harness.score.glucose import main
from kanhu.vitals.glucose import GlucoseReason
from tests.architecture.layout import ROOT

PAGE = (ROOT / "docs/detection/glucose.md").read_text(encoding="utf-8")


def _folder(place: Path, people: int) -> Path:
    """People of two days, with a dip below 70 each day."""
    random, parts = np.random.default_rng(2), []
    hours = np.arange(0, 48, 0.25)
    for _ in range(people):
        dip = 55 * np.exp(-(((hours % 24) - random.uniform(5, 20)) ** 2) / 0.7)
        parts.append(np.round(np.clip(115 - dip + random.normal(0, 1.5, len(hours)), 40, 400) * 10).astype(np.uint16))
    place.mkdir()
    rows = [f"r{index},nobody-{index}" for index in range(people)]
    (place / "index.csv").write_text("record,subject\n" + "\n".join(rows) + "\n", encoding="utf-8")
    values = np.concatenate(parts)
    minutes = np.tile(27_000_000 + np.arange(len(hours)) * 15, people)
    offsets = np.arange(people + 1) * len(hours)
    np.savez(place / "data.npz", unix_min=minutes, cgm_dmgdl=values, cbg_dmgdl=np.zeros_like(values), offsets=offsets)
    return place


@pytest.mark.parametrize("people", [1, 4])
def test_people_the_model_has_not_seen_are_scored_with_the_shipped_one(
    people: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    picture = tmp_path / "picture.png"
    main(["--data", str(_folder(tmp_path / "other", people)), "--json", "--plot", str(picture)])
    figures = json.loads(capsys.readouterr().out.splitlines()[-1])["figures"]
    assert figures["people"] == people
    assert figures["lows"] == 2 * people
    assert figures["rmse_mg_dl"] < figures["persistence_rmse_mg_dl"]
    assert 0 <= figures["warned_low"] <= figures["warned"] <= figures["warned_high"] <= 1
    assert figures["told_by_onset"] == 1
    assert picture.read_bytes().startswith(b"\x89PNG")
    whole = {name.removesuffix("_low").removesuffix("_high") for name in figures}
    assert [name for name in whole if f"`{name}`" not in PAGE] == []


def test_every_answer_is_explained() -> None:
    assert [reason for reason in GlucoseReason if f"`{reason}`" not in PAGE] == []
