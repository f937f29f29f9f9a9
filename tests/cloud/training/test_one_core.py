"""Fitting leaves the other core to others, unless it is told otherwise."""

import os

import pytest

from kanhu.cloud.training.one_core import keep_to_one_core


@pytest.mark.parametrize(("said", "kept"), [(None, "1"), ("3", "3")])
def test_threads_are_one_unless_said(said: str | None, kept: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "9")  # so that whatever stood there comes back
    monkeypatch.delenv("OMP_NUM_THREADS")
    if said is not None:
        monkeypatch.setenv("OMP_NUM_THREADS", said)
    keep_to_one_core()
    assert os.environ["OMP_NUM_THREADS"] == kept
