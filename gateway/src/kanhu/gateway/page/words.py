"""Every word of the page, in Chinese and English: one key a sentence, no sentence glued from pieces."""

from typing import Literal, NamedTuple

from kanhu.contract import Metric, QualityReason
from kanhu.edge.kinds import Kind
from kanhu.edge.whose import WhoseReason

Tongue = Literal["zh", "en"]


class Said(NamedTuple):
    """One text in both languages."""

    zh: str
    en: str


_WORDS = {
    # The frame.
    "title": Said("看护 · 测量", "kanhu · measuring"),
    "screens": Said("页面", "Screens"),
    "rooms": Said("房间", "Rooms"),
    "choose": Said("选人", "People"),
    "measure": Said("测量", "Measure"),
    "today": Said("今天", "Today"),
    "other_language": Said("EN", "中文"),
    "screen_lost": Said("屏幕和主机断开了，正在重连…", "The screen has lost the box, trying again…"),
    "county_reached": Said("县里：已连接", "County: connected"),
    "county_unreached": Said("县里：连不上，照常测量", "County: no link, keep measuring"),
    "county_unreached_since": Said("县里：{since} 起连不上，照常测量", "County: no link since {since}, keep measuring"),
    "reached": Said("县里已连接", "Linked"),
    "unreached": Said("县里连不上", "No link"),
    "waiting": Said("待发 {count} 条", "{count} waiting"),
    "more_trouble": Said("+{count} 项", "+{count}"),
    # People.
    "scan": Said("扫卡或编号", "Card or number"),
    "scan_go": Said("确定", "Go"),
    "scan_identity": Said(
        "这里不用身份证选人。请扫卫生室发的卡，或在下面选人。",
        "Nobody is chosen by an identity card here. Scan the clinic's own card, or choose the person below.",
    ),
    "scan_misread": Said("没有读清，请再扫一次。", "It was not read whole. Scan it again."),
    "scan_unknown": Said(
        "这张卡在这里没有登记。请在下面选人。", "This card is not known here. Choose the person below."
    ),
    "all_rooms": Said("全部", "All"),
    "room": Said("{room} 房", "Room {room}"),
    "bed": Said("{bed} 床", "Bed {bed}"),
    "not_today": Said("今天未测", "not yet today"),
    "measured_at": Said("{at} 已测", "today {at}"),
    "chosen_now": Said("正在测量", "now"),
    "nobody_registered": Said(
        "还没有登记的人。请技术员写入设置。", "Nobody is registered yet. A technician adds people to the settings."
    ),
    "time_over": Said("{who} 的时间到了。要继续测，请再选一次。", "The time of {who} is over. To go on, choose again."),
    # Every day.
    "dose_taken": Said("药已服", "Medicine taken"),
    "dose_was_taken": Said("已服", "taken"),
    "dose_was_missed": Said("未确认", "not confirmed"),
    "sign_given": Said("平安", "given"),
    "sign_missing": Said("未收到", "did not come"),
    # Nobody's reading.
    "nobody_chosen": Said("刚才的读数没有选人", "The last reading had nobody chosen"),
    "nobody_changed": Said("测量途中换了人", "Somebody else was chosen while it measured"),
    "nobody_bed": Said("这张床今天没有登记的人", "Nobody is registered in this bed today"),
    "nobody_clock": Said("时间没有设置，不知道床上是谁", "The clock is not set, so nobody knows who lies there"),
    "nobody_stored": Said("按设备自己的时间，这是以前测的", "By the device's own clock it was measured earlier"),
    "nobody_named": Said("化验仪上没有输入这里的人员编号", "No resident's id was typed in at the analyser"),
    "nobody_kept": Said(
        "{value} 已保存为“未知人员”。请先选人，再测一次。",
        "{value} kept as nobody's. Choose the person, measure again.",
    ),
    # Measuring.
    "measuring": Said("正在测量", "Measuring"),
    "until": Said("到 {at} 为止", "until {at}"),
    "done": Said("完成", "Done"),
    "next_person": Said("换人", "Next person"),
    "ready": Said("可以测量了", "Ready to measure"),
    "how_rest": Said("坐好，休息 5 分钟，不说话", "Sit, rest for 5 minutes, do not talk"),
    "how_arm": Said("袖带绑在上臂，与心脏同高", "Cuff on the upper arm, at heart height"),
    "how_start": Said("按仪器的开始键，结果会自己出来", "Press start on the device; the result comes by itself"),
    "earlier": Said("这次还测了", "Before this"),
    "good": Said("读数有效", "Good reading"),
    "doubtful": Said("读数存疑，请重测", "Doubtful, please measure again"),
    "unusable": Said("读数不能用，请重测", "Not usable, please measure again"),
    "measure_again": Said(
        "请坐好不动，手臂与心脏同高，再测一次", "Please measure again: sit still, arm at heart height"
    ),
    "no_result": Said("没有测出结果", "No result"),
    "too_short": Said("时间太短：手指放好，等 10 秒", "Too short: keep the finger in for 10 seconds"),
    "not_kept": Said("没有存下。请记在纸上，通知技术员。", "Not stored. Write it down, call a technician."),
    "rest_and_repeat": Said("请休息，1 到 5 分钟内再测一次", "Rest, measure again in 1 to 5 minutes"),
    "ask_and_repeat": Said("请问问感受，再测一次", "Ask how the person feels, measure again"),
    "too_soon": Said("复测太早：两次之间休息满 1 分钟", "Too soon: rest 1 full minute between two readings"),
    "told": Said("已发出提醒", "An alert was raised"),
    "priority_high": Said("立即", "Now"),
    "priority_medium": Said("尽快", "Soon"),
    "priority_low": Said("今天", "Today"),
    # Today.
    "today_none": Said("今天还没有测量。", "Nothing was measured today."),
    "time": Said("时间", "Time"),
    "person": Said("人员", "Person"),
    "value": Said("读数", "Reading"),
    "state": Said("状态", "State"),
    "nobody": Said("未知人员", "nobody known"),
    "place": Said("本处", "this place"),
    "state_waiting": Said("本机已存", "kept here"),
    "state_delivered": Said("县里已收", "at the county"),
    "state_set_aside": Said("县里未收", "county refused"),
    "state_dropped": Said("已删，卡满", "dropped, card full"),
    "state_not_kept": Said("没有存下", "not stored"),
    "doubt_mark": Said("存疑", "doubtful"),
    # Trouble.
    "troubles": Said("需要处理的设备", "Equipment that needs somebody"),
    "no_troubles": Said("设备都正常。", "No equipment needs anybody."),
    "battery_low": Said("{device} 电量 {percent}%，请换电池", "{device}: battery {percent} %, change it"),
    "clock_unset": Said("时间没有设置，请通知技术员", "the clock is not set, call a technician"),
    "clock_unsure": Said("时间未校对，请看 {at} 对不对", "clock not checked: is it {at}?"),
    "device_lost": Said("{device} 没有接上", "{device} is not plugged in"),
    "radio_lost": Said("蓝牙不工作，请重启主机", "Bluetooth does not work, restart the box"),
    "software_missing": Said("{device} 缺少软件，请通知技术员", "{device}: software is missing, call a technician"),
    "card_failed": Said("存储卡写不进去，请通知技术员", "the card takes no readings, call a technician"),
    "card_full": Said("存储卡快满了，请通知县里", "the card is nearly full, tell the county"),
    # Refused requests.
    "refused": Said("请从头再来一次。", "Please start again."),
    "back": Said("返回", "Back"),
}

ADVICE = {
    QualityReason.OUT_OF_RANGE: Said("超出仪器能测的范围", "Outside what the device can measure"),
    QualityReason.IMPLAUSIBLE_PAIR: Said("高压不比低压高，请重绑袖带", "Upper not above lower: put the cuff on again"),
    QualityReason.RATE_OF_CHANGE: Said("变化太快，过 1 分钟再测", "Changed too fast: wait 1 minute"),
    QualityReason.REPEAT_DISAGREES: Said("两次相差大，请再测第三次", "The two differ: please take a third"),
    QualityReason.MOTION: Said("测量时动了", "The body moved"),
    QualityReason.NO_CONTACT: Said("没有贴好皮肤，请重新戴好", "No contact with the skin: put it on again"),
    QualityReason.FINGER_OUT: Said("手指没有放到底", "The finger was not all the way in"),
    QualityReason.SEARCHING: Said("还没有找到脉搏，手不要动", "No pulse found yet: keep the hand still"),
    QualityReason.WEAK_SIGNAL: Said("信号弱，先暖暖手", "Weak signal: warm the hand first"),
    QualityReason.LOW_PERFUSION: Said("手指血流弱，先暖暖手", "Little blood in the finger: warm the hand first"),
    QualityReason.UNSTABLE: Said("读数不稳，手不要动", "Not steady: keep the hand still"),
    QualityReason.CUFF_LOOSE: Said("袖带松了，绑到能插一指", "Cuff too loose: one finger should fit under it"),
    QualityReason.POSITION: Said("手臂没有与心脏同高", "The arm was not at heart height"),
    QualityReason.PULSE_OUT_OF_RANGE: Said("脉搏超出血压计的范围", "Pulse outside what the cuff can follow"),
    QualityReason.STUCK: Said("仪器总给同样的数，请关机再开", "The device repeats itself: switch it off and on"),
    QualityReason.NOT_A_NUMBER: Said("有的数没有测出来", "Some values were not measured"),
    QualityReason.DEVICE_CLOCK_UNSET: Said(
        "仪器时间没有设置，不影响读数", "The device's clock is not set; the value stands"
    ),
    QualityReason.IDENTITY_UNKNOWN: Said("不知道是谁的读数", "Nobody knows whose it is"),
    QualityReason.ABOVE_RANGE: Said("高到仪器测不出（HI）", "Higher than the device can measure (HI)"),
    QualityReason.BELOW_RANGE: Said("低到仪器测不出（LO）", "Lower than the device can measure (LO)"),
    QualityReason.QUESTIONED: Said("仪器自己说读数不可靠，请再测", "The device doubts it itself: measure again"),
    QualityReason.INTERFERENCE: Said("有干扰，离开电器再测", "Something disturbed it: move away from appliances"),
    QualityReason.UNPROVEN: Said("不能确定是这台设备发的", "Perhaps not sent by this device"),
}

NOBODY = {
    WhoseReason.NOBODY_CHOSEN: "nobody_chosen",
    WhoseReason.TIME_OVER: "nobody_chosen",
    WhoseReason.CHANGED: "nobody_changed",
    WhoseReason.BED_EMPTY: "nobody_bed",
    WhoseReason.CLOCK_UNSET: "nobody_clock",
    WhoseReason.STORED: "nobody_stored",
    WhoseReason.UNNAMED: "nobody_named",
}

UNITS = {
    "mm[Hg]": Said("mmHg", "mmHg"),
    "/min": Said("次/分", "/min"),
    "%": Said("%", "%"),
    "Cel": Said("°C", "°C"),
    "kg": Said("kg", "kg"),
    "cm": Said("cm", "cm"),
    "kg/m2": Said("kg/m²", "kg/m²"),
    "mmol/L": Said("mmol/L", "mmol/L"),
    "ms": Said("毫秒", "ms"),
    "mV": Said("毫伏", "mV"),
    "[g]": Said("g", "g"),
    "L/min": Said("升/分", "L/min"),
    "min": Said("分钟", "min"),
    "{steps}": Said("步", "steps"),
    "{score}": Said("分", "points"),
}


class Words:
    """The page's words in one language."""

    def __init__(self, tongue: Tongue) -> None:
        """Speak this language."""
        self.tongue = tongue

    def __call__(self, key: str, **params: object) -> str:
        """One sentence."""
        return self.of(_WORDS[key]).format(**params)

    def of(self, said: Said) -> str:
        """One text of a table."""
        return said.zh if self.tongue == "zh" else said.en

    def kind(self, kind: Kind) -> str:
        """What a kind of device is called."""
        return kind.zh if self.tongue == "zh" else kind.en

    def name(self, row: Metric) -> str:
        """What a measure is called."""
        return row.zh if self.tongue == "zh" else row.en

    def unit(self, row: Metric) -> str:
        """The unit of a measure; empty where it has none."""
        if row.ucum is None:
            return ""
        said = UNITS.get(row.ucum)
        return row.ucum if said is None else self.of(said)
