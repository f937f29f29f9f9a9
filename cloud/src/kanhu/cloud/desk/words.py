"""The desk's own words in both languages: events of an alert, units as people write them."""

from collections.abc import Mapping
from datetime import UTC, datetime

from kanhu.cloud.alerting.came_back import CONFIRMED, REPLACED, REVOKED
from kanhu.cloud.alerting.faults import MENDED, SENDS_AS_OTHERS
from kanhu.cloud.alerting.pipeline import Reason
from kanhu.cloud.alerting.state import (
    Acted,
    Annunciated,
    Claimed,
    Closed,
    Ended,
    Escalated,
    Event,
    Foreign,
    Found,
    Grouping,
    Recurred,
    Released,
)
from kanhu.cloud.desk.model import Both, Outcome
from kanhu.contract import EventWord, Phase, metric
from kanhu.contract.actions import ActionOutcome, parse_action
from kanhu.contract.status import UNDER_WAY

OUTCOMES = {
    Outcome.TRUE_ACTION: Both("属实，已处理", "real, handled"),
    Outcome.TRUE_NO_ACTION: Both("属实，无需处理", "real, nothing to do"),
    Outcome.TRUE_REFERRAL: Both("属实，已转诊", "real, referred"),
    Outcome.FALSE_TECHNIQUE: Both("不属实：测量方法", "not real: how it was measured"),
    Outcome.FALSE_DEVICE: Both("不属实：设备", "not real: the device"),
    Outcome.FALSE_ALGORITHM: Both("不属实：规则", "not real: the rule"),
    Outcome.TEST: Both("测试", "a test"),
    Outcome.DUPLICATE: Both("重复", "a duplicate"),
    Outcome.UNREACHABLE: Both("联系不上", "not reached"),
}

_LATEST_MS = 253_402_300_799_000  # the last instant that datetime knows
SAID_BY_EVENT = {
    EventWord.DOSE_TAKEN: Both("已服", "taken"),
    EventWord.DOSE_MISSED: Both("未确认", "not confirmed"),
    EventWord.SIGN_GIVEN: Both("已收到", "given"),
    EventWord.SIGN_MISSING: Both("未收到", "did not come"),
    EventWord.ACTIVE_AGAIN: Both("又有活动", "a sign again"),
}
"""What the events of every day say."""

_UNITS = {"mm[Hg]": "mmHg", "Cel": "°C", "kg/m2": "kg/m²", "[g]": "g", "{steps}": "", "{score}": ""}
_RELEASES = {
    "undone": Both("撤销接手", "Claim taken back"),
    "released": Both("放回待接手", "Given back to the board"),
    "recheck_missed": Both("复查时间已过，警报退回待接手", "Recheck time passed: back on the board, unclaimed"),
}

_RECURRENCES = {
    Grouping.RECURRED: Both("警报未结束时再次出现，并入本警报", "Again while this was open: counted here"),
    Grouping.LEVEL_ROSE: Both("再次出现且级别升高，重新待接手", "Again, at a higher level: waiting for somebody anew"),
    Grouping.CALLED_AGAIN: Both("再次呼叫，重新待接手", "Called again: waiting for somebody anew"),
}

# Only what is not the ordinary way of a finding is told.
_STAGES: dict[str, Both] = {
    Reason.LATE: Both("迟到的数据，降为尽快", "late data, counts as medium"),
    Reason.WORKLIST: Both("一天前的数据，列入今日清单", "data older than a day, on the day list"),
    Reason.AGE_UNKNOWN: Both("网关时间不可信，按实时处理", "the gateway's time is not known, treated as live"),
    Reason.LEVEL_ROSE: Both("级别升高", "the level rose"),
    Reason.CALLED_AGAIN: Both("再次呼叫", "called again"),
    Reason.RETURNED: Both("结束后再次出现", "back after it was closed"),
    Reason.HELD_FOR_NIGHT: Both("夜间暂缓，早上提示", "held for the night, announced in the morning"),
    Reason.LIVES_ALONE: Both("独居，夜间也提示", "lives alone, announced at night too"),
}

_BACK = Both("网关恢复联系，警报自动结束", "The gateway is back: ended by itself")
_ENDINGS = {
    MENDED: Both("网关报告已正常，警报自动结束", "The gateway says that it works again: ended by itself"),
    SENDS_AS_OTHERS: Both("县里不再拒收该网关的消息，警报自动结束", "No more of it is turned away: ended by itself"),
    CONFIRMED: Both("已确认网关在原处", "Confirmed: it stands where it should"),
    REVOKED: Both("证书已收回", "Its certificate was taken back"),
    REPLACED: Both("网关已重新登记", "It was enrolled anew"),
}

_CHANNELS = {
    ("voice", ""): Both("家中语音", "voice at home"),
    ("light", ""): Both("家中灯光", "light at home"),
    ("button", ""): Both("求助按钮", "the button"),
    ("sms", "village_doctor"): Both("短信给村医", "message to the village doctor"),
    ("sms", "family"): Both("短信给家人", "message to the family"),
}
_ACTED = {
    ActionOutcome.DONE: Both("已提醒", "done"),
    ActionOutcome.SENT: Both("已发出", "sent"),
    ActionOutcome.DELIVERED: Both("已送达手机", "delivered to the telephone"),
    ActionOutcome.FAILED: Both("未成功", "failed"),
    ActionOutcome.UNKNOWN: Both("结果不明", "end not known"),
    ActionOutcome.ACKNOWLEDGED: Both("已回复会处理", "answered: I see to it"),
    ActionOutcome.CALLED_OFF: Both("按了“我没事”", "said: I am fine"),
}
_ALONE = {UNDER_WAY: Both("正在进行", "under way")} | {outcome.value: said for outcome, said in _ACTED.items()}
_ALONE[ActionOutcome.CALLED_OFF.value] = Both("已撤回", "taken back")
_DID_SOMETHING = frozenset({ActionOutcome.DONE, ActionOutcome.SENT, ActionOutcome.DELIVERED, ActionOutcome.UNKNOWN})


def instant(ms: int) -> datetime:
    """Aware UTC; what lies outside the calendar is shown at its edge."""
    return datetime.fromtimestamp(min(max(ms, 0), _LATEST_MS) / 1000, UTC)


def alone_text(ways: Mapping[str, str]) -> Both:
    """How far each way of telling has come; what another make of gateway calls otherwise is shown as it says it."""
    told = []
    for way, word in ways.items():
        channel, _, role = way.partition(":")
        name = _CHANNELS.get((channel, role), Both(way, way))
        said = _ALONE.get(word, Both(word, word))
        told.append(Both(f"{name.zh}{said.zh}", f"{name.en} {said.en}"))
    return Both("；".join(words.zh for words in told), "; ".join(words.en for words in told))


def acted_text(actions: tuple[str, ...]) -> Both:
    """What a gateway did by itself, one act after the other, each with the time after the reading that decided."""
    told = [_action_text(action) for action in actions]
    zh = "；".join(words.zh for words in told)
    return Both(f"网关自行处理：{zh}", "The gateway acted by itself: " + "; ".join(words.en for words in told))


def acted_briefly(actions: tuple[str, ...]) -> Both | None:
    """For the board: through what the gateway has told somebody; None where nobody was told."""
    done = (parse_action(action) for action in actions)
    told = {(act.channel, act.role) for act in done if act is not None and act.outcome in _DID_SOMETHING}
    names = [words for channel, words in _CHANNELS.items() if channel in told]
    if not names:
        return None
    zh, en = "、".join(words.zh for words in names), ", ".join(words.en for words in names)
    return Both(f"网关已自行处理：{zh}", f"gateway acted by itself: {en}")


def _action_text(action: str) -> Both:
    done = parse_action(action)
    channel = None if done is None else _CHANNELS.get((done.channel, done.role))
    if done is None or channel is None:
        return Both(action, action)
    outcome = _ACTED[done.outcome]
    detail = f" ({done.detail})" if done.detail and done.outcome is ActionOutcome.FAILED else ""
    if done.after_s is None:
        return Both(f"{channel.zh}{outcome.zh}{detail}", f"{channel.en} {outcome.en}{detail}")
    return Both(
        f"{channel.zh}{outcome.zh}{detail}（{done.after_s} 秒后）",
        f"{channel.en} {outcome.en}{detail}, after {done.after_s} s",
    )


def unit_of(code: str) -> str:
    """Unit of a metric as people write it."""
    ucum = metric(code).ucum or ""
    return _UNITS.get(ucum, ucum)


def event_kind(event: Event) -> str:
    """Name of an event's kind, as the log keeps it."""
    return str(type(event).__struct_config__.tag)


def event_text(event: Event) -> Both:
    """One line about an event."""
    match event:
        case Found(phase=Phase.END):
            return Both("情况已结束：" + event.texts.text_zh, "Condition ended: " + event.texts.text_en)
        case Found():
            told = [_STAGES[reason] for _, reason in event.stages if reason in _STAGES]
            zh = "".join(f"（{words.zh}）" for words in told)
            return Both(event.texts.text_zh + zh, " ".join((event.texts.text_en, *(f"({words.en})" for words in told))))
        case Recurred(reason=reason):
            return _RECURRENCES[reason]
        case Foreign(gateway=gateway, registered=registered):
            return Both(
                f"由网关 {gateway} 上报，此人登记在网关 {registered}",
                f"Came by gateway {gateway}; this person is registered at {registered}",
            )
        case Acted(actions=actions):
            return acted_text(actions)
        case Annunciated():
            return Both("夜间暂缓结束，开始提示", "Night hold over: announced")
        case Claimed(name=name):
            return Both(f"{name}已接手", f"{name} took this")
        case Released(reason=reason):
            return _RELEASES.get(reason, Both(reason, reason))
        case Escalated(level=level):
            return Both(f"无人接手，升至第 {level} 级", f"Nobody took it: escalated to level {level}")
        case Closed(name=name, outcome=outcome, note=note):
            words = OUTCOMES[Outcome(outcome)]
            return Both(f"{name}结束：{words.zh}{_note('：', note)}", f"{name} closed: {words.en}{_note(': ', note)}")
        case Ended(reason=reason):
            return _ENDINGS.get(reason, _BACK)


def _note(between: str, note: str) -> str:
    return between + note if note else ""
