"""A MikroTik TG-BT5-OUT."""

from kanhu.firmware_sim.alone.model import Advertiser, Moment, manufacturer_data
from kanhu.firmware_sim.wire.mikrotik import mikrotik_tag

_COMPANY = 0x094F
_GRAVITY_256THS = 2510


def make() -> Advertiser:
    """A tag that hangs on a wall."""
    return Advertiser(
        name="sensor-mikrotik",
        about="MikroTik TG-BT5-OUT, 21 C give or take",
        every_s=5.0,
        advertisement=_advertisement,
    )


def _advertisement(moment: Moment) -> bytes:
    frame = mikrotik_tag(
        acceleration_256ths=(0, 0, _GRAVITY_256THS),
        temperature_256ths=int(moment.around(21 * 256, 77)),
        uptime_s=86_400 + 5 * moment.number,
        flags=0,
        battery=moment.battery_percent,
    )
    return manufacturer_data(_COMPANY, frame)
