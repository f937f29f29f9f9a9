"""A Qingping thermometer in its maker's own format."""

from kanhu.firmware_sim.alone.model import Advertiser, Moment, service_data
from kanhu.firmware_sim.wire.qingping import CLIMATE_MODEL, battery_value, climate_value, qingping_frame

_UUID = 0xFDCD


def make() -> Advertiser:
    """A thermometer in a living room."""
    return Advertiser(
        name="sensor-qingping",
        about="Qingping thermometer, 20 C and 50 % give or take",
        every_s=10.0,
        advertisement=_advertisement,
    )


def _advertisement(moment: Moment) -> bytes:
    climate = climate_value(int(moment.around(200, 4)), int(moment.around(500, 20)))
    values = climate + battery_value(moment.battery_percent)
    frame = qingping_frame(CLIMATE_MODEL, address=moment.address, counter=moment.number % 256, values=values)
    return service_data(_UUID, frame)
