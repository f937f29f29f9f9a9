"""Kinds that are heard, from published and simulated frames to the measures that become readings."""

import pytest

from kanhu.edge.codecs.advertised import steps_of
from kanhu.edge.kinds import HeardKind, kind_of
from kanhu.edge.ways import Heard
from kanhu.firmware_sim.wire.ibeacon import ibeacon
from kanhu.firmware_sim.wire.kkm import kkm_sensor_frame

_ADDRESS = bytes.fromhex("F00D0000000A")
_APPLE = 0x004C
_PRESSED = bytes.fromhex("6b616e6875004000800068656c700001")
_DELIVERED = bytes.fromhex("7777772e6b6b6d636e2e636f6d000001")


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
