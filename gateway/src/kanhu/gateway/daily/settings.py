"""What `[resident.well_check]` and `[resident.medicine]` of gateway.toml may say.

Every setting is named in docs/gateway.md; docs/daily-life.md tells how to agree them with the person.
"""

from enum import StrEnum
from itertools import pairwise
from typing import TYPE_CHECKING, Annotated

import msgspec

from kanhu.gateway.errors import GatewayError
from kanhu.vitals import RulePack
from kanhu.vitals.profile import LIVES_ALONE
from kanhu.vitals.rules.records import Asked

if TYPE_CHECKING:
    from kanhu.gateway.config import GatewayConfig, ResidentConfig

WELL_CHECK = "WELL-CHECK"
INACT = "INACT"

_TimeOfDay = Annotated[str, msgspec.Meta(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")]
_DAY_MIN = 24 * 60
_LEAST_WINDOW_MIN = 30
"""Between the earliest sign that counts and the agreed hour; project choice: who gets up late gave one all the same."""
_MARGIN_MIN = 60
"""Between the end of one day's check and the next day's first sign."""


class Sign(StrEnum):
    """What counts as the agreed sign."""

    BUTTON = "button"
    """The agreed press of the help button: `well`, or `fine`."""
    MOTION = "motion"
    """A motion sensor of the dwelling, or something used."""
    CONTACT = "contact"
    """A door."""
    MEASUREMENT = "measurement"
    """A good reading of the person by any device."""


class WellCheckConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The person agreed to give a sign each day."""

    by: _TimeOfDay
    since: _TimeOfDay = "04:00"
    signs: tuple[Sign, ...] = (Sign.BUTTON,)


class MedicineConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Times of day at which the person takes medicine; what it is does not belong here."""

    times: tuple[_TimeOfDay, ...]
    within_min: Annotated[int, msgspec.Meta(ge=10, le=360)] = 60


class InactivityConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The person agreed that the home is watched for silence."""

    way_out: tuple[str, ...] = ()
    """Sensors on doors by which one leaves: silence after one of these is an absence."""


class DailyRefused(GatewayError):
    """Agreements that cannot be kept."""

    def __init__(self, key: str, *, problem: str, remedy: str) -> None:
        """Keep the pieces."""
        super().__init__(f"{key}: {problem}. {remedy}")
        self.key = key
        self.problem = problem
        self.remedy = remedy


def minute_of(text: str) -> int:
    """Minutes after midnight of `HH:MM`."""
    hours, minutes = text.split(":")
    return int(hours) * 60 + int(minutes)


def asked_of(pack: RulePack, name: str = WELL_CHECK) -> Asked:
    """How often and how far apart a rule of the pack wants the person asked.

    Raises:
        LookupError: the pack has no such rule.
    """
    rule = pack.rule(name)
    if rule is None or not isinstance(rule.confirm, Asked):
        raise LookupError(f"pack {pack.version} does not say how {name} asks")
    return rule.confirm


def check_daily(config: "GatewayConfig", pack: RulePack) -> None:
    """What single fields cannot tell.

    Raises:
        DailyRefused: names key, problem and remedy.
    """
    for number, resident in enumerate(config.resident):
        place = f"resident[{number}]"
        if resident.well_check is not None:
            asked = _asked(pack, WELL_CHECK, f"{place}.well_check")
            _check_well(config, resident.well_check, f"{place}.well_check", asked)
        if resident.inactivity is not None:
            _asked(pack, INACT, f"{place}.inactivity")
            _check_inactivity(config, resident, f"{place}.inactivity")
        if resident.medicine is not None:
            _check_medicine(resident.medicine, f"{place}.medicine")
        mine = [device for device in config.device if device.resident == resident.id]
        by_button_only = resident.well_check is not None and resident.well_check.signs == (Sign.BUTTON,)
        if by_button_only and not any(device.well or device.fine for device in mine):
            remedy = "Set `well` at this person's button, or agree another sign"
            raise DailyRefused(f"{place}.well_check.signs", problem="no button can give it", remedy=remedy)
        if resident.medicine is not None and config.page is None and not any(device.dose for device in mine):
            remedy = "Set `dose` at this person's button, or open the page with [page]"
            raise DailyRefused(f"{place}.medicine", problem="nobody could say that it was taken", remedy=remedy)
        agreed = (resident.well_check, resident.medicine, resident.inactivity)
        if not config.alarm.player and any(one is not None for one in agreed):
            remedy = "Fit a loudspeaker and set alarm.player: a reminder that nobody hears ends in a needless visit"
            raise DailyRefused(f"{place}", problem="there is no voice to remind with", remedy=remedy)


def _asked(pack: RulePack, name: str, place: str) -> Asked:
    try:
        return asked_of(pack, name)
    except LookupError as error:
        remedy = f"Give the rule pack a {name} that is confirmed by asking"
        raise DailyRefused(place, problem=str(error), remedy=remedy) from error


def _check_inactivity(config: "GatewayConfig", resident: "ResidentConfig", place: str) -> None:
    if len(config.resident) > 1 or LIVES_ALONE not in resident.tags:
        problem = "movement in a home of several people is nobody's sign"
        remedy = f'Watch only where one person is registered, with the tag "{LIVES_ALONE}"'
        raise DailyRefused(place, problem=problem, remedy=remedy)
    devices = {device.id for device in config.device}
    if resident.inactivity is not None and not devices.issuperset(resident.inactivity.way_out):
        unknown = min(set(resident.inactivity.way_out) - devices)
        remedy = "Name sensors of [[device]] that are on doors by which one leaves"
        raise DailyRefused(f"{place}.way_out", problem=f"no device {unknown!r}", remedy=remedy)
    if not any(device.as_edge(gateway=config.gateway).dwelling for device in config.device):
        remedy = (
            "Add sensors of motion, doors or use with [[device]]; they belong to the home where no resident is named"
        )
        raise DailyRefused(place, problem="no sensor belongs to the home", remedy=remedy)


def _check_well(config: "GatewayConfig", well: WellCheckConfig, place: str, asked: Asked) -> None:
    since, by = minute_of(well.since), minute_of(well.by)
    if by - since < _LEAST_WINDOW_MIN:
        remedy = f"Let the first sign that counts be at least {_LEAST_WINDOW_MIN} minutes before the hour"
        raise DailyRefused(f"{place}.since", problem=f"{well.since} is not before {well.by}", remedy=remedy)
    ends = by + round(asked.prompts * asked.apart_s / 60) + _MARGIN_MIN
    if ends > since + _DAY_MIN:
        remedy = "Agree an earlier hour, or a later `since`"
        raise DailyRefused(f"{place}.by", problem="the reminders would reach into the next day's sign", remedy=remedy)
    if not well.signs:
        remedy = "Name at least one of " + ", ".join(Sign)
        raise DailyRefused(f"{place}.signs", problem="no sign is agreed", remedy=remedy)
    shared = {Sign.MOTION, Sign.CONTACT} & set(well.signs)
    if shared and len(config.resident) > 1:
        remedy = "Agree a button or a measurement: movement in a home of several people is nobody's sign"
        raise DailyRefused(f"{place}.signs", problem=f"{min(shared)} does not tell who", remedy=remedy)


def _check_medicine(medicine: MedicineConfig, place: str) -> None:
    minutes = sorted(minute_of(text) for text in medicine.times)
    if not minutes:
        raise DailyRefused(f"{place}.times", problem="no time", remedy="Name at least one time of day, or remove it")
    around = [*minutes, minutes[0] + _DAY_MIN]
    if any(later - earlier < medicine.within_min for earlier, later in pairwise(around)):
        remedy = "Let them lie further apart, or make within_min shorter"
        raise DailyRefused(f"{place}.times", problem="one dose is due before the last one is over", remedy=remedy)
