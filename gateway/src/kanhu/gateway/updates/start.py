"""What a gateway starts with: its own settings, with the release on trial or the one that runs laid over them."""

import logging
import signal
from contextlib import suppress
from dataclasses import dataclass

from kanhu.contract import Clock
from kanhu.gateway.config import GatewayConfig
from kanhu.gateway.updates.errors import ReleaseRefused
from kanhu.gateway.updates.health import KILLED_AFTER_S
from kanhu.gateway.updates.release import OWN, Fitted, fit
from kanhu.gateway.updates.store import Store, Trial, refused, started

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Start:
    """Settings and rules to run with, and the trial that this run is, if it is one."""

    fitted: Fitted
    trial: Trial | None = None


def start(config: GatewayConfig, *, clock: Clock) -> Start:
    """Choose, and write down that a trial begins.

    Always an answer: a release that cannot be read or is not taken any more is refused, and what ran before runs. Where
    the card does not take the state, what was kept runs: a trial that leaves no trace could never be taken back.
    """
    if config.updates is None:  # nobody is believed, and nothing of what was fetched before
        return Start(fit(config, OWN))
    store = Store(config.folder)
    before = store.state()
    state = started(before, boot=clock.boot, at_ms=clock.wall_ms())
    fitted: Fitted | None = None
    while fitted is None:
        named = state.running if state.trial is None else state.trial.release
        try:
            fitted = fit(config, store.read(named))
        except ReleaseRefused as error:
            if named is None:
                raise  # our own settings and rules: nothing is laid over them
            _log.error("release %d does not run: %s", named.number, error)
            state = refused(state, named, error.reason, error.detail, at_ms=clock.wall_ms())
    if state != before:
        try:
            store.keep(state)
        except OSError:  # a card that takes nothing: run what was kept, never a trial that leaves no trace
            return Start(_kept(config, store))
        with suppress(OSError):  # what is left over is removed another time
            store.tidy(state)
    if state.trial is not None:
        signal.setitimer(signal.ITIMER_REAL, KILLED_AFTER_S)  # SIGALRM is left alone: its default ends the process
    return Start(fitted, state.trial)


def _kept(config: GatewayConfig, store: Store) -> Fitted:
    try:
        return fit(config, store.read(store.state().running))
    except ReleaseRefused as error:
        _log.error("no release runs: %s", error)
        return fit(config, OWN)
