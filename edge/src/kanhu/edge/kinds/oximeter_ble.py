"""A finger oximeter with the Bluetooth Pulse Oximeter Service that sends spot checks."""

from kanhu.contract import Observation, Subject, Times
from kanhu.edge.codecs.pulse_oximeter import SERVICE_UUID, SPOT_CHECK_UUID, decode_plx_spot_check, observe_plx
from kanhu.edge.kinds.kind import ConnectedKind
from kanhu.edge.ways import GattTarget

_LEAST_S = 4.0
"""From the finger in it to a value that stands still pass some beats; project choice: none does it in four seconds."""


def observe(frame: bytes, *, subject: Subject, device: str, times: Times) -> Observation:
    """One 0x2A5E indication is one reading."""
    return observe_plx(decode_plx_spot_check(frame), subject=subject, device=device, times=times)


KIND = ConnectedKind(
    name="oximeter-ble",
    zh="血氧仪（蓝牙）",
    en="oximeter by Bluetooth",
    target=GattTarget(SERVICE_UUID, SPOT_CHECK_UUID),
    observe=observe,
    reading_takes_s=_LEAST_S,
    has_clock=True,
)
