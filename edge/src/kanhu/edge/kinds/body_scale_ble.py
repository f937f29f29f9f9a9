"""A body scale with the Bluetooth Body Composition Service: weight and body fat."""

from kanhu.contract import Observation, Subject, Times
from kanhu.edge.codecs.body_composition import (
    CHARACTERISTIC_UUID,
    SERVICE_UUID,
    decode_body_composition,
    observe_body_composition,
)
from kanhu.edge.kinds.kind import ConnectedKind
from kanhu.edge.ways import GattTarget

_LEAST_S = 5.0
"""From the first foot on it to an impedance; project choice: none is faster."""


def observe(frame: bytes, *, subject: Subject, device: str, times: Times) -> tuple[Observation, ...]:
    """One 0x2A9C indication is a reading of the weight and one of the body fat, whichever was measured."""
    return observe_body_composition(decode_body_composition(frame), subject=subject, device=device, times=times)


KIND = ConnectedKind(
    name="body-scale-ble",
    zh="体脂秤",
    en="body composition scale",
    target=GattTarget(SERVICE_UUID, CHARACTERISTIC_UUID),
    observe=observe,
    reading_takes_s=_LEAST_S,
    has_clock=True,
)
