"""A Berry finger oximeter by Bluetooth: a hundred packets a second, four in a notification."""

from kanhu.firmware_sim.air import Delivery
from kanhu.firmware_sim.alone.model import Connected, Moment
from kanhu.firmware_sim.wire.berry import BerryOximeterPacket, berry_packet

_PACKETS = 4  # 20 bytes, what a notification holds before a larger one is agreed on
_PACKETS_A_S = 100
_PULSE_BPM = 75
_NO_PULSE, _NO_SATURATION = 255, 127


def make() -> Connected:
    """A finger that stays in."""
    return Connected(
        name="oximeter-berry",
        about="Berry oximeter by Bluetooth, 97 % and 75 beats a minute",
        every_s=_PACKETS / _PACKETS_A_S,
        service_uuid="49535343-fe7d-4ae5-8fa9-9fafd205e455",
        measurement_uuid="49535343-1e4d-4bd9-ba61-23c647249616",
        delivery=Delivery.NOTIFY,
        value=lambda moment: b"".join(_packet(moment.number * _PACKETS + each) for each in range(_PACKETS)),
        no_result=_no_result,
    )


def _packet(number: int) -> bytes:
    beat = number % (60 * _PACKETS_A_S // _PULSE_BPM)
    return berry_packet(
        BerryOximeterPacket(
            spo2_percent=97, pulse_bpm=_PULSE_BPM, pleth=max(1, 90 - beat), bar=max(0, 9 - beat // 8), beep=beat == 0
        )
    )


def _no_result(_: Moment) -> bytes:
    return berry_packet(BerryOximeterPacket(_NO_SATURATION, _NO_PULSE, no_signal=True, searching=True)) * _PACKETS
