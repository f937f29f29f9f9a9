"""Kinds that are heard, from published and simulated frames to the measures that become readings."""

from collections.abc import Mapping

import pytest

from kanhu.edge.codecs.advertised import steps_of
from kanhu.edge.errors import DecodeError, DecodeReason
from kanhu.edge.kinds import HeardKind, kind_of
from kanhu.edge.ways import Heard
from kanhu.firmware_sim.wire.ela import ela_climate, ela_humidity, ela_magnet, ela_temperature
from kanhu.firmware_sim.wire.ibeacon import ibeacon
from kanhu.firmware_sim.wire.kkm import kkm_sensor_frame
from kanhu.firmware_sim.wire.relsib import NOTHING, eclerk_frame
from kanhu.firmware_sim.wire.teltonika_eye import eye_climate, eye_frame
from kanhu.firmware_sim.wire.thermobeacon import thermobeacon_extremes, thermobeacon_reading

_ADDRESS = bytes.fromhex("F00D0000000A")
_APPLE, _EYE, _ELA, _ARANET = 0x004C, 0x089A, 0x0757, 0x0702
_MIKROTIK, _SENSIRION, _ORIA = 0x094F, 0x06D5, 0xAA55
_PRESSED = bytes.fromhex("6b616e6875004000800068656c700001")
_DELIVERED = bytes.fromhex("7777772e6b6b6d636e2e636f6d000001")
_JAALEE = "0215ebefd08370a247c89837e7b5634df5257420591acb64"


def told(kind: str, heard: Heard) -> dict[str, int] | None:
    """What it measures, in steps; None where nothing in it is of this kind."""
    found = kind_of(kind)
    assert isinstance(found, HeardKind)
    values = found.decode(heard, key=None, address=_ADDRESS)
    return None if values is None else steps_of(values.values)


def service(number: int, frame: bytes, *, name: str | None = None) -> Heard:
    return Heard({f"0000{number:04x}-0000-1000-8000-00805f9b34fb": frame}, {}, name)


def maker(company: int, frame: bytes) -> Heard:
    return Heard({}, {company: frame})


@pytest.mark.parametrize(
    ("kind", "heard", "measures"),
    [
        ("sensor-kkm", service(0xFEAA, bytes.fromhex("21010f0e07192a224ffffcffec03eb")), (2516, 3431)),
        ("sensor-kkm", service(0xFEAA, bytes.fromhex("21010b0c0df540ff95fe69fc80")), (-1075,)),
        ("sensor-teltonika", maker(_EYE, bytes.fromhex("01b708b4120ccb0bffc767")), (2228, 1800, 1)),
        ("sensor-aranet", maker(_ARANET, bytes.fromhex("210503010005000143049f018b27350c023c00100055")), (2075, 5300)),
        ("sensor-aranet", maker(_ARANET, bytes.fromhex("022126040100d03300006c60060082000063002c01580072")), ()),
        ("sensor-sensirion", maker(_SENSIRION, bytes.fromhex("0006e2e7036a1c65")), (2747, 4337)),
        ("sensor-ela", service(0x2A6E, bytes.fromhex("d009")), (2512,)),
        ("sensor-ela", service(0x2A6F, bytes.fromhex("2f")), (4700,)),
        ("sensor-ela", maker(_ELA, bytes.fromhex("122e07")), (1838,)),
        ("sensor-ela", service(0x2A06, bytes.fromhex("3b00"), name="P MAG CCCCCC"), (0,)),
        ("sensor-jaalee", maker(_APPLE, bytes.fromhex(_JAALEE)), (3438, 3481)),
        ("sensor-oria", maker(_ORIA, bytes.fromhex("0105aabbccddeeff010709e215e0530001")), (2530, 5600)),
        ("sensor-thermobeacon", maker(0x10, bytes.fromhex("00001a110000f770580cf5016c0443090000")), (3131, 7075)),
        ("sensor-thermobeacon", maker(0x11, bytes.fromhex("0000ae0a000023dcb001af00000083019d520300")), ()),
        ("sensor-relsib", service(0xAA20, bytes.fromhex("84000000b20a200a15030080f04700c2eb0b010b0300")), (2738, 2592)),
        ("sensor-relsib", service(0xAA20, bytes.fromhex("040000000080008000800080f04600c2eb0b010b0300")), ()),
        ("sensor-relsib", service(0xAA21, bytes.fromhex("220a75094303008045636c65726b45636f0000000000")), (2594, 2421)),
        ("sensor-mikrotik", maker(_MIKROTIK, bytes.fromhex("010010a90000fdff0100a1196be866000062")), (2563,)),
    ],
)  # fmt: skip  # a table reads by rows
def test_published_frames_become_the_measures_of_their_kind(kind: str, heard: Heard, measures: tuple[int, ...]) -> None:
    found = told(kind, heard)
    assert found is not None
    assert tuple(found.values()) == measures


def test_a_kkm_button_calls_by_the_uuid_that_was_set_and_by_no_other() -> None:
    assert told("button-kkm", maker(_APPLE, ibeacon(_PRESSED, 1, 1, -59))) == {"help_button": 1}
    for shift in range(8):  # as a beacon whose triggers change the content of its own slot
        other = _DELIVERED[:-1] + bytes([_DELIVERED[-1] + shift])
        assert told("button-kkm", maker(_APPLE, ibeacon(other, 1, 1, -59))) == {}
    assert told("button-kkm", service(0xFEAA, kkm_sensor_frame(millivolt=3000, c_256ths=5000))) is None


def test_a_kkm_button_at_rest_is_heard_and_goes_missing() -> None:
    kind = kind_of("button-kkm")
    assert isinstance(kind, HeardKind)
    assert kind.calls
    assert kind.silent_s == 3600
    found = kind.decode(maker(_APPLE, ibeacon(_DELIVERED, 1, 1, -59)), key=None, address=_ADDRESS)
    assert found is not None
    assert found.values, "what tells nothing is not counted as heard"


@pytest.mark.parametrize("frame", ["", "00e7aabb", "10ee03", "20000bb8", "30"])
def test_other_frames_of_a_kkm_beacon_are_passed_over(frame: str) -> None:
    assert told("sensor-kkm", service(0xFEAA, bytes.fromhex(frame))) is None


def test_a_simulated_kkm_beacon_is_read_back() -> None:
    frame = kkm_sensor_frame(millivolt=3600, c_256ths=-128, percent_256ths=10_240, axes_mg=(1, -2, 1000))
    assert told("sensor-kkm", service(0xFEAA, frame)) == {"room_temperature": -50, "room_humidity": 4000}


def test_an_eye_sensor_that_feels_its_magnet_is_a_door_that_is_shut() -> None:
    def heard(*, magnet: bool) -> Mapping[str, int] | None:
        frame = eye_frame(
            hundredths_c=-250, percent=40, magnet=magnet, moving=True, movements=7, pitch=-90, roll=180, millivolt=3000
        )
        return told("sensor-teltonika", maker(_EYE, frame))

    assert heard(magnet=True) == {"room_temperature": -250, "room_humidity": 4000, "contact": 0}
    assert heard(magnet=False) == {"room_temperature": -250, "room_humidity": 4000, "contact": 1}
    climate = told("sensor-teltonika", maker(_EYE, eye_climate(2100, 40)))
    assert climate == {"room_temperature": 2100, "room_humidity": 4000}, "without a magnet sensor there is no door"
    assert told("sensor-teltonika", maker(_APPLE, ibeacon(_DELIVERED, 1, 1, -59))) is None


def test_an_ela_beacon_is_a_door_only_where_its_name_says_so() -> None:
    near, away = ela_magnet(near=True, changes=5), ela_magnet(near=False, changes=6)
    assert told("sensor-ela", service(0x2A06, near, name="C MAG 00001")) == {"contact": 0}
    assert told("sensor-ela", service(0x2A06, away, name="C MAG 00001")) == {"contact": 1}
    for name in ("P MOV 00001", None):
        assert told("sensor-ela", service(0x2A06, away, name=name)) is None


def test_an_ela_beacon_tells_its_climate_by_service_data_or_by_its_company() -> None:
    both = {**service(0x2A6E, ela_temperature(-123)).service_data, **service(0x2A6F, ela_humidity(55)).service_data}
    expected = {"room_temperature": -123, "room_humidity": 5500}
    assert told("sensor-ela", Heard(both, {})) == expected
    assert told("sensor-ela", maker(_ELA, ela_climate(-123, 55))) == expected


def test_a_thermobeacon_tells_what_it_measures_and_never_its_extremes() -> None:
    reading = thermobeacon_reading(_ADDRESS, millivolt=3000, sixteenths_c=-8, sixteenths_percent=640, up_s=100_000)
    extremes = thermobeacon_extremes(_ADDRESS, high_sixteenths=480, high_s=10, low_sixteenths=-80, low_s=20)
    assert told("sensor-thermobeacon", maker(0x15, reading)) == {"room_temperature": -50, "room_humidity": 4000}
    assert told("sensor-thermobeacon", maker(0x15, extremes)) == {}
    assert told("sensor-thermobeacon", maker(0x0499, reading)) is None
    with pytest.raises(DecodeError) as refused:
        told("sensor-thermobeacon", Heard({}, {0x10: reading, 0x11: reading}))
    assert refused.value.reason is DecodeReason.NOT_SYNCHRONISED


def test_another_ibeacon_is_no_hygrometer_of_jaalee() -> None:
    assert told("sensor-jaalee", maker(_APPLE, ibeacon(_DELIVERED, 1, 1, -59))) is None


def test_a_simulated_logger_is_read_back_and_what_it_does_not_measure_is_not_told() -> None:
    frame = eclerk_frame(hundredths_c=-50, hundredths_percent=NOTHING, battery_percent=71)
    assert told("sensor-relsib", service(0xAA20, frame)) == {"room_temperature": -50}
    kind = kind_of("sensor-relsib")
    assert isinstance(kind, HeardKind)
    found = kind.decode(service(0xAA20, frame), key=None, address=_ADDRESS)
    assert found is not None
    assert next(one.value for one in found.values if one.name == "battery_percent") == 71
    assert told("sensor-relsib", service(0x1809, b"36.60 ")) is None
