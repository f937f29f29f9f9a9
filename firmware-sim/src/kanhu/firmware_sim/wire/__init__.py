"""Byte-exact encoders, one file a format, written from the published specification of each device.

Here lives values in, bytes out, pure. Not here: any decoder, any transport, any idea of a body or of time.
"""

from kanhu.firmware_sim.wire.blood_pressure import CuffReading, CuffStatus, PressureUnit, blood_pressure_measurement
from kanhu.firmware_sim.wire.bthome import ButtonPress, idle_advertisement, press_advertisement
from kanhu.firmware_sim.wire.cms50d import NO_PULSE, NO_SPO2, OximeterPacket, oximeter_packet
from kanhu.firmware_sim.wire.date_time import current_time, date_time
from kanhu.firmware_sim.wire.heart_rate import Contact, HeartRateReading, heart_rate_measurement
from kanhu.firmware_sim.wire.sfloat import SfloatSpecial, sfloat

__all__ = [
    "NO_PULSE",
    "NO_SPO2",
    "ButtonPress",
    "Contact",
    "CuffReading",
    "CuffStatus",
    "HeartRateReading",
    "OximeterPacket",
    "PressureUnit",
    "SfloatSpecial",
    "blood_pressure_measurement",
    "current_time",
    "date_time",
    "heart_rate_measurement",
    "idle_advertisement",
    "oximeter_packet",
    "press_advertisement",
    "sfloat",
]
