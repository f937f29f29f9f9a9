"""Opens a recording as a judge may: the manifest, the register, readings and plans of villages; never the truth."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import msgspec

from kanhu.cloud.alerting.policy import DAY_MS, Policy
from kanhu.cloud.config import CloudConfig, policy_of
from kanhu.cloud.errors import ConfigInvalid, ReplayRefused
from kanhu.cloud.people.site import Site, read_site
from kanhu.contract.recording import (
    FORMAT,
    MANIFEST_FILE,
    READINGS_FILE,
    SITE_FILE,
    VILLAGE_FILE,
    Manifest,
    Recorded,
    RecordingRefused,
    VillagePlan,
    decode_plan,
    read_readings,
)
from kanhu.vitals import RulePack

__all__ = ["RecordingFolder"]

_Answer = TypeVar("_Answer")
_MOST_DAYS = 3660
"""Ten times what can be recorded; each is played, so that a damaged end would never come."""
_AGAIN = "record it again, or copy it whole"


class RecordingFolder:
    """A recording that is whole as far as its manifest says."""

    def __init__(self, path: Path) -> None:
        """Read manifest and register.

        Raises:
            ReplayRefused, SiteRefused: no recording, one that is not finished, or one of another format.
        """
        self.path = path
        self.manifest = _manifest(path / MANIFEST_FILE)
        self._site = read_site(path / SITE_FILE)

    def site(self, village: str) -> Site:
        """The register as far as it is about a village: all places, its gateways, its residents.

        Raises:
            ReplayRefused: nobody can say which gateways are its own.
        """
        if self.manifest.villages == (village,):
            return msgspec.structs.replace(self._site, contact=())
        places = _below(self._site, village)
        if not places:
            raise ReplayRefused(
                f"{self.path / SITE_FILE}: no place {village!r}; name villages by the id of their place"
            )
        gateways = tuple(gateway for gateway in self._site.gateway if gateway.place in places)
        own = {gateway.id for gateway in gateways}
        residents = tuple(resident for resident in self._site.resident if resident.gateway in own)
        return Site(place=self._site.place, gateway=gateways, resident=residents)

    def plan(self, village: str) -> VillagePlan:
        """What is not a reading.

        Raises:
            ReplayRefused: absent, damaged, or of another village.
        """
        file = self.path / village / VILLAGE_FILE
        plan = _named(file, lambda: decode_plan(file.read_bytes(), place=str(file)))
        if plan.village != village:
            raise ReplayRefused(f"{file}: is of village {plan.village!r}; {_AGAIN}")
        return plan

    def policy(self, pack: RulePack) -> Policy:
        """Numbers of the pack in the county's own time.

        Raises:
            ConfigInvalid: the pack has no rule for silence, or there is no such time zone.
        """
        config = CloudConfig(data=self.path, timezone=self.manifest.timezone)
        try:
            return policy_of(config, pack)
        except (KeyError, ValueError, OSError) as error:
            remedy = f"no time zone {self.manifest.timezone!r}; {_AGAIN}"
            raise ConfigInvalid(str(self.path / MANIFEST_FILE), key="timezone", remedy=remedy) from error

    def place(self, village: str) -> str:
        """The file of a village's readings, for errors."""
        return str(self.path / village / READINGS_FILE)

    @contextmanager
    def readings(self, village: str) -> Iterator[Iterator[Recorded]]:
        """Readings of a village, in order.

        Raises:
            ReplayRefused: absent, or damaged; where in the file.
        """
        file = self.path / village / READINGS_FILE
        try:
            with file.open("rb") as stream:
                yield read_readings(stream, place=str(file))
        except RecordingRefused as error:
            raise ReplayRefused(f"{error}; {_AGAIN}") from error
        except OSError as error:
            raise ReplayRefused(f"{file}: {error.strerror}; {_AGAIN}") from error

    def files(self, village: str) -> tuple[Path, ...]:
        """Everything that decides what a village's outcome is, besides the program and the pack."""
        folder = self.path / village
        return (self.path / MANIFEST_FILE, self.path / SITE_FILE, folder / VILLAGE_FILE, folder / READINGS_FILE)


def _manifest(file: Path) -> Manifest:
    manifest = _named(file, lambda: _decoded(file))
    if not manifest.starts_ms < manifest.ends_ms:
        raise ReplayRefused(f"{file}: ends before it begins; {_AGAIN}")
    if manifest.ends_ms - manifest.starts_ms > _MOST_DAYS * DAY_MS:
        raise ReplayRefused(f"{file}: more than {_MOST_DAYS} days; {_AGAIN}")
    return manifest


def _decoded(file: Path) -> Manifest:
    data = file.read_bytes()
    found = msgspec.json.decode(data, type=dict[str, object]).get("format")
    if found != FORMAT:
        raise ReplayRefused(f"{file}: format {found}, this version reads {FORMAT}; record it with the same version")
    return msgspec.json.decode(data, type=Manifest)


def _named(file: Path, read: Callable[[], _Answer]) -> _Answer:
    try:
        return read()
    except RecordingRefused as error:
        raise ReplayRefused(f"{error}; {_AGAIN}") from error
    except OSError as error:
        raise ReplayRefused(f"{file}: {error.strerror}; name the folder of a whole recording") from error
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise ReplayRefused(f"{file}: {error}; {_AGAIN}") from error


def _below(site: Site, village: str) -> frozenset[str]:
    parents = {place.id: place.parent for place in site.place}

    def is_below(place: str) -> bool:
        seen: set[str] = set()
        while place and place != village and place not in seen:
            seen.add(place)
            place = parents.get(place, "")
        return place == village

    return frozenset(place for place in parents if is_below(place))
