"""The picture of deterioration counts who is found, whatever the order of the file."""

from pathlib import Path

from kanhu.harness.score.deterioration_plot import draw, found_by_called


def test_deaths_found_grow_with_the_stays_called() -> None:
    assert found_by_called([(0.1, False), (0.9, True), (0.5, True), (0.2, False)]) == [
        (0.0, 0.0),
        (0.25, 0.5),
        (0.5, 1.0),
        (0.75, 1.0),
        (1.0, 1.0),
    ]


def test_stays_of_one_score_are_called_together() -> None:
    pairs = [(3.0, True), (3.0, False), (1.0, False), (1.0, True)]
    assert found_by_called(pairs) == found_by_called(pairs[::-1]) == [(0.0, 0.0), (0.5, 0.5), (1.0, 1.0)]


def test_nobody_died_and_nothing_is_drawn_for_it(tmp_path: Path) -> None:
    assert found_by_called([(1.0, False)]) == []
    file = tmp_path / "picture.png"
    draw(file, {"course": [(1.0, False)]}, called=0.05)
    assert file.read_bytes().startswith(b"\x89PNG")
