"""Settings of a clinic or a home for the elderly: rooms, beds, who lies where from when to when, and the page.

Every setting is named in docs/gateway.md with its meaning, unit and default.
"""

import ipaddress
from collections.abc import Iterator, Sequence
from datetime import datetime, tzinfo
from typing import TYPE_CHECKING, Annotated, Literal

import msgspec

from kanhu.edge.whose import SESSION_S, Stay
from kanhu.gateway.errors import GatewayError

if TYPE_CHECKING:
    from kanhu.gateway.config import GatewayConfig

_Name = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
_Short = Annotated[str, msgspec.Meta(min_length=1, max_length=24)]
_UNPRIVILEGED_PORT = 1024


class PageConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The clinic page; a gateway without this table has none."""

    host: str = "127.0.0.1"
    port: Annotated[int, msgspec.Meta(ge=_UNPRIVILEGED_PORT, le=65535)] = 8780
    language: Literal["zh", "en"] = "zh"
    session_s: Annotated[float, msgspec.Meta(ge=30, le=3600)] = SESSION_S


class BedConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One bed, in a room or in none."""

    id: _Name
    room: _Short | None = None


class StayConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Who lies in a bed, from when to when; a time without an offset is that of the gateway's time zone."""

    bed: str
    resident: str
    since: datetime | None = None
    until: datetime | None = None

    def in_zone(self, zone: tzinfo) -> Stay:
        """The same with aware times."""
        return Stay(
            bed=self.bed, resident=self.resident, since=_aware(self.since, zone), until=_aware(self.until, zone)
        )


class PlaceRefused(GatewayError):
    """Rooms, beds, stays or labels that contradict each other."""

    def __init__(self, key: str, *, problem: str, remedy: str) -> None:
        """Keep the pieces."""
        super().__init__(f"{key}: {problem}. {remedy}")
        self.key = key
        self.problem = problem
        self.remedy = remedy


def check_places(config: "GatewayConfig") -> None:
    """What single fields cannot tell.

    Raises:
        PlaceRefused: names key, problem and remedy; a label or a card is never quoted, they may be personal.
    """
    _check_beds(config)
    _check_stays(config)
    _check_labels(config)
    if config.page is not None:
        _check_host(config.page.host)


def _check_beds(config: "GatewayConfig") -> None:
    beds = [bed.id for bed in config.bed]
    for number in _twice(beds):
        raise PlaceRefused(f"bed[{number}].id", problem=f"twice: {beds[number]}", remedy="Give each bed one table")
    for number, device in enumerate(config.device):
        if device.bed is not None and device.bed not in beds:
            problem = f"no such bed: {device.bed}"
            raise PlaceRefused(f"device[{number}].bed", problem=problem, remedy="Add a [[bed]] table with this id")


def _check_stays(config: "GatewayConfig") -> None:
    beds = {bed.id for bed in config.bed}
    residents = {resident.id for resident in config.resident}
    stays = [stay.in_zone(config.zone) for stay in config.stay]
    for number, stay in enumerate(stays):
        place = f"stay[{number}]"
        if stay.bed not in beds:
            problem = f"no such bed: {stay.bed}"
            raise PlaceRefused(f"{place}.bed", problem=problem, remedy="Add a [[bed]] table with this id")
        if stay.resident not in residents:
            problem = f"no such resident: {stay.resident}"
            raise PlaceRefused(f"{place}.resident", problem=problem, remedy="Add a [[resident]] table with this id")
        if stay.since is not None and stay.until is not None and stay.since >= stay.until:
            raise PlaceRefused(f"{place}.until", problem="it ends before it begins", remedy="Correct the times")
        for earlier in stays[:number]:
            if stay.meets(earlier) and (stay.bed == earlier.bed or stay.resident == earlier.resident):
                remedy = "End the earlier stay with `until`, at the latest when this one begins"
                problem = f"{stay.resident} in {stay.bed} while {earlier.resident} lies in {earlier.bed}"
                raise PlaceRefused(f"{place}.since", problem=problem, remedy=remedy)


def _check_labels(config: "GatewayConfig") -> None:
    labels = [resident.label for resident in config.resident]
    codes = [code for resident in config.resident for code in {resident.id, resident.card} if code is not None]
    for number, label in enumerate(labels):
        if label is not None and not (label.isprintable() and label.strip() == label):
            remedy = "Give a room and bed, or initials, without line breaks or spaces around it"
            raise PlaceRefused(f"resident[{number}].label", problem="it cannot be shown", remedy=remedy)
    for number in _twice(labels):
        remedy = "Two people under one label would be taken for each other; make them differ"
        raise PlaceRefused(f"resident[{number}].label", problem="twice", remedy=remedy)
    if any(_twice(codes)):
        remedy = "Each card belongs to one person"
        raise PlaceRefused("resident.card", problem="a card or id is there twice", remedy=remedy)


def _check_host(host: str) -> None:
    remedy = "Give the one address at which the page is opened; 127.0.0.1 for a screen at the box itself"
    try:
        address = ipaddress.ip_address(host)
    except ValueError as error:
        raise PlaceRefused("page.host", problem=f"{host!r} is no IP address", remedy=remedy) from error
    if address.is_unspecified or address.is_multicast:
        raise PlaceRefused("page.host", problem=f"{host} is every address, or nobody's", remedy=remedy)


def _twice(names: Sequence[str | None]) -> Iterator[int]:
    for number, name in enumerate(names):
        if name is not None and name in names[:number]:
            yield number


def _aware(at: datetime | None, zone: tzinfo) -> datetime | None:
    return at if at is None or at.tzinfo is not None else at.replace(tzinfo=zone)
