"""Asks the county for a release and verifies it with TUF: a process of its own, so that what it needs leaves memory.

    python -m kanhu.gateway.updates.fetch < request > answer         both one JSON object

The time is given, never asked: a clock that nobody set would call everything fresh. Nothing runs by what is done here;
a release that was verified lies on the card, and the answer says so.
"""

import os
import ssl
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import msgspec
from tuf.api.exceptions import (
    BadVersionNumberError,
    DownloadError,
    DownloadLengthMismatchError,
    ExpiredMetadataError,
    LengthOrHashMismatchError,
    RepositoryError,
)
from tuf.ngclient import TargetFile, Updater, UpdaterConfig

from kanhu.contract import SystemClock
from kanhu.contract.remote import MAX_RELEASE_FILE_BYTES, RELEASE_FILES, release_paths
from kanhu.gateway.errors import IdentityUnusable
from kanhu.gateway.identity import earliest_ms, read_identity, trusting
from kanhu.gateway.updates.asking import Answer, Request
from kanhu.gateway.updates.errors import ReleaseRefused
from kanhu.gateway.updates.fetching import MOST_BYTES, SlowFetcher
from kanhu.gateway.updates.release import OWN, Release
from kanhu.gateway.updates.store import Round, State, Store, is_refused

_LIMITS = UpdaterConfig(
    max_root_rotations=32,
    max_delegations=0,
    root_max_length=64 * 1024,
    timestamp_max_length=16 * 1024,
    snapshot_max_length=64 * 1024,
    targets_max_length=256 * 1024,
)
"""One county's list names some thousand files; on the slowest link it is read in seven minutes."""


def look(request: Request, *, wait: Callable[[float], None] = time.sleep) -> Answer:
    """One round."""
    store = Store(Path(request.data))
    state = store.state()
    try:
        root = Path(request.root).read_bytes()
        url, tls = _where(request)
    except (OSError, IdentityUnusable) as error:
        return Answer(Round.ROOT_UNUSABLE, str(error))
    metadata, parts = store.folder / "metadata", store.folder / "parts"
    fetcher = SlowFetcher(tls=tls, parts=parts, wait=wait)
    _prepare(metadata, fetcher)
    try:
        updater = Updater(
            str(metadata), f"{url}metadata/", target_base_url=f"{url}targets/", fetcher=fetcher, config=_LIMITS,
            bootstrap=root,
        )  # fmt: skip  # one call
    except (RepositoryError, OSError, ValueError) as error:
        return Answer(Round.ROOT_UNUSABLE, f"{request.root}: {error}")
    try:
        trusted = updater._trusted_set  # the only place where python-tuf keeps the time
        if "reference_time" not in vars(trusted):
            return Answer(Round.ROOT_UNUSABLE, "this version of python-tuf keeps the time elsewhere")
        trusted.reference_time = datetime.fromtimestamp(request.now_ms / 1000, UTC)
        updater.refresh()
        number = trusted.targets.version
        if number < state.seen:
            return Answer(Round.OLDER, f"list {number}; {state.seen} was seen before")
        release = Release(number, _files(updater, fetcher, request, _held(store, state)))
    except ExpiredMetadataError as error:
        return Answer(Round.EXPIRED, str(error))
    except BadVersionNumberError as error:
        return Answer(Round.OLDER, str(error))
    except (DownloadLengthMismatchError, _TooLarge) as error:
        return Answer(Round.TOO_LARGE, str(error))
    except DownloadError as error:
        return Answer(Round.UNREACHABLE, f"{error}: {error.__cause__}" if error.__cause__ else str(error))
    except RepositoryError as error:
        return Answer(Round.UNTRUSTED, str(error))
    except OSError as error:
        return Answer(Round.CARD_FAILED, str(error))
    finally:
        _sync(metadata)
    return _answer(store, state, release, now_ms=request.now_ms)


class _TooLarge(Exception):
    """A file longer than any that a gateway takes."""


def _answer(store: Store, state: State, release: Release, *, now_ms: int) -> Answer:
    running = OWN.digest if state.running is None else state.running.digest
    if release.digest == running:
        return Answer(Round.CURRENT, seen=release.number)
    if is_refused(state, release.digest, now_ms=now_ms):
        return Answer(Round.REFUSED_BEFORE, f"release {release.number}", seen=release.number)
    return Answer(Round.STAGED, release=store.stage(release), seen=release.number)


def _files(updater: Updater, fetcher: SlowFetcher, request: Request, held: Release) -> dict[str, str]:
    """The file of each kind that is for this gateway."""
    files: dict[str, str] = {}
    for name in RELEASE_FILES:
        for path in release_paths(name, gateway=request.gateway, group=request.group):
            found = updater.get_targetinfo(path)
            if found is not None:
                files[name] = _content(updater, fetcher, found, held.files.get(name))
                break
    return files


def _content(updater: Updater, fetcher: SlowFetcher, target: TargetFile, held: str | None) -> str:
    if target.length > MAX_RELEASE_FILE_BYTES:
        raise _TooLarge(f"{target.path}: {target.length} bytes")
    if held is not None:
        try:
            target.verify_length_and_hashes(held.encode())
        except LengthOrHashMismatchError:
            pass
        else:
            return held  # nothing to fetch
    file = fetcher.folder / "whole"
    fetcher.folder.mkdir(parents=True, exist_ok=True)
    try:
        updater.download_target(target, str(file))
    except RepositoryError:
        fetcher.forget()  # what was got is not what was signed: the rest would not help it
        raise
    content = file.read_bytes()
    fetcher.forget()
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        raise RepositoryError(f"{target.path} is no text") from error


def _held(store: Store, state: State) -> Release:
    try:
        return store.read(state.running)
    except ReleaseRefused:
        return OWN


def _where(request: Request) -> tuple[str, ssl.SSLContext | None]:
    if request.url is not None:
        return request.url, None
    data = Path(request.data)
    identity = read_identity(data)
    earliest = earliest_ms(data, clock=SystemClock(), identity=identity)
    return f"https://{identity.about.county}/updates/", trusting(identity.authority, earliest_ms=earliest)


def _prepare(metadata: Path, fetcher: SlowFetcher) -> None:
    """Take away what earlier rounds left half done and nobody finishes any more."""
    if sum(part.stat().st_size for part in fetcher.folder.glob("*")) > MOST_BYTES:
        fetcher.forget()
    metadata.mkdir(parents=True, exist_ok=True)
    for left in metadata.glob("tmp*"):  # python-tuf writes beside and renames; a kill leaves the first half
        left.unlink()


def _sync(metadata: Path) -> None:
    """What was believed is on the card before anything is done by it; python-tuf itself does not wait for that."""
    for path in (*metadata.rglob("*.json"), metadata, metadata / "root_history"):
        if path.exists():
            opened = os.open(path, os.O_RDONLY)
            try:
                os.fsync(opened)
            finally:
                os.close(opened)


def main() -> int:
    """Answer one request; an error that nobody foresaw ends the process with a trace."""
    answer = look(msgspec.json.decode(sys.stdin.buffer.read(), type=Request))
    sys.stdout.buffer.write(msgspec.json.encode(answer))
    return 0


if __name__ == "__main__":
    sys.exit(main())
