"""The metric table: one row a measure, with its codes, unit, wire step, sensor range and names.

LOINC names the measure for health records, MDC (IEEE 11073; 32-bit = partition * 65536 + 16-bit code) for devices,
UCUM the unit; where a row has several LOINC codes, the first is the one for its unit. Codes are from the public
terminologies; a test pins every one of them. The range is what a sensor can plausibly report (Bluetooth SIG and
IEEE 11073 device ranges, narrowed to living people), never a clinical limit.

Steps per unit divide a power of ten, or of two, so that every value is an exact decimal.
"""

from decimal import Decimal
from enum import StrEnum

import msgspec

from kanhu.contract.errors import UnknownMetric

_MEASUREMENT = 2 * 65536
_UNIT = 4 * 65536
_LIVING = 130 * 65536

_PER_MINUTE = _UNIT + 2720
_BREATHS_PER_MINUTE = _UNIT + 2784
_MMHG = _UNIT + 3872
_PERCENT = _UNIT + 544
_CELSIUS = _UNIT + 6048
_KILOGRAM = _UNIT + 1731
_CENTIMETRE = _UNIT + 1297
_MMOL_PER_L = _UNIT + 4722
_MILLIVOLT = _UNIT + 4274


class MetricKind(StrEnum):
    """How many values a metric has."""

    SCALAR = "scalar"
    SERIES = "series"
    PANEL = "panel"
    EVENT = "event"
    SIGNAL = "signal"
    """A stretch of it is a `Waveform`."""


class Metric(msgspec.Struct, frozen=True):
    """One row of the table. None means: no such code, or no range."""

    code: str
    kind: MetricKind
    en: str
    zh: str
    ucum: str | None = None
    steps_per_unit: int = 1
    low: Decimal | None = None
    high: Decimal | None = None
    loinc: tuple[str, ...] = ()
    mdc_name: str | None = None
    mdc: int | None = None
    mdc_unit: int | None = None
    parts: tuple[str, ...] = ()

    def value(self, steps: int) -> Decimal:
        """Exact value in the metric's unit."""
        return Decimal(steps) / self.steps_per_unit

    def steps(self, value: Decimal | int) -> int:
        """Whole steps of an exact value.

        Raises:
            ValueError: the value lies between two steps; rounding is the caller's decision.
        """
        exact = Decimal(value)
        steps = int(exact * self.steps_per_unit) if exact.is_finite() else 0
        if self.value(steps) != exact:  # compared as a value: the product above may have been rounded
            msg = f"{self.code}: {value} is not a whole number of steps of 1/{self.steps_per_unit}"
            raise ValueError(msg)
        return steps


def _scalar(
    code: str,
    en: str,
    zh: str,
    ucum: str | None,
    *,
    low: str,
    high: str,
    steps_per_unit: int = 1,
    loinc: tuple[str, ...] = (),
    mdc: tuple[str | None, int | None] = (None, None),
    mdc_unit: int | None = None,
) -> Metric:
    return Metric(
        code=code,
        kind=MetricKind.SCALAR,
        en=en,
        zh=zh,
        ucum=ucum,
        steps_per_unit=steps_per_unit,
        low=Decimal(low),
        high=Decimal(high),
        loinc=loinc,
        mdc_name=mdc[0],
        mdc=mdc[1],
        mdc_unit=mdc_unit,
    )


def _signal(
    code: str,
    en: str,
    zh: str,
    ucum: str,
    *,
    low: str,
    high: str,
    mdc: tuple[str | None, int | None] = (None, None),
    mdc_unit: int | None = None,
) -> Metric:
    return Metric(
        code=code,
        kind=MetricKind.SIGNAL,
        en=en,
        zh=zh,
        ucum=ucum,
        steps_per_unit=1000,
        low=Decimal(low),
        high=Decimal(high),
        mdc_name=mdc[0],
        mdc=mdc[1],
        mdc_unit=mdc_unit,
    )


def _event(code: str, en: str, zh: str, mdc_name: str, living_code: int) -> Metric:
    return Metric(code, MetricKind.EVENT, en, zh, mdc_name=mdc_name, mdc=_LIVING + living_code, low=Decimal(0))


_TABLE = (
    # Blood pressure by cuff: one record with components.
    Metric(
        "bp", MetricKind.PANEL, "blood pressure", "血压",
        loinc=("85354-9",), mdc_name="MDC_PRESS_BLD_NONINV", mdc=_MEASUREMENT + 18948,
        parts=("systolic", "diastolic", "mean_pressure", "pulse_cuff"),
    ),
    _scalar("systolic", "systolic pressure", "收缩压", "mm[Hg]", steps_per_unit=100, low="50", high="300",
            loinc=("8480-6",), mdc=("MDC_PRESS_BLD_NONINV_SYS", _MEASUREMENT + 18949), mdc_unit=_MMHG),
    _scalar("diastolic", "diastolic pressure", "舒张压", "mm[Hg]", steps_per_unit=100, low="30", high="200",
            loinc=("8462-4",), mdc=("MDC_PRESS_BLD_NONINV_DIA", _MEASUREMENT + 18950), mdc_unit=_MMHG),
    _scalar("mean_pressure", "mean pressure", "平均压", "mm[Hg]", steps_per_unit=100, low="30", high="250",
            loinc=("8478-0",), mdc=("MDC_PRESS_BLD_NONINV_MEAN", _MEASUREMENT + 18951), mdc_unit=_MMHG),
    _scalar("pulse_cuff", "pulse, from cuff", "脉搏（血压计）", "/min", steps_per_unit=100, low="20", high="300",
            loinc=("8867-4",), mdc=("MDC_PULS_RATE_NON_INV", _MEASUREMENT + 18474), mdc_unit=_PER_MINUTE),
    # Pulse oximeter.
    Metric(
        "oximetry", MetricKind.PANEL, "pulse oximetry", "脉搏血氧",
        parts=("spo2", "pulse_oximeter", "perfusion"),
    ),
    _scalar("spo2", "oxygen saturation", "血氧", "%", steps_per_unit=10, low="50", high="100",
            loinc=("2708-6", "59408-5"), mdc=("MDC_PULS_OXIM_SAT_O2", _MEASUREMENT + 19384), mdc_unit=_PERCENT),
    _scalar("pulse_oximeter", "pulse, from oximeter", "脉搏（血氧仪）", "/min", steps_per_unit=10, low="20", high="300",
            loinc=("8867-4",), mdc=("MDC_PULS_OXIM_PULS_RATE", _MEASUREMENT + 18458), mdc_unit=_PER_MINUTE),
    _scalar("perfusion", "perfusion index", "灌注指数", "%", steps_per_unit=100, low="0", high="100",
            loinc=("61006-3",), mdc=("MDC_PULS_OXIM_PERF_REL", _MEASUREMENT + 19376), mdc_unit=_PERCENT),
    # Heart rate strap.
    Metric(
        "heart_rhythm", MetricKind.PANEL, "heart rate with beat intervals", "心率与心跳间期",
        parts=("heart_rate", "rr_interval"),
    ),
    _scalar("heart_rate", "heart rate", "心率", "/min", low="20", high="300",
            loinc=("8867-4",), mdc=("MDC_ECG_HEART_RATE", _MEASUREMENT + 16770), mdc_unit=_PER_MINUTE),
    # 128 steps a millisecond hold the wire's 1/1024 s exactly: 125 steps.
    Metric("rr_interval", MetricKind.SERIES, "beat-to-beat interval", "心跳间期", ucum="ms", steps_per_unit=128,
           low=Decimal(200), high=Decimal(3000), loinc=("8637-3",)),
    # Signals: one step is a microvolt, or a thousandth of the acceleration of free fall, as straps send them.
    _signal("ecg", "electrocardiogram, one lead", "单导联心电", "mV", low="-32", high="32",
            mdc=("MDC_ECG_ELEC_POTL", _MEASUREMENT + 256), mdc_unit=_MILLIVOLT),
    _signal("acceleration_x", "acceleration, x axis of the sensor", "加速度（传感器 X 轴）", "[g]",
            low="-32", high="32"),
    _signal("acceleration_y", "acceleration, y axis of the sensor", "加速度（传感器 Y 轴）", "[g]",
            low="-32", high="32"),
    _signal("acceleration_z", "acceleration, z axis of the sensor", "加速度（传感器 Z 轴）", "[g]",
            low="-32", high="32"),
    # From the movement of the chest wall; no beats are seen, so it is no measure for a rule on heart rate.
    _scalar("heart_rate_radar", "heart rate, by radar", "心率（雷达）", "/min", low="20", high="300",
            mdc_unit=_PER_MINUTE),
    _scalar("respiration", "respiration rate", "呼吸", "/min", steps_per_unit=10, low="3", high="60",
            loinc=("9279-1",), mdc=("MDC_RESP_RATE", _MEASUREMENT + 20490), mdc_unit=_BREATHS_PER_MINUTE),
    _scalar("temperature", "body temperature", "体温", "Cel", steps_per_unit=100, low="30", high="44",
            loinc=("8310-5",), mdc=("MDC_TEMP_BODY", _MEASUREMENT + 19292), mdc_unit=_CELSIUS),
    _scalar("temperature_axillary", "body temperature, armpit", "腋温", "Cel", steps_per_unit=100, low="30", high="44",
            loinc=("8328-7",), mdc_unit=_CELSIUS),
    _scalar("temperature_oral", "body temperature, mouth", "口温", "Cel", steps_per_unit=100, low="30", high="44",
            loinc=("8331-1",), mdc_unit=_CELSIUS),
    _scalar("temperature_ear", "body temperature, ear", "耳温", "Cel", steps_per_unit=100, low="30", high="44",
            loinc=("8333-7",), mdc_unit=_CELSIUS),
    _scalar("weight", "body weight", "体重", "kg", steps_per_unit=1000, low="20", high="250",
            loinc=("29463-7",), mdc=("MDC_MASS_BODY_ACTUAL", _MEASUREMENT + 57664), mdc_unit=_KILOGRAM),
    _scalar("height", "body height", "身高", "cm", steps_per_unit=10, low="80", high="230",
            loinc=("8302-2",), mdc=("MDC_LEN_BODY_ACTUAL", _MEASUREMENT + 57668), mdc_unit=_CENTIMETRE),
    _scalar("bmi", "body mass index", "体重指数", "kg/m2", steps_per_unit=10, low="8", high="80",
            loinc=("39156-5",), mdc=("MDC_RATIO_MASS_BODY_LEN_SQ", _MEASUREMENT + 57680)),
    _scalar("body_fat", "body fat", "体脂率", "%", steps_per_unit=10, low="2", high="75",
            loinc=("41982-0",), mdc=("MDC_BODY_FAT", _MEASUREMENT + 57676)),
    _scalar("glucose_capillary", "glucose, capillary whole blood", "血糖（指尖全血）", "mmol/L", steps_per_unit=100,
            low="0.6", high="33.3", loinc=("15074-8", "2339-0", "41653-7"),
            mdc=("MDC_CONC_GLU_CAPILLARY_WHOLEBLOOD", _MEASUREMENT + 29112), mdc_unit=_MMOL_PER_L),
    _scalar("glucose_plasma", "glucose, capillary plasma", "血糖（指尖血浆）", "mmol/L", steps_per_unit=100,
            low="0.6", high="33.3", mdc=("MDC_CONC_GLU_CAPILLARY_PLASMA", _MEASUREMENT + 29116),
            mdc_unit=_MMOL_PER_L),
    _scalar("glucose_interstitial", "glucose, interstitial", "血糖（组织间液）", "mmol/L", steps_per_unit=100,
            low="0.6", high="33.3", loinc=("105273-7", "97507-8"),
            mdc=("MDC_CONC_GLU_ISF", _MEASUREMENT + 29140), mdc_unit=_MMOL_PER_L),
    _scalar("glucose_time_very_low", "time with very low glucose", "血糖极低时间占比", "%", steps_per_unit=10,
            low="0", high="100", loinc=("104642-4",)),
    _scalar("peak_flow", "peak expiratory flow", "呼气峰流速", "L/min", low="30", high="900", loinc=("19935-6",)),
    _scalar("steps", "steps", "步数", "{steps}", low="0", high="100000", loinc=("55423-8",)),
    # Minutes, because a minute is no decimal fraction of the hour that others report.
    _scalar("sleep_time", "sleep time", "睡眠时长", "min", low="0", high="1440", loinc=("93832-4",)),
    Metric("vital_signs", MetricKind.PANEL, "vital signs", "生命体征", loinc=("85353-1",),
           parts=("respiration", "spo2", "systolic", "pulse_cuff", "temperature", "consciousness")),
    _scalar("consciousness", "level of consciousness (ACVPU)", "意识", None, low="0", high="4"),
    _scalar("news2", "NEWS2 total", "NEWS2 总分", "{score}", low="0", high="20"),
    # IEEE 11073-10471 independent living: a value above zero is the event, zero its end.
    _event("fall", "fall sensor", "跌倒传感器", "MDC_AI_TYPE_SENSOR_FALL", 1),
    _event("help_button", "help button", "求助按钮", "MDC_AI_TYPE_SENSOR_PERS", 2),
    _event("smoke", "smoke", "烟雾", "MDC_AI_TYPE_SENSOR_SMOKE", 3),
    _event("carbon_monoxide", "carbon monoxide", "一氧化碳", "MDC_AI_TYPE_SENSOR_CO", 4),
    _event("water", "water", "漏水", "MDC_AI_TYPE_SENSOR_WATER", 5),
    _event("gas", "gas", "燃气", "MDC_AI_TYPE_SENSOR_GAS", 6),
    _event("motion", "motion", "活动", "MDC_AI_TYPE_SENSOR_MOTION", 7),
    _event("property_exit", "property exit", "外出", "MDC_AI_TYPE_SENSOR_PROPEXIT", 8),
    _event("bed_wetting", "bed wetting", "尿床", "MDC_AI_TYPE_SENSOR_ENURESIS", 9),
    _event("contact", "contact", "门磁", "MDC_AI_TYPE_SENSOR_CONTACTCLOSURE", 10),
    _event("usage", "usage", "使用", "MDC_AI_TYPE_SENSOR_USAGE", 11),
    _event("switch", "switch", "开关", "MDC_AI_TYPE_SENSOR_SWITCH", 12),
    _event("dosage", "medicine dose", "服药", "MDC_AI_TYPE_SENSOR_DOSAGE", 13),
    # Above zero: the agreed sign did not come. Zero: it came.
    Metric("well_check", MetricKind.EVENT, "daily sign of wellbeing", "每日平安信号", low=Decimal(0)),
    # Above zero: minutes of waking time without a sign of anybody, longer than usual in this home. Zero: a sign again.
    Metric("inactivity", MetricKind.EVENT, "no sign of anybody", "久无活动", ucum="min", low=Decimal(0)),
    # What a radar or a mat tells: somebody is in its field, somebody lies in the bed.
    Metric("presence", MetricKind.EVENT, "somebody present", "有人", low=Decimal(0)),
    Metric("bed_occupancy", MetricKind.EVENT, "in bed", "在床", low=Decimal(0)),
    _scalar("room_temperature", "room temperature", "室温", "Cel", steps_per_unit=100, low="-40", high="60",
            mdc=("MDC_AI_TYPE_SENSOR_TEMP", _LIVING + 14), mdc_unit=_CELSIUS),
    _scalar("room_humidity", "room humidity", "室内湿度", "%", steps_per_unit=100, low="0", high="100",
            mdc=("MDC_AI_TYPE_SENSOR_HUMIDITY", _LIVING + 15), mdc_unit=_PERCENT),
    # Equipment.
    _scalar("battery", "device battery", "设备电量", "%", low="0", high="100"),
)  # fmt: skip  # a table reads by rows

METRICS: dict[str, Metric] = {row.code: row for row in _TABLE}


def metric(code: str) -> Metric:
    """One row, or UnknownMetric."""
    try:
        return METRICS[code]
    except KeyError:
        raise UnknownMetric(code) from None
