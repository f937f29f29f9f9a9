"""The frames that fuzzing found, through every codec again: each is decoded or refused, and nothing else."""

from contextlib import suppress

import pytest

from kanhu.edge.errors import DecodeError
from kanhu.harness.fuzz.corpus import KEPT_FRAMES, kept_frames, kept_targets
from kanhu.harness.fuzz.targets import find_targets

_TARGETS = find_targets()
_MOST_BYTES = 1_500_000
"""Of all kept frames, as text: a clone stays small."""


@pytest.mark.parametrize("name", _TARGETS)
def test_kept_frames_are_decoded_or_refused(name: str) -> None:
    for frame in kept_frames(name):
        with suppress(DecodeError):
            _TARGETS[name](frame)


def test_kept_frames_are_of_codecs_that_there_are() -> None:
    """`./run prove fuzz --keep` removes those of a codec that is gone."""
    assert set(kept_targets()) - set(_TARGETS) == set()


def test_nearly_every_codec_has_kept_frames_and_they_stay_small() -> None:
    """A codec of a fixed length may reach all by its published frames alone."""
    assert len(kept_targets()) >= 0.9 * len(_TARGETS)
    assert sum(file.stat().st_size for file in KEPT_FRAMES.glob("*.hex")) < _MOST_BYTES
