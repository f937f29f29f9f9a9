"""A release on trial: kept where the gateway is well, gone where it is not, whatever ends the process in between."""

import asyncio
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from kanhu.contract import FakeClock
from kanhu.contract.remote import ReleaseReason
from kanhu.gateway import GatewayConfig
from kanhu.gateway.updates.asking import Answer, Request
from kanhu.gateway.updates.checks import update_checks
from kanhu.gateway.updates.facts import Facts
from kanhu.gateway.updates.health import (
    DECIDED_AFTER_S,
    ENDED_AFTER_S,
    KILLED_AFTER_S,
    LET_GO_S,
    WELL_AFTER_S,
    Unhealthy,
    is_well,
)
from kanhu.gateway.updates.keeper import Updates
from kanhu.gateway.updates.release import Fitted, Release
from kanhu.gateway.updates.start import start
from kanhu.gateway.updates.store import (
    Named,
    Round,
    State,
    Store,
    Trial,
    is_refused,
    kept,
    refused,
    started,
    stopped,
    tried,
)
from kanhu.vitals import core_pack
from tests.gateway.sender import until
from tests.gateway.updates.card import CORE, FASTER, WATCHED, settings, staged

RELEASE = Named(1, "a" * 64)
TRIAL = Trial(RELEASE, county=True, readings=True)
GOOD = Facts(accepted=5, refused=0, receipts=1, county_answers=True, alerts_owed=0, readings_come=True, latest_ms=1)
DAY_MS = 86_400_000


@pytest.fixture(autouse=True)
def no_alarm_outlives_a_test() -> Iterator[None]:
    yield
    signal.setitimer(signal.ITIMER_REAL, 0)


def fact(**changed: object) -> Facts:
    return Facts(**{**{name: getattr(GOOD, name) for name in GOOD.__slots__}, **changed})


def test_a_decision_comes_before_two_minutes_with_the_pause_of_the_service_manager() -> None:
    assert WELL_AFTER_S < DECIDED_AFTER_S < KILLED_AFTER_S < 120 - 5 - 10


@pytest.mark.parametrize(
    ("now", "after_s", "well"),
    [
        (GOOD, 59, False),
        (GOOD, 60, True),
        (fact(receipts=0), 79, False),
        (fact(accepted=6, refused=9), 60, True),
        (fact(restarts={"page": 3}), 60, True),
    ],
)
def test_well_or_not_known_yet(now: Facts, after_s: float, well: bool) -> None:
    trial = Trial(RELEASE, county=True, failing=("page",))
    assert is_well(trial, before=GOOD, now=now, after_s=after_s) is well


def test_a_county_that_was_away_before_need_not_answer() -> None:
    assert is_well(Trial(RELEASE, county=False), before=GOOD, now=fact(receipts=0), after_s=60)


def test_a_trial_in_which_only_noise_comes_says_nothing_of_readings() -> None:
    assert is_well(Trial(RELEASE, county=True), before=GOOD, now=fact(refused=3), after_s=60)


@pytest.mark.parametrize(
    ("now", "after_s", "reason"),
    [
        (fact(restarts={"sensing": 1}), 1, ReleaseReason.TASK_FAILED),
        (fact(refused=1), 60, ReleaseReason.READINGS),
        (fact(receipts=0), 80, ReleaseReason.COUNTY),
    ],
)
def test_what_makes_a_release_go(now: Facts, after_s: float, reason: ReleaseReason) -> None:
    with pytest.raises(Unhealthy) as caught:
        is_well(TRIAL, before=GOOD, now=now, after_s=after_s)
    assert caught.value.reason is reason


def test_a_trial_that_died_in_its_boot_is_over_and_a_power_cut_gives_one_more_start() -> None:
    first = started(State(trial=TRIAL), boot="a", at_ms=1)
    assert first.trial is not None
    died = started(first, boot="a", at_ms=2)
    assert (died.trial, died.refused[0].reason) == (None, ReleaseReason.DIED)
    second = started(first, boot="b", at_ms=2)
    assert second.trial is not None
    assert second.trial.starts == 2
    assert started(second, boot="c", at_ms=3).trial is None


def test_a_stop_as_asked_begins_the_trial_anew() -> None:
    state = started(State(trial=TRIAL), boot="a", at_ms=1)
    assert stopped(state) == State(trial=TRIAL)


@pytest.mark.parametrize("reason", [ReleaseReason.COUNTY, ReleaseReason.READINGS])
def test_what_ran_before_runs_again_and_the_refused_one_is_remembered(reason: ReleaseReason) -> None:
    before = State(running=Named(1, "b" * 64), trial=TRIAL)
    after = refused(before, RELEASE, reason, "nothing", at_ms=5)
    assert (after.running, after.trial) == (before.running, None)
    assert is_refused(after, RELEASE.digest, now_ms=5 + DAY_MS - 1)
    assert not is_refused(after, RELEASE.digest, now_ms=5 + DAY_MS), "it may have been chance"
    for day in (1, 2):
        after = refused(after, RELEASE, reason, "nothing", at_ms=day * DAY_MS)
    assert is_refused(after, RELEASE.digest, now_ms=9 * DAY_MS), "three times is enough"
    assert len(after.refused) == 1
    again = kept(tried(after, RELEASE, county=True, failing=()))
    assert (again.running, again.refused) == (RELEASE, ())


def test_any_other_reason_is_for_good() -> None:
    state = refused(State(), RELEASE, ReleaseReason.DIED, "", at_ms=0)
    assert is_refused(state, RELEASE.digest, now_ms=99 * DAY_MS)


@pytest.fixture
def config(tmp_path: Path) -> GatewayConfig:
    return settings(tmp_path)


def test_a_start_runs_the_trial_with_an_alarm_that_no_hang_holds_up(config: GatewayConfig) -> None:
    store = Store(config.folder)
    store.keep(tried(State(), staged(config), county=False, failing=()))
    begun = start(config, clock=FakeClock())
    assert begun.fitted.config.heartbeat_s == 30
    assert begun.trial is not None
    assert store.state().trial == begun.trial
    assert 0 < signal.getitimer(signal.ITIMER_REAL)[0] <= KILLED_AFTER_S
    again = start(config, clock=FakeClock())
    assert (again.trial, again.fitted.config) == (None, config)
    assert store.state().refused[0].reason is ReleaseReason.DIED
    assert not list(store.folder.glob("release-*"))


@pytest.mark.parametrize("content", [b"", b"{}", bytes(300), None])
def test_a_release_that_is_not_whole_never_runs_and_is_told(config: GatewayConfig, content: bytes | None) -> None:
    store = Store(config.folder)
    store.keep(State(running=staged(config)))
    (file,) = store.folder.glob("release-*")
    whole = file.read_bytes()
    file.unlink()
    if content is not None:
        file.write_bytes(content)
    else:
        file.write_bytes(whole.replace(b"= 30", b"= 20"))
    assert {check.name: check.level.value for check in update_checks(config)}["release"] == "attention"
    assert start(config, clock=FakeClock()).fitted.config == config
    assert store.state().refused[0].reason is ReleaseReason.DAMAGED


@pytest.mark.parametrize("content", [b"", b"{", bytes(99), b'{"running": 1}'])
def test_a_state_that_cannot_be_read_is_as_if_nothing_had_come(config: GatewayConfig, content: bytes) -> None:
    store = Store(config.folder)
    store.keep(State(running=staged(config)))
    (store.folder / "state.json").unlink()
    (store.folder / "state.json").write_bytes(content)
    assert start(config, clock=FakeClock()).fitted.config == config


def test_a_release_that_no_longer_goes_with_an_agreement_made_later_is_left_and_told(
    tmp_path: Path, config: GatewayConfig, caplog: pytest.LogCaptureFixture
) -> None:
    often = CORE.replace("prompts = 2, apart_s = 900", "prompts = 20, apart_s = 4320")
    store = Store(config.folder)
    store.keep(State(running=store.stage(Release(1, {"rules.toml": often}))))
    assert start(config, clock=FakeClock()).fitted.pack != core_pack()
    agreed = settings(tmp_path, updates='[updates]\nroot = "root.json"\n' + WATCHED)
    assert start(agreed, clock=FakeClock()).fitted == Fitted(agreed, core_pack())
    assert store.state().refused[0].reason is ReleaseReason.RULES
    assert "release 1 does not run: rules: resident[0].well_check" in caplog.text


@pytest.mark.parametrize("trial", [True, False])
def test_a_release_over_which_this_version_stumbles_never_keeps_a_gateway_from_its_start(
    config: GatewayConfig, monkeypatch: pytest.MonkeyPatch, trial: bool
) -> None:
    store, named = Store(config.folder), staged(config)
    store.keep(tried(State(), named, county=False, failing=()) if trial else State(running=named))

    def stumbles(_: bytes) -> None:
        raise LookupError("nobody thought of this")

    monkeypatch.setattr("kanhu.gateway.updates.release.read_remote_settings", stumbles)
    assert {check.name: check.level.value for check in update_checks(config)}.get("release") == (
        None if trial else "attention"
    )
    begun = start(config, clock=FakeClock())
    assert (begun.trial, begun.fitted.config) == (None, config)
    (told,) = store.state().refused
    assert (told.reason, told.detail) == (ReleaseReason.DIED, "LookupError: nobody thought of this")


def test_without_the_table_nothing_of_before_runs(tmp_path: Path, config: GatewayConfig) -> None:
    Store(config.folder).keep(State(running=staged(config)))
    plain = settings(tmp_path, updates="")
    assert start(plain, clock=FakeClock()).fitted.config.heartbeat_s == 60
    assert update_checks(plain) == []


class Rounds:
    """Updates of a gateway whose county answers what the test says."""

    def __init__(self, config: GatewayConfig, answer: Answer) -> None:
        self.clock = FakeClock()
        self.requests: list[Request] = []
        self.answer = answer
        self.facts = GOOD
        self.facts_after_fetch: Facts | None = None
        self.looks = 0
        self.stopped = asyncio.Event()
        self.updates = Updates(config, start(config, clock=self.clock), clock=self.clock, fetch=self._fetch)
        self.task = asyncio.create_task(self.updates.keep(self._facts, self.stopped.set))

    async def _fetch(self, request: Request) -> Answer:
        self.requests.append(request)
        self.facts, self.looks = self.facts_after_fetch or self.facts, 0
        return self.answer

    async def _facts(self) -> Facts:
        self.looks += 1
        return self.facts

    async def waited(self, seconds: float) -> None:
        """Let so much time pass, five seconds at a time; nothing may be under way in a thread."""
        for _ in range(round(seconds / 5)):
            self.clock.advance(5)
            for _ in range(5):
                await asyncio.sleep(0)

    async def after_round(self, config: GatewayConfig) -> State:
        self.updates.ask_now()
        store = Store(config.folder)
        await until(lambda: store.state().round)
        return store.state()

    async def end(self) -> None:
        self.task.cancel()
        await asyncio.wait({self.task})


async def test_a_staged_release_goes_on_trial_and_the_process_starts_anew(config: GatewayConfig) -> None:
    release = staged(config)
    rounds = Rounds(config, Answer(Round.STAGED, release=release, seen=7))
    rounds.updates.ask_now()
    async with asyncio.timeout(10):
        await rounds.stopped.wait()
    state = Store(config.folder).state()
    assert state.trial == Trial(release, county=True, readings=True)
    assert (state.seen, state.round, rounds.updates.start_anew) == (7, Round.STAGED, True)
    assert rounds.requests[0].now_ms == 1
    await rounds.end()


async def test_alerts_that_come_with_a_release_hold_up_its_trial_and_at_last_the_round(config: GatewayConfig) -> None:
    release = staged(config)
    rounds = Rounds(config, Answer(Round.STAGED, release=release, seen=7))
    rounds.facts_after_fetch = fact(alerts_owed=1)
    await rounds.after_round(config)
    await until(lambda: rounds.looks)
    await rounds.waited(300)
    assert (Store(config.folder).state().trial, rounds.stopped.is_set()) == (None, False)
    await rounds.waited(400)
    rounds.facts = GOOD
    await rounds.waited(60)
    assert not rounds.stopped.is_set(), "not in this round any more"
    rounds.facts_after_fetch = None
    rounds.updates.ask_now()
    async with asyncio.timeout(10):
        await rounds.stopped.wait()
    assert Store(config.folder).state().trial == Trial(release, county=True, readings=True)
    await rounds.end()


@pytest.mark.parametrize("leave", [True, False])
async def test_alerts_in_memory_have_a_minute_before_a_release_that_goes(config: GatewayConfig, leave: bool) -> None:
    store = Store(config.folder)
    store.keep(tried(State(), staged(config), county=False))
    rounds = Rounds(config, Answer(Round.CURRENT))
    rounds.facts = fact(alerts_owed=1, alerts_in_memory=1, restarts={"page": 1})
    await until(lambda: signal.getitimer(signal.ITIMER_REAL)[0] <= ENDED_AFTER_S)  # from now on, not from the start
    assert store.state().refused
    await rounds.waited(LET_GO_S - 10)
    assert not rounds.stopped.is_set()
    if leave:
        rounds.facts = fact(restarts={"page": 1})
    await rounds.waited(5 if leave else 15)
    assert (rounds.stopped.is_set(), rounds.updates.start_anew) == (True, True)
    await rounds.end()


async def test_a_release_that_the_loaders_refuse_is_never_tried(config: GatewayConfig) -> None:
    release = staged(config, settings_toml="heartbeat_s = 1\n")
    rounds = Rounds(config, Answer(Round.STAGED, release=release, seen=7))
    await rounds.after_round(config)
    await until(lambda: Store(config.folder).state().refused)
    state = Store(config.folder).state()
    assert (state.trial, state.refused[0].reason) == (None, ReleaseReason.SETTINGS)
    assert not rounds.stopped.is_set()
    await rounds.end()


async def test_without_a_known_time_nobody_is_asked(config: GatewayConfig) -> None:
    rounds = Rounds(config, Answer(Round.CURRENT))
    rounds.facts = fact(latest_ms=None)
    assert (await rounds.after_round(config)).round is Round.TIME_UNKNOWN
    assert rounds.requests == []
    await rounds.end()


async def test_an_alert_has_the_link_to_itself(config: GatewayConfig) -> None:
    rounds = Rounds(config, Answer(Round.CURRENT))
    rounds.facts = fact(alerts_owed=1)
    rounds.updates.ask_now()
    for _ in range(200):
        await asyncio.sleep(0)
        rounds.clock.advance(1)
    assert rounds.requests == []
    rounds.facts = GOOD
    async with asyncio.timeout(10):
        while not rounds.requests:
            await asyncio.sleep(0)
            rounds.clock.advance(1)
    await rounds.end()


async def test_the_county_is_asked_in_its_rhythm(config: GatewayConfig) -> None:
    rounds = Rounds(config, Answer(Round.CURRENT))
    async with asyncio.timeout(10):
        while len(rounds.requests) < 3:
            await asyncio.sleep(0.002)  # the state is written in a thread
            rounds.clock.advance(300)
    hours = rounds.clock.mono_ns() / 3.6e12
    assert 2 * 4.5 < hours < 2 * 7.5 + 8, "six hours, give or take a quarter"
    await rounds.end()


@pytest.mark.parametrize("round_", Round)
def test_the_doctor_has_words_for_every_round(config: GatewayConfig, round_: Round) -> None:
    Store(config.folder).keep(State(round=round_, round_detail="why"))
    (check,) = update_checks(config)
    assert round_.value in check.found
    assert (check.level.value == "attention") == bool(check.remedy)


def test_the_doctor_names_what_was_refused(config: GatewayConfig) -> None:
    state = refused(State(running=staged(config)), Named(2, "b" * 64), ReleaseReason.COUNTY, "no receipt", at_ms=0)
    Store(config.folder).keep(state)
    found = {check.name: check.found for check in update_checks(config)}
    assert found["refused release"] == "release 2 was refused: county: no receipt"
    assert found["updates"].startswith("runs release 1; ")
    assert FASTER not in str(found)
