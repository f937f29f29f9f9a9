"""Puts together what one gateway keeps every day."""

import logging

from kanhu.contract import Clock
from kanhu.gateway.alarm.keeper import AlarmKeeper
from kanhu.gateway.alarm.voice import Voice
from kanhu.gateway.committer import Committer
from kanhu.gateway.config import GatewayConfig
from kanhu.gateway.daily.keeper import DailyKeeper
from kanhu.gateway.daily.settings import INACT, WELL_CHECK, asked_of
from kanhu.gateway.daily.silence import Silence
from kanhu.gateway.daily.words import SPOKEN, Reminder
from kanhu.gateway.timekeeping import Timekeeper
from kanhu.vitals import RulePack, core_pack
from kanhu.vitals.rules.records import Asked

_log = logging.getLogger(__name__)


def build_daily(
    config: GatewayConfig,
    committer: Committer,
    alarm: AlarmKeeper,
    *,
    pack: RulePack,
    timekeeper: Timekeeper,
    clock: Clock,
) -> DailyKeeper:
    """The keeper; it speaks with the alarm's own voice, one after the other, and the pack says how often it asks."""
    voice = alarm.way("voice")

    async def say(reminder: Reminder) -> bool:
        if not isinstance(voice, Voice):
            return False
        return (await voice.aloud(reminder.value, SPOKEN[reminder][config.alarm.language])).well

    watched = next((one for one in config.resident if one.inactivity is not None), None)
    silence = None
    if watched is not None and watched.inactivity is not None:
        asked = _asked(pack, INACT)
        silence = Silence(watched.id, watched.inactivity, asked=asked, committer=committer, zone=config.zone)
    return DailyKeeper(
        config.resident,
        asked=_asked(pack, WELL_CHECK),
        committer=committer,
        timekeeper=timekeeper,
        zone=config.zone,
        say=say,
        clock=clock,
        silence=silence,
    )


def _asked(pack: RulePack, rule: str) -> Asked:
    """A pack without the rule raises no alert of it; the reminders go on, and so does everything else."""
    try:
        return asked_of(pack, rule)
    except LookupError as error:
        _log.error("%s: reminders go on as the shipped rules say, and no alert follows them", error)
        return asked_of(core_pack(), rule)
