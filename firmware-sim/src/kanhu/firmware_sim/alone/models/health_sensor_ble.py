"""A sensor with the Bluetooth Generic Health Sensor Service: an oximeter and a cuff in one. Experimental."""

from decimal import Decimal

from kanhu.firmware_sim.air import Delivery
from kanhu.firmware_sim.alone.model import Commanded, Moment
from kanhu.firmware_sim.wire.ghs import (
    GhsHeader,
    GhsNumber,
    elapsed_time,
    ghs_bundle,
    ghs_compound,
    ghs_numeric,
    ghs_segments,
)

_START, _STOP, _DONE, _UNKNOWN = b"\x01", b"\x02", b"\x80", b"\x81"
_SATURATION, _PULSE, _PRESSURE, _SYSTOLIC, _DIASTOLIC, _MEAN = 0x24BB8, 0x2481A, 0x24A04, 0x24A05, 0x24A06, 0x24A07
_PERCENT, _PER_MINUTE, _MMHG = 0x0220, 0x0AA0, 0x0F20
_STABLE_AVERAGE = 0x24C3C
_HIGHEST_PERCENT = Decimal(99)  # what finger oximeters show at most
_VALUE_BYTES = 20  # what a value holds before a host asks for more
_COUNTERS = 64


def make() -> Commanded:
    """In turn a saturation with its pulse, and a blood pressure, each in several segments."""
    counter = 0

    def values(moment: Moment) -> tuple[bytes, ...]:
        nonlocal counter
        segments = ghs_segments(_observation(moment), most_bytes=_VALUE_BYTES, counter=counter)
        counter = (counter + len(segments)) % _COUNTERS
        return segments

    return Commanded(
        name="health-sensor-ble",
        about="generic health sensor, 97 % and 72/min, then 128/78 mmHg, give or take",
        every_s=10.0,
        service_uuid=0x1840,
        measurement_uuid=0x2B8B,
        control_uuid=0x2BF4,
        delivery=Delivery.INDICATE,
        begin=_START,
        values=values,
        answer=lambda command: _DONE if command in {_START, _STOP} else _UNKNOWN,
    )


def _observation(moment: Moment) -> bytes:
    time = elapsed_time(moment.at)
    if moment.number % 2:
        numbers = (
            GhsNumber(_SYSTOLIC, _MMHG, moment.around(128, 6)),
            GhsNumber(_DIASTOLIC, _MMHG, moment.around(78, 4)),
            GhsNumber(_MEAN, _MMHG, moment.around(95, 4)),
        )
        return ghs_compound(numbers, GhsHeader(type_code=_PRESSURE, time=time))
    saturation = GhsNumber(_SATURATION, _PERCENT, min(moment.around(97, 1), _HIGHEST_PERCENT))
    pulse = GhsNumber(_PULSE, _PER_MINUTE, moment.around(72, 5))
    apart = [ghs_numeric(number, GhsHeader()) for number in (saturation, pulse)]
    return ghs_bundle(apart, GhsHeader(time=time, supplemental=(_STABLE_AVERAGE,)))
