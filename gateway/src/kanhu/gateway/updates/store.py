"""What lies on the card of releases, and the one small file that says which of them runs.

    updates/state.json               what runs, what is on trial, what was refused; replaced whole, never changed
    updates/release-NUMBER-DIGEST    a release; written once, synced before the state names it, never changed
    updates/metadata/, parts/        of the process that fetches

A power cut at any write leaves the old state or the new one, and whole releases that it names. Whatever cannot be read
back is as if it had never come: the gateway then runs with its own settings and rules, and says so.
"""

import hashlib
import os
from enum import StrEnum
from pathlib import Path

import msgspec

from kanhu.contract.remote import ReleaseReason
from kanhu.gateway.identity import replace_file
from kanhu.gateway.updates.errors import ReleaseRefused
from kanhu.gateway.updates.release import OWN, Release

FOLDER = "updates"
_STATE = "state.json"
_MOST_REFUSED = 8
"""Kept for the doctor; older ones would be signed and refused again, which harms nothing."""
MOST_STARTS = 2
"""Of a release on trial: the second one is for a power cut during the first."""
_TRIES = 3
_TRY_AGAIN_MS = 86_400_000
_BY_CHANCE = frozenset({ReleaseReason.COUNTY, ReleaseReason.READINGS})
"""It may have been the network, or a finger taken out of an oximeter: the same release gets another day, twice."""


class Round(StrEnum):
    """What came of asking the county."""

    CURRENT = "current"
    STAGED = "staged"
    REFUSED_BEFORE = "refused_before"
    UNREACHABLE = "unreachable"
    UNTRUSTED = "untrusted"
    EXPIRED = "expired"
    OLDER = "older"
    TOO_LARGE = "too_large"
    TIME_UNKNOWN = "time_unknown"
    ROOT_UNUSABLE = "root_unusable"
    CARD_FAILED = "card_failed"
    FETCHER_FAILED = "fetcher_failed"


class Named(msgspec.Struct, frozen=True):
    """A release on the card."""

    number: int
    digest: str


class Trial(msgspec.Struct, frozen=True):
    """A release that runs until its health is known."""

    release: Named
    county: bool
    """Whether the county answered shortly before: then it has to answer now."""
    failing: tuple[str, ...] = ()
    """Work of the gateway that had failed before already."""
    readings: bool = False
    """Whether one was accepted shortly before: a cuff that nobody uses, beside a device with noise, shows nothing."""
    starts: int = 0
    boot: str = ""
    """The boot in which it was started last; empty while it does not run."""


class Refused(msgspec.Struct, frozen=True):
    """A release that does not run here."""

    release: Named
    reason: ReleaseReason
    detail: str
    at_ms: int
    """Wall clock of the gateway, which may have been wrong."""
    times: int = 1


class State(msgspec.Struct, frozen=True):
    """The whole file."""

    running: Named | None = None
    """None: what the gateway came with."""
    trial: Trial | None = None
    refused: tuple[Refused, ...] = ()
    seen: int = 0
    """Highest number of a signed list that was verified: an older one is never taken."""
    round: Round | None = None
    round_detail: str = ""
    round_ms: int = 0


class Store:
    """The folder. One process writes the state; the one that fetches writes releases only."""

    def __init__(self, data: Path) -> None:
        """Nothing is made before something is written."""
        self.folder = data / FOLDER

    def state(self) -> State:
        """As it is on the card; empty where there is none, or none that can be read."""
        try:
            return msgspec.json.decode((self.folder / _STATE).read_bytes(), type=State)
        except (OSError, ValueError, msgspec.MsgspecError):
            return State()

    def keep(self, state: State) -> None:
        """Replace it.

        Raises:
            OSError: the card did not take it; the old one stands.
        """
        self._made()
        replace_file(self.folder / _STATE, msgspec.json.encode(state))

    def stage(self, release: Release) -> Named:
        """Lay a release on the card; nothing runs by that."""
        named = Named(release.number, release.digest)
        self._made()
        content = msgspec.json.encode(release)
        replace_file(self._file(named), hashlib.sha256(content).hexdigest().encode() + content)
        return named

    def read(self, named: Named | None) -> Release:
        """A release of the card; with None, what the gateway came with.

        Raises:
            ReleaseRefused: it is not there, or not whole.
        """
        if named is None:
            return OWN
        try:
            content = self._file(named).read_bytes()
            digest, content = content[:64], content[64:]
            release = msgspec.json.decode(content, type=Release)
        except (OSError, ValueError, msgspec.MsgspecError) as error:
            raise ReleaseRefused(ReleaseReason.DAMAGED, str(error)) from error
        if hashlib.sha256(content).hexdigest().encode() != digest or Named(release.number, release.digest) != named:
            raise ReleaseRefused(ReleaseReason.DAMAGED, f"release {named.number} is not what was fetched")
        return release

    def tidy(self, state: State) -> None:
        """Remove releases that the state does not name; it is on the card before."""
        named = (state.running, state.trial.release if state.trial else None)
        needed = {self._file(each) for each in named if each is not None}
        for file in self.folder.glob("*release-*"):  # half-written ones of a power cut as well
            if file not in needed:
                file.unlink(missing_ok=True)

    def _file(self, named: Named) -> Path:
        return self.folder / f"release-{named.number}-{named.digest[:16]}"

    def _made(self) -> None:
        if not self.folder.is_dir():
            self.folder.mkdir(mode=0o700)
            above = os.open(self.folder.parent, os.O_RDONLY)
            try:
                os.fsync(above)
            finally:
                os.close(above)


def started(state: State, *, boot: str, at_ms: int) -> State:
    """What the state becomes as a gateway starts; a release that died in its trial is refused.

    Started again in the same boot, without having been stopped as asked: the process died or was killed. In another
    boot it may have been a power cut, so it gets one more start.
    """
    trial = state.trial
    if trial is None:
        return state
    if trial.boot == boot or trial.starts >= MOST_STARTS:
        return refused(
            state, trial.release, ReleaseReason.DIED, f"ended {trial.starts} times in its trial", at_ms=at_ms
        )
    return msgspec.structs.replace(state, trial=msgspec.structs.replace(trial, boot=boot, starts=trial.starts + 1))


def stopped(state: State) -> State:
    """What it becomes as a gateway stops as asked: a trial that was not finished begins again."""
    if state.trial is None:
        return state
    return msgspec.structs.replace(state, trial=msgspec.structs.replace(state.trial, boot="", starts=0))


def tried(
    state: State, release: Named, *, county: bool, failing: tuple[str, ...] = (), readings: bool = False
) -> State:
    """What it becomes as a release is to be tried."""
    return msgspec.structs.replace(state, trial=Trial(release, county, failing, readings))


def kept(state: State) -> State:
    """What it becomes as the release on trial is well."""
    trial = state.trial
    if trial is None:
        return state
    others = tuple(each for each in state.refused if each.release.digest != trial.release.digest)
    return msgspec.structs.replace(state, running=trial.release, trial=None, refused=others)


def refused(state: State, release: Named, reason: ReleaseReason, detail: str, *, at_ms: int) -> State:
    """What it becomes without this release: what ran before runs again."""
    before = [each for each in state.refused if each.release.digest == release.digest]
    others = [each for each in state.refused if each.release.digest != release.digest]
    times = 1 + sum(each.times for each in before)
    refusals = (*others, Refused(release, reason, detail[:300], at_ms, times))[-_MOST_REFUSED:]
    trial = None if state.trial is None or state.trial.release == release else state.trial
    running = None if state.running == release else state.running
    return msgspec.structs.replace(state, refused=refusals, trial=trial, running=running)


def is_refused(state: State, digest: str, *, now_ms: int) -> bool:
    """Whether these files are not to be tried: they were, and it went wrong."""
    for each in state.refused:
        if each.release.digest == digest:
            again = each.reason in _BY_CHANCE and each.times < _TRIES
            return not (again and abs(now_ms - each.at_ms) >= _TRY_AGAIN_MS)
    return False
