"""What a scenario file says: homes, the people in them, their devices, what happens when, and what must be raised.

Times are seconds from the start of the play (`times` reads other ways of writing them). What breaks, who
answers and what is expected belongs to whoever runs the whole system; the simulator checks its shape, a recording
copies it, and neither knows what an alert is.
"""

from enum import StrEnum
from typing import Annotated, Literal, TypeAlias

import msgspec

from kanhu.firmware_sim.scenario.times import second_of_day
from kanhu.firmware_sim.truth import HappeningKind
from kanhu.firmware_sim.wire.cms50d import PACKETS_PER_S

PACKETS_PER_WINDOW = 600  # one oximeter reading
WINDOW_S = PACKETS_PER_WINDOW / PACKETS_PER_S
# Readers take 2 s of silence for the end of a streaming session and count windows anew after it.
SESSION_PAUSE_S = 3.0

Seconds = Annotated[float, msgspec.Meta(ge=0, le=366 * 86_400)]  # as long as a recording may be
Name = Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9-]{1,32}$")]
Positive = Annotated[int, msgspec.Meta(ge=1)]
Pressure = Annotated[int, msgspec.Meta(ge=1, le=300)]
PulseRate = Annotated[int, msgspec.Meta(ge=1, le=254)]
Saturation = Annotated[int, msgspec.Meta(ge=1, le=100)]


class _Table(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A TOML table in which a misspelt key is an error."""


class DeviceKind(StrEnum):
    """The devices there are."""

    OXIMETER = "oximeter-cms50d"
    CUFF = "cuff-ble"
    STRAP = "strap-ble"
    BUTTON = "button-bthome"
    # Only in recordings: their bytes are not written yet.
    SCALE = "scale"
    THERMOMETER = "thermometer"
    GLUCOSE_METER = "glucose-meter"
    ROOM_THERMOMETER = "room-thermometer"
    DAILY_LIFE = "daily-life"  # no device: what the gateway itself concludes about the agreed sign and the medicine


WITHOUT_BYTES = frozenset(
    {
        DeviceKind.SCALE,
        DeviceKind.THERMOMETER,
        DeviceKind.GLUCOSE_METER,
        DeviceKind.ROOM_THERMOMETER,
        DeviceKind.DAILY_LIFE,
    }
)


class Condition(StrEnum):
    """What moves a person's resting values."""

    HYPERTENSION = "hypertension"
    DIABETES = "diabetes"
    COPD = "copd"
    HEART_FAILURE = "heart_failure"


class Artefact(StrEnum):
    """What spoils an oximeter window."""

    LOOSE_FINGER = "loose_finger"  # falsely low values between packets that say the finger is out
    FINGER_OUT = "finger_out"  # not one valid packet
    SEARCHING = "searching"  # begins searching, then finds the pulse
    WEAK_SIGNAL = "weak_signal"  # valid values, weak signal throughout
    UNSTABLE = "unstable"  # values that jump


class CuffNotice(StrEnum):
    """What the cuff noticed while measuring."""

    MOVEMENT = "movement"
    LOOSE_CUFF = "loose_cuff"
    IRREGULAR_PULSE = "irregular_pulse"
    PULSE_ABOVE_RANGE = "pulse_above_range"
    PULSE_BELOW_RANGE = "pulse_below_range"
    IMPROPER_POSITION = "improper_position"


class DeviceClock(StrEnum):
    """The state of a cuff's own clock."""

    SET = "set"
    RESET = "reset"  # counts from the maker's default year since the battery was changed
    ABSENT = "absent"  # sends no time


class ClockService(StrEnum):
    """How a host may read and set a cuff's own clock."""

    CURRENT_TIME = "current_time"  # characteristic 0x2A2B in a service of its own
    DATE_TIME = "date_time"  # 0x2A08 beside the measurement, as A&D does


class Rhythm(StrEnum):
    """Whose beats a strap sends."""

    SINUS = "sinus"
    RECORD = "record"  # of `rr_file`


class Depth(StrEnum):
    """How a scenario is played."""

    PURE = "pure"  # recorded and judged in virtual time
    PROCESS = "process"  # real processes in real time
    BOTH = "both"


class DeviceFault(StrEnum):
    """How a device fails; `amount` is a share of messages, seconds, or how often each is said."""

    TRUNCATED = "truncated"
    FLIPPED = "flipped"
    STUCK = "stuck"  # the first message since then, again and again
    SLOW = "slow"
    CHATTERING = "chattering"


class Befalling(_Table, frozen=True, kw_only=True):
    """What befalls a person for a while; it moves the values that are not written down."""

    kind: HappeningKind
    at_s: Seconds
    for_s: Seconds
    severity: Annotated[float, msgspec.Meta(gt=0, le=5)] = 1.0


class Window(_Table, frozen=True, kw_only=True):
    """Oximeter windows of 600 packets (10 s); values left out come from the body."""

    count: Positive = 1
    spo2_percent: Saturation | None = None
    pulse_bpm: PulseRate | None = None
    artefact: Artefact | None = None


class Habit(_Table, frozen=True, kw_only=True):
    """A measurement that is made every day, or every few days, at the same times."""

    device: Name
    times: tuple[str, ...]  # of day, such as "07:30"
    every_days: Positive = 1
    from_s: Seconds = 0.0
    to_s: Seconds | None = None  # the end
    windows: tuple[Window, ...] = (Window(count=3),)  # oximeters
    worn_for_s: Seconds = 600.0  # straps
    rhythm: Rhythm = Rhythm.SINUS
    rr_file: str | None = None
    rr_first_beat: Annotated[int, msgspec.Meta(ge=0)] = 0


class Resident(_Table, frozen=True, kw_only=True):
    """Who lives there, as far as it changes what devices measure and who is told what."""

    id: Name
    age_years: Annotated[int, msgspec.Meta(ge=0, le=120)]
    sex: Literal["f", "m"]
    conditions: tuple[Condition, ...] = ()
    resting_heart_rate_bpm: PulseRate | None = None
    resting_systolic_mmhg: Pressure | None = None
    resting_diastolic_mmhg: Pressure | None = None
    resting_spo2_percent: Saturation | None = None
    tags: tuple[str, ...] = ()  # of the register, besides the conditions
    spo2_limit_percent: Saturation | None = None  # set for this person by a clinician
    happening: tuple[Befalling, ...] = ()
    habit: tuple[Habit, ...] = ()


class DeviceEntry(_Table, frozen=True, kw_only=True):
    """A device in the home; `person` is absent on a shared one."""

    id: Name
    kind: DeviceKind
    person: Name | None = None
    clock: DeviceClock = DeviceClock.SET  # cuffs only
    clock_service: ClockService | None = None  # cuffs only; without it no host can set the clock
    unit: Literal["mmHg", "kPa"] = "mmHg"  # cuffs only


class DeviceEvent(_Table, frozen=True, kw_only=True, tag_field="action"):
    """Something that happens to one device."""

    at_s: Seconds
    device: Name


class Press(DeviceEvent, frozen=True, kw_only=True, tag="press"):
    """Somebody presses the button."""

    press: Literal["press", "double", "triple", "long"] = "press"


class Measure(DeviceEvent, frozen=True, kw_only=True, tag="measure"):
    """Somebody measures; values left out come from the body."""

    systolic_mmhg: Pressure | None = None
    diastolic_mmhg: Pressure | None = None
    pulse_bpm: PulseRate | None = None
    notices: tuple[CuffNotice, ...] = ()
    weight_kg: Annotated[float, msgspec.Meta(ge=20, le=250)] | None = None
    temperature_celsius: Annotated[float, msgspec.Meta(ge=30, le=44)] | None = None
    glucose_mmol_l: Annotated[float, msgspec.Meta(ge=0.6, le=33.3)] | None = None
    meal: Literal["fasting", "before", "after", "casual", "bedtime"] = "casual"  # glucose meters


class Warm(DeviceEvent, frozen=True, kw_only=True, tag="room"):
    """The room has a temperature from now on; its thermometer says so every ten minutes."""

    room_celsius: Annotated[float, msgspec.Meta(ge=-40, le=60)]
    swing_celsius: Annotated[float, msgspec.Meta(ge=0, le=30)] = 0.0
    """Half of what lies between three in the afternoon, the warmest hour, and three at night, the coldest."""


class DailyWord(StrEnum):
    """What a gateway concludes about a person's day."""

    SIGN_GIVEN = "sign_given"
    SIGN_MISSING = "sign_missing"
    DOSE_TAKEN = "dose_taken"
    DOSE_MISSED = "dose_missed"


class Concluded(DeviceEvent, frozen=True, kw_only=True, tag="concluded"):
    """The gateway concludes something about the agreed sign, or a dose."""

    word: DailyWord


class Wear(DeviceEvent, frozen=True, kw_only=True, tag="wear"):
    """The oximeter or strap is put on.

    An oximeter plays its `windows`, or with none given whole windows until the next event; a strap sends once a
    second until the next event, beats from the body or from a recording.
    """

    windows: tuple[Window, ...] = ()
    rhythm: Rhythm = Rhythm.SINUS
    rr_file: str | None = None  # in the folder of recordings
    rr_first_beat: Annotated[int, msgspec.Meta(ge=0)] = 0


class LoseContact(DeviceEvent, frozen=True, kw_only=True, tag="lose_contact"):
    """The strap stays on but its electrodes dry out: it sends rate 0 without contact."""


class Remove(DeviceEvent, frozen=True, kw_only=True, tag="remove"):
    """The oximeter or strap is taken off and falls silent."""


Event: TypeAlias = Press | Measure | Warm | Concluded | Wear | LoseContact | Remove


class Home(_Table, frozen=True, kw_only=True):
    """A home or a village clinic with one gateway."""

    id: Name
    kind: Literal["home", "clinic"] = "home"
    village: Name = "village-01"
    resident: tuple[Resident, ...] = ()
    device: tuple[DeviceEntry, ...] = ()
    event: tuple[Event, ...] = ()


class Fault(_Table, frozen=True, kw_only=True):
    """What whoever runs the system does to it; not played here."""

    at_s: Seconds
    for_s: Seconds = 0.0  # 0: to the end
    on: str  # "gateway home-09", "link home-09", "broker", "cloud", "disk home-09", "clock home-09", "device cuff-09"
    what: str
    amount: Annotated[float, msgspec.Meta(ge=-1e9, le=1e9)] = 0.0


class Expected(_Table, frozen=True, kw_only=True):
    """An alert that must be told between two moments; not judged here."""

    rule: str
    subject: str = "*"  # a resident, a gateway, or anybody
    priority: Literal["high", "medium", "low", "technical", ""] = ""  # any
    gateway: Name | None = None
    from_s: Seconds = 0.0
    by_s: Seconds
    at_most: Positive = 1  # alerts that may stand for it
    told: Positive = 1  # how often it must call for a person at least
    level: Annotated[int, msgspec.Meta(ge=0, le=3)] = 0  # of escalation that must be reached at least


class Forbidden(_Table, frozen=True, kw_only=True):
    """An alert that must not be told between two moments; not judged here."""

    rule: str = "*"
    subject: str = "*"
    priority: Literal["high", "medium", "low", "technical", ""] = ""
    from_s: Seconds = 0.0
    by_s: Seconds | None = None  # the end


class Absence(_Table, frozen=True, kw_only=True):
    """When nobody who is told answers."""

    from_s: Seconds
    to_s: Seconds


class Staff(_Table, frozen=True, kw_only=True):
    """How one person works; several take turns, telling by telling. Without any, nobody ever answers."""

    claims_after_s: Seconds
    closes_after_s: Seconds | None = None  # never: claimed, and nothing done
    absent: tuple[Absence, ...] = ()


class Scenario(_Table, frozen=True, kw_only=True):
    """One play."""

    name: str
    story: str = ""
    depth: Depth = Depth.PROCESS
    hazards: tuple[str, ...] = ()  # of the hazard log
    duration_s: Seconds
    seed: int = 1
    starts_at: str = "07:30"  # local time of day the bodies begin at, whatever the wall clock says
    utc_offset_minutes: Annotated[int, msgspec.Meta(ge=-720, le=840)] = 480  # of the devices' own clocks
    recordings: str = "."  # folder of recorded beats, relative to the scenario file
    home: tuple[Home, ...]
    fault: tuple[Fault, ...] = ()
    expected: tuple[Expected, ...] = ()
    forbidden: tuple[Forbidden, ...] = ()
    staff: tuple[Staff, ...] = ()


def start_of_day_s(scenario: Scenario) -> float:
    """Seconds after local midnight at which the play begins."""
    return second_of_day(scenario.starts_at) or 0.0
