"""Short words of the page, in English and Chinese."""

from kanhu.contract import Priority
from kanhu.harness.scoring.episodes import EventResult

__all__ = ["PRIORITIES", "REASONS", "both", "counted", "duration"]

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

_UNITS = ((86_400, "d"), (3600, "h"), (60, "min"))


def both(english: str, chinese: str) -> str:
    """A label in both languages."""
    return f"{english} {chinese}"


def duration(seconds: float) -> str:
    """A length of time in its largest fitting unit."""
    for size, unit in _UNITS:
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds:.3g} s" if seconds >= 1 else "a second"


def counted(count: float, one: str, many: str) -> str:
    """A number with its noun."""
    return f"{count:,g} {one if count == 1 else many}"
