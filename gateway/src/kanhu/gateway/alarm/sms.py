"""Short messages as a way of telling: one way a role, through the one modem."""

import logging
from collections.abc import Sequence
from contextlib import suppress
from datetime import tzinfo
from functools import partial
from pathlib import Path

from kanhu.contract import Clock, Finding, Subject, SubjectKind
from kanhu.contract.actions import ActionOutcome
from kanhu.gateway.alarm.acting import Acknowledgement, Message, News, Result
from kanhu.gateway.alarm.contacts import Contact, Role
from kanhu.gateway.alarm.errors import ModemError, ModemReason
from kanhu.gateway.alarm.modem import Modem
from kanhu.gateway.alarm.notes import PIN_TRIED, part_of
from kanhu.gateway.alarm.standing import note_fault
from kanhu.gateway.alarm.words import title_of, written
from kanhu.gateway.committer import Committer
from kanhu.gateway.errors import OutboxError
from kanhu.gateway.outbox import Outbox
from kanhu.vitals import Language, RulePack

_LOOK_EVERY_S = 86_400.0
_LOOK_AGAIN_S = 600.0  # whoever mends it sees soon, and in the county too, that it is mended
_SEEN_TO = "1"
_SUBSCRIBER_DIGITS = 8

_log = logging.getLogger(__name__)


class Sms:
    """Writes to one role."""

    channel = "sms"

    def __init__(
        self,
        role: Role,
        contacts: Sequence[Contact],
        *,
        modem: Modem,
        pack: RulePack,
        language: Language,
        home: str,
        zone: tzinfo,
    ) -> None:
        """`home` is what the home is called where a contact has no name for it."""
        self.role: str = role.value
        self._contacts = [contact for contact in contacts if contact.role is role]
        self._modem = modem
        self._pack = pack
        self._language = language
        self._home = home
        self._zone = zone

    def concerns(self, finding: Finding) -> bool:
        """Whether anybody of this role is to be told of this subject."""
        return self._contact(finding) is not None

    def subjects(self, place: Subject) -> list[Subject]:
        """One for each contact, so that a message about it goes there; `place` is that of contacts for everybody."""
        return [
            place if contact.resident is None else Subject(SubjectKind.RESIDENT, contact.resident)
            for contact in self._contacts
        ]

    async def tell(self, message: Message, finding: Finding) -> Result:
        """Send it."""
        contact = self._contact(finding)
        if contact is None:
            return Result(ActionOutcome.FAILED, "no_contact")
        text = written(
            title_of(self._pack, finding, self._language),
            message,
            self._language,
            home=contact.home or self._home,
            finding=finding,
            zone=self._zone,
        )
        try:
            references = await self._modem.send(contact.number, text)
        except ModemError as error:
            code = error.detail if error.reason is ModemReason.SEND_REFUSED and error.detail else ""
            return Result(ActionOutcome.FAILED, f"{error.reason.value}_{code}" if code else error.reason.value)
        return Result(ActionOutcome.SENT, references=references)

    async def rest(self) -> None:
        """Let go of the port: somebody may want to look at the modem, or to replug it."""
        await self._modem.close()

    def _contact(self, finding: Finding) -> Contact | None:
        subject = finding.subject
        own = [contact for contact in self._contacts if contact.resident == subject.id]
        shared = [contact for contact in self._contacts if contact.resident is None]
        # A button on the wall belongs to nobody: somebody there needs help, and whoever knows the home is told.
        anybody = self._contacts if subject.kind is SubjectKind.DWELLING else []
        return next(iter((*own, *shared, *anybody)), None)


class Mailbox:
    """What comes back through the modem: delivery reports, and the answer "1" of somebody who was written to."""

    def __init__(self, modem: Modem, contacts: Sequence[Contact]) -> None:
        """Only these people are listened to."""
        self._modem = modem
        self._contacts = contacts

    async def news(self) -> News:
        """What came since the last question."""
        delivered = await self._modem.reports()
        seen_to = [
            Acknowledgement(contact.role.value, contact.resident)
            for letter in self._modem.letters()
            if letter.text.strip() == _SEEN_TO
            for contact in self._contacts
            if _same_number(contact.number, letter.sender)
        ]
        return News(delivered, tuple(seen_to))


def _same_number(ours: str, theirs: str) -> bool:
    """Whether two ways of writing are one telephone: with the country's code or without, never by a few digits."""
    longer, shorter = sorted((ours.lstrip("+0"), theirs.lstrip("+0")), key=len, reverse=True)
    return longer == shorter or (len(shorter) >= _SUBSCRIBER_DIGITS and longer.endswith(shorter))


class NotedPin:
    """Remembers in the outbox, over restarts, with which state of the contacts file a PIN was tried; never the PIN."""

    def __init__(self, committer: Committer, file: Path) -> None:
        """`file` is where the PIN stands."""
        self._committer = committer
        self._file = file

    async def may_try(self) -> bool:
        """Whether the file has changed since a PIN was tried and not accepted; notes this try on the card first."""
        try:
            changed_ns = self._file.stat().st_mtime_ns
            notes = await self._committer.call(Outbox.notes)
            if notes.get(PIN_TRIED) == changed_ns:
                return False
            await self._note(changed_ns)
        except (OSError, OutboxError):  # not noted, not tried: a card that is blocked helps nobody
            return False
        return True

    async def accepted(self) -> None:
        """It was right: it may be given again after the next power cut."""
        await self._note(0)

    async def _note(self, value: int) -> None:
        await self._committer.call(partial(Outbox.remember, notes={PIN_TRIED: value}))


async def look_after_modem(modem: Modem, committer: Committer, *, clock: Clock) -> None:
    """See once a day whether a message could leave, and note it: not only in the night of the alarm."""
    while True:
        try:
            await modem.check()
            fault = ""
        except ModemError as error:
            _log.error("no message could be sent now: %s", error)
            fault = error.reason.value
        if not committer.alarms_open:
            await modem.close()
        with suppress(OutboxError):  # the doctor says what is wrong with the card
            await committer.call(partial(note_fault, part=part_of(Sms.channel), reason=fault))
        await clock.sleep(_LOOK_AGAIN_S if fault else _LOOK_EVERY_S)
