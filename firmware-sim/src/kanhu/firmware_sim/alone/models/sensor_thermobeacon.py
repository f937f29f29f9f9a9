"""A ThermoBeacon WS02."""

from kanhu.firmware_sim.alone.model import Advertiser, Moment, manufacturer_data
from kanhu.firmware_sim.wire.thermobeacon import thermobeacon_extremes, thermobeacon_reading

_MODEL = 0x0010


def make() -> Advertiser:
    """A hygrometer on a wall, which tells by turns what it measures and its extremes."""
    return Advertiser(
        name="sensor-thermobeacon",
        about="ThermoBeacon WS02, 21 C and 40 % give or take",
        every_s=5.0,
        advertisement=_advertisement,
    )


def _advertisement(moment: Moment) -> bytes:
    if moment.number % 2:
        frame = thermobeacon_extremes(moment.address, high_sixteenths=390, high_s=3600, low_sixteenths=260, low_s=60)
    else:
        frame = thermobeacon_reading(
            moment.address,
            millivolt=3000,
            sixteenths_c=int(moment.around(336, 5)),
            sixteenths_percent=int(moment.around(640, 16)),
            up_s=86_400 + 5 * moment.number,
        )
    return manufacturer_data(_MODEL, frame)
