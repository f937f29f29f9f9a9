"""What the doctor says about the agreements of the day."""

from collections.abc import Iterator

from kanhu.gateway.check import Check, Level
from kanhu.gateway.config import GatewayConfig, ResidentConfig
from kanhu.gateway.daily.keeper import UNHEARD, DayState, kept_days
from kanhu.gateway.daily.settings import INACT, asked_of
from kanhu.gateway.daily.silence import kept_home
from kanhu.gateway.outbox import Outbox
from kanhu.vitals import core_pack


def daily_checks(config: GatewayConfig, outbox: Outbox) -> Iterator[Check]:
    """How far each agreed day has come; nothing where nothing was agreed."""
    agreed = [one for one in config.resident if one.well_check or one.medicine or one.inactivity]
    if not agreed:
        return
    days = kept_days(outbox) or {}
    said = {one.id: [*_said(one, days.get(one.id, DayState())), *_silence(one, outbox)] for one in agreed}
    found = "; ".join(f"{name}: {', '.join(words)}" for name, words in said.items())
    unheard = outbox.notes().get(UNHEARD, 0)
    if unheard:
        remedy = "See to loudspeaker and alarm.player; kanhu-gateway try-alarm tries them"
        yield Check("daily life", Level.ATTENTION, f"{unheard} reminders were not said; {found}", remedy)
    else:
        yield Check("daily life", Level.OK, found)


def _said(one: ResidentConfig, day: DayState) -> Iterator[str]:
    if one.well_check is not None:
        well = day.well
        state = f"asked {well.prompts} times" if well.prompts else "waiting for the sign"
        if well.missing:
            state = "no sign"
        if well.signed:
            state = "sign given"
        yield f"{state} ({well.day or 'no day yet'})"
    if one.medicine is not None:
        yield "a dose is due" if day.medicine.open else "no dose is due"


def _silence(one: ResidentConfig, outbox: Outbox) -> Iterator[str]:
    if one.inactivity is not None:
        home = kept_home(outbox, one.id, one.inactivity, asked_of(core_pack(), INACT))
        yield f"silence {home.stage} (asked about from {home.limit_h:.1f} waking hours on)"
