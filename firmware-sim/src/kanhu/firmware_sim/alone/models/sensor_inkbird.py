"""An Inkbird IBS-TH2."""

from kanhu.firmware_sim.alone.model import Advertiser, Moment, manufacturer_data
from kanhu.firmware_sim.wire.inkbird import ibs_th_frame


def make() -> Advertiser:
    """A hygrometer on a shelf."""
    return Advertiser(
        name="sensor-inkbird",
        about="Inkbird IBS-TH2, 21 C and 40 % give or take",
        every_s=5.0,
        advertisement=_advertisement,
    )


def _advertisement(moment: Moment) -> bytes:
    frame = ibs_th_frame(int(moment.around(2100, 30)), int(moment.around(4000, 100)), moment.battery_percent)
    return manufacturer_data(int.from_bytes(frame[:2], "little"), frame[2:])
