"""Bumble's advertisements in bleak's words. Anybody near may have sent them, so every length is looked at."""

from bleak.backends.scanner import AdvertisementData
from bleak.uuids import normalize_uuid_str
from bumble.core import UUID, AdvertisingData
from bumble.device import Advertisement

_SERVICE_DATA_UUID_BYTES = {
    AdvertisingData.SERVICE_DATA_16_BIT_UUID: 2,
    AdvertisingData.SERVICE_DATA_32_BIT_UUID: 4,
    AdvertisingData.SERVICE_DATA_128_BIT_UUID: 16,
}
_SERVICE_LIST_UUID_BYTES = {
    AdvertisingData.INCOMPLETE_LIST_OF_16_BIT_SERVICE_CLASS_UUIDS: 2,
    AdvertisingData.COMPLETE_LIST_OF_16_BIT_SERVICE_CLASS_UUIDS: 2,
    AdvertisingData.INCOMPLETE_LIST_OF_128_BIT_SERVICE_CLASS_UUIDS: 16,
    AdvertisingData.COMPLETE_LIST_OF_128_BIT_SERVICE_CLASS_UUIDS: 16,
}


def advertisement_data(advertisement: Advertisement) -> AdvertisementData:
    """What bleak wants to know of it; a structure that is cut short tells nothing."""
    name: str | None = None
    maker: dict[int, bytes] = {}
    service_data: dict[str, bytes] = {}
    services: list[str] = []
    for kind, data in advertisement.data.ad_structures:
        if kind in _SERVICE_DATA_UUID_BYTES:
            size = _SERVICE_DATA_UUID_BYTES[kind]
            if len(data) >= size:
                service_data[bleak_uuid(UUID.from_bytes(data[:size]))] = data[size:]
        elif kind in _SERVICE_LIST_UUID_BYTES:
            size = _SERVICE_LIST_UUID_BYTES[kind]
            whole = len(data) - len(data) % size
            services += [bleak_uuid(UUID.from_bytes(data[at : at + size])) for at in range(0, whole, size)]
        elif kind == AdvertisingData.MANUFACTURER_SPECIFIC_DATA and len(data) >= 2:
            maker[data[0] | data[1] << 8] = data[2:]
        elif kind in {AdvertisingData.COMPLETE_LOCAL_NAME, AdvertisingData.SHORTENED_LOCAL_NAME}:
            name = data.decode(errors="replace")
    return AdvertisementData(
        local_name=name,
        manufacturer_data=maker,
        service_data=service_data,
        service_uuids=services,
        tx_power=None,
        rssi=advertisement.rssi,
        platform_data=(advertisement,),
    )


def bleak_uuid(uuid: UUID) -> str:
    """The UUID as bleak writes it."""
    return normalize_uuid_str(uuid.to_hex_str("-"))
