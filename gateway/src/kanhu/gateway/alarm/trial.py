"""Tries everything that is fitted, so that the first time is not the night in which it counts."""

from collections.abc import AsyncIterator

from kanhu.contract import Clock, Finding, Phase, Priority, Subject, SubjectKind, Times
from kanhu.gateway.alarm.acting import Message, Result
from kanhu.gateway.alarm.fitted import fit, house_of
from kanhu.gateway.alarm.keeper import channel_name
from kanhu.gateway.alarm.sms import Sms
from kanhu.gateway.config import GatewayConfig
from kanhu.vitals import core_pack

_LIGHT_S = 3.0


async def try_alarm(config: GatewayConfig, *, clock: Clock) -> AsyncIterator[tuple[str, Result]]:
    """Say, show and write to everybody in the file of contacts that this is a trial; how each came out.

    It needs no outbox and runs beside a gateway. It gives the card no PIN: a running gateway has done so.

    Raises:
        ConfigRefused: the contacts file cannot be used.
    """
    fitted = fit(config.alarm, house_of(config, core_pack()), clock=clock)
    place = Subject(SubjectKind.DWELLING, config.gateway)
    for way in fitted.ways:
        for subject in way.subjects(place) if isinstance(way, Sms) else (place,):
            name = channel_name(way) if subject == place else f"{channel_name(way)} for {subject.id}"
            yield name, await way.tell(Message.TRIAL, _nothing(subject, clock))
    await clock.sleep(_LIGHT_S)  # long enough to be seen
    for way in fitted.ways:
        await way.rest()


def _nothing(subject: Subject, clock: Clock) -> Finding:
    now = Times(clock.wall_ms(), clock.mono_ns(), clock.boot, clock.state())
    return Finding("trial", "trial", "1", subject, Priority.TECHNICAL, Phase.START, "trial", now, ())
