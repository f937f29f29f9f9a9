"""What is said aloud and written to others: never a diagnosis, never a value, never a name that a setting did not give.

The rule's own title says what was found ("Oxygen reading below the set limit"); these sentences say what to do and do
not promise that anybody comes.
"""

from datetime import UTC, datetime, tzinfo

from kanhu.contract import ClockState, Finding
from kanhu.gateway.alarm.acting import Message
from kanhu.vitals import Language, RulePack, VitalsError, render

_SPOKEN = {
    Language.ZH: "{title}。现在联系不上县里。{help}如果情况紧急，请拨打 120。",
    Language.EN: "{title}. The county cannot be reached now. {help} If it is urgent, call the emergency number.",
}
_WRITING = {
    Language.ZH: "正在给村医和家人发短信。",
    Language.EN: "Messages are being sent to the village doctor and the family.",
}
_NOT_WRITING = {
    Language.ZH: "请让身边的人帮忙联系村医。",
    Language.EN: "Ask somebody near you to call the village doctor.",
}
_SPOKEN_OFF = {
    Language.ZH: "好的，这里不再呼叫。需要帮助时，请再按一次按钮。",
    Language.EN: "All right, no more calls from here. Press the button again if you need help.",
}
_WRITTEN = {
    Language.ZH: "【看护】{home}：{title}{at}。县里联系不上。请马上打电话或上门，已处理请回复1。",
    Language.EN: "kanhu, {home}: {title}{at}. The county cannot be reached. Call or go there now; answer 1 if you do.",
}
_WRITTEN_OFF = {
    Language.ZH: "【看护】{home}：已按“我没事”{at}。仍请打电话核实。",
    Language.EN: "kanhu, {home}: the button said I am fine{at}. Call all the same.",
}
_AT = {Language.ZH: "，{:%H:%M}", Language.EN: ", {:%H:%M}"}
_UNNAMED = {Language.ZH: "警报", Language.EN: "Alarm"}


def title_of(pack: RulePack, finding: Finding, language: Language) -> str:
    """The rule's own title; a word for any alarm where the pack does not have the rule."""
    try:
        return render(pack, finding, language).title
    except VitalsError:
        return _UNNAMED[language]


def spoken(title: str, message: Message, language: Language, *, written_to: int) -> str:
    """What is said aloud at home; `written_to` is how many people get a message."""
    if message is Message.CALLED_OFF:
        return _SPOKEN_OFF[language]
    helped = (_WRITING if written_to else _NOT_WRITING)[language]
    return _SPOKEN[language].format(title=title, help=helped)


def written(title: str, message: Message, language: Language, *, home: str, finding: Finding, zone: tzinfo) -> str:
    """The text of a message; `home` is what its reader calls this home."""
    template = (_WRITTEN_OFF if message is Message.CALLED_OFF else _WRITTEN)[language]
    return template.format(
        home=home, title=title, at="" if message is Message.CALLED_OFF else _at(finding, language, zone)
    )


def _at(finding: Finding, language: Language, zone: tzinfo) -> str:
    """When it was; nothing where the clock was never set."""
    times = finding.times
    if times.clock is ClockState.UNSET:
        return ""
    try:
        at = datetime.fromtimestamp(times.arrival_ms / 1000, UTC).astimezone(zone)
    except (OverflowError, ValueError, OSError):  # a clock beyond the calendar
        return ""
    return _AT[language].format(at)
