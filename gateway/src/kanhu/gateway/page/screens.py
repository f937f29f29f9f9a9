"""The four screens as HTML: people, measuring, today, equipment. Everything that is not ours is escaped here.

Pages work without the script: links are links, acts are forms with a token.
"""

from collections.abc import Callable
from html import escape
from urllib.parse import quote

from kanhu.contract import Priority, QualityLevel, QualityReason, SubjectKind
from kanhu.edge.cards import Scan
from kanhu.edge.kinds import kind_of
from kanhu.edge.pipeline import Judged
from kanhu.gateway.page.clinic import Attempt, Clinic, Resident
from kanhu.gateway.page.day import Row
from kanhu.gateway.page.figures import Figure, figure
from kanhu.gateway.page.troubles import Trouble, TroubleKind
from kanhu.gateway.page.words import ADVICE, NOBODY, Words
from kanhu.vitals import DecisionReason, Language, RulePack

_AT_THE_LIMIT = frozenset(
    {
        DecisionReason.CONFIRMING,
        DecisionReason.CONFIRMED,
        DecisionReason.RECURRED,
        DecisionReason.LEVEL_RAISED,
        DecisionReason.ALREADY_RAISED,
    }
)
# The body sat still for none of these: the one sentence that helps is added to what the device said.
_SIT_STILL = frozenset({QualityReason.MOTION, QualityReason.POSITION, QualityReason.REPEAT_DISAGREES})
_SHAPES = {
    Priority.HIGH: '<path class="f" d="M16 2 30 16 16 30 2 16Z"/><text x="16" y="22">1</text>',
    Priority.MEDIUM: '<path class="f" d="M16 3 30 28H2Z"/><text x="16" y="25">2</text>',
    Priority.LOW: '<circle class="r" cx="16" cy="16" r="12"/><text x="16" y="22">3</text>',
    Priority.TECHNICAL: '<rect class="r d" x="4" y="4" width="24" height="24"/><text x="16" y="22">4</text>',
}
_PRIORITIES = (Priority.HIGH, Priority.MEDIUM, Priority.LOW)


class Screens:
    """Writes pages of one clinic."""

    def __init__(self, clinic: Clinic, *, words: Words, token: str, pack: RulePack) -> None:
        """Write in the language of `words`; forms carry `token`."""
        self._clinic = clinic
        self._say = words
        self._token = token
        self._pack = pack

    # ----------------------------------------------------------------------------------------- people

    def people(self, *, room: str | None) -> str:
        """Choose somebody, or scan a card."""
        say = self._say
        everybody = self._clinic.residents()
        rooms = self._clinic.rooms()
        shown = [one for one in everybody if room is None or one.room == room]
        last = self._clinic.last_measured()
        tiles = (
            "".join(self._tile(one, last.get(one.id)) for one in shown)
            or f'<p class="empty">{_e(say("nobody_registered"))}</p>'
        )
        chips = self._chips(rooms, room) if rooms else ""
        find = "find rooms" if len(rooms) > _FEW_ROOMS else "find"
        body = (
            f"{self._notice()}"
            f'<div class="{find}"><form class="scan" method="post" action="/scan">{self._hidden()}'
            f'<label for="code">{_e(say("scan"))}</label>'
            '<input id="code" name="code" autocomplete="off" maxlength="64" enterkeyhint="go">'
            f"<button>{_e(say('scan_go'))}</button></form>{chips}</div>"
            f'<form class="tiles" method="post" action="/choose" id="tiles">{self._hidden()}{tiles}</form>'
        )
        return self._page("/", body)

    def _tile(self, one: Resident, last_ms: int | None) -> str:
        say = self._say
        present = self._clinic.present().resident == one.id
        state = say("not_today") if last_ms is None else say("measured_at", at=self._time(last_ms))
        place = "" if one.bed is not None and one.bed in one.label else self._place(one)
        classes = "tile on" if present else "tile"
        return (
            f'<button class="{classes}" name="resident" value="{_e(one.id)}" id="who-{_e(one.id)}">'
            f"<b>{_e(one.label)}</b>"
            f"<span>{_e(say('chosen_now') if present else state)}</span>"
            f"{f'<span class=place>{_e(place)}</span>' if place else ''}</button>"
        )

    def _place(self, one: Resident) -> str:
        say = self._say
        if one.bed is None:
            return ""
        bed = say("bed", bed=one.bed)
        return bed if one.room is None else f"{say('room', room=one.room)} {bed}"

    def _chips(self, rooms: list[str], room: str | None) -> str:
        def chip(text: str, href: str, *, here: str) -> str:
            return f'<a class="chip" href="{href}"{here}>{_e(text)}</a>'

        here = ' aria-current="true"'
        chips = [chip(self._say("all_rooms"), "/", here=here if room is None else "")]
        chips += [chip(one, f"/?room={quote(one, safe='')}", here=here if one == room else "") for one in rooms]
        return f'<nav class="chips" id="chips" aria-label="{_e(self._say("rooms"))}">{"".join(chips)}</nav>'

    def _notice(self) -> str:
        say, said = self._say, self._clinic.notice()
        ran_out = self._clinic.ran_out()
        if isinstance(said, Scan):
            return _note(say(f"scan_{said.value}"), "")
        if isinstance(said, Judged):
            why = NOBODY.get(self._clinic.reason(said.observation), "nobody_chosen")
            value = figure(said.observation, say).short()
            at = self._time(said.observation.times.arrival_ms)
            return _note(f"{at} · {say(why)}", say("nobody_kept", value=value))
        if ran_out is not None:
            return _note(say("time_over", who=ran_out.label), "")
        return ""

    # -------------------------------------------------------------------------------------- measuring

    def measuring(self) -> str | None:
        """The reading, as large as it goes; None where nobody is chosen."""
        present = self._clinic.present().resident
        one = None if present is None else self._clinic.resident(present)
        if one is None:
            return None
        say = self._say
        sitting = self._clinic.sitting
        place = self._place(one)
        shown = self._reading(sitting[-1]) if sitting else self._instructions()
        body = (
            '<div class="two"><section class="who">'
            f"{_name(one.label, say('measuring'))}"
            f"{f'<p>{_e(place)}</p>' if place else ''}"
            f"<p>{_e(say('until', at=self._clinic.ends_at.strftime('%H:%M')))}</p>"
            f'<form method="post" action="/done">{self._hidden()}'
            f'<button class="primary" id="done">{_e(say("done"))}</button></form>{self._dose()}'
            f'<a class="button" href="/">{_e(say("next_person"))}</a></section>'
            f'<section class="now" id="now" aria-live="polite" tabindex="0">'
            f"{self._attempt()}{shown}{self._earlier(sitting)}</section></div>"
        )
        return self._page("/now", body)

    def _dose(self) -> str:
        if not self._clinic.dose_is_due():
            return ""
        return (
            f'<form method="post" action="/dose">{self._hidden()}'
            f'<button id="dose">{_e(self._say("dose_taken"))}</button></form>'
        )

    def _instructions(self) -> str:
        say = self._say
        steps = "".join(f"<li>{_e(say(key))}</li>" for key in ("how_rest", "how_arm", "how_start"))
        return f'<h2 class="ready">{_e(say("ready"))}</h2><ol class="how">{steps}</ol>'

    def _reading(self, judged: Judged) -> str:
        say, observation = self._say, judged.observation
        read = figure(observation, say)
        level = observation.quality.level
        classes = "reading" if level is QualityLevel.OK else "reading doubt"
        beside = "".join(
            f'<span class="beside">{_e(name)} <b>{_e(value)}</b> {_e(unit)}</span>' for name, value, unit in read.beside
        )
        at = self._time(observation.times.arrival_ms)
        return (
            f'<div class="{classes}"><p class="what"><span><b>{_e(read.name)}</b> {_e(at)}</span>{beside}</p>'
            f'<p class="big" data-size="{_size(read)}"><b id="value">{_e(read.value)}</b> '
            f"<span>{_e(read.unit)}</span></p>"
            f"</div>{self._limit(judged)}{self._quality(judged)}"
        )

    def _quality(self, judged: Judged) -> str:
        say, quality = self._say, judged.observation.quality
        advice = self._advice(judged)
        if not advice:
            return "" if self._limit(judged) else f'<p class="good">{_mark()}{_e(say("good"))}</p>'
        level = {QualityLevel.UNUSABLE: "unusable", QualityLevel.QUESTIONABLE: "doubtful"}.get(quality.level)
        head = f"<b>{_e(say(level))}</b>" if level else ""
        items = "".join(f"<li>{_e(text)}</li>" for text in advice)
        return f'<div class="advice" id="advice">{head}<ul>{items}</ul></div>'

    def _advice(self, judged: Judged) -> list[str]:
        """Why a reading is doubted or noted, and what to do."""
        reasons = [one for one in judged.observation.quality.reasons if one is not QualityReason.DEVICE_CLOCK_UNSET]
        advice = [self._say.of(ADVICE[reason]) for reason in reasons[:_MOST_ADVICE]]
        if not _SIT_STILL.isdisjoint(reasons) and not self._limit(judged):
            advice.append(self._say("measure_again"))
        return advice

    def _limit(self, judged: Judged) -> str:
        """What a rule says of the limit that was set; words of the rule pack, never a diagnosis."""
        say = self._say
        language = Language(say.tongue)
        for decision in judged.decisions:
            rule = self._pack.rule(decision.rule)
            if rule is None:
                continue
            if decision.reason is DecisionReason.TOO_SOON:
                return _limit_box(Priority.MEDIUM, say("too_soon"), "", word=say("priority_medium"))
            finding = decision.finding
            if decision.reason not in _AT_THE_LIMIT and finding is None:
                continue
            priority = rule.priority if finding is None else finding.priority
            if priority not in _PRIORITIES or (finding is not None and decision.reason is DecisionReason.CLEARED):
                continue
            again = "rest_and_repeat" if judged.observation.metric == "bp" else "ask_and_repeat"
            text = say("told") + " · " + say("ask_and_repeat") if finding is not None else say(again)
            return _limit_box(priority, rule.title.in_language(language), text, word=say(f"priority_{priority.value}"))
        return ""

    def _attempt(self) -> str:
        say, attempt = self._say, self._clinic.attempt
        if attempt is None:
            return ""
        return _note(say(attempt.value), say("measure_again") if attempt is Attempt.NO_RESULT else "")

    def _earlier(self, sitting: list[Judged]) -> str:
        say = self._say
        before = [one.observation for one in sitting[:-1] if one.observation.metric == sitting[-1].observation.metric]
        if not before or sitting[-1].observation.metric != "bp" or self._advice(sitting[-1]):
            return ""
        texts = " · ".join(
            f"{self._time(one.times.arrival_ms)} {figure(one, say).value}" for one in before[-_MOST_EARLIER:]
        )
        return f'<p class="earlier">{_e(say("earlier"))} {_e(texts)}</p>'

    # ------------------------------------------------------------------------------- today, equipment

    def today(self) -> str:
        """What was measured today, newest first."""
        say = self._say
        rows = self._clinic.rows()
        if not rows:
            return self._page("/today", f'<p class="empty">{_e(say("today_none"))}</p>')
        heads = "".join(f'<th scope="col">{_e(say(key))}</th>' for key in ("time", "person", "value", "state"))
        names = {one.id: one.label for one in self._clinic.residents()}
        body = "".join(self._row(row, names) for row in rows)
        return self._page(
            "/today",
            f'<div class="scroll" id="rows" tabindex="0"><table><thead><tr>{heads}</tr></thead>'
            f"<tbody>{body}</tbody></table></div>",
        )

    def _row(self, row: Row, names: dict[str, str]) -> str:
        say, observation = self._say, row.observation
        read = figure(observation, say)
        doubt = observation.quality.level is not QualityLevel.OK
        subject = observation.subject
        who = {SubjectKind.UNIDENTIFIED: say("nobody"), SubjectKind.DWELLING: say("place")}.get(subject.kind)
        mark = f' <span class="doubt">{_e(say("doubt_mark"))}</span>' if doubt else ""
        name = "" if observation.metric == "bp" else f" <small>{_e(read.name)}</small>"
        state = row.state.value
        return (
            f"<tr><td>{_e(self._time(observation.times.arrival_ms))}</td>"
            f"<td>{_e(who or names.get(subject.id, subject.id))}</td>"
            f"<td><b>{_e(read.value)}</b> {_e(read.unit)}{name}{mark}</td>"
            f'<td class="{state}">{_STATE_MARKS[state]}{_e(say(f"state_{state}"))}</td></tr>'
        )

    def equipment(self) -> str:
        """Everything that somebody should see to."""
        say = self._say
        found = self._clinic.troubles()
        items = "".join(f"<li>{_shape(Priority.TECHNICAL)}{_e(self._trouble(one))}</li>" for one in found)
        inside = f'<ul class="troubles">{items}</ul>' if found else f'<p class="empty">{_e(say("no_troubles"))}</p>'
        return self._page("/equipment", f'<h1 class="head">{_e(say("troubles"))}</h1>{inside}')

    def _trouble(self, trouble: Trouble) -> str:
        if trouble.kind is TroubleKind.CLOCK_UNSURE:
            return self._say(trouble.kind.value, at=self._clinic.now().strftime("%H:%M"))
        device = (
            "" if trouble.device is None else f"{self._say.kind(kind_of(trouble.device.kind))} {trouble.device.device}"
        )
        return self._say(trouble.kind.value, device=device, percent=trouble.percent)

    def refused(self) -> str:
        """A request that was not obeyed."""
        say = self._say
        return self._page(
            "", f'<p class="empty">{_e(say("refused"))}</p><a class="button" href="/">{_e(say("back"))}</a>'
        )

    # ------------------------------------------------------------------------------------------ frame

    def _page(self, path: str, body: str) -> str:
        say = self._say
        places = {"/": say("choose"), "/now": say("measure"), "/today": say("today")}
        links = "".join(self._link(href, text, path=path) for href, text in places.items())
        language = "zh-CN" if say.tongue == "zh" else "en"
        heading = "" if "<h1" in body else f'<h1 class="unseen">{_e(places.get(path, say("title")))}</h1>'
        other = "en" if say.tongue == "zh" else "zh"
        return (
            f'<!doctype html><html lang="{language}"><head><meta charset="utf-8">'
            '<meta name="viewport" content="width=device-width, initial-scale=1">'
            f"<title>{_e(say('title'))}</title>"
            '<link rel="stylesheet" href="/static/page.css"><link rel="icon" href="/static/icon.svg">'
            '<script src="/static/page.js" defer></script>'
            '<noscript><meta http-equiv="refresh" content="5"></noscript></head><body>'
            f'<header id="top"><nav class="main" aria-label="{_e(say("screens"))}">{links}</nav>'
            f'<span class="clock">{self._clinic.now().strftime("%H:%M")}</span>'
            f'<form method="post" action="/language">{self._hidden()}'
            f'<button class="quiet" name="language" value="{other}" lang="{other}">'
            f"{_e(say('other_language'))}</button></form>"
            f'</header><p id="lost" role="alert" hidden>{_e(say("screen_lost"))}</p>'
            f'<main id="main">{heading}{body}</main>{self._footer()}'
            f'<form id="wedge" method="post" action="/scan" hidden>{self._hidden()}<input name="code"></form>'
            "</body></html>"
        )

    def _link(self, href: str, text: str, *, path: str) -> str:
        if href == "/now" and self._clinic.present().resident is None:  # nobody is chosen: nothing to measure yet
            return f'<span class="off">{_e(text)}</span>'
        here = ' aria-current="page"' if href == path else ""
        return f'<a href="{href}"{here}>{_e(text)}</a>'

    def _footer(self) -> str:
        say, county = self._say, self._clinic.county()
        found = self._clinic.troubles()
        if found:
            link = say("reached" if county.reached else "unreached")
        elif county.reached:
            link = say("county_reached")
        elif county.since_ms is None:
            link = say("county_unreached")
        else:
            link = say("county_unreached_since", since=self._time(county.since_ms))
        trouble = ""
        if found:
            more = f"<b>{_e(say('more_trouble', count=len(found) - 1))}</b>" if len(found) > 1 else ""
            trouble = (
                f'<a class="trouble" href="/equipment">{_shape(Priority.TECHNICAL)}'
                f"<span>{_e(self._trouble(found[0]))}</span>{more}</a>"
            )
        reached = "" if county.reached else ' class="away"'
        return (
            f'<footer id="state">{trouble}<p><span{reached}>{_e(link)}</span>'
            f"<span>{_e(say('waiting', count=county.waiting))}</span></p></footer>"
        )

    def _hidden(self) -> str:
        return f'<input type="hidden" name="token" value="{_e(self._token)}">'

    def _time(self, wall_ms: int) -> str:
        return self._clinic.local(wall_ms).strftime("%H:%M")


_FEW_ROOMS = 3  # these fit beside the field for the card
_MOST_ADVICE = 2  # and what always helps; more is not read
_MOST_EARLIER = 2
_STATE_MARKS = {
    "waiting": '<svg viewBox="0 0 24 24" aria-hidden="true"><circle cx="12" cy="12" r="8"/></svg>',
    "delivered": '<svg viewBox="0 0 24 24" aria-hidden="true"><path d="m4 13 5 5L20 6"/></svg>',
    "set_aside": '<svg viewBox="0 0 24 24" aria-hidden="true"><path d="M5 5l14 14M19 5 5 19"/></svg>',
    "dropped": '<svg viewBox="0 0 24 24" aria-hidden="true"><path d="M5 5l14 14M19 5 5 19"/></svg>',
    "not_kept": '<svg viewBox="0 0 24 24" aria-hidden="true"><path d="M5 5l14 14M19 5 5 19"/></svg>',
}
_LONG_LABEL = 6  # characters, which may be as wide as high
_LONG_VALUE = 6  # characters; 128/76 still goes large, 218/112 a size smaller

_e: Callable[[str], str] = escape


def _name(label: str, above: str) -> str:
    """Who is measured; a long name is written smaller, never cut: its end may be what tells two people apart."""
    if len(label) > _LONG_LABEL:
        return f'<h1 class="long">{_e(label)}</h1>'
    return f"<p>{_e(above)}</p><h1>{_e(label)}</h1>"


def _size(read: Figure) -> str:
    return "long" if len(read.value) > _LONG_VALUE else "short"


def _mark() -> str:
    return _STATE_MARKS["delivered"]


def _note(head: str, text: str) -> str:
    more = f"<span>{_e(text)}</span>" if text else ""
    return f'<div class="note" role="status"><b>{_e(head)}</b>{more}</div>'


def _limit_box(priority: Priority, title: str, text: str, *, word: str) -> str:
    more = f"<span>{_e(text)}</span>" if text else ""
    return (
        f'<div class="limit p-{priority.value}" id="limit"><div class="level">{_shape(priority)}{_e(word)}</div>'
        f"<div><b>{_e(title)}</b>{more}</div></div>"
    )


def _shape(priority: Priority) -> str:
    return f'<svg class="shape p-{priority.value}" viewBox="0 0 32 32" aria-hidden="true">{_SHAPES[priority]}</svg>'
