"""A ThermoPro TP357."""

from kanhu.firmware_sim.alone.model import Advertiser, Moment, manufacturer_data
from kanhu.firmware_sim.wire.thermopro import tp357_frame


def make() -> Advertiser:
    """A hygrometer on a shelf."""
    return Advertiser(
        name="sensor-thermopro",
        about="ThermoPro TP357, 21 C and 40 % give or take",
        every_s=5.0,
        advertisement=_advertisement,
    )


def _advertisement(moment: Moment) -> bytes:
    frame = tp357_frame(int(moment.around(210, 3)), int(moment.around(40, 1)), 2)
    return manufacturer_data(int.from_bytes(frame[:2], "little"), frame[2:])
