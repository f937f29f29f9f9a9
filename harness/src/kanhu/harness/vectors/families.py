"""Which adapter tells which protocol of a vectors file, and why some protocols have none."""

from collections.abc import Mapping

from kanhu.harness.vectors import (
    analysers,
    bthome_and_sensors,
    contec_berry,
    glucose,
    govee,
    health_gatt,
    heard_air,
    heard_body,
    nonin_nmea,
    radars,
    thermometers,
    xiaomi,
)
from kanhu.harness.vectors.vector import Adapter

__all__ = ["adapter_for", "reason_for"]

_ADAPTERS: Mapping[str, Adapter] = {
    **health_gatt.ADAPTERS,
    **glucose.ADAPTERS,
    **bthome_and_sensors.ADAPTERS,
    **xiaomi.ADAPTERS,
    **contec_berry.ADAPTERS,
    **analysers.ADAPTERS,
    **radars.ADAPTERS,
    **govee.ADAPTERS,
    **heard_air.ADAPTERS,
    **heard_body.ADAPTERS,
    **nonin_nmea.ADAPTERS,
    **thermometers.ADAPTERS,
}
_NOT_NAMED = "no codec knows this protocol"

_REASONS: Mapping[str, str] = {}


def adapter_for(protocol: str) -> Adapter | None:
    """By its name, else by the longest beginning that ends in `*`."""
    if protocol in _ADAPTERS:
        return _ADAPTERS[protocol]
    begun = (name for name in _ADAPTERS if name.endswith("*") and protocol.startswith(name[:-1]))
    longest = max(begun, key=len, default=None)
    return None if longest is None else _ADAPTERS[longest]


def reason_for(protocol: str) -> str:
    """Why a protocol without adapter has none."""
    begun = (name for name in _REASONS if protocol.startswith(name))
    longest = max(begun, key=len, default=None)
    return _NOT_NAMED if longest is None else _REASONS[longest]
