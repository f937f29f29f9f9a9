"""Puts the alarm of one gateway together from its settings."""

from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from datetime import tzinfo
from functools import partial
from pathlib import Path

from kanhu.contract import Clock, Lane
from kanhu.gateway.alarm.acting import Way
from kanhu.gateway.alarm.contacts import Contact, Contacts, Role, load_contacts
from kanhu.gateway.alarm.keeper import AlarmKeeper, Tidings
from kanhu.gateway.alarm.light import CommandSwitch, FileSwitch, Light
from kanhu.gateway.alarm.modem import Modem, PinMemory
from kanhu.gateway.alarm.settings import AlarmConfig
from kanhu.gateway.alarm.sms import Mailbox, NotedPin, Sms, look_after_modem
from kanhu.gateway.alarm.voice import Voice
from kanhu.gateway.committer import Committer
from kanhu.gateway.config import GatewayConfig
from kanhu.vitals import RulePack


@dataclass(frozen=True, slots=True)
class Fitted:
    """What is there to tell with; without a modem nobody is written to."""

    ways: tuple[Way, ...]
    modem: Modem | None = None
    contacts: tuple[Contact, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class House:
    """Where the alarm is fitted."""

    gateway: str
    """What the home is called where a contact has no name for it."""
    folder: Path
    """Where relative paths count from."""
    zone: tzinfo
    pack: RulePack


def house_of(config: GatewayConfig, pack: RulePack) -> House:
    """Where the alarm of this gateway is fitted; the pack has the words of its rules."""
    return House(gateway=config.gateway, folder=config.folder, zone=config.zone, pack=pack)


def fit(
    config: AlarmConfig, house: House, *, clock: Clock, memory: Callable[[Path], PinMemory] | None = None
) -> Fitted:
    """Whatever the settings name. Without a memory for it no PIN is ever tried.

    Raises:
        ConfigRefused: the contacts file cannot be used.
    """
    modem: Modem | None = None
    contacts = Contacts()
    messages: tuple[Sms, ...] = ()
    if config.modem_port is not None and config.contacts is not None:
        file = house.folder / config.contacts
        contacts = load_contacts(file)
        modem = Modem(
            config.modem_port,
            baud=config.modem_baud,
            mode=config.modem_mode,
            clock=clock,
            pin=contacts.pin,
            memory=None if memory is None else memory(file),
        )
        messages = _messages(contacts, modem, config=config, house=house)
    ways: list[Way] = []
    if config.player:
        ways.append(Voice(config, pack=house.pack, folder=house.folder, messages=messages))
    if config.light_file is not None:
        ways.append(Light(FileSwitch(house.folder / config.light_file)))
    elif config.light_on:
        ways.append(Light(CommandSwitch(config.light_on, config.light_off)))
    return Fitted((*ways, *messages), modem, contacts.contact)


def build_keeper(
    config: AlarmConfig,
    committer: Committer,
    *,
    house: House,
    clock: Clock,
    announce: Callable[[Sequence[Lane]], None],
    confirmed: Callable[[str], bool],
) -> AlarmKeeper:
    """The keeper with whatever is fitted; `confirmed` as for it.

    Raises:
        ConfigRefused: the contacts file cannot be used.
    """
    fitted = fit(config, house, clock=clock, memory=partial(NotedPin, committer))
    tidings: Tidings | None = None
    beside: Callable[[], Coroutine[object, object, None]] | None = None
    if fitted.modem is not None:
        tidings = Mailbox(fitted.modem, fitted.contacts).news
        beside = partial(look_after_modem, fitted.modem, committer, clock=clock)
    return AlarmKeeper(
        committer,
        fitted.ways,
        receipt_s=config.receipt_s,
        clock=clock,
        announce=announce,
        tidings=tidings,
        beside=beside,
        confirmed=confirmed,
    )


def _messages(contacts: Contacts, modem: Modem, *, config: AlarmConfig, house: House) -> tuple[Sms, ...]:
    return tuple(
        Sms(
            role,
            contacts.contact,
            modem=modem,
            pack=house.pack,
            language=config.language,
            home=house.gateway,
            zone=house.zone,
        )
        for role in Role
        if any(contact.role is role for contact in contacts.contact)
    )
