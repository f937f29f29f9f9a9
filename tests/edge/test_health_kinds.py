"""Thermometer, scale and oximeter by Bluetooth: what their simulators send over the radio is one reading each."""

import asyncio
from decimal import Decimal

import pytest
from bumble.gatt import Characteristic

from kanhu.contract import SystemClock
from kanhu.edge.devices import DeviceConfig, RadioConfig
from kanhu.edge.errors import DecodeReason, LinkReason
from kanhu.edge.kinds import ConnectedKind, kind_of
from kanhu.edge.sensing import run_devices
from kanhu.firmware_sim.wire.pulse_oximeter import SpotCheck, plx_spot_check
from kanhu.firmware_sim.wire.thermometer import CelsiusReading, MeasuringPlace, temperature_measurement
from kanhu.firmware_sim.wire.weight import ScaleReading, weight_measurement
from tests.edge.readings import RememberingSink, until
from tests.edge.virtual_radio import Peripheral, VirtualAir

_TEMPERATURE = temperature_measurement(CelsiusReading(Decimal("38.4"), place=MeasuringPlace.EAR))
_WEIGHT = weight_measurement(ScaleReading(12_247))  # steps of 0.005 kg
_SPOT_CHECK = plx_spot_check(SpotCheck((Decimal(93), Decimal(71))))


@pytest.mark.parametrize(
    ("name", "frame", "metric", "values"),
    [
        ("thermometer-ble", _TEMPERATURE, "temperature_ear", {"temperature_ear": "38.4"}),
        ("scale-ble", _WEIGHT, "weight", {"weight": "61.235"}),
        ("oximeter-ble", _SPOT_CHECK, "oximetry", {"spo2": "93", "pulse_oximeter": "71"}),
    ],
)
async def test_what_the_device_sends_is_one_reading_of_its_person(
    air: VirtualAir, name: str, frame: bytes, metric: str, values: dict[str, str]
) -> None:
    kind = kind_of(name)
    assert isinstance(kind, ConnectedKind)
    device = DeviceConfig(id="d-1", kind=name, address="F0:0D:00:00:00:09", subject="r-0001")
    peripheral = Peripheral(air, address=device.address or "")
    peripheral.serve(
        kind.target.service_uuid, kind.target.characteristic_uuid, properties=Characteristic.Properties.INDICATE
    )
    await peripheral.power_on()
    await peripheral.advertise(kind.target.service_uuid)
    sink = RememberingSink()
    radio = RadioConfig(bumble=air.transport)
    task = asyncio.create_task(run_devices([device], sink, clock=SystemClock(), radio=radio))
    try:
        await until(lambda: (seen := sink.latest("d-1")) is not None and seen.reason is LinkReason.CONNECTED)
        await peripheral.send(frame)
        await peripheral.send(frame[:2])
        await until(lambda: bool(sink.accepted and sink.refused))
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    (reading,) = sink.accepted
    assert (reading.metric, reading.subject.id, reading.device) == (metric, "r-0001", "d-1")
    assert {code: reading.value(code) for code in values} == {code: Decimal(text) for code, text in values.items()}
    assert sink.refused == [("d-1", DecodeReason.SHORT.value)]
