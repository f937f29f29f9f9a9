"""A blood pressure cuff with the Bluetooth Blood Pressure Service."""

from kanhu.contract import Observation, Subject, Times
from kanhu.edge.codecs.blood_pressure import (
    CHARACTERISTIC_UUID,
    SERVICE_UUID,
    decode_blood_pressure,
    observe_blood_pressure,
)
from kanhu.edge.kinds.kind import ConnectedKind
from kanhu.edge.ways import GattTarget

# From a press on the button of a cuff to its result pass about 30 to 60 s; project choice: none does it in 15. A result
# that comes sooner after another person was chosen was begun before.
_LEAST_S = 15.0


def observe(frame: bytes, *, subject: Subject, device: str, times: Times) -> Observation:
    """One 0x2A35 indication is one reading."""
    return observe_blood_pressure(decode_blood_pressure(frame), subject=subject, device=device, times=times)


KIND = ConnectedKind(
    name="cuff-ble",
    zh="血压计",
    en="cuff",
    target=GattTarget(SERVICE_UUID, CHARACTERISTIC_UUID),
    observe=observe,
    reading_takes_s=_LEAST_S,  # each inflation of a shared cuff may be another arm
    has_clock=True,
)
