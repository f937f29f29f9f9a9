"""The folder that a recording is: made from one set of settings, village by village, in any order, resumable."""

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from kanhu.contract.recording import MANIFEST_FILE, SITE_FILE, Manifest
from kanhu.contract.version import VERSION
from kanhu.firmware_sim.errors import FolderRefused
from kanhu.firmware_sim.recording.gateway_clock import GatewayClock
from kanhu.firmware_sim.recording.village_writer import DONE_FILE, Done, VillageWriter
from kanhu.firmware_sim.recording.writing import DRAFT, write_whole

__all__ = ["SETTINGS_FILE", "Done", "RecordingFolder", "Settings"]

SETTINGS_FILE = "settings.json"


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What decides every byte of a recording."""

    name: str
    seed: int
    starts_ms: int
    days: int
    timezone: str = "Asia/Shanghai"
    version: str = VERSION
    details: dict[str, str] = {}
    """Whatever else does: how many people, digests of files that were read."""

    def digest(self) -> str:
        """SHA-256 of all of it."""
        return hashlib.sha256(msgspec.json.encode(self, order="deterministic")).hexdigest()

    @property
    def ends_ms(self) -> int:
        """The first millisecond that is no longer in it."""
        return self.starts_ms + self.days * 86_400_000


class RecordingFolder:
    """One recording in the making."""

    def __init__(self, path: Path, settings: Settings) -> None:
        """Use `open`."""
        self.path = path
        self.settings = settings
        self._digest = settings.digest()

    @classmethod
    def open(cls, path: Path, settings: Settings) -> "RecordingFolder":
        """Begin a recording in a new or empty folder, or go on with one of the same settings; be `alone` in it.

        Raises:
            FolderRefused: something else is there, or a recording of other settings, or it cannot be written.
        """
        try:
            path.mkdir(parents=True, exist_ok=True)
            file = path / SETTINGS_FILE
            if file.exists():
                _same(path, msgspec.json.decode(file.read_bytes(), type=Settings), settings)
            elif any(each.name != SETTINGS_FILE + DRAFT for each in path.iterdir()):
                raise FolderRefused(path, "holds something else; name a new or empty folder with --out")
            else:
                write_whole(file, settings)
        except OSError as error:
            raise FolderRefused(path, f"cannot be used: {error.strerror}") from error
        except (msgspec.MsgspecError, ValueError) as error:
            raise FolderRefused(path, f"{SETTINGS_FILE} is damaged ({error}); name a new folder with --out") from error
        return cls(path, settings)

    def done(self, village: str) -> Done | None:
        """What a whole village holds; None where it is still to be made."""
        try:
            done = msgspec.json.decode((self.path / village / DONE_FILE).read_bytes(), type=Done)
        except (OSError, msgspec.MsgspecError, ValueError):
            return None
        whole = done.settings == self._digest and done.is_of(self.path / village)
        return done if whole else None

    def village(self, village: str, *, gateways: Mapping[str, GatewayClock]) -> VillageWriter:
        """Begin a village, from its start; the recording is then not whole until it is finished again."""
        (self.path / MANIFEST_FILE).unlink(missing_ok=True)
        folder = self.path / village
        folder.mkdir(exist_ok=True)
        return VillageWriter(folder, village, starts_ms=self.settings.starts_ms, gateways=gateways)

    def finish(self, dones: Sequence[Done], *, site: str) -> Manifest:
        """Write the register and, last of all, the manifest."""
        manifest = Manifest(
            name=self.settings.name,
            seed=self.settings.seed,
            starts_ms=self.settings.starts_ms,
            ends_ms=self.settings.ends_ms,
            timezone=self.settings.timezone,
            people=sum(done.people for done in dones),
            readings=sum(done.readings for done in dones),
            villages=tuple(done.village for done in dones),
            versions={"kanhu": self.settings.version},
        )
        (self.path / SITE_FILE).write_text(site, encoding="utf-8")
        write_whole(self.path / MANIFEST_FILE, manifest)
        return manifest


def _same(path: Path, there: Settings, wanted: Settings) -> None:
    if there == wanted:
        return
    fields = [name for name in Settings.__struct_fields__ if getattr(there, name) != getattr(wanted, name)]
    said = ", ".join(f"{name} {getattr(there, name)!r}, not {getattr(wanted, name)!r}" for name in fields)
    raise FolderRefused(path, f"was begun with other settings ({said}); name another folder with --out, or remove it")
