"""What goes on beside a play: a part of it that ended with an error ends the play, and is never taken for silence."""

import asyncio
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from kanhu.harness.village.processes import Processes, environment
from kanhu.harness.village.stage import Stage, watch


async def test_what_ended_a_task_beside_the_play_is_raised_and_what_goes_on_or_is_done_is_not(tmp_path: Path) -> None:
    async def listen(*, well: bool) -> None:
        if not well:
            raise ValueError("no such page")

    stage = cast(Stage, SimpleNamespace(processes=Processes(tmp_path, environment())))
    done, broken = (asyncio.create_task(listen(well=well), name="listen") for well in (True, False))
    watch(stage, [done, broken])
    await asyncio.wait({done, broken})
    watch(stage, [done])
    with pytest.raises(ValueError, match="no such page"):
        watch(stage, [done, broken])
