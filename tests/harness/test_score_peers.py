"""Libraries of the field beside our detectors: asked and counted, without installing any."""

from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from kanhu.harness.apart import Apart
from kanhu.harness.errors import ProgramFailed
from kanhu.harness.score import anomaly_peers, beats_peers, peers_anomaly, peers_beats
from kanhu.harness.score.command import Run
from kanhu.harness.score.peers import Arrays, Peers

RUN = Run(Path("recordings"), seed=1, peers=True, plot=None, say=lambda _: None)
RECORDS = {"long": np.zeros(720), "short": np.zeros(360)}


def _fails(signal: np.ndarray, *_: float) -> list[int]:
    if len(signal) < 720:
        raise ValueError("too short")
    return [10] * len(signal)


def _beats() -> Iterator[beats_peers.Asked]:
    return beats_peers.asked(RECORDS, 360.0, RUN)


def _anomaly() -> Iterator[anomaly_peers.Asked]:
    return anomaly_peers.asked(RECORDS, RUN)


TASKS = [
    (peers_beats, beats_peers, _beats, "beats", lambda signal, rate_hz: range(0, len(signal), int(rate_hz))),
    (peers_anomaly, anomaly_peers, _anomaly, "scores", lambda values: values + 1),
]


@pytest.mark.parametrize(("program", "module", "ask_all", "found", "sound"), TASKS, ids=["beats", "anomaly"])
def test_every_library_answers_by_record_and_one_that_raises_is_counted(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    program: ModuleType,
    module: ModuleType,
    ask_all: Callable[[], Iterator[Any]],
    found: str,
    sound: Callable[..., Any],
) -> None:
    for one in (program, module):
        monkeypatch.setattr(one, "LIBRARIES", {"sound": sound, "fails": _fails})

    def ask(_: Peers, library: str, question: Arrays, *, say: object) -> dict[str, np.ndarray]:
        """The program in this process, with libraries of our own making."""
        del say
        np.savez(tmp_path / "question.npz", allow_pickle=False, **question)
        program.main(library, str(tmp_path / "question.npz"), str(tmp_path / "answer.npz"))
        with np.load(tmp_path / "answer.npz") as answer:
            return {name: answer[name] for name in answer.files}

    monkeypatch.setattr(Peers, "ask", ask)
    whole, failing = ask_all()
    expected = {"beats": {"long": [0, 360], "short": [0]}, "scores": {"long": [1] * 720, "short": [1] * 360}}[found]
    assert {name: values.tolist() for name, values in getattr(whole, found).items()} == expected
    assert (whole.failed, failing.failed) == (0, 1)
    short = getattr(failing, found)["short"]
    assert not short.any()
    assert getattr(failing, found)["long"].tolist() == [10] * 720


@pytest.mark.parametrize("ask_all", [_beats, _anomaly])
def test_an_answer_to_another_question_is_refused(
    monkeypatch: pytest.MonkeyPatch, ask_all: Callable[[], Iterator[Any]]
) -> None:
    numbers = {name: np.zeros(1) for name in ("beats", "score", "seconds", "failed")}
    monkeypatch.setattr(Peers, "ask", lambda *_, **__: numbers | {"offsets": np.asarray([0, 1])})
    with pytest.raises(ProgramFailed, match=r"answers to 2 records|1 scores of 1080 values"):
        list(ask_all())


@pytest.mark.parametrize(("task", "module"), [("beats", beats_peers), ("anomaly", anomaly_peers)])
def test_every_package_is_pinned_with_its_licence(task: str, module: ModuleType) -> None:
    lines = Apart(f"peers-{task}").pinned.read_text(encoding="utf-8").splitlines()
    packages = [line for line in lines if line and not line.startswith("#")]
    assert packages
    assert all("==" in line and line.partition("#")[2].strip() for line in packages)
    assert set(module.versions()) <= {line.partition("==")[0] for line in packages}
