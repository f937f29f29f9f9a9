"""A Polar H10: a heart rate strap that streams its electrocardiogram and its acceleration when it is asked."""

from kanhu.firmware_sim.air import Delivery
from kanhu.firmware_sim.alone.model import Moment, Streaming
from kanhu.firmware_sim.wire.heart_rate import RR_UNITS_PER_S, Contact, HeartRateReading, heart_rate_measurement

_RATE_BPM = 68


def make() -> Streaming:
    """A strap on skin; the H10 of bleakheart does not say whether it is, and so neither does this."""
    return Streaming(
        name="strap-polar",
        about="Polar H10, 68 beats a minute give or take, with electrocardiogram and acceleration",
        every_s=1.0,
        service_uuid=0x180D,
        measurement_uuid=0x2A37,
        delivery=Delivery.NOTIFY,
        value=_value,
        no_result=lambda _: heart_rate_measurement(HeartRateReading(0, contact=Contact.NOT_SUPPORTED)),
    )


def _value(moment: Moment) -> bytes:
    rate_bpm = int(moment.around(_RATE_BPM, 3))
    return heart_rate_measurement(HeartRateReading(rate_bpm, rr_intervals_1024=(60 * RR_UNITS_PER_S // rate_bpm,)))
