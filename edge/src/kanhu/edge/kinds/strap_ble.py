"""A heart rate strap with the Bluetooth Heart Rate Service."""

from kanhu.contract import Observation, Subject, Times
from kanhu.edge.codecs.heart_rate import CHARACTERISTIC_UUID, SERVICE_UUID, decode_heart_rate, observe_heart_rate
from kanhu.edge.kinds.kind import ConnectedKind
from kanhu.edge.ways import GattTarget

# A strap that is worn tells its rate every second. One that was taken off may be silent on a link that stands; to
# connect to it anew every five minutes costs it little, and a link that only seems to stand is found out.
_QUIET_S = 300.0


def observe(frame: bytes, *, subject: Subject, device: str, times: Times) -> Observation:
    """One 0x2A37 notification is one reading."""
    return observe_heart_rate(decode_heart_rate(frame), subject=subject, device=device, times=times)


KIND = ConnectedKind(
    name="strap-ble",
    zh="心率带",
    en="strap",
    target=GattTarget(SERVICE_UUID, CHARACTERISTIC_UUID, quiet_s=_QUIET_S),
    observe=observe,
    reading_takes_s=None,  # it is on one chest for as long as its link stands
    has_clock=False,
)
