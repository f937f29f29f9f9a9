"""A body thermometer with the Bluetooth Health Thermometer Service."""

from kanhu.contract import Observation, Subject, Times
from kanhu.edge.codecs.thermometer import CHARACTERISTIC_UUID, SERVICE_UUID, decode_temperature, observe_temperature
from kanhu.edge.kinds.kind import ConnectedKind
from kanhu.edge.ways import GattTarget

_LEAST_S = 1.0
"""An ear thermometer takes a second; project choice: none is faster."""


def observe(frame: bytes, *, subject: Subject, device: str, times: Times) -> Observation:
    """One 0x2A1C indication is one reading."""
    return observe_temperature(decode_temperature(frame), subject=subject, device=device, times=times)


KIND = ConnectedKind(
    name="thermometer-ble",
    zh="体温计",
    en="thermometer",
    target=GattTarget(SERVICE_UUID, CHARACTERISTIC_UUID),
    observe=observe,
    reading_takes_s=_LEAST_S,
    has_clock=True,
)
