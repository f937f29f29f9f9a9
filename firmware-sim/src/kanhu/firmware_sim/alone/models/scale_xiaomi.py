"""A Mi Body Composition Scale 2."""

from kanhu.firmware_sim.alone.model import Advertiser, service_data
from kanhu.firmware_sim.wire.mi_scale import ScaleMoment, body_scale_frame

_UUID = 0x181B


def make() -> Advertiser:
    """A scale that somebody steps on."""
    return Advertiser(
        name="scale-xiaomi",
        about="Mi scale, 61 kg give or take",
        every_s=120.0,
        times=10,
        advertisement=lambda moment: service_data(
            _UUID, body_scale_frame(ScaleMoment(int(moment.around(12_200, 40)), moment.at, impedance_ohm=512))
        ),
    )
