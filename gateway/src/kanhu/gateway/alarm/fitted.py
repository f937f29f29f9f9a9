"""Puts the alarm of one gateway together from its settings."""

from collections.abc import Callable, Coroutine, Sequence
from datetime import tzinfo
from functools import partial
from pathlib import Path

from kanhu.contract import Clock, Lane
from kanhu.gateway.alarm.acting import Way
from kanhu.gateway.alarm.contacts import Contacts, Role, load_contacts
from kanhu.gateway.alarm.keeper import AlarmKeeper, Tidings
from kanhu.gateway.alarm.light import CommandSwitch, FileSwitch, Light
from kanhu.gateway.alarm.modem import Modem
from kanhu.gateway.alarm.settings import AlarmConfig
from kanhu.gateway.alarm.sms import Mailbox, NotedPin, Sms, look_after_modem
from kanhu.gateway.alarm.voice import Voice
from kanhu.gateway.committer import Committer
from kanhu.vitals import RulePack


def build_keeper(
    config: AlarmConfig,
    committer: Committer,
    *,
    pack: RulePack,
    home: str,
    folder: Path,
    zone: tzinfo,
    clock: Clock,
    announce: Callable[[Sequence[Lane]], None],
) -> AlarmKeeper:
    """The keeper with whatever is fitted here; relative paths count from `folder`.

    Raises:
        ConfigRefused: the contacts file cannot be used.
    """
    ways: list[Way] = []
    tidings: Tidings | None = None
    beside: Callable[[], Coroutine[object, object, None]] | None = None
    written_to = 0
    if config.modem_port is not None and config.contacts is not None:
        file = folder / config.contacts
        contacts = load_contacts(file)
        modem = Modem(
            config.modem_port,
            baud=config.modem_baud,
            mode=config.modem_mode,
            clock=clock,
            pin=contacts.pin,
            memory=NotedPin(committer, file),
        )
        messages = _messages(contacts, modem, config=config, pack=pack, home=home, zone=zone)
        written_to = len(messages)
        ways += messages
        tidings = Mailbox(modem, contacts.contact).news
        beside = partial(look_after_modem, modem, committer, clock=clock)
    if config.player:
        ways.insert(0, Voice(config, pack=pack, folder=folder, written_to=written_to))
    if config.light_file is not None:
        ways.insert(1, Light(FileSwitch(folder / config.light_file)))
    elif config.light_on:
        ways.insert(1, Light(CommandSwitch(config.light_on, config.light_off)))
    return AlarmKeeper(
        committer, ways, receipt_s=config.receipt_s, clock=clock, announce=announce, tidings=tidings, beside=beside
    )


def _messages(
    contacts: Contacts, modem: Modem, *, config: AlarmConfig, pack: RulePack, home: str, zone: tzinfo
) -> list[Sms]:
    return [
        Sms(role, contacts.contact, modem=modem, pack=pack, language=config.language, home=home, zone=zone)
        for role in Role
        if any(contact.role is role for contact in contacts.contact)
    ]
