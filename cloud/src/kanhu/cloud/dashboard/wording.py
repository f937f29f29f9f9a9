"""Words for codes, and times as people say them: what templates ask by name."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo

from kanhu.cloud.dashboard.languages import Language
from kanhu.cloud.desk.model import AlertRow, Both, GatewayRow, LateRow, Outcome, Person
from kanhu.contract import METRICS, ClockState, Priority, QualityLevel, QualityReason, RefusalReason
from kanhu.contract.remote import ReleaseReason

__all__ = ["OUTCOMES", "PRIORITIES", "TAGS", "Wording", "client_words"]

PRIORITIES = (Priority.HIGH, Priority.MEDIUM, Priority.LOW, Priority.TECHNICAL)
"""In the order of the board: digits 1 to 4."""

TAGS = ("lives_alone", "hypertension", "diabetes", "copd", "heart_failure", "disabled", "discharged", "pregnant")

OUTCOMES = (
    ("real", (Outcome.TRUE_ACTION, Outcome.TRUE_REFERRAL, Outcome.TRUE_NO_ACTION)),
    (
        "not_real",
        (
            Outcome.FALSE_TECHNIQUE,
            Outcome.FALSE_DEVICE,
            Outcome.FALSE_ALGORITHM,
            Outcome.TEST,
            Outcome.DUPLICATE,
        ),
    ),
    ("not_reached", (Outcome.UNREACHABLE,)),
)
"""As a person chooses: what it was, then why."""

LINKS = ("connecting", "backing_off")
GATEWAY_STATES = ("online", "silent", "stopped", "never_seen")
GATEWAY_KINDS = ("home", "clinic")
ALARM_WAYS = ("voice", "light", "sms", "modem")
FAULTS = (
    *("unplugged", "silent", "sim_missing", "pin_missing", "pin_refused", "puk_needed"),
    *("no_network", "registration_denied", "no_end", "file_failed", "no_recording"),
    *("program_missing", "program_failed", "player_program_missing", "player_program_failed"),
)
"""Why a part of a gateway's alarm does not work, where words help more than the name."""
COUNTERS = (
    *("envelopes", "records", "redelivered", "no_room", "not_told", "conflicts", "refused"),
    *("heartbeats_repeated", "retained_status_ignored", "foreign_subject", "alert_ids_replaced", "faults_over_limit"),
)
REFUSALS = (*RefusalReason, "bad_topic")
"""Why bytes are put aside: what the contract names, and a topic that is none of this system's."""
_COUNTY = "county"

_CLAUSE_END = re.compile(r"[；。]|;\s|\.\s|\.$")

_CLIENT_KEYS = (
    "time.minutes", "time.hours", "time.hours_minutes", "wait.of", "wait.late",
    "live.ago", "live.lost", "live.behind", "bar.stale", "bar.deaf", "bar.offline", "bar.error",
    "sound.tested", "sound.off_short", "sound.muted",
    "say.session_over", "say.failed", "panel.loading", "panel.choose",
)  # fmt: skip  # one line a family
_CLIENT_COUNTS = ("time.days", "list.new", "say.now_alert")


@dataclass(frozen=True, slots=True)
class Wording:
    """Texts of one request: its language, the county's time zone, the moment it is made for."""

    language: Language
    zone: tzinfo
    now: datetime

    def both(self, text: Both) -> str:
        """A text that came in both languages."""
        return text.of(self.language.code)

    def first_clause(self, text: Both) -> str:
        """What comes first in a sentence, for a row; cut between clauses, so that no number is ever cut."""
        return _CLAUSE_END.split(self.both(text), maxsplit=1)[0]

    def name(self, person: Person) -> str:
        """A person's name in the letters of the reader, where the register has it."""
        return person.name_en if person.name_en and not self.language.code.startswith("zh") else person.name

    def actor(self, actor: str) -> str:
        """Who did something: a user's own name, or the county's service."""
        return self.language.text("actor.county") if actor == _COUNTY else actor

    def span(self, span: tuple[datetime, datetime]) -> str:
        """`from 08:40 to 08:43`; with dates where the two are not both of today."""
        days = {moment.astimezone(self.zone).date() for moment in (*span, self.now)}
        told = self.language.clock if len(days) == 1 else self.language.moment
        return self.language.text("trend.span", first=told(span[0], self.zone), last=told(span[1], self.zone))

    def priority(self, priority: Priority) -> str:
        """`Now`."""
        return self.language.text(f"priority.{priority.value}")

    def tags(self, person: Person) -> list[str]:
        """Known risk tags in words; a code nobody has put into words stays hidden."""
        return [self.language.text(f"tag.{tag}") for tag in TAGS if tag in person.tags]

    def sex_and_age(self, person: Person) -> str:
        """`F 82`, or what of it is recorded."""
        sex = self.language.text(f"sex.{person.sex}") if person.sex in {"f", "m"} else ""
        return " ".join(part for part in (sex, "" if person.age is None else str(person.age)) if part)

    def known(self, family: str, code: str, codes: Sequence[str]) -> str:
        """The words of a code, or the code itself where it is not among those with words."""
        return self.language.text(f"{family}.{code}") if code in codes else code.replace("_", " ")

    def reason(self, code: str) -> str:
        """Why a value is questionable."""
        return self.known("quality", code, tuple(QualityReason))

    def quality(self, level: QualityLevel) -> str:
        """How far a value may be trusted."""
        return self.language.text(f"trust.{level.value}")

    def metric(self, code: str) -> str:
        """Name of a metric from the contract's table."""
        row = METRICS.get(code)
        return code if row is None else Both(zh=row.zh, en=row.en).of(self.language.code)

    def refusal(self, code: str) -> str:
        """Why the county put bytes aside."""
        return self.known("refusal", code, REFUSALS)

    def clock_state(self, code: str) -> str:
        """How far a gateway's clock can be trusted."""
        return self.known("clock", code, tuple(ClockState))

    def clock_off(self, device: str, seconds: int) -> str:
        """`clock of cuff-03 12 min ahead`."""
        way = "equipment.clock_ahead" if seconds > 0 else "equipment.clock_behind"
        return self.language.text(way, device=device, duration=self.language.duration(abs(seconds)))

    def alarm_ways(self, fitted: Sequence[str]) -> str:
        """`voice, messages`: by what a gateway can tell people without the county."""
        ways = dict.fromkeys(way.partition(":")[0] for way in fitted)
        return self.language.text("equipment.between").join(self.known("alarm", way, ALARM_WAYS) for way in ways)

    def flaws(self, gateway: GatewayRow) -> list[str]:
        """What needs somebody's hand or eye at a gateway, one line each."""
        alarm = gateway.alarm
        found = [] if gateway.late is None else self._late(gateway.late)
        found += [] if alarm is None or not alarm.alone else [self.language.count("equipment.alone", alarm.alone)]
        found += [] if alarm is None else [self._alarm_fault(part, reason) for part, reason in alarm.faults]
        found += [] if gateway.refused_release is None else [self._refused_release(*gateway.refused_release)]
        return found + [self.clock_off(device, seconds) for device, seconds in gateway.clocks_off]

    def _late(self, late: LateRow) -> list[str]:
        ends = "equipment.late_until" if late.until >= self.now else "equipment.late_over"
        return [self.language.count("equipment.late", late.days), self.language.text(ends, time=self.when(late.until))]

    def _alarm_fault(self, part: str, reason: str) -> str:
        name = self.known("alarm", part, ALARM_WAYS)
        return self.language.text("equipment.alarm_fault", part=name, reason=self.known("fault", reason, FAULTS))

    def release(self, number: int) -> str:
        """`release 7`, or that there is none yet."""
        return self.language.text("release.number", n=number) if number else self.language.text("release.none")

    def _refused_release(self, number: int, reason: str) -> str:
        why = self.known("release", reason, tuple(ReleaseReason))
        return self.language.text("release.refused", n=number, reason=why)

    def counter(self, code: str) -> str:
        """What an ingest counter counts."""
        return self.known("counter", code, COUNTERS)

    def link(self, state: str) -> str:
        """What keeps the county from hearing its gateways, without the technical detail after the colon."""
        return self.known("link", state.partition(":")[0], LINKS)

    def gateway_state(self, code: str) -> str:
        """`silent`."""
        return self.known("gateway", code, GATEWAY_STATES)

    def gateway_kind(self, code: str) -> str:
        """`home`."""
        return self.known("kind", code, GATEWAY_KINDS)

    def outcome(self, outcome: Outcome) -> str:
        """How an alert ended."""
        return self.language.text(f"outcome.{outcome.value}")

    def when(self, moment: datetime) -> str:
        """`14:02` today, with the date otherwise."""
        return self.language.when(moment, self.now, self.zone)

    def ago(self, moment: datetime) -> str:
        """`2 min ago`; a heartbeat of this minute in seconds."""
        seconds = int((self.now - moment).total_seconds())
        if 0 <= seconds < 60:
            return self.language.text("time.seconds_ago", n=seconds)
        return self.language.text("time.ago", duration=self.language.duration((self.now - moment).total_seconds()))

    def wait(self, row: AlertRow) -> str:
        """How long this has been open."""
        return self.language.duration((self.now - row.opened_at).total_seconds())

    def allowed(self, row: AlertRow) -> str:
        """`/ 15 min`, or how late it is."""
        late_s = (self.now - row.due_at).total_seconds()
        if late_s >= 60:
            return self.language.text("wait.late", duration=self.language.duration(late_s))
        return self.language.text(
            "wait.of", duration=self.language.duration((row.due_at - row.opened_at).total_seconds())
        )


def client_words(language: Language) -> str:
    """The sentences that scripts fill in, as JSON for one attribute."""
    ngettext = language.texts.ngettext
    words: dict[str, str | list[str]] = {key: language.texts.gettext(key) for key in _CLIENT_KEYS}
    words |= {key: [ngettext(key, key, 1), ngettext(key, key, 2)] for key in _CLIENT_COUNTS}
    return json.dumps(words, ensure_ascii=False, separators=(",", ":"))
