"""One library of the field decodes what it is handed, in an environment of its own; nothing of kanhu is imported here.

`python peer.py LIBRARY`: a JSON list of frames on standard input, a JSON list of as many answers on standard output. An
answer is what the library tells in its own words, or `null` where it tells nothing, or the text of its error.
`python peer.py LIBRARY CALLS REPEATS` adds microseconds a call, the median of the repeats, where it tells something.

Libraries are imported by name: they are installed where this runs, and nowhere else.
"""

import enum
import json
import logging
import os
import statistics
import sys
from collections.abc import Callable, Mapping
from datetime import date, datetime, time
from functools import partial
from importlib import import_module
from time import perf_counter
from typing import Any

__all__ = ["READERS", "main"]

_Frame = Mapping[str, Any]
_Told = Mapping[str, Any] | None

_RSSI_DBM = -60
_UUID = "0000{:04x}-0000-1000-8000-00805f9b34fb"
_NO_ADDRESS = "00:00:00:00:00:00"


def main() -> None:
    """Answer every frame of standard input."""
    logging.disable(logging.CRITICAL)  # what a library refuses is told as an answer
    with os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8") as answers:
        os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # a library that prints does not write among the answers
        ask = READERS[sys.argv[1]]()
        frames = json.load(sys.stdin)
        told = [_answer(ask, frame) for frame in frames]
        if len(sys.argv) > 2:
            calls, repeats = int(sys.argv[2]), int(sys.argv[3])
            told = [
                {**one, "us": _time(ask, frame, calls, repeats)} if one.get("told") else one
                for one, frame in zip(told, frames, strict=True)
            ]
        json.dump(told, answers, default=_plain)


def _time(ask: Callable[[_Frame], _Told], frame: _Frame, calls: int, repeats: int) -> float:
    """Microseconds a call; the first round warms up."""
    took = []
    for _ in range(repeats + 1):
        began_s = perf_counter()
        for _ in range(calls):
            ask(frame)
        took.append(1e6 * (perf_counter() - began_s) / calls)
    return statistics.median(took[1:])


def _answer(ask: Callable[[_Frame], _Told], frame: _Frame) -> Mapping[str, Any]:
    try:
        return {"told": ask(frame)}
    except Exception as error:  # noqa: BLE001  # whatever a library raises is its answer
        return {"raised": f"{type(error).__name__}: {error}"}


def _plain(value: object) -> object:
    """What JSON does not know, as its users would print it."""
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, enum.Enum):
        return value.name
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    fields = getattr(value, "__struct_fields__", None)
    return str(value) if fields is None else {name: getattr(value, name) for name in fields}


# ------------------------------------------------------------------------- parsers that Home Assistant is built on


def _sensor_state(path: str, *, keyed: bool = False) -> Callable[[_Frame], _Told]:
    """A parser of the family of sensor-state-data: names and values, binary ones and events."""
    module, _, name = path.rpartition(".")
    parser = getattr(import_module(module), name)

    def ask(frame: _Frame) -> _Told:
        key = frame.get("key")
        for name in frame["names"] or [None]:
            reader = parser(bindkey=bytes.fromhex(key)) if keyed and key else parser()
            update = reader.update(_service_info(frame, name))
            told = {
                value.name: value.native_value
                for values in (update.entity_values, update.binary_entity_values)
                for value in values.values()
                if value.name != "Signal Strength"
            }
            for event in update.events.values():
                told[event.name] = {"event_type": event.event_type, "properties": event.event_properties}
            if told:
                return told
        return None

    return ask


_MADE: dict[tuple[int, str], tuple[_Frame, Any]] = {}
"""What hands a frame over, kept with it: bleak has made it before a parser is called."""


def _service_info(frame: _Frame, name: str | None) -> Any:
    return _kept(frame, f"as {name}", lambda: _make_service_info(frame, name))


def _kept(frame: _Frame, form: str, make: Callable[[], Any]) -> Any:
    key = (id(frame), form)
    if key not in _MADE:
        _MADE[key] = (frame, make())
    return _MADE[key][1]


def _make_service_info(frame: _Frame, name: str | None) -> Any:
    device, advertisement = _heard(frame)
    return import_module("habluetooth").BluetoothServiceInfoBleak(
        name=name or device.address, address=device.address, rssi=_RSSI_DBM,
        manufacturer_data=advertisement.manufacturer_data, service_data=advertisement.service_data,
        service_uuids=advertisement.service_uuids, source="here", device=device, advertisement=advertisement,
        connectable=False, time=0.0, tx_power=None,
    )  # fmt: skip  # words by rows


def _heard(frame: _Frame) -> tuple[Any, Any]:
    heard: tuple[Any, Any] = _kept(frame, "heard", lambda: _make_heard(frame))
    return heard


def _make_heard(frame: _Frame) -> tuple[Any, Any]:
    """As the library that most others are built on hands over an advertisement."""
    scanner = import_module("bleak.backends.scanner")
    name = next(iter(frame["names"]), None)
    device = import_module("bleak.backends.device").BLEDevice(frame.get("address") or _NO_ADDRESS, name, None)
    return device, scanner.AdvertisementData(
        local_name=name,
        manufacturer_data={int(company): bytes.fromhex(text) for company, text in frame["manufacturer_data"].items()},
        service_data={_UUID.format(int(uuid)): bytes.fromhex(text) for uuid, text in frame["service_data"].items()},
        service_uuids=[_UUID.format(uuid) for uuid in frame["uuids"]],
        tx_power=None,
        rssi=_RSSI_DBM,
        platform_data=(),
    )


# ------------------------------------------------------------------------------------------------------- the others


def _theengs() -> Callable[[_Frame], _Told]:
    decode = import_module("TheengsDecoder").decodeBLE
    labels = {"id", "rssi", "name", "servicedata", "servicedatauuid", "manufacturerdata"}

    def ask(frame: _Frame) -> _Told:
        for more in ({}, *({"name": name} for name in frame["names"])):
            asked = _kept(frame, str(more), partial(json.dumps, {**frame["theengs"], **more}))
            told = decode(asked)
            if told:
                return {name: value for name, value in json.loads(told).items() if name not in labels}
        return None

    return ask


def _switchbot() -> Callable[[_Frame], _Told]:
    parse = import_module("switchbot.adv_parser").parse_advertisement_data

    def ask(frame: _Frame) -> _Told:
        parsed = parse(*_heard(frame))
        return None if parsed is None else parsed.data.get("data") or None

    return ask


def _aranet() -> Callable[[_Frame], _Told]:
    client = import_module("aranet4.client")

    def ask(frame: _Frame) -> _Told:
        readings = client.Aranet4Advertisement(*_heard(frame)).readings
        return readings.toDict() if readings else None

    return ask


def _ruuvitag_sensor() -> Callable[[_Frame], _Told]:
    formats = import_module("ruuvitag_sensor.data_formats").DataFormats
    get_decoder = import_module("ruuvitag_sensor.decoder").get_decoder

    def ask(frame: _Frame) -> _Told:
        number, payload = formats.convert_data(frame["structures"])
        return None if payload is None else get_decoder(number).decode_data(payload)

    return ask


def _bluetooth_sig() -> Callable[[_Frame], _Told]:
    translator = import_module("bluetooth_sig").BluetoothSIGTranslator()
    parser = import_module("bluetooth_sig.gatt.characteristics.utils.ieee11073_parser").IEEE11073Parser
    numbers = {"FLOAT": parser.parse_float32, "SFLOAT": parser.parse_sfloat}

    def ask(frame: _Frame) -> _Told:
        value, data = frame["value"], bytes.fromhex(frame["hex"])
        told = numbers[value](data) if value in numbers else translator.parse_characteristic(value, data)
        return told if hasattr(told, "__struct_fields__") else {"value": told}

    return ask


def _pynmea2() -> Callable[[_Frame], _Told]:
    parse = import_module("pynmea2").parse
    more = ("talker", "sentence_type", "is_valid", "latitude", "longitude", "datetime")

    def ask(frame: _Frame) -> _Told:
        sentence = parse(bytes.fromhex(frame["hex"]).decode("ascii"))
        told = {name: getattr(sentence, name) for _, name, *_ in sentence.fields}
        return told | {name: getattr(sentence, name, None) for name in more}

    return ask


READERS: Mapping[str, Callable[..., Callable[[_Frame], _Told]]] = {
    "bthome-ble": lambda: _sensor_state("bthome_ble.BTHomeBluetoothDeviceData", keyed=True),
    "xiaomi-ble": lambda: _sensor_state("xiaomi_ble.XiaomiBluetoothDeviceData", keyed=True),
    "qingping-ble": lambda: _sensor_state("qingping_ble.QingpingBluetoothDeviceData"),
    "ruuvitag-ble": lambda: _sensor_state("ruuvitag_ble.RuuvitagBluetoothDeviceData"),
    "govee-ble": lambda: _sensor_state("govee_ble.GoveeBluetoothDeviceData"),
    "inkbird-ble": lambda: _sensor_state("inkbird_ble.INKBIRDBluetoothDeviceData"),
    "thermopro-ble": lambda: _sensor_state("thermopro_ble.ThermoProBluetoothDeviceData"),
    "thermobeacon-ble": lambda: _sensor_state("thermobeacon_ble.ThermoBeaconBluetoothDeviceData"),
    "bluemaestro-ble": lambda: _sensor_state("bluemaestro_ble.BlueMaestroBluetoothDeviceData"),
    "sensirion-ble": lambda: _sensor_state("sensirion_ble.SensirionBluetoothDeviceData"),
    "ruuvitag-sensor": _ruuvitag_sensor,
    "PySwitchbot": _switchbot,
    "aranet4": _aranet,
    "TheengsDecoder": _theengs,
    "bluetooth-sig": _bluetooth_sig,
    "pynmea2": _pynmea2,
}


if __name__ == "__main__":
    main()
