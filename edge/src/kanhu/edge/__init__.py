"""From wire to Finding: transports, device codecs, measurement sessions, the sensing pipeline.

Here lives what knows a device's bytes and how to reach it.
Not here: MQTT, HTTP, databases, configuration files.
"""

from kanhu.edge.devices import DeviceConfig, DeviceSeen, RadioConfig
from kanhu.edge.errors import DecodeError, DecodeReason, DeviceRefused, EdgeError, LinkLost, LinkReason, ReplayRefused

__all__ = [
    "DecodeError",
    "DecodeReason",
    "DeviceConfig",
    "DeviceRefused",
    "DeviceSeen",
    "EdgeError",
    "LinkLost",
    "LinkReason",
    "RadioConfig",
    "ReplayRefused",
]
