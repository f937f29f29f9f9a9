"""A Nonin oximeter that sends format 13: one frame a spot check, with its own clock."""

from kanhu.firmware_sim.alone.model import Moment, OnALine
from kanhu.firmware_sim.wire.nonin import NO_PULSE, NO_SPO2, Values, spot_check

_LOW_BATTERY_PERCENT = 5  # where it lights its sign


def make() -> OnALine:
    """Somebody puts a finger in now and then."""
    return OnALine(
        name="oximeter-nonin-df13",
        about="Nonin oximeter on a serial line, spot checks around 96 % and 68 beats a minute",
        every_s=10.0,
        packet=_packet,
        no_result=lambda moment: spot_check(
            Values(pulse_bpm=NO_PULSE, spo2_percent=NO_SPO2), at=moment.at, no_measurement=True
        ),
    )


def _packet(moment: Moment) -> bytes:
    saturation = min(100, int(moment.around(96, 1)))
    values = Values(
        pulse_bpm=int(moment.around(68, 3)),
        spo2_percent=saturation,
        smartpoint=True,
        low_battery=moment.battery_percent < _LOW_BATTERY_PERCENT,
    )
    return spot_check(values, at=moment.at)
