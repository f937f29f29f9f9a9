"""A room thermometer with pvvx firmware, sealed where it is given a key."""

from kanhu.firmware_sim.alone.model import Advertiser, Moment, service_data
from kanhu.firmware_sim.wire.atc_pvvx import Climate, pvvx_frame, pvvx_sealed

_UUID = 0x181A
_MILLIVOLT = 2950


def make() -> Advertiser:
    """A thermometer in a cool room."""
    return Advertiser(
        name="sensor-atc",
        about="room thermometer, 17 C and 45 % give or take",
        every_s=10.0,
        takes_key=True,
        advertisement=_advertisement,
    )


def _advertisement(moment: Moment) -> bytes:
    climate = Climate(
        hundredths_c=int(moment.around(1700, 30)),
        hundredths_percent=int(moment.around(4500, 200)),
        millivolt=_MILLIVOLT,
        battery_percent=moment.battery_percent,
        counter=moment.number % 256,
    )
    if moment.key is None:
        return service_data(_UUID, pvvx_frame(climate, address=moment.address))
    return service_data(_UUID, pvvx_sealed(climate, address=moment.address, key=moment.key))
