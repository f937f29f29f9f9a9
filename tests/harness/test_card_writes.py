"""The measurement of what wears a card out counts what the kernel counts."""

from pathlib import Path

import pytest

from kanhu.gateway.card import CardMeter
from kanhu.harness import card_writes


async def test_a_reading_costs_some_pages_and_no_more(tmp_path: Path) -> None:
    written = await card_writes.measure(tmp_path, minutes=2, a_minute=10, seed=1)
    if not written:
        pytest.skip("the file system of the temporary folder is in memory, or the kernel counts nothing")
    assert 4096 < written / 20 < 128 * 1024


async def test_a_kernel_that_counts_nothing_gives_no_figure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(CardMeter, "written", lambda _: None)
    assert await card_writes.measure(tmp_path, minutes=1, a_minute=1, seed=1) is None
