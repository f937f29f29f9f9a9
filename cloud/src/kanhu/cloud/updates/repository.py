"""The folder that gateways read, and the only ways in which it changes.

    metadata/N.root.json, N.targets.json, N.snapshot.json, timestamp.json
    targets/gateway/home-03/SHA256.settings.toml, …

Files that gateways may be reading are never changed, and the timestamp is replaced last: whoever reads in between sees
the old release whole.
"""

import hashlib
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from securesystemslib.exceptions import UnverifiedSignatureError
from securesystemslib.signer import CryptoSigner, SSlibKey
from tuf.api.exceptions import RepositoryError, UnsignedMetadataError
from tuf.api.metadata import Metadata, MetaFile, Root, Snapshot, TargetFile, Targets, Timestamp
from tuf.api.serialization import DeserializationError

from kanhu.cloud.authority.store import made, put
from kanhu.cloud.errors import UpdatesRefused
from kanhu.cloud.updates.content import check_content

ROOT_DAYS = 730
TARGETS_DAYS = 365
"""Both need two people to come together: once a year is what can be expected of them."""
SNAPSHOT_DAYS = 30
TIMESTAMP_DAYS = 7
"""For so long somebody between county and gateway can hide that there is something new; and for so long may the county
be down before gateways call its word stale. They run on in either case."""
THRESHOLD = 2
LEAST_HOLDERS = 3
MOST_LIST_BYTES = 256 * 1024
"""What a gateway reads of the list of files at most."""
_SIGNATURES_BYTES = 4096
_READ_BY_ALL = 0o444


class Repository:
    """One county's folder."""

    def __init__(self, folder: Path) -> None:
        """Nothing is read yet."""
        self.folder = folder
        self._metadata = folder / "metadata"
        self._targets = folder / "targets"

    def root(self) -> Metadata[Root] | None:
        """The newest one."""
        return _read(self._newest("root"), Root)

    def targets(self) -> Metadata[Targets] | None:
        """The newest list of files."""
        return _read(self._newest("targets"), Targets)

    def until(self) -> dict[str, datetime]:
        """Until when gateways believe what is newest here, by role; empty where nothing was published."""
        timestamp = _read(self._metadata / "timestamp.json", Timestamp)
        newest = {Timestamp.type: timestamp, Targets.type: self.targets(), Root.type: self.root()}
        return {role: metadata.signed.expires for role, metadata in newest.items() if metadata is not None}

    def draft_root(self, holders: Sequence[SSlibKey], online: SSlibKey, *, now: datetime) -> Metadata[Root]:
        """The next root, unsigned.

        Raises:
            UpdatesRefused: too few people, or one of them twice.
        """
        if len({key.keyid for key in holders}) < max(LEAST_HOLDERS, len(holders)):
            raise UpdatesRefused(f"give {LEAST_HOLDERS} different people's .pub files: any {THRESHOLD} of them sign")
        if online.keyid in {key.keyid for key in holders}:
            raise UpdatesRefused("the server's key is one of the people's: make it one of its own")
        before = self.root()
        root = Root(version=1 if before is None else before.signed.version + 1, expires=_in(now, ROOT_DAYS))
        for role in (Root.type, Targets.type):
            for key in holders:
                root.add_key(key, role)
            root.roles[role].threshold = THRESHOLD
        for role in (Snapshot.type, Timestamp.type):
            root.add_key(online, role)
        return Metadata(root)

    def draft_targets(self, files: Path, *, now: datetime) -> Metadata[Targets]:
        """The next list, of all files in a folder, unsigned.

        Raises:
            UpdatesRefused: there is no root yet, or a file that no gateway would take.
        """
        if self.root() is None:
            raise UpdatesRefused(f"{self.folder}: there is no root yet; docs/updates.md begins with it")
        before = self.targets()
        version = 1 if before is None else before.signed.version + 1
        listed = {path: TargetFile.from_data(path, content) for path, content in _all(files).items()}
        draft = Metadata(Targets(version=version, expires=_in(now, TARGETS_DAYS), targets=listed))
        if len(draft.to_bytes()) > MOST_LIST_BYTES - _SIGNATURES_BYTES:
            raise UpdatesRefused(f"{files}: the list is longer than gateways read; use groups instead of gateways")
        return draft

    def publish_root(self, draft: Metadata[Root], *, now: datetime) -> None:
        """Take a root that was signed by enough people of the one before and of itself.

        Raises:
            UpdatesRefused: it is not; nothing was changed.
        """
        before = self.root()
        expected = 1 if before is None else before.signed.version + 1
        if draft.signed.version != expected:
            raise UpdatesRefused(f"root {draft.signed.version} is not the next one, which is {expected}")
        if draft.signed.is_expired(now):
            raise UpdatesRefused(f"root {draft.signed.version} has run out: make and sign a new draft")
        for who, signers in (("the root before", before), ("itself", draft)):
            if signers is not None:
                self._verify(signers.signed, draft, by=who)
        self._put(f"{draft.signed.version}.root.json", draft.to_bytes())

    def publish_targets(self, draft: Metadata[Targets], files: Path, *, now: datetime) -> None:
        """Take a list that was signed by enough people, with its files; `refresh` then shows it to gateways.

        Raises:
            UpdatesRefused: not signed by enough, not newer, run out, or the files are others; nothing was changed.
        """
        root, before = self.root(), self.targets()
        if root is None:
            raise UpdatesRefused(f"{self.folder}: there is no root yet; docs/updates.md begins with it")
        if before is not None and draft.signed.version <= before.signed.version:
            raise UpdatesRefused(
                f"list {draft.signed.version} is not newer than {before.signed.version}: to go back, "
                "make a new draft of the old files"
            )
        if draft.signed.is_expired(now):
            raise UpdatesRefused(f"list {draft.signed.version} has run out: make and sign a new draft")
        self._verify(root.signed, draft, by="the root")
        found = _all(files)
        if found.keys() != draft.signed.targets.keys():
            raise UpdatesRefused(f"{files} holds other files than were signed")
        for path, content in found.items():
            try:
                draft.signed.targets[path].verify_length_and_hashes(content)
            except RepositoryError as error:
                raise UpdatesRefused(f"{files / path} is not the file that was signed") from error
        for path, content in found.items():
            place = self._targets / path
            name = f"{hashlib.sha256(content).hexdigest()}.{place.name}"
            made(place.parent)
            put(place.with_name(name), content, mode=_READ_BY_ALL)
        self._put(f"{draft.signed.version}.targets.json", draft.to_bytes())

    def refresh(self, online: CryptoSigner, *, now: datetime) -> None:
        """Say anew what is newest, and until when that holds.

        Raises:
            UpdatesRefused: nothing was published yet, or this is not the key that the root names.
        """
        root, targets = self.root(), self.targets()
        if root is None or targets is None:
            raise UpdatesRefused(f"{self.folder}: nothing was published yet")
        snapshot = _read(self._newest("snapshot"), Snapshot)
        if not self._stands(root.signed, snapshot, targets.signed.version, now=now):
            version = 1 if snapshot is None else snapshot.signed.version + 1
            meta = {"targets.json": MetaFile(targets.signed.version)}
            snapshot = Metadata(Snapshot(version=version, expires=_in(now, SNAPSHOT_DAYS), meta=meta))
            self._sign(root.signed, snapshot, online)
            self._put(f"{version}.snapshot.json", snapshot.to_bytes())
        before = _read(self._metadata / "timestamp.json", Timestamp)
        version = 1 if before is None else before.signed.version + 1
        newest = MetaFile(0 if snapshot is None else snapshot.signed.version)
        timestamp = Metadata(Timestamp(version=version, expires=_in(now, TIMESTAMP_DAYS), snapshot_meta=newest))
        self._sign(root.signed, timestamp, online)
        self._put("timestamp.json", timestamp.to_bytes())

    def _stands(self, root: Root, snapshot: Metadata[Snapshot] | None, targets: int, *, now: datetime) -> bool:
        if snapshot is None or snapshot.signed.meta["targets.json"].version != targets:
            return False
        try:
            root.verify_delegate(Snapshot.type, snapshot.signed_bytes, snapshot.signatures)
        except UnsignedMetadataError:  # by the key of before
            return False
        return not snapshot.signed.is_expired(now + timedelta(days=SNAPSHOT_DAYS / 2))

    def _sign(self, root: Root, metadata: Metadata[Any], online: CryptoSigner) -> None:
        metadata.sign(online)
        self._verify(root, metadata, by="the root")

    def _verify(self, root: Root, metadata: Metadata[Any], *, by: str) -> None:
        try:
            root.verify_delegate(metadata.signed.type, metadata.signed_bytes, metadata.signatures)
        except (UnsignedMetadataError, UnverifiedSignatureError) as error:
            what = f"{metadata.signed.type} {metadata.signed.version}"
            raise UpdatesRefused(f"{what} is not signed by enough keys that {by} names: {error}") from error

    def _newest(self, role: str) -> Path:
        """The file of the highest version; one that is not there where there is none."""
        versions = [int(file.name.partition(".")[0]) for file in self._metadata.glob(f"[0-9]*.{role}.json")]
        return self._metadata / f"{max(versions, default=0)}.{role}.json"

    def _put(self, name: str, content: bytes) -> None:
        put(made(self._metadata) / name, content, mode=_READ_BY_ALL)


def read_draft(file: Path) -> Metadata[Any]:
    """A draft, or any signed file of a folder.

    Raises:
        UpdatesRefused: it is none.
    """
    try:
        return Metadata.from_file(str(file))
    except DeserializationError as error:
        raise UpdatesRefused(f"{file} is no draft and no signed file: {error}") from error


def _read(file: Path, _: type) -> Metadata[Any] | None:
    return read_draft(file) if file.exists() else None


def _all(files: Path) -> dict[str, bytes]:
    """By path, each held against the loader of its kind."""
    found = {
        file.relative_to(files).as_posix(): file.read_bytes() for file in sorted(files.rglob("*")) if file.is_file()
    }
    for path, content in found.items():
        check_content(path, content)
    return found


def _in(now: datetime, days: int) -> datetime:
    return (now + timedelta(days=days)).replace(microsecond=0)
