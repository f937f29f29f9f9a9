"""The simulated person at the alert desk: hears of alerts, takes them after a while, and closes them, or forgets."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import httpx

from kanhu.harness.faults import Fault
from kanhu.harness.village.county import SeenAlert
from kanhu.harness.village.stage import Stage

__all__ = ["Desk", "Worker"]

_AGAIN_S = 0.5


@dataclass(frozen=True, slots=True)
class Worker:
    """How a person works who is told of an alert; None: never."""

    claims_after_s: float
    closes_after_s: float | None = None


class Desk:
    """A person who is told of alerts, claims them after a while and closes them."""

    def __init__(
        self,
        stage: Stage,
        workers: Sequence[Worker],
        *,
        absences: Sequence[tuple[float, float]] = (),
        slow: Sequence[Fault] = (),
        elapsed_s: Callable[[], float],
    ) -> None:
        """Sit at the desk of `stage`; absences are seconds of the play, `slow` are faults of the staff."""
        self._stage = stage
        self._workers = workers
        self._absences = absences
        self._slow = slow
        self._elapsed_s = elapsed_s
        self.claimed = 0
        self.closed = 0
        self._told = 0
        self._at_work: set[asyncio.Task[None]] = set()

    async def told(self, seen: SeenAlert) -> None:
        """Hear of a new alert."""
        self._stage.say(f"{seen.priority}: {seen.rule} {seen.subject}")
        if self._workers:
            worker = self._workers[self._told % len(self._workers)]
            self._told += 1
            task = asyncio.create_task(self._answer(seen, worker), name=f"answer {seen.id}")
            self._at_work.add(task)
            task.add_done_callback(self._at_work.discard)

    async def aclose(self) -> None:
        """Leave what is not finished."""
        for task in self._at_work:
            task.cancel()
        await asyncio.gather(*self._at_work, return_exceptions=True)

    async def _answer(self, seen: SeenAlert, worker: Worker) -> None:
        await asyncio.sleep(worker.claims_after_s + self._slower_s())
        if (away_s := self._away_s()) > 0:
            await asyncio.sleep(away_s)
        if not await self._act(f"/api/v1/alerts/{seen.id}/claim", key="claim"):
            return
        self.claimed += 1
        if worker.closes_after_s is None:
            return
        await asyncio.sleep(worker.closes_after_s)
        details = {"key": "close", "outcome": "true_action", "note": "went there"}
        if await self._act(f"/api/v1/alerts/{seen.id}/close", **details):
            self.closed += 1

    def _slower_s(self) -> float:
        now_s = self._elapsed_s()
        slow = (one for one in self._slow if one.at_s <= now_s and (not one.for_s or now_s < one.at_s + one.for_s))
        return max((one.amount for one in slow), default=0.0)

    def _away_s(self) -> float:
        now_s = self._elapsed_s()
        return max((to_s - now_s for from_s, to_s in self._absences if from_s <= now_s < to_s), default=0.0)

    async def _act(self, path: str, **body: str) -> bool:
        """Until it is answered; False where the county says that it cannot be done any more, and the person is told."""
        while True:  # with the same key: an act is done once, however often it is sent
            try:
                await self._stage.county.act(path, **body)
            except httpx.HTTPError as error:
                answer = error.response if isinstance(error, httpx.HTTPStatusError) else None
                if answer is not None and answer.status_code == httpx.codes.CONFLICT:
                    self._stage.say(f"{path} is refused: {answer.text}")
                    return False
                await asyncio.sleep(_AGAIN_S)
            else:
                return True
