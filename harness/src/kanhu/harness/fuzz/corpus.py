"""The corpus kept with the code: for every codec a few short frames that reach all that was ever reached in it.

One file a target, `tests/vectors/fuzz/TARGET.hex`, one frame a line. Which line follows which is watched in plain
Python: the choice needs no fuzzer, and comes out the same everywhere with one version of Python.
"""

import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Set
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

import kanhu.edge.codecs
from kanhu.edge import framing
from kanhu.edge.errors import DecodeError
from kanhu.harness.fuzz.published import ROOT
from kanhu.harness.fuzz.targets import Target

__all__ = ["KEPT_FRAMES", "keep", "kept_frames", "kept_targets", "shortest_reaching"]

KEPT_FRAMES = ROOT / "tests" / "vectors" / "fuzz"
_WATCHED = (*kanhu.edge.codecs.__path__, framing.__file__)
_Step = tuple[object, int, int, int]
"""Where, from which line, to which, and how many bits the count of it has; or how it ended."""


def kept_targets(folder: Path = KEPT_FRAMES) -> list[str]:
    """The names of all that have frames."""
    return sorted(file.name.removesuffix(".hex") for file in folder.glob("*.hex"))


def kept_frames(target: str, *, folder: Path = KEPT_FRAMES) -> Iterator[bytes]:
    """Of one target; nothing where none are kept."""
    file = folder / f"{target}.hex"
    if file.exists():
        yield from map(bytes.fromhex, file.read_text(encoding="ascii").splitlines())


def keep(target: str, frames: Iterable[bytes], *, folder: Path = KEPT_FRAMES) -> None:
    """Write them in place of those that are there; a target without frames has no file."""
    file = folder / f"{target}.hex"
    lines = sorted(frames, key=_by_size)
    if not lines:
        file.unlink(missing_ok=True)
        return
    folder.mkdir(parents=True, exist_ok=True)
    file.write_text("".join(f"{frame.hex()}\n" for frame in lines), encoding="ascii")


def shortest_reaching(target: Target, frames: Iterable[bytes], *, beside: Iterable[bytes] = ()) -> list[bytes]:
    """Those that, from the shortest on, reach something new; what the frames `beside` reach is not new."""
    reached: set[_Step] = set()
    for frame in beside:
        reached |= _steps(target, frame)
    chosen: list[bytes] = []
    for frame in sorted(set(frames), key=_by_size):
        steps = _steps(target, frame)
        if not steps <= reached:
            reached |= steps
            chosen.append(frame)
    return chosen


def _by_size(frame: bytes) -> tuple[int, bytes]:
    return len(frame), frame


def _steps(target: Target, frame: bytes) -> Set[_Step]:
    """Every pair of lines of a codec of which one followed the other, how often to a power of two, and how it ended."""
    counts: Counter[tuple[object, int, int]] = Counter()
    lines: dict[FrameType, int] = {}

    def within(at: FrameType, event: str, _argument: object) -> Any:
        if event == "line":
            counts[_place(at.f_code), lines.get(at, 0), at.f_lineno] += 1
            lines[at] = at.f_lineno
        return within

    def entering(at: FrameType, _event: str, _argument: object) -> Any:
        return within if at.f_code.co_filename.startswith(_WATCHED) else None

    before = sys.gettrace()
    sys.settrace(entering)
    try:
        target(frame)
    except DecodeError as refused:
        ended: object = refused.reason
    except Exception as error:  # noqa: BLE001  # what the fuzzer looks for is reached as any line is
        ended = type(error).__name__
    else:
        ended = None
    finally:
        sys.settrace(before)
    return {*((*step, count.bit_length()) for step, count in counts.items()), (ended, 0, 0, 0)}


def _place(code: CodeType) -> tuple[str, str]:
    return Path(code.co_filename).name, code.co_qualname
