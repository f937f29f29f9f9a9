"""One morning of an invented county: people, alerts, readings, gateways."""

import math
import random
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from kanhu.cloud.desk.model import (
    AlarmRow,
    AlertEvent,
    AlertPage,
    AlertRow,
    Arrived,
    Both,
    Claim,
    Contact,
    DailyValue,
    Equipment,
    GatewayRow,
    LateRow,
    Person,
    ResidentPage,
    Trend,
    TrendKind,
    Viewer,
    Vital,
)
from kanhu.cloud.desk.model import Role as StaffRole
from kanhu.contract import Priority, QualityLevel

NOW = datetime(2026, 11, 22, 6, 5, tzinfo=UTC)
HOSTILE = """<b>"'&<script>window.broken=1</script>{{7*7}}"""

NURSE = Viewer(user="lijing", name="李静", role=StaffRole.COUNTY, place="yunling")
DOCTOR = Viewer(user="zhou", name="周建平", role=StaffRole.COUNTY, place="yunling")

_ALLOWED = {
    Priority.HIGH: timedelta(minutes=15),
    Priority.MEDIUM: timedelta(hours=2),
    Priority.LOW: timedelta(hours=8),
    Priority.TECHNICAL: timedelta(hours=4),
}
_VILLAGES = {
    "daping": Both("大坪村", "Daping"),
    "liushugou": Both("柳树沟村", "Liushugou"),
    "shiqiao": Both("石桥村", "Shiqiao"),
    "hekou": Both("河口村", "Hekou"),
}

PEOPLE = {
    person.id: person
    for person in (
        Person("r-0005", "张德福", "m", 77, _VILLAGES["daping"], ("hypertension", "diabetes", "lives_alone")),
        Person("r-0002", "王秀英", "f", 82, _VILLAGES["liushugou"], ("lives_alone", "copd"), "Wang Xiuying"),
        Person("r-0003", "陈国强", "m", 69, _VILLAGES["hekou"], ("hypertension",)),
        Person("r-0004", "吴凤英", "f", 71, _VILLAGES["hekou"], ("copd",)),
        Person("r-0006", "孙福生", "m", 88, _VILLAGES["liushugou"], ("lives_alone",)),
        Person("r-0007", "周春花", "f", 79, _VILLAGES["shiqiao"], ("lives_alone", "heart_failure")),
        Person("r-0008", "刘桂兰", "f", 85, _VILLAGES["shiqiao"], ("lives_alone", "disabled")),
        Person("r-0009", "赵玉梅", "f", 74, _VILLAGES["daping"], ("diabetes",)),
        Person("r-0666", HOSTILE, "", None, Both(HOSTILE, HOSTILE), ("lives_alone", "not-a-tag")),
    )
}

CONTACTS = (
    Contact("赵大婶", Both("邻居，有钥匙", "neighbour, has a key"), "000-0001-0001"),
    Contact("王丽", Both("女儿", "daughter"), "000-0001-0002"),
    Contact("周建平", Both("村医", "village doctor"), "000-0001-0003"),
)


def alert_row(
    alert_id: str,
    priority: Priority,
    subject: str,
    title: Both,
    detail: Both,
    *,
    waited_min: float,
    now: datetime = NOW,
    claim: Claim | None = None,
    spark: tuple[float | None, ...] = (),
    spark_band: tuple[float, float] | None = None,
    unseen_people: int = 0,
    rule: str = "SPO2-LOW",
    metric: str = "",
) -> AlertRow:
    """One open alert that began so many minutes ago."""
    opened_at = now - timedelta(minutes=waited_min)
    return AlertRow(
        id=alert_id,
        revision=1,
        priority=priority,
        rule=rule,
        subject=subject,
        person=PEOPLE.get(subject),
        title=title,
        detail=detail,
        opened_at=opened_at,
        due_at=opened_at + _ALLOWED[priority],
        condition="present",
        handling="in_progress" if claim else "new",
        late=False,
        count=1,
        claim=claim,
        outcome=None,
        held_until=None,
        spark=spark,
        spark_band=spark_band,
        unseen_people=unseen_people,
        metric=metric,
    )


def sos_row(alert_id: str = "a-sos-new", *, subject: str = "r-0008", now: datetime = NOW) -> AlertRow:
    """A help button pressed just now."""
    return alert_row(
        alert_id,
        Priority.HIGH,
        subject,
        Both("按下求助键", "Help button pressed"),
        Both("刚刚", "just now"),
        waited_min=0,
        now=now,
        rule="SOS",
    )


def morning_rows(now: datetime = NOW) -> list[AlertRow]:
    """The board as it stands at the start of most tests."""
    doctor_claim = Claim("zhou", "周建平", now - timedelta(minutes=3), now + timedelta(minutes=12))
    high, medium, low = Priority.HIGH, Priority.MEDIUM, Priority.LOW
    table = (
        ("a-1", high, "r-0005", "按下求助键", "Help button pressed", "第 1 次按键", "first press", 17, "SOS", (), None),
        (
            "a-2",
            high,
            "r-0002",
            "血氧 84%",
            "SpO₂ 84%",
            "5 分钟内 3 次低于行动线",
            "3 readings below the action line in 5 min",
            6,
            "SPO2-LOW",
            (95, 95, 94, 95, 94, None, 93, 92, 90, 88, 86, 84),
            (93, 96),
        ),
        ("a-3", high, "r-0008", "按下求助键", "Help button pressed", "已接手", "taken", 4, "SOS", (), None),
        (
            "a-4",
            medium,
            "r-0003",
            "血压 186/112",
            "Blood pressure 186/112",
            "两次平均超过上限",
            "mean of two over the set limit",
            38,
            "BP-SEVERE",
            (142, 139, 145, 150, 141, 148, 155, 160, 171, 186, 184),
            (138, 152),
        ),
        (
            "a-5",
            medium,
            "r-0006",
            "静息心率 134",
            "Resting heart rate 134",
            "持续 10 分钟",
            "for 10 minutes",
            71,
            "HR-EXTREME",
            (72, 75, 71, 78, 80, 92, 110, 128, 133, 134),
            (64, 80),
        ),
        (
            "a-6",
            medium,
            "r-0004",
            "血氧 90%",
            "SpO₂ 90%",
            "5 分钟内 3 次",
            "3 readings in 5 min",
            52,
            "SPO2-LOW",
            (95, 94, 95, 93, 92, 91, 90),
            (93, 96),
        ),
        (
            "a-7",
            low,
            "r-0007",
            "脉搏不齐，建议做心电图",
            "Irregular pulse, ECG advised",
            "两天内 4 段",
            "4 spells on 2 days",
            204,
            "RHYTHM",
            (),
            None,
        ),
        (
            "a-8",
            low,
            "r-0009",
            "收缩压连续上升",
            "Systolic rising for days",
            "连升 5 天",
            "5 days up",
            150,
            "TREND",
            (132, 134, 133, 138, 141, 144, 149),
            (128, 140),
        ),
    )
    rows = [
        alert_row(
            each,
            priority,
            subject,
            Both(zh, en),
            Both(zh_detail, en_detail),
            waited_min=waited,
            now=now,
            rule=rule,
            spark=spark,
            spark_band=band,
            claim=doctor_claim if each == "a-3" else None,
            metric={"SPO2-LOW": "spo2", "BP-SEVERE": "systolic"}.get(rule, ""),
        )
        for each, priority, subject, zh, en, zh_detail, en_detail, waited, rule, spark, band in table
    ]
    silent = Both("网关没有心跳", "Gateway silent"), Both("home-09，已 9 分钟", "home-09, for 9 minutes")
    rows.append(
        alert_row(
            "a-9", Priority.TECHNICAL, "home-09", *silent, waited_min=9, now=now, rule="WATCH-LOST", unseen_people=2
        )
    )
    return rows


def alert_page(row: AlertRow) -> AlertPage:
    """Everything about one alert."""
    at = row.opened_at
    return AlertPage(
        row=row,
        sentence=Both(
            "5 分钟内 3 次可靠读数低于行动线 92%：88、86、84。",
            "3 good readings below the set limit of 92% within 5 minutes: 88, 86, 84.",
        ),
        rule_version="2026.11",
        limit_source="home oximetry sheets; clinical reference, section 2",
        quality=QualityLevel.OK,
        evidence=tuple((at - timedelta(minutes=2 - each), "spo2", f"{88 - 2 * each} %") for each in range(3)),
        events=(
            AlertEvent(at, "opened", "", Both("网关判定，警报产生", "Raised by the gateway")),
            AlertEvent(at + timedelta(seconds=2), "delivered", "", Both("已送到值守台", "Delivered to the desk")),
        ),
        contacts=CONTACTS if row.person else (),
    )


def resident_page(person: Person, alerts: tuple[AlertRow, ...], *, days: int, now: datetime) -> ResidentPage:
    """One resident with trends that have a gap in the middle."""
    return ResidentPage(
        person=person,
        address=f"{person.village.zh} 23 号",
        note="听力差，请大声慢说",
        alerts=alerts,
        vitals=_vitals(now),
        trends=(
            _trend("spo2", Both("血氧", "SpO₂"), "%", 94.5, 1.0, days=days, now=now, band=(93, 96), limit=92, drop=10),
            _trend(
                "heart_rate", Both("心率", "Heart rate"), "/min", 72, 5, days=days, now=now, band=(66, 78), drop=-22
            ),
            _trend(
                "systolic", Both("收缩压", "Systolic"), "mmHg", 142, 6, days=days, now=now, band=(134, 150), limit=180
            ),
            _beats(now),
        ),
        daily=tuple(
            DailyValue(
                date(2026, 11, 21) - timedelta(days=each), "systolic", 2, Decimal(138), Decimal(151), Decimal("144.5")
            )
            for each in range(5)
        ),
        arrived=Arrived(1_204, 3, 12, 5, missing=2, not_known=7),
        contacts=CONTACTS,
        timeline=(
            AlertEvent(
                now - timedelta(minutes=6),
                "opened",
                "",
                Both("血氧 84%，第 3 次低于行动线", "SpO₂ 84%, third below the line"),
            ),
            AlertEvent(
                now - timedelta(days=4), "closed", "李静", Both("网关停电 9 小时", "Gateway without power for 9 h")
            ),
        ),
    )


_WELL_FITTED = AlarmRow(("voice", "light", "sms:village_doctor", "sms:family"), (), 0)
_ALARMS: dict[str, AlarmRow | None] = {
    "home-02": AlarmRow((), (), 0),
    "home-03": None,
    "home-05": AlarmRow(_WELL_FITTED.fitted, (("modem", "no_network"), ("voice", "player_usb_gone")), 0),
    "home-06": AlarmRow(_WELL_FITTED.fitted, (), 1),
}


def equipment(now: datetime) -> Equipment:
    """Thirteen gateways, one silent."""
    names = [*(f"home-{each:02}" for each in range(1, 13)), "clinic-01"]
    places = list(_VILLAGES.values())
    gateways = [
        GatewayRow(
            id=name,
            kind="clinic" if name.startswith("clinic") else "home",
            village=places[place % 4],
            state="silent" if name == "home-09" else "online",
            last_seen=now - timedelta(minutes=9) if name == "home-09" else now - timedelta(seconds=20 + place),
            people=2 if name == "home-09" else 1,
            high_risk=1 if place % 3 == 0 or name == "home-09" else 0,
            owed=0 if place % 4 else 12,
            accepted=1200 + place,
            refused=place % 2,
            quarantined=3 if name == "home-04" else 0,
            clock="synced",
            software="0.1.0",
            stored=1188 + place,
            release=None if name == "clinic-01" else place % 3,
            refused_release=(2, "county") if name == "home-04" else None,
            clocks_off=(("cuff-04", -900), ("cuff-05", 3_900)) if name == "home-04" else (),
            alarm=_ALARMS.get(name, _WELL_FITTED),
            late=LateRow("5e71a1", 12, now + timedelta(days=9)) if name == "home-07" else None,
        )
        for place, name in enumerate(names)
    ]
    gateways.sort(key=lambda gateway: gateway.state != "silent")
    counters = (("envelopes", 412), ("records", 15678), ("redelivered", 31), ("conflicts", 0), ("refused", 4))
    return Equipment(now, tuple(gateways), (("malformed", 3), ("unknown_gateway", 1)), counters, "connected")


def _vitals(now: datetime) -> tuple[Vital, ...]:
    ok, doubt = QualityLevel.OK, QualityLevel.QUESTIONABLE
    minutes = timedelta(minutes=1)
    return (
        Vital("spo2", Both("血氧", "SpO₂"), "84", "%", now - 2 * minutes, ok, (), (93, 96), too_old=False),
        Vital(
            "heart_rate", Both("心率", "Heart rate"), "96", "/min", now - 2 * minutes, ok, (), (66, 78), too_old=False
        ),
        Vital(
            "bp",
            Both("血压", "Blood pressure"),
            "146/82",
            "mmHg",
            now - 400 * minutes,
            ok,
            (),
            (134, 150),
            too_old=False,
        ),
        Vital(
            "temperature", Both("体温", "Temperature"), "36.7", "°C", now - 410 * minutes, ok, (), None, too_old=False
        ),
        Vital(
            "pulse_oximeter",
            Both("脉搏", "Pulse"),
            "71",
            "/min",
            now - 9 * minutes,
            doubt,
            ("finger_out", "weak_signal"),
            (66, 78),
            too_old=False,
        ),
        Vital(
            "glucose_capillary",
            Both("血糖", "Glucose"),
            "6.1",
            "mmol/L",
            now - timedelta(days=3),
            ok,
            (),
            (5, 7),
            too_old=True,
        ),
    )


def _beats(now: datetime) -> Trend:
    chance = random.Random("beats")
    points: list[tuple[datetime, float | None, QualityLevel]] = []
    at = now - timedelta(minutes=4)
    while at < now - timedelta(seconds=2):
        interval_ms = round(chance.choice((620, 640, 660, 980, 1240)) + chance.uniform(-40, 40), 1)
        at += timedelta(milliseconds=interval_ms)
        points.append((at, interval_ms, QualityLevel.OK))
    label = Both("心跳间期", "beat-to-beat interval")
    return Trend("rr_interval", label, "ms", tuple(points), None, None, TrendKind.DOTS)


def _trend(
    metric: str,
    label: Both,
    unit: str,
    middle: float,
    spread: float,
    *,
    days: int,
    now: datetime,
    band: tuple[float, float],
    limit: float | None = None,
    drop: float = 0,
) -> Trend:
    chance = random.Random(metric)
    count = 56 * min(days, 7)
    points: list[tuple[datetime, float | None, QualityLevel]] = []
    for each in range(count):
        at = now - timedelta(days=days) * (1 - (each + 1) / count)
        share = each / count
        if 0.52 < share < 0.63:
            if not points or points[-1][1] is not None:
                points.append((at, None, QualityLevel.OK))
            continue
        value = middle + spread * math.sin(share * 44) * 0.5 + chance.uniform(-spread, spread) * 0.5
        value -= drop * max(0.0, share - 0.93) / 0.07
        level = QualityLevel.QUESTIONABLE if each % 71 == 40 else QualityLevel.OK
        points.append((at, round(value, 1), level))
    return Trend(metric, label, unit, tuple(points), band, limit)
