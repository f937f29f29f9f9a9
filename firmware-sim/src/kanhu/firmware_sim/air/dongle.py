"""A Bluetooth controller that is plugged into the kernel by /dev/vhci, and can be pulled out."""

from bumble import hci
from bumble.transport.common import Transport
from bumble.transport.vhci import open_vhci_transport

from kanhu.firmware_sim.air.controller import RadioController
from kanhu.firmware_sim.air.link import Air

_ADDRESS = "02:6B:68:00:02:01"


class Dongle:
    """The radio of a gateway whose Bluetooth host is the kernel of this machine; needs root and the module hci_vhci."""

    def __init__(self, air: Air) -> None:
        """Lie beside the machine."""
        self._controller = RadioController("gateway", link=air, public_address=_ADDRESS)
        self._transport: Transport | None = None

    async def plug_in(self) -> None:
        """Be found by the kernel, as its next free hciN."""
        self._transport = await open_vhci_transport(None)
        self._controller.set_packet_sink(self._transport.sink)
        self._transport.source.set_packet_sink(self._controller)

    async def pull_out(self) -> None:
        """Be gone, and all links with it."""
        transport, self._transport = self._transport, None
        self._controller.set_packet_sink(None)
        self._controller.drop_links(hci.HCI_ErrorCode.CONNECTION_TIMEOUT_ERROR)
        if transport is not None:
            await transport.close()
