"""A continuous glucose monitor with the Bluetooth Continuous Glucose Monitoring Service."""

from kanhu.contract import Observation, Subject, Times
from kanhu.edge.codecs.cgm import MEASUREMENT_UUID, SERVICE_UUID, decode_cgm_measurements, observe_cgm
from kanhu.edge.codecs.crc import E2eCrc
from kanhu.edge.codecs.glucose import GlucoseSample
from kanhu.edge.kinds.kind import ConnectedKind
from kanhu.edge.ways import GattTarget


def observe(frame: bytes, *, subject: Subject, device: str, times: Times) -> tuple[Observation, ...]:
    """One 0x2AA7 value holds one record or several, each a reading of now.

    Its feature word is not read: the CRC is known by its length, and the sample is what such sensors lie in.
    """
    return tuple(
        observe_cgm(
            record,
            subject=subject,
            device=device,
            times=times,
            sample=GlucoseSample.INTERSTITIAL_FLUID,
            session_start_ms=None,
        )
        for record in decode_cgm_measurements(frame, crc=E2eCrc.BY_LENGTH)
    )


KIND = ConnectedKind(
    name="cgm-ble",
    zh="动态血糖仪",
    en="continuous glucose monitor",
    target=GattTarget(SERVICE_UUID, MEASUREMENT_UUID),
    observe=observe,
    reading_takes_s=None,
    has_clock=False,
)
