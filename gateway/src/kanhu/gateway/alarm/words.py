"""What is said aloud and written to others: never a diagnosis, never a value, never a name that a setting did not give.

The rule's own title says what was found ("Oxygen reading below the set limit"); these sentences say what to do and do
not promise that anybody comes.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, tzinfo

from kanhu.contract import ClockState, Finding
from kanhu.gateway.alarm.acting import Message
from kanhu.gateway.alarm.contacts import Role
from kanhu.vitals import Language, RulePack, VitalsError, render

_SPOKEN = {
    Language.ZH: "{title}。现在联系不上县里。{help}如果情况紧急，请拨打 120。",
    Language.EN: "{title}. The county cannot be reached now. {help} If it is urgent, call the emergency number.",
}
_WRITING = {
    Language.ZH: ("正在给{who}发短信。", "和"),
    Language.EN: ("A message is being sent to {who}.", " and "),
}
_WHO = {
    Role.VILLAGE_DOCTOR: {Language.ZH: "村医", Language.EN: "the village doctor"},
    Role.FAMILY: {Language.ZH: "家人", Language.EN: "the family"},
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
    Language.ZH: "【看护】{home}：已按“我没事”。仍请打电话核实。",
    Language.EN: "kanhu, {home}: the button said I am fine. Call all the same.",
}
_SPOKEN_TRIAL = {
    Language.ZH: "这是测试，没有任何问题，不需要做什么。",
    Language.EN: "This is a test. Nothing is the matter, and nothing has to be done.",
}
_WRITTEN_TRIAL = {
    Language.ZH: "【看护】{home}：这是测试，没有任何问题，不需要做什么。",
    Language.EN: "kanhu, {home}: this is a test. Nothing is the matter, and nothing has to be done.",
}
_AT = {Language.ZH: "，{:%H:%M}", Language.EN: ", {:%H:%M}"}
_UNNAMED = {Language.ZH: "警报", Language.EN: "Alarm"}


def title_of(pack: RulePack, finding: Finding, language: Language) -> str:
    """The rule's own title; a word for any alarm where the pack does not have the rule."""
    try:
        return render(pack, finding, language).title
    except VitalsError:
        return _UNNAMED[language]


def spoken(title: str, message: Message, language: Language, *, written_to: Sequence[str]) -> str:
    """What is said aloud at home; `written_to` are the roles that get a message."""
    if message is not Message.CALL:
        return (_SPOKEN_OFF if message is Message.CALLED_OFF else _SPOKEN_TRIAL)[language]
    sentence, between = _WRITING[language]
    who = between.join(_WHO[Role(role)][language] for role in written_to)
    return _SPOKEN[language].format(title=title, help=sentence.format(who=who) if who else _NOT_WRITING[language])


def written(title: str, message: Message, language: Language, *, home: str, finding: Finding, zone: tzinfo) -> str:
    """The text of a message; `home` is what its reader calls this home."""
    templates = {Message.CALL: _WRITTEN, Message.CALLED_OFF: _WRITTEN_OFF, Message.TRIAL: _WRITTEN_TRIAL}
    at = _at(finding, language, zone) if message is Message.CALL else ""
    return templates[message][language].format(home=home, title=title, at=at)


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
