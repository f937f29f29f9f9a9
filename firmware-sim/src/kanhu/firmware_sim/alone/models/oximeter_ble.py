"""A finger oximeter with the Bluetooth Pulse Oximeter Service, spot checks."""

from kanhu.firmware_sim.air import Delivery
from kanhu.firmware_sim.alone.model import Connected, Moment
from kanhu.firmware_sim.wire.pulse_oximeter import SpotCheck, plx_spot_check
from kanhu.firmware_sim.wire.sfloat import SfloatSpecial


def make() -> Connected:
    """An oximeter that tells a result when it has one."""
    return Connected(
        name="oximeter-ble",
        about="finger oximeter, spot checks around 96 %",
        every_s=20.0,
        service_uuid=0x1822,
        measurement_uuid=0x2A5E,
        delivery=Delivery.INDICATE,
        value=_value,
        no_result=lambda _: plx_spot_check(SpotCheck((SfloatSpecial.NOT_A_NUMBER, SfloatSpecial.NOT_A_NUMBER))),
    )


def _value(moment: Moment) -> bytes:
    saturation = min(moment.around(96, 1), moment.around(100, 0))
    return plx_spot_check(SpotCheck((saturation, moment.around(72, 4)), measured_at=moment.at))
