"""A body scale with the Bluetooth Weight Scale Service."""

from kanhu.firmware_sim.air import Delivery
from kanhu.firmware_sim.alone.model import Connected
from kanhu.firmware_sim.wire.weight import ScaleReading, weight_measurement


def make() -> Connected:
    """A scale in kilograms, in steps of 5 g."""
    return Connected(
        name="scale-ble",
        about="body scale, 61 kg give or take",
        every_s=20.0,
        service_uuid=0x181D,
        measurement_uuid=0x2A9D,
        delivery=Delivery.INDICATE,
        value=lambda moment: weight_measurement(ScaleReading(int(moment.around(12_200, 40)), measured_at=moment.at)),
    )
