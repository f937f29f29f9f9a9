"""Libraries of the field asked the same question, each task's in an environment of its own (harness/apart/)."""

import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from kanhu.harness.apart import Apart, clean_environment
from kanhu.harness.errors import ProgramFailed
from kanhu.harness.score.command import Say

__all__ = ["Peers"]

_LONGEST_S = 1800
_LAST_WORDS = 600  # characters of what a library's process printed

Arrays = Mapping[str, NDArray[np.generic]]


@dataclass(frozen=True, slots=True)
class Peers:
    """Those of one task: `harness/apart/peers-<task>.txt` pins them, `score/peers_<task>.py` asks them there.

    That program is started as `python peers_<task>.py LIBRARY QUESTION.npz ANSWER.npz` and imports nothing of kanhu.
    """

    task: str

    def versions(self, *packages: str) -> dict[str, str]:
        """As pinned."""
        pinned = Apart(f"peers-{self.task}").versions()
        return {name: pinned[name] for name in packages}

    def ask(self, library: str, question: Arrays, *, say: Say) -> dict[str, NDArray[np.generic]]:
        """What one library answers to these arrays; its process ends with the answer.

        Raises:
            LibrariesMissing: they could not be installed.
            ProgramFailed: it ended badly, was too slow, or answered something else.
        """
        program = Path(__file__).with_name(f"peers_{self.task}.py")
        start = Apart(f"peers-{self.task}").ensure_installed(program, say=say)
        with tempfile.TemporaryDirectory() as folder:
            asked, answered = Path(folder) / "question.npz", Path(folder) / "answer.npz"
            np.savez(asked, allow_pickle=False, **question)
            try:
                ended = subprocess.run(
                    [*start, library, str(asked), str(answered)],
                    stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=clean_environment(), check=False, text=True,
                    errors="replace", timeout=_LONGEST_S,
                )  # fmt: skip  # words by rows
            except subprocess.TimeoutExpired as error:
                raise ProgramFailed(f"asking {library}", f"no answer within {_LONGEST_S} s") from error
            if ended.returncode:
                raise ProgramFailed(f"asking {library}", ended.stdout[-_LAST_WORDS:])
            try:
                with np.load(answered) as arrays:
                    return {name: arrays[name] for name in arrays.files}
            except (OSError, ValueError, BadZipFile) as error:
                raise ProgramFailed(f"asking {library}", f"no answer: {error}") from error
