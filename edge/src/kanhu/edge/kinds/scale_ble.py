"""A body scale with the Bluetooth Weight Scale Service."""

from kanhu.contract import Observation, Subject, Times
from kanhu.edge.codecs.weight import CHARACTERISTIC_UUID, SERVICE_UUID, decode_weight, observe_weight
from kanhu.edge.kinds.kind import ConnectedKind
from kanhu.edge.ways import GattTarget

_LEAST_S = 2.0
"""From the first foot on it to a weight that stands still; project choice: none is faster."""


def observe(frame: bytes, *, subject: Subject, device: str, times: Times) -> Observation:
    """One 0x2A9D indication is one reading."""
    return observe_weight(decode_weight(frame), subject=subject, device=device, times=times)


KIND = ConnectedKind(
    name="scale-ble",
    zh="体重秤",
    en="scale",
    target=GattTarget(SERVICE_UUID, CHARACTERISTIC_UUID),
    observe=observe,
    reading_takes_s=_LEAST_S,
    has_clock=True,
)
