"""The radio link of one home, shared by its devices and its gateway."""

import asyncio
import logging

from bumble import hci, ll
from bumble.controller import Controller
from bumble.core import PhysicalTransport
from bumble.link import LocalLink

_log = logging.getLogger(__name__)


class Air(LocalLink):
    """Bumble's LocalLink, with what is wrong for several processes put right."""

    controllers: set[Controller]

    def __init__(self) -> None:
        """Begin with nobody on the air."""
        super().__init__()  # type: ignore[no-untyped-call]  # Bumble leaves this one without annotations

    def send_acl_data(
        self,
        sender_controller: Controller,
        destination_address: hci.Address,
        transport: PhysicalTransport,  # noqa: ARG002  these controllers speak LE only
        data: bytes,
    ) -> None:
        """Deliver data as coming from the address the connection was made with.

        LocalLink always names the sender's random address, so a host that connects with its public one is never
        answered.
        """
        connection = sender_controller.le_connections.get(destination_address)
        receiver = self.find_le_controller(destination_address)
        if connection is None or receiver is None:
            _log.debug("data for %s, which is gone", destination_address)
            return
        asyncio.get_running_loop().call_soon(
            receiver.on_link_acl_data, connection.self_address, PhysicalTransport.LE, data
        )

    def send_advertising_pdu(self, sender_controller: Controller, packet: ll.AdvertisingPdu) -> None:
        """Deliver an advertisement to those who listen, and a connection request to the one it names."""
        loop = asyncio.get_running_loop()
        for controller in self.controllers:
            if controller is sender_controller:
                continue
            listens = controller.le_scan_enable or controller.pending_le_connection is not None
            if listens or isinstance(packet, ll.ConnectInd):
                loop.call_soon(controller.on_ll_advertising_pdu, packet)

    def broadcast(self, packet: ll.AdvNonConnInd) -> None:
        """Deliver a beacon's advertisement to every controller that scans."""
        loop = asyncio.get_running_loop()
        for controller in self.controllers:
            if controller.le_scan_enable:
                loop.call_soon(controller.on_ll_advertising_pdu, packet)

    def send_ll_control_pdu(
        self, sender_address: hci.Address, receiver_address: hci.Address, packet: ll.ControlPdu
    ) -> None:
        """Deliver a control message; one to a controller that is gone is lost, as on a real radio."""
        receiver = self.find_le_controller(receiver_address)
        if receiver is None:
            _log.debug("%s for %s, which is gone", type(packet).__name__, receiver_address)
            return
        asyncio.get_running_loop().call_soon(receiver.on_ll_control_pdu, sender_address, packet)
