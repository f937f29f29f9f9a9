"""BTHome and the sensors that advertise: each protocol through its codec, in the words of its publisher."""

from collections.abc import Mapping
from decimal import ROUND_FLOOR, Decimal

from kanhu.edge.codecs.acconeer import COMPANY as ACCONEER
from kanhu.edge.codecs.acconeer import decode_acconeer
from kanhu.edge.codecs.advertised import Advertisement as Told
from kanhu.edge.codecs.advertised import Quantity
from kanhu.edge.codecs.atc_pvvx import decode_atc, decode_atc_encrypted, split_sealed_atc
from kanhu.edge.codecs.beewi import COMPANY as BEEWI
from kanhu.edge.codecs.beewi import decode_beewi_door
from kanhu.edge.codecs.ela import COMPANY as ELA
from kanhu.edge.codecs.ela import HUMIDITY, MAGNET, TEMPERATURE, decode_ela_manufacturer, decode_ela_service
from kanhu.edge.codecs.holyiot import decode_holyiot
from kanhu.edge.codecs.kkm import decode_kkm
from kanhu.edge.codecs.moko import decode_moko_pro, decode_mokobeacon
from kanhu.edge.codecs.qingping import decode_qingping
from kanhu.edge.codecs.relsib import TEXT, WITH_BATTERY, WITHOUT_BATTERY, decode_relsib
from kanhu.edge.codecs.ruuvi import COMPANY as RUUVI
from kanhu.edge.codecs.ruuvi import decode_ruuvi, decode_ruuvi_url
from kanhu.edge.codecs.switchbot import COMPANY as SWITCHBOT
from kanhu.edge.codecs.switchbot import CONTACT, OUTDOOR, SwitchBot, decode_switchbot, decode_switchbot_manufacturer
from kanhu.edge.codecs.teltonika_eye import COMPANY as TELTONIKA
from kanhu.edge.codecs.teltonika_eye import decode_teltonika_eye
from kanhu.edge.codecs.thermobeacon import MODELS, decode_thermobeacon
from kanhu.edge.errors import DecodeError
from kanhu.harness.vectors import bthome_words
from kanhu.harness.vectors.sensor_words import address, axes, battery_of, celsius
from kanhu.harness.vectors.sensor_words import whole as whole_of
from kanhu.harness.vectors.vector import MANUFACTURER_DATA, Adapter, Unsupported, Vector
from kanhu.harness.vectors.xiaomi import tell_mibeacon

__all__ = ["ADAPTERS"]

_DISTANCES = {0: "long", 1: "middle", 2: "short"}
_HUNDREDTH = Decimal("0.01")
_MIBEACON = 0xFE95
_ASSUMED_VOLTS = (Decimal("2.2"), Decimal("0.9"))
"""Of an empty and between an empty and a full cell, as ble_monitor counts back from the battery of ATC firmware."""


def _service(vector: Vector, *uuids: int) -> bytes:
    found = vector.advertisement().service_data
    for uuid in uuids:
        if uuid in found:
            return found[uuid]
    raise Unsupported(f"no service data of {', '.join(f'0x{uuid:04X}' for uuid in uuids)}")


def _manufacturer(vector: Vector, *companies: int) -> bytes:
    found = vector.advertisement().manufacturer_data
    for company in companies:
        if company in found:
            return found[company]
    raise Unsupported(f"no manufacturer data of {', '.join(f'0x{company:04X}' for company in companies)}")


def _atc(vector: Vector) -> Mapping[str, object]:
    frame = _service(vector, 0x181A)
    sender = vector.advertisement().address
    try:
        return whole_of(vector, decode_atc(frame))
    except DecodeError:
        sealed = split_sealed_atc(frame)
        if vector.key is None or sender is None:
            pieces = {"cipher": sealed.ciphertext.hex(), "ctr": f"{sealed.counter:02x}", "mic": sealed.tag.hex()}
            return {**pieces, "encr": 1, "packet": sealed.counter}
    told = decode_atc_encrypted(frame, key=vector.key, address=sender)
    charge = told.get("battery_percent")
    empty, more = _ASSUMED_VOLTS
    volts = {} if charge is None else {"voltage": empty + more * charge / 100}
    return {**whole_of(vector, told), **volts}


def _qingping(vector: Vector) -> Mapping[str, object]:
    if _MIBEACON in vector.advertisement().service_data:  # older ones speak as Xiaomi's do
        return tell_mibeacon(vector)
    told = decode_qingping(_service(vector, 0xFDCD)).told
    whole = whole_of(vector, told)
    # Theengs calls it presence when this sensor sees motion, and also when it sees light.
    seen = next((one.value for one in told.values if one.name in {"motion", "light"}), None)
    return whole if seen is None else {"pres": bool(seen), **whole}


def _ruuvi(vector: Vector) -> Mapping[str, object]:
    if RUUVI not in vector.advertisement().manufacturer_data:
        return whole_of(vector, decode_ruuvi_url(_service(vector, 0xFEAA)))
    told = decode_ruuvi(_manufacturer(vector, RUUVI))
    whole = {**whole_of(vector, told), **axes(told), **battery_of(told.get("voltage_v"))}
    # Theengs divides by ten thousand what the maker states in thousandths: its m/s2 are a tenth of what was measured.
    for axis in "xyz":
        value = told.get(f"acceleration_{axis}_mg")
        if value is not None:
            whole[f"acc{axis}"] = value / 10_000 * Decimal("9.80665")
    if told.packet is not None:
        # Only a change of the count of movements is motion for ble_monitor; one frame shows none.
        whole |= {"seq": told.packet, "motion": 0, "motion timer": 0}
        for name in ("temperature", "humidity", "pressure"):
            exact = whole.get(name)
            if isinstance(exact, Decimal):
                whole[name] = round(exact, 2)
    return whole


def _switchbot(vector: Vector) -> Mapping[str, object]:
    heard = vector.advertisement()
    service = next((heard.service_data[uuid] for uuid in (0xFD3D, 0x0D00) if uuid in heard.service_data), None)
    sensor = None if service is None else decode_switchbot(service)
    if sensor is not None and sensor.model != OUTDOOR:
        return {**whole_of(vector, sensor.told), **_switchbot_words(sensor)}
    told = decode_switchbot_manufacturer(_manufacturer(vector, SWITCHBOT))
    charge = () if sensor is None else sensor.told.values
    return whole_of(vector, Told((*told.values, *charge), address=told.address))


def _switchbot_words(sensor: SwitchBot) -> dict[str, object]:
    found: dict[str, object] = {}
    if sensor.model == CONTACT:
        found["contact"] = "open" if sensor.told.get("contact_open") else "closed"
        if sensor.left_open:
            found["contact"] = "timeout not closed"
        found["movement"] = bool(sensor.told.get("motion"))
    distance = sensor.told.get("sensing_distance")
    if distance is not None and int(distance) in _DISTANCES:
        found["sensingdistance"] = _DISTANCES[int(distance)]
    return found


def _kkm(vector: Vector) -> Mapping[str, object]:
    told = decode_kkm(_service(vector, 0xFEAA)).told
    whole = {**whole_of(vector, told), **axes(told), **battery_of(told.get("voltage_v"))}
    length = whole.get("acceleration")
    if isinstance(length, float):
        whole["acceleration"] = round(length, 1)
    for axis in "xyz":
        value = told.get(f"acceleration_{axis}_mg")
        if value is not None:
            whole[f"acc{axis}"] = value
    # Theengs cuts off behind two digits, towards the cold; ble_monitor does not.
    temperature, humidity = told.get("temperature_c"), told.get("humidity_percent")
    if temperature is not None:
        whole |= celsius("", temperature.quantize(_HUNDREDTH, ROUND_FLOOR))
    if humidity is not None:
        whole["hum"] = humidity.quantize(_HUNDREDTH, ROUND_FLOOR)
    return whole


def _holyiot(vector: Vector) -> Mapping[str, object]:
    told = decode_holyiot(_service(vector, 0x5242))
    whole = whole_of(vector, told)
    pressure = told.get("pressure_hpa")
    if pressure is not None:
        whole["pressure"] = pressure * 100  # ble_monitor tells this one in Pa
    return {**whole, "button": "toggle"} if told.get("button") else whole


def _moko(vector: Vector) -> Mapping[str, object]:
    heard = vector.advertisement()
    if 0xFEAB not in heard.service_data:
        decode_mokobeacon(_service(vector, 0xFF01))
        raise Unsupported(
            "published with axes read big endian, by which a beacon at rest would measure 2.6 times gravity"
        )
    told = decode_moko_pro(heard.service_data[0xFEAB])
    whole = whole_of(vector, told)
    for axis in "xyz":
        count = told.get(f"axis_{axis}_count")
        if count is not None:  # Theengs divides the count by ten thousand, whatever its unit
            whole[f"{axis}_axis"] = count / 10_000 * Decimal("9.80665")
    return whole


def _acconeer(vector: Vector) -> Mapping[str, object]:
    frame = _manufacturer(vector, ACCONEER)
    return {**whole_of(vector, decode_acconeer(frame)), "packet": frame[1:].hex()}


def _ela_or_eye(vector: Vector) -> Mapping[str, object]:
    heard = vector.advertisement()
    values: list[Quantity] = []
    for uuid in (TEMPERATURE, HUMIDITY, MAGNET):
        if uuid in heard.service_data:
            values.extend(decode_ela_service(uuid, heard.service_data[uuid]))
    for frame in _each_of(vector, ELA):
        values.extend(decode_ela_manufacturer(frame))
    if TELTONIKA in heard.manufacturer_data:
        values.extend(decode_teltonika_eye(heard.manufacturer_data[TELTONIKA]).values)
    if not values:
        raise Unsupported("neither an ELA beacon nor an EYE sensor")
    return whole_of(vector, Told(tuple(values)))


def _each_of(vector: Vector, company: int) -> list[bytes]:
    """Some send several structures of one company at once, of which the table of what was heard keeps the last."""
    head = company.to_bytes(2, "little")
    heard = [data for kind, data in vector.structures() if kind == MANUFACTURER_DATA and data.startswith(head)]
    last = vector.advertisement().manufacturer_data.get(company)
    return [data[len(head) :] for data in heard] or ([] if last is None else [last])


def _beewi(vector: Vector) -> Mapping[str, object]:
    return whole_of(vector, decode_beewi_door(_manufacturer(vector, BEEWI)))


def _relsib(vector: Vector) -> Mapping[str, object]:
    heard = vector.advertisement()
    for uuid in (WITH_BATTERY, *sorted(WITHOUT_BATTERY), TEXT):
        if uuid in heard.service_data:
            return whole_of(vector, decode_relsib(uuid, heard.service_data[uuid]))
    raise Unsupported("no service data of Relsib")


def _thermobeacon(vector: Vector) -> Mapping[str, object]:
    told = decode_thermobeacon(_manufacturer(vector, *sorted(MODELS)))
    return {**whole_of(vector, told), **battery_of(told.get("voltage_v"))}


def _bthome(vector: Vector) -> Mapping[str, object]:
    sender = vector.advertisement().address
    found = bthome_words.tell(_service(vector, 0xFCD2), key=vector.key, address=sender)
    return {**found, **address(vector, None)}


ADAPTERS: Mapping[str, Adapter] = {
    "BTHome v2": _bthome,
    "April Brother ABN07": _bthome,
    "ATC/PVVX thermometer": _atc,
    "Xiaomi LYWSD03MMC/MJWSD05MMC_ATC*": _atc,
    "Xiaomi LYWSD03MMC/MJWSD05MMC_PVVX*": _atc,
    "ClearGrass/Qingping CGG1_ATC1441": _atc,
    "ClearGrass/Qingping CGG1_PVVX": _atc,
    "ClearGrass/Qingping CGDK2_ATC1441": _atc,
    "ClearGrass/Qingping CGDK2_PVVX": _atc,
    "ClearGrass/Qingping *": _qingping,
    "Qingping*": _qingping,
    "Ruuvi*": _ruuvi,
    "SwitchBot*": _switchbot,
    "KKM*": _kkm,
    "BlueCharm KSensor": _kkm,
    "Holy-IOT beacon": _holyiot,
    "Mokosmart*": _moko,
    "Acconeer radar presence": _acconeer,
    "Teltonika": _ela_or_eye,
    "Sensor Easy SE_*": _ela_or_eye,
    "Otio/BeeWi BSDOO": _beewi,
    "Relsib thermometer": _relsib,
    "GENERIC WS02/WS08": _thermobeacon,
    "ThermoBeacon": _thermobeacon,
}
"""By the protocol of the file; a key that ends in `*` is a beginning."""
