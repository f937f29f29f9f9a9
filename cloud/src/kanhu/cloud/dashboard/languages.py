"""Two languages from two catalogues: one key a sentence, dates and numbers through Babel."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, tzinfo
from functools import cache
from gettext import GNUTranslations
from io import BytesIO
from pathlib import Path
from types import MappingProxyType

from babel.core import Locale
from babel.dates import format_date, format_datetime, format_time
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.numbers import format_decimal

__all__ = ["CATALOGUES", "LANGUAGES", "Language", "choose_language", "language"]

CATALOGUES = Path(__file__).parent / "catalogues"
LANGUAGES: Mapping[str, str] = MappingProxyType({"zh": "zh_CN", "en": "en"})
"""Short code in the cookie and the catalogue that serves it; the first is the default."""

_MINUTE_S = 60
_HOUR_S = 3600
_DAY_S = 86400


@dataclass(frozen=True, slots=True)
class Language:
    """Texts, dates and numbers of one language."""

    code: str
    tag: str
    """For the `lang` attribute."""
    locale: Locale
    texts: GNUTranslations

    def text(self, key: str, **values: object) -> str:
        """The sentence of a key. A key without a sentence shows itself, and a test finds it first."""
        return self.texts.gettext(key).format(**values)

    def count(self, key: str, number: int, **values: object) -> str:
        """The sentence of a key in the right plural; `{n}` is the number as people write it."""
        return self.texts.ngettext(key, key, number).format(n=self.number(number), **values)

    def number(self, value: float) -> str:
        """With the thousands mark of the language."""
        return format_decimal(value, locale=self.locale)

    def clock(self, moment: datetime, zone: tzinfo) -> str:
        """`14:02`."""
        return format_time(moment, "HH:mm", tzinfo=zone, locale=self.locale)

    def moment(self, moment: datetime, zone: tzinfo) -> str:
        """`11-18 14:02`."""
        return format_datetime(moment, "MM-dd HH:mm", tzinfo=zone, locale=self.locale)

    def day(self, day: date) -> str:
        """`11-18`."""
        return format_date(day, "MM-dd", locale=self.locale)

    def when(self, moment: datetime, now: datetime, zone: tzinfo) -> str:
        """`14:02` today, `11-18 14:02` on another day."""
        same_day = moment.astimezone(zone).date() == now.astimezone(zone).date()
        return self.clock(moment, zone) if same_day else self.moment(moment, zone)

    def duration(self, seconds: float) -> str:
        """`6 min`, `1 h 11 m`, `3 days`; never seconds, which nobody can act on."""
        whole = max(0, int(seconds))
        if whole < _HOUR_S:
            return self.text("time.minutes", n=whole // _MINUTE_S)
        if whole < _DAY_S:
            hours, minutes = whole // _HOUR_S, whole % _HOUR_S // _MINUTE_S
            return self.text("time.hours_minutes", h=hours, m=minutes) if minutes else self.text("time.hours", n=hours)
        return self.count("time.days", whole // _DAY_S)


def choose_language(cookie: str | None, accept_language: str) -> str:
    """The person's own choice, else the first language of the browser that exists here, else Chinese."""
    if cookie is not None and cookie in LANGUAGES:
        return cookie
    wanted: list[tuple[float, int, str]] = []
    for place, item in enumerate(accept_language.split(",")[:16]):
        tag, _, quality = item.strip().partition(";q=")
        try:
            wanted.append((-float(quality or 1), place, tag[:2].lower()))
        except ValueError:
            continue
    return next((code for _, _, code in sorted(wanted) if code in LANGUAGES), next(iter(LANGUAGES)))


@cache
def language(code: str) -> Language:
    """Load one language; its catalogue is read once."""
    name = LANGUAGES[code]
    with (CATALOGUES / name / "LC_MESSAGES" / "dashboard.po").open("rb") as file:
        catalogue = read_po(file, locale=name, domain="dashboard")
    compiled = BytesIO()
    write_mo(compiled, catalogue)  # fuzzy entries are left out
    compiled.seek(0)
    return Language(code=code, tag=name.replace("_", "-"), locale=Locale.parse(name), texts=GNUTranslations(compiled))
