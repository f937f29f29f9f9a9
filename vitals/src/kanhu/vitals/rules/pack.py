"""Read a rule pack from bytes, and refuse one that must not run.

A pack is refused whole: running half of it would leave people unwatched without saying so.
"""

import re
import tomllib
from collections.abc import Mapping
from datetime import date
from string import Formatter
from typing import Any, TypeVar

import msgspec

from kanhu.contract import Priority
from kanhu.vitals.errors import PackRefused
from kanhu.vitals.rules.checks import check_trigger, supplied_params
from kanhu.vitals.rules.records import (
    DWELLING,
    Agreement,
    AlarmTrigger,
    Asked,
    ByHeartbeat,
    ByPerson,
    ByReadings,
    BySustained,
    Clear,
    ClockTrigger,
    Confirm,
    Consecutive,
    EventTrigger,
    FloodTrigger,
    GainTrigger,
    IdentityTrigger,
    Once,
    RepeatMean,
    RhythmTrigger,
    Rule,
    RuleKind,
    RulePack,
    Runs,
    Setting,
    SilenceTrigger,
    Sustained,
    Texts,
    ThresholdTrigger,
    TrendTrigger,
    Trigger,
    WindowsOnDays,
)

MAX_PACK_BYTES = 256 * 1024

_LONGEST_S = 366 * 86_400.0  # a rule that speaks once for ever would be silenced by its first alert
_TAG = re.compile(r"tag:\S+")

_FIELDS = (
    "id", "version", "population", "context", "runs", "kind", "trigger", "confirm", "clear", "priority", "dedupe_s",
    "lapse_s", "renew_s", "source", "valid_from", "approved_by", "title", "sentence",
)  # fmt: skip  # a list reads by lines
_MAY_BE_EMPTY = frozenset({"approved_by"})

_TRIGGERS: dict[RuleKind, type[Trigger]] = {
    RuleKind.EVENT: EventTrigger,
    RuleKind.THRESHOLD: ThresholdTrigger,
    RuleKind.RHYTHM: RhythmTrigger,
    RuleKind.GAIN: GainTrigger,
    RuleKind.TREND: TrendTrigger,
    RuleKind.SILENCE: SilenceTrigger,
    RuleKind.ALARM: AlarmTrigger,
    RuleKind.CLOCK: ClockTrigger,
    RuleKind.FLOOD: FloodTrigger,
    RuleKind.IDENTITY: IdentityTrigger,
}

_Confirms = tuple[type[Confirm], ...]
_Clears = tuple[type[Clear], ...]

# Which ways of confirming and clearing a kind of rule knows how to obey.
_WAYS: dict[RuleKind, tuple[_Confirms, _Clears]] = {
    RuleKind.EVENT: ((Once, Asked), (ByPerson, ByReadings)),
    RuleKind.THRESHOLD: ((Consecutive, RepeatMean, Sustained), (ByReadings, BySustained)),
    RuleKind.RHYTHM: ((WindowsOnDays,), (ByPerson,)),
    RuleKind.GAIN: ((Once,), (ByPerson,)),
    RuleKind.TREND: ((Agreement,), (ByPerson,)),
    RuleKind.SILENCE: ((Once,), (ByHeartbeat,)),
    RuleKind.ALARM: ((Once,), (ByHeartbeat,)),
    RuleKind.CLOCK: ((Once,), (ByHeartbeat,)),
    RuleKind.FLOOD: ((Once,), (ByHeartbeat,)),
    RuleKind.IDENTITY: ((Once,), (ByPerson,)),
}

_Field = TypeVar("_Field")


def load_pack(data: bytes) -> RulePack:
    """Read a pack.

    Raises:
        PackRefused: anything missing, unknown, unsourced or unreachable; says which rule, which field, what to do.
    """
    table = _parse(data)
    unknown = table.keys() - {"version", "rule"}
    if unknown:
        raise PackRefused("", min(unknown), "unknown field", remedy="remove it or correct its name")
    version = table.get("version")
    if not isinstance(version, str) or not version.strip():
        raise PackRefused("", "version", "missing", remedy='give the pack a dated version, as "2026.11"')
    rows = table.get("rule")
    if not isinstance(rows, list) or not rows:
        raise PackRefused("", "rule", "no rules", remedy="add at least one [[rule]]")
    rules: dict[str, Rule] = {}
    for row in rows:
        rule = _rule(row)
        if rule.id in rules:
            raise PackRefused(rule.id, "id", "used twice", remedy="give each rule its own id")
        rules[rule.id] = rule
    return RulePack(version, tuple(rules.values()))


def _parse(data: bytes) -> dict[str, Any]:
    if len(data) > MAX_PACK_BYTES:
        raise PackRefused("", "", f"{len(data)} bytes", remedy=f"a pack has at most {MAX_PACK_BYTES} bytes")
    try:
        return tomllib.loads(data.decode())
    except (ValueError, RecursionError) as error:
        raise PackRefused("", "", f"not TOML: {error}", remedy="correct the file") from error


def _rule(row: object) -> Rule:
    if not isinstance(row, dict):
        raise PackRefused("", "rule", "not a table", remedy="write each rule as [[rule]]")
    rule_id = str(row.get("id", ""))
    for name in _FIELDS:
        if name not in row:
            raise PackRefused(rule_id, name, "missing", remedy=_remedy(name))
        if isinstance(row[name], str) and not row[name].strip() and name not in _MAY_BE_EMPTY:
            raise PackRefused(rule_id, name, "empty", remedy=_remedy(name))
    unknown = row.keys() - {*_FIELDS, "cleared"}
    if unknown:
        raise PackRefused(rule_id, min(unknown), "unknown field", remedy="remove it or correct its name")
    kind = _field(row, "kind", RuleKind)
    rule = Rule(
        id=_field(row, "id", str),
        version=_field(row, "version", str),
        population=_field(row, "population", str),
        context=_field(row, "context", tuple[Setting, ...]),
        runs=_field(row, "runs", Runs),
        kind=kind,
        trigger=_field(row, "trigger", _TRIGGERS[kind]),
        confirm=_field(row, "confirm", Confirm),
        clear=_field(row, "clear", Clear),
        priority=_field(row, "priority", Priority),
        dedupe_s=_field(row, "dedupe_s", float),
        lapse_s=_field(row, "lapse_s", float),
        renew_s=_field(row, "renew_s", float),
        source=_field(row, "source", str),
        valid_from=_field(row, "valid_from", date),
        approved_by=_field(row, "approved_by", str),
        title=_field(row, "title", Texts),
        sentence=_field(row, "sentence", Texts),
        cleared=_field(row, "cleared", Texts) if "cleared" in row else None,
    )
    _check(rule)
    return rule


def _field(row: Mapping[str, Any], name: str, kind: Any) -> Any:  # msgspec's own types say no more
    try:
        return msgspec.convert(row[name], kind)
    except msgspec.ValidationError as error:
        raise PackRefused(str(row.get("id", "")), name, str(error), remedy=_remedy(name)) from error


def _check(rule: Rule) -> None:
    if rule.population not in {"all", DWELLING} and not _TAG.fullmatch(rule.population):
        raise PackRefused(rule.id, "population", f"unknown {rule.population!r}", remedy=_remedy("population"))
    if not rule.context:
        raise PackRefused(rule.id, "context", "empty", remedy=_remedy("context"))
    for name, seconds in (("dedupe_s", rule.dedupe_s), ("lapse_s", rule.lapse_s), ("renew_s", rule.renew_s)):
        if not 0 <= seconds <= _LONGEST_S:
            raise PackRefused(rule.id, name, f"{seconds:g}", remedy=f"write seconds, from 0 to {_LONGEST_S:.0f}")
    confirms, clears = _WAYS[rule.kind]
    if not isinstance(rule.confirm, confirms):
        raise PackRefused(rule.id, "confirm", f"a {rule.kind} rule cannot confirm so", remedy=_modes(confirms))
    if not isinstance(rule.clear, clears):
        raise PackRefused(rule.id, "clear", f"a {rule.kind} rule cannot clear so", remedy=_modes(clears))
    says_fine = isinstance(rule.trigger, EventTrigger) and rule.trigger.fine_step is not None
    if (isinstance(rule.clear, ByPerson) and not says_fine) is not (rule.cleared is None):
        remedy = "write it in every language, unless only a person clears"
        raise PackRefused(rule.id, "cleared", "missing, or never said", remedy=remedy)
    check_trigger(rule)
    _check_texts(rule)


def _check_texts(rule: Rule) -> None:
    supplied = supplied_params(rule)
    for name, texts in (("title", rule.title), ("sentence", rule.sentence), ("cleared", rule.cleared)):
        if texts is None:
            continue
        for language, text in (("en", texts.en), ("zh", texts.zh)):
            field = f"{name}.{language}"
            if not text.strip():
                raise PackRefused(rule.id, field, "empty", remedy="write it in every language")
            try:
                named = [(part, spec, how) for _, part, spec, how in Formatter().parse(text) if part is not None]
            except ValueError as error:
                raise PackRefused(rule.id, field, str(error), remedy="write parameters as {name}") from error
            for part, spec, how in named:
                if part not in supplied or spec or how:
                    remedy = f"this rule supplies {', '.join(sorted(supplied)) or 'none'}, written as {{name}}"
                    raise PackRefused(rule.id, field, f"unknown parameter {part!r}", remedy=remedy)


def _modes(ways: tuple[type[Confirm], ...] | tuple[type[Clear], ...]) -> str:
    return "use mode " + " or ".join(f'"{way.__struct_config__.tag}"' for way in ways)


def _remedy(name: str) -> str:
    choices: dict[str, str] = {
        "population": 'write "all", "tag:<tag>" or "dwelling"',
        "source": "say where its numbers come from; a rule without a source does not run",
        "runs": 'write "gateway" or "cloud"',
        "kind": "write one of " + ", ".join(RuleKind),
        "context": "write a list of " + ", ".join(Setting),
        "priority": "write one of " + ", ".join(Priority),
        "approved_by": 'say who approved it, or "" to run it in shadow',
        "valid_from": "write a date, as 2026-11-01",
    }
    return choices.get(name, f"write {name} as docs/rules.md shows it")
