"""Sets of recordings: found by what they hold, and refused in words where they are damaged."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from kanhu.cloud.errors import RecordingsRefused
from kanhu.cloud.training.recordings import find_sets, load_set, sha256_of


def _set(folder: Path, rows: str = "a,anna,0\nb,bao,1\n") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "index.csv").write_text("record,subject,fall\n" + rows, encoding="utf-8")
    np.savez(folder / "data.npz", rr_ms=np.arange(5, dtype=np.uint16), offsets=np.array([0, 3, 5]))
    return folder


def test_a_set_is_known_by_its_arrays_whatever_its_folder_is_called(tmp_path: Path) -> None:
    place = _set(tmp_path / "anything")
    assert find_sets(tmp_path) == {"cinc2017_rr": place}
    assert find_sets(place) == {"cinc2017_rr": place}


def test_records_are_cut_at_their_offsets(tmp_path: Path) -> None:
    first, second = load_set("cinc2017_rr", _set(tmp_path))
    assert (first.subject, first.arrays["rr_ms"].tolist(), first.number("fall")) == ("anna", [0, 1, 2], 0)
    assert (second.name, second.arrays["rr_ms"].tolist()) == ("b", [3, 4])


def test_the_hash_of_recordings_changes_with_any_sample(tmp_path: Path) -> None:
    records = load_set("cinc2017_rr", _set(tmp_path))
    before = sha256_of(records)
    records[1].arrays["rr_ms"][1] += 1
    assert sha256_of(records) != before


def test_two_sets_of_one_kind_are_ambiguous(tmp_path: Path) -> None:
    _set(tmp_path / "one"), _set(tmp_path / "other")
    with pytest.raises(RecordingsRefused, match="name one of them"):
        find_sets(tmp_path)


def _no_arrays(folder: Path) -> None:
    (folder / "data.npz").write_bytes(b"PK\x03\x04garbage")


def _other_index(folder: Path) -> None:
    _set(folder, "a,anna,0\n")


def _backwards(folder: Path) -> None:
    np.savez(folder / "data.npz", rr_ms=np.arange(5, dtype=np.uint16), offsets=np.array([0, 6, 5]))


@pytest.mark.parametrize("damage", [_no_arrays, _other_index, _backwards])
def test_a_damaged_set_is_refused_in_words(tmp_path: Path, damage: Callable[[Path], None]) -> None:
    damage(_set(tmp_path))
    with pytest.raises(RecordingsRefused, match="fetch it again"):
        load_set("cinc2017_rr", find_sets(tmp_path)["cinc2017_rr"])


def test_a_folder_without_sets_is_named(tmp_path: Path) -> None:
    with pytest.raises(RecordingsRefused, match=str(tmp_path)):
        find_sets(tmp_path / "nowhere")
