"""A KKM K9."""

from kanhu.firmware_sim.alone.model import Advertiser, Moment, service_data
from kanhu.firmware_sim.wire.kkm import kkm_sensor_frame

_UUID = 0xFEAA


def make() -> Advertiser:
    """A beacon that lies on a shelf."""
    return Advertiser(
        name="sensor-kkm",
        about="KKM K9, 21 C and 40 % give or take",
        every_s=5.0,
        advertisement=_advertisement,
    )


def _advertisement(moment: Moment) -> bytes:
    frame = kkm_sensor_frame(
        millivolt=3600,
        c_256ths=int(moment.around(21 * 256, 77)),
        percent_256ths=int(moment.around(40 * 256, 256)),
        axes_mg=(-4, -20, 1003),
    )
    return service_data(_UUID, frame)
