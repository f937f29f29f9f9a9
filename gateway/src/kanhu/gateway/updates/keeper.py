"""Asks the county for releases now and then, has them tried, and judges the one on trial: one task of the gateway."""

import asyncio
import logging
import random
import signal
import sys
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from functools import partial

import msgspec

from kanhu.contract import Clock
from kanhu.contract.status import ReleaseStatus
from kanhu.gateway.config import GatewayConfig
from kanhu.gateway.errors import OutboxError
from kanhu.gateway.updates.asking import Answer, Request
from kanhu.gateway.updates.errors import ReleaseRefused
from kanhu.gateway.updates.facts import Facts
from kanhu.gateway.updates.health import ENDED_AFTER_S, LET_GO_S, Unhealthy, is_well
from kanhu.gateway.updates.release import fit
from kanhu.gateway.updates.start import Start
from kanhu.gateway.updates.store import Named, Round, State, Store, kept, refused, stopped, tried
from kanhu.vitals import RulePack

_LOOK_S = 5.0
_FIRST_S = (120.0, 900.0)
"""After a start: a village whose power is back does not ask all at once."""
_JITTER = 0.25
_HELD_S = 600.0
"""For so long alerts that come with a release hold up its trial; then it waits for the next round."""
_LONGEST_S = 7200.0
"""Of one round: a megabyte at the pace of the fetcher takes half an hour."""
_DETAIL = 300

_log = logging.getLogger(__name__)

AskFacts = Callable[[], Awaitable[Facts]]
Fetch = Callable[[Request], Coroutine[object, object, Answer]]


class Updates:
    """Of one run of the gateway."""

    def __init__(self, own: GatewayConfig, start: Start, *, clock: Clock, fetch: Fetch | None = None) -> None:
        """`own` are the settings without any release, `start` what this run began with."""
        self._own = own
        self._trial = start.trial
        self._clock = clock
        self._store = Store(own.folder)
        self._fetch = fetch or fetch_apart
        self._asked = asyncio.Event()
        self._state = self._store.state()
        self.config: GatewayConfig = start.fitted.config
        self.pack: RulePack = start.fitted.pack
        self.start_anew = False
        """Whether the process has to start again, because another release is to run."""

    @property
    def state(self) -> State:
        """As this run has left it on the card."""
        return self._state

    @property
    def status(self) -> ReleaseStatus | msgspec.UnsetType:
        """For the county; unset where nothing is taken from afar."""
        if self._own.updates is None:
            return msgspec.UNSET
        state = self._state
        runs = state.running if state.trial is None else state.trial.release
        number = 0 if runs is None else runs.number
        if not state.refused:
            return ReleaseStatus(number)
        return ReleaseStatus(number, state.refused[-1].release.number, state.refused[-1].reason.value)

    def ask_now(self) -> None:
        """Do not wait for the next round."""
        self._asked.set()

    async def keep(self, facts: AskFacts, stop: Callable[[], None]) -> None:
        """Judge the trial, then ask now and then, until cancelled; `stop` ends the run for another release.

        Raises:
            OSError: the card did not take the state.
        """
        if self._trial is not None and not await self._judged(facts):
            await self._let_go(facts)
            await self._start_anew(stop)
        if self._own.updates is None:
            await asyncio.Event().wait()  # nobody is believed: nothing is asked
            return
        pause_s = random.uniform(*_FIRST_S)  # no secret
        while True:
            before = await self._paused(facts, pause_s)
            if await self._round(facts, before):
                await self._start_anew(stop)
            pause_s = self._own.updates.every_s * random.uniform(1 - _JITTER, 1 + _JITTER)  # no secret

    async def ended(self) -> None:
        """Write down that a trial that this run was is not over, where the run was stopped as asked."""
        signal.setitimer(signal.ITIMER_REAL, 0)
        if not self.start_anew and self._store.state().trial is not None:
            await self._change(stopped)

    async def _judged(self, facts: AskFacts) -> bool:
        trial, began_ns, before = self._trial, self._clock.mono_ns(), await facts()
        if trial is None:
            return True
        _log.info("release %d is on trial", trial.release.number)
        try:
            while not is_well(
                trial, before=before, now=await facts(), after_s=(self._clock.mono_ns() - began_ns) / 1e9
            ):
                await self._clock.sleep(_LOOK_S)
        except Unhealthy as error:
            _log.error("release %d goes: %s: %s", trial.release.number, error.reason, error)
            at_ms = self._clock.wall_ms()
            gone = partial(refused, release=trial.release, reason=error.reason, detail=error.detail, at_ms=at_ms)
            try:
                await self._change(gone)
            except OSError as failed:  # the next start finds a trial that ended in its boot, and refuses it so
                _log.error("the card did not take this: %s", failed)
            return False
        await self._change(kept)
        signal.setitimer(signal.ITIMER_REAL, 0)
        self._trial = None
        _log.info("release %d is well and stays", trial.release.number)
        return True

    async def _paused(self, facts: AskFacts, pause_s: float) -> Facts:
        """Wait for the next round, and until no alert waits for the link; says how things stand."""
        waits = [
            asyncio.create_task(self._clock.sleep(pause_s), name="pause"),
            asyncio.create_task(self._asked.wait(), name="asked"),
        ]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()
        self._asked.clear()
        while (found := await facts()).alerts_owed:
            await self._clock.sleep(_LOOK_S)
        return found

    async def _quiet(self, facts: AskFacts) -> Facts | None:
        """How things stand once no alert is owed; None where that does not come about in _HELD_S."""
        began_ns = self._clock.mono_ns()
        while (found := await facts()).alerts_owed:
            if (self._clock.mono_ns() - began_ns) / 1e9 >= _HELD_S:
                return None
            await self._clock.sleep(_LOOK_S)
        return found

    async def _let_go(self, facts: AskFacts) -> None:
        """Wait, for LET_GO_S at most, until no alert is nowhere but in memory; the kernel's alarm waits as well."""
        began_ns = self._clock.mono_ns()
        while True:
            signal.setitimer(signal.ITIMER_REAL, ENDED_AFTER_S)
            with suppress(OutboxError):  # a card that fails: then there may be such alerts
                if not (await facts()).alerts_in_memory:
                    return
            if (self._clock.mono_ns() - began_ns) / 1e9 >= LET_GO_S:
                _log.error("alerts that no card took may be lost: what ran before has to run again")
                return
            await self._clock.sleep(_LOOK_S)

    async def _round(self, facts: AskFacts, before: Facts) -> bool:
        """Ask; returns whether there is something to start anew with."""
        answer = await self._answer(facts, before)
        if answer.round not in {Round.CURRENT, Round.UNREACHABLE}:
            _log.warning("release: %s %s", answer.round.value, answer.detail)
        at_ms = self._clock.wall_ms()
        state = await self._change(lambda state: _after(state, answer, at_ms=at_ms))
        if answer.round is not Round.STAGED or answer.release is None:
            return False
        release: Named = answer.release
        try:
            fit(self._own, await asyncio.to_thread(self._store.read, release))
        except ReleaseRefused as error:
            _log.error("release %d is not taken: %s", release.number, error)
            state = await self._change(
                partial(refused, release=release, reason=error.reason, detail=error.detail, at_ms=at_ms)
            )
            await asyncio.to_thread(self._store.tidy, state)
            return False
        now = await self._quiet(facts)
        if now is None:
            _log.warning("release %d waits for another round: alerts are owed", release.number)
            return False
        failing = tuple(sorted(name for name, count in now.restarts.items() if count))
        await self._change(
            partial(tried, release=release, county=now.county_answers, failing=failing, readings=now.readings_come)
        )
        return True

    async def _answer(self, facts: AskFacts, before: Facts) -> Answer:
        updates = self._own.updates
        if updates is None or before.latest_ms is None:
            return Answer(Round.TIME_UNKNOWN, "nobody has told the time: nothing new is believed")
        request = Request(
            data=str(self._own.folder),
            root=str(self._own.folder / updates.root),
            url=updates.url,
            gateway=self._own.gateway,
            group=updates.group,
            now_ms=before.latest_ms,
        )
        fetching = asyncio.create_task(self._fetch(request), name="fetch")
        try:
            while not fetching.done():
                await asyncio.wait({fetching}, timeout=_LOOK_S)
                if not fetching.done() and (await facts()).alerts_owed:
                    return Answer(Round.UNREACHABLE, "an alert needs the link: the rest is fetched later")
            return fetching.result()
        finally:
            fetching.cancel()
            await asyncio.wait({fetching})

    async def _change(self, change: Callable[[State], State]) -> State:
        def changed() -> State:
            before = self._store.state()
            state = change(before)
            if state != before:
                self._store.keep(state)
            return state

        self._state = await asyncio.to_thread(changed)
        return self._state

    async def _start_anew(self, stop: Callable[[], None]) -> None:
        self.start_anew = True
        stop()
        await asyncio.Event().wait()


def _after(state: State, answer: Answer, *, at_ms: int) -> State:
    return msgspec.structs.replace(
        state,
        seen=max(state.seen, answer.seen),
        round=answer.round,
        round_detail=answer.detail[:_DETAIL],
        round_ms=at_ms,
    )


async def fetch_apart(request: Request) -> Answer:
    """Let another process ask, so that TUF and cryptography leave memory again."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "kanhu.gateway.updates.fetch",
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip  # a command line reads as a line
    told = said = b""
    try:
        async with asyncio.timeout(_LONGEST_S):
            told, said = await process.communicate(msgspec.json.encode(request))
        return msgspec.json.decode(told, type=Answer)
    except TimeoutError:
        return Answer(Round.UNREACHABLE, f"not done after {_LONGEST_S:.0f} s")
    except msgspec.MsgspecError:
        return Answer(Round.FETCHER_FAILED, said.decode(errors="replace").strip()[-_DETAIL:])
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
