"""The simulated person at the desk: an act that is lost is done again, one that is refused is not."""

import asyncio
from types import SimpleNamespace
from typing import cast

import httpx
import pytest

from kanhu.harness.prove import desk
from kanhu.harness.prove.desk import Desk, Worker
from kanhu.harness.village.county import SeenAlert
from kanhu.harness.village.stage import Stage

CALL = SeenAlert("a1", "r-03", "SOS", "high", "", 0, None, "")
_REQUEST = httpx.Request("POST", "http://county")


class _County:
    """Answers acts in this order, and with 200 from then on."""

    def __init__(self, *answers: int | None) -> None:
        self.asked: list[str] = []
        self._answers = [*answers]

    async def act(self, path: str, **_: str) -> None:
        self.asked.append(path.rpartition("/")[2])
        status = self._answers.pop(0) if self._answers else httpx.codes.OK
        if status is None:
            raise httpx.ConnectError("killed")
        httpx.Response(status, request=_REQUEST).raise_for_status()


@pytest.mark.parametrize(
    ("answers", "asked", "done"),
    [
        ((), ["claim", "close"], (1, 1)),
        ((None, 503), ["claim", "claim", "claim", "close"], (1, 1)),
        ((409,), ["claim"], (0, 0)),
        ((200, 409), ["claim", "close"], (1, 0)),
    ],
    ids=["answered", "away, then busy", "taken by another", "closed by another"],
)
async def test_an_act_is_tried_until_it_is_answered_and_a_refusal_is_an_answer(
    monkeypatch: pytest.MonkeyPatch, answers: tuple[int | None, ...], asked: list[str], done: tuple[int, int]
) -> None:
    monkeypatch.setattr(desk, "_AGAIN_S", 0.0)
    county = _County(*answers)
    stage = SimpleNamespace(county=county, say=lambda _: None)
    person = Desk(cast(Stage, stage), [Worker(0.0, 0.0)], elapsed_s=lambda: 0.0)
    await person.told(CALL)
    await asyncio.gather(*person._at_work)
    assert county.asked == asked
    assert (person.claimed, person.closed) == done
