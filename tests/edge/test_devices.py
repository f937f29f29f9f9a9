"""Settings that contradict each other are refused by name, and shared devices measure nobody known."""

import msgspec
import pytest

from kanhu.contract import FakeClock, Observation, Part, Quality, QualityLevel, QualityReason, Subject, SubjectKind
from kanhu.edge.devices import DeviceConfig
from kanhu.edge.errors import DeviceRefused
from kanhu.edge.sensing import run_devices
from kanhu.edge.sessions import Sessions, mark_unidentified
from tests.edge.readings import RESIDENT, TIMES, RememberingSink

OXIMETER = DeviceConfig(id="ox", kind="oximeter-cms50d", port="/dev/ttyUSB0")


@pytest.mark.parametrize(
    ("settings", "field"),
    [
        ({"id": "", "kind": "cuff-ble", "address": "F0:0D:00:00:00:03"}, "id"),
        ({"id": "x" * 65, "kind": "cuff-ble", "address": "F0:0D:00:00:00:03"}, "id"),
        ({"id": "a", "kind": "oximeter-cms50d"}, "port"),
        ({"id": "a", "kind": "oximeter-cms50d", "port": "/dev/x", "address": "F0:0D:00:00:00:03"}, "address"),
        ({"id": "a", "kind": "cuff-usb"}, "kind"),
        ({"id": "a", "kind": "kind"}, "kind"),
        ({"id": "a", "kind": "cuff-ble"}, "address"),
        ({"id": "a", "kind": "cuff-ble", "address": "F0-0D"}, "address"),
        ({"id": "a", "kind": "strap-ble", "address": "F0:0D:00:00:00:03", "port": "/dev/x"}, "port"),
        ({"id": "a", "kind": "strap-ble", "address": "F0:0D:00:00:00:03", "dwelling": "d"}, "dwelling"),
        ({"id": "a", "kind": "oximeter-cms50d", "port": "/dev/x", "subject": "r", "bed": "1"}, "bed"),
        (
            {"id": "a", "kind": "button-bthome", "address": "F0:0D:00:00:00:03", "subject": "r", "dwelling": "d"},
            "dwelling",
        ),
    ],
)
def test_settings_that_contradict_each_other_name_the_field(settings: dict[str, str], field: str) -> None:
    with pytest.raises(DeviceRefused) as refused:
        DeviceConfig(**settings)  # type: ignore[arg-type]  # broken on purpose
    assert refused.value.field == field
    with pytest.raises(msgspec.ValidationError, match=field):
        msgspec.convert(settings, DeviceConfig)


def test_an_unknown_setting_is_refused() -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"id": "a", "kind": "oximeter-cms50d", "port": "/dev/x", "baud": 9600}, DeviceConfig)


@pytest.mark.parametrize("field", ["id", "port", "address"])
async def test_two_devices_never_share_an_id_a_port_or_an_address(field: str) -> None:
    first = DeviceConfig(id="one", kind="cuff-ble", address="F0:0D:00:00:00:03")
    twins = {
        "id": (first, DeviceConfig(id="one", kind="oximeter-cms50d", port="/dev/ttyUSB1")),
        "port": (OXIMETER, DeviceConfig(id="two", kind="oximeter-cms50d", port="/dev/ttyUSB0")),
        "address": (first, DeviceConfig(id="two", kind="strap-ble", address="f0:0d:00:00:00:03")),
    }
    with pytest.raises(DeviceRefused) as refused:
        await run_devices(twins[field], RememberingSink(), clock=FakeClock(), radio=None)
    assert refused.value.field == field


def test_a_bound_device_measures_its_resident_in_every_session() -> None:
    sessions = Sessions(msgspec.structs.replace(OXIMETER, subject="r-0003"), clock=FakeClock())
    assert sessions.measured() == RESIDENT
    sessions.begin()
    assert sessions.measured() == RESIDENT


def test_a_shared_device_measures_another_unknown_person_in_every_session() -> None:
    clock = FakeClock()
    sessions = Sessions(OXIMETER, clock=clock)
    subjects = []
    for _ in range(3):
        clock.advance(1)
        sessions.begin()
        subjects.append(sessions.measured())
    assert len({subject.id for subject in subjects}) == 3
    assert {subject.kind for subject in subjects} == {SubjectKind.UNIDENTIFIED}


def test_a_button_of_nobody_belongs_to_its_dwelling() -> None:
    button = DeviceConfig(id="hall", kind="button-bthome", address="F0:0D:00:00:00:03", dwelling="home-03")
    assert Sessions(button, clock=FakeClock()).measured() == Subject(SubjectKind.DWELLING, "home-03")


@pytest.mark.parametrize(
    ("level", "marked"),
    [
        (QualityLevel.OK, QualityLevel.QUESTIONABLE),
        (QualityLevel.QUESTIONABLE, QualityLevel.QUESTIONABLE),
        (QualityLevel.UNUSABLE, QualityLevel.UNUSABLE),
    ],
)
def test_a_reading_of_nobody_known_is_at_best_questionable(level: QualityLevel, marked: QualityLevel) -> None:
    reading = Observation(
        "oximetry",
        (Part("spo2", (970,)),),
        Subject(SubjectKind.UNIDENTIFIED, "ox.00000000.5"),
        "ox",
        TIMES,
        Quality(level),
    )
    quality = mark_unidentified(reading).quality
    assert quality.level is marked
    assert quality.reasons == (QualityReason.IDENTITY_UNKNOWN,)
    known = msgspec.structs.replace(reading, subject=RESIDENT)
    assert mark_unidentified(known) is known
