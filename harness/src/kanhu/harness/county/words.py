"""Short words of the page, in English and Chinese."""

from kanhu.contract import Priority
from kanhu.harness.scoring.episodes import EventResult
from kanhu.vitals import RulePack

__all__ = ["GROUPS", "PRIORITIES", "REASONS", "both", "counted", "duration", "group", "rule_title", "unit"]

REASONS: dict[EventResult, tuple[str, str, str]] = {
    EventResult.NOT_RAISED: (
        "measured and not raised",
        "测到但未报警",
        "Good readings of it were there, and no rule spoke.",
    ),
    EventResult.BELOW_PRIORITY: ("raised, but too low", "级别过低", "Told below the priority that it asks for."),
    EventResult.NOT_REACHED: (
        "not at the limit when measured",
        "测量时未达界限",
        "It was measured only while the true value had not reached the limit of any rule.",
    ),
    EventResult.SPOILT: ("every reading spoilt", "读数均受干扰", "Each reading of it was an artefact."),
    EventResult.WITHOUT_RULE: (
        "no rule for it",
        "没有相应规则",
        "No approved rule of the pack looks at what was measured.",
    ),
    EventResult.UNMEASURED: ("not measured by any device", "没有设备测到", "No reading was taken while it lasted."),
}
"""Why an event was missed: what can be mended in rules first, what needs devices last."""

PRIORITIES: dict[str, tuple[str, str]] = {
    Priority.HIGH.value: ("high", "高"),
    Priority.MEDIUM.value: ("medium", "中"),
    Priority.LOW.value: ("low", "低"),
    Priority.TECHNICAL.value: ("technical", "设备"),
}

GROUPS: dict[str, tuple[str, str]] = {
    "under 65": ("under 65 years", "65 岁以下"),
    "65 to 74": ("65 to 74 years", "65–74 岁"),
    "75 to 84": ("75 to 84 years", "75–84 岁"),
    "85 and over": ("85 years and over", "85 岁及以上"),
    "f": ("women", "女性"),
    "m": ("men", "男性"),
    "lives_alone": ("living alone", "独居"),
    "high_risk": ("at high risk", "高危"),
    "hypertension": ("hypertension", "高血压"),
    "diabetes": ("diabetes", "糖尿病"),
    "copd": ("COPD", "慢阻肺"),
    "chronic_lung": ("chronic lung disease", "慢性肺病"),
    "heart_failure": ("heart failure", "心衰"),
    "disabled": ("disabled", "失能"),
    "discharged": ("recently discharged", "新出院"),
    "pregnant": ("pregnant", "孕产妇"),
}
"""Groups of people in the order in which they are shown; the same words as on the county's screens."""

_SYMBOLS = {"mm[Hg]": "mmHg", "Cel": "°C", "{beats}/min": "/min", "/min": "/min"}
_UNITS = ((86_400, "d"), (3600, "h"), (60, "min"))


def both(english: str, chinese: str) -> str:
    """A label in both languages."""
    return f"{english} {chinese}"


def group(name: str) -> str:
    """A group of people in both languages; a name that is not known here as it is."""
    return both(*GROUPS[name]) if name in GROUPS else name


def rule_title(pack: RulePack, rule_id: str) -> str:
    """What a rule is called on the county's screens, and its name; the name alone where the pack has no such rule."""
    rule = pack.rule(rule_id)
    return rule_id if rule is None else f"{rule.title.en} ({rule_id})"


def unit(ucum: str | None) -> str:
    """How people write a unit."""
    return _SYMBOLS.get(ucum or "", ucum or "")


def duration(seconds: float) -> str:
    """A length of time in its largest fitting unit."""
    for size, unit in _UNITS:
        if seconds >= size:
            return f"{_figures(seconds / size)} {unit}"
    return f"{_figures(seconds)} s" if seconds >= 1 else "a second"


def _figures(value: float) -> str:
    """Two figures, where there are no more before the point."""
    return f"{value:.0f}" if value >= 9.95 else f"{value:.1f}".removesuffix(".0")


def counted(count: float, one: str, many: str) -> str:
    """A number with its noun."""
    return f"{count:,g} {one if count == 1 else many}"
