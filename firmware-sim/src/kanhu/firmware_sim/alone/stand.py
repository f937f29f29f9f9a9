"""Serves one model: opens its door, lets it say what it says, with its faults, and tells each step.

open --> says --every so often--> says ... --count reached, or stopped--> closed
"""

from kanhu.contract.clock import Clock
from kanhu.firmware_sim.air import Air, HciPort, RadioController
from kanhu.firmware_sim.alone.by_radio import serve_heard, serve_linked
from kanhu.firmware_sim.alone.course import AloneFault, Options, Say
from kanhu.firmware_sim.alone.model import (
    Advertiser,
    Asked,
    Commanded,
    Connected,
    Conversing,
    Model,
    OnALine,
    Streaming,
)
from kanhu.firmware_sim.alone.on_a_line import serve_conversation, serve_line
from kanhu.firmware_sim.errors import ModelRefused

__all__ = ["AloneFault", "Options", "serve"]

_ADDRESS_OF_GATEWAY = "02:6B:68:00:01:01"


async def serve(model: Model, options: Options, *, clock: Clock, say: Say) -> None:
    """Until its count is reached, or this is cancelled.

    Raises:
        ModelRefused: it takes no key or plays no recording, or a serial device was given no name of a line.
        RecordRefused: a recording cannot be played.
        OSError: a recording cannot be read.
    """
    if options.key is not None and not model.takes_key:
        raise ModelRefused(model.name, "it seals nothing; leave the key away")
    if options.recordings and not isinstance(model, Streaming):
        raise ModelRefused(model.name, "it streams no signal; leave the recording away")
    if isinstance(model, OnALine):
        await serve_line(model, options, clock=clock, say=say)
        return
    if isinstance(model, Conversing):
        await serve_conversation(model, options, clock=clock, say=say)
        return
    if not isinstance(model, Advertiser | Connected | Commanded | Asked):
        raise ModelRefused(model.name, "nothing is known of how it is reached")
    radio = RadioController("gateway", link=(air := Air()), public_address=_ADDRESS_OF_GATEWAY)
    port = HciPort(radio)
    await port.open(options.hci_port)
    try:
        say({"ready": model.name, "hci": port.transport, "address": options.address})
        if isinstance(model, Advertiser):
            await serve_heard(model, options, air=air, clock=clock, say=say)
        else:
            await serve_linked(model, options, air=air, clock=clock, say=say)
    finally:
        port.close()
