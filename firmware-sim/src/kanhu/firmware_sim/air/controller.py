"""A virtual Bluetooth LE controller that forgets its links when its host resets it or goes away."""

import asyncio

from bumble import hci, ll
from bumble.controller import Controller

_ADVERTISEMENT = hci.HCI_LE_Advertising_Report_Event
_RSSI_DBM = -58  # across a room
_LARGE_ACL_BYTES = 251  # what every controller with data length extension offers; fewer fragments to handle


class RadioController(Controller):
    """Bumble's controller, with resets, cancelled connections and scan reports as the Core Specification has them.

    Bumble's keeps links over HCI_Reset and over the loss of its host, so that a gateway that was killed leaves
    devices that believe themselves connected for ever.
    """

    # Extended advertising and address resolution are left out: hosts then use the plain commands, and BlueZ's
    # handling of a controller without a resolving list is the simple one.
    le_features = Controller.le_features & ~(
        hci.LeFeatureMask.LE_EXTENDED_ADVERTISING
        | hci.LeFeatureMask.LE_PERIODIC_ADVERTISING
        | hci.LeFeatureMask.LL_PRIVACY
    )
    le_acl_data_packet_length = _LARGE_ACL_BYTES

    _reported: set[tuple[hci.Address, bytes]]

    def drop_links(self, reason: hci.HCI_ErrorCode) -> None:
        """Lose every link at once; the peers are told, the host (gone or resetting) is not."""
        for connection in list(self.le_connections.values()):
            connection.send_ll_control_pdu(ll.TerminateInd(reason))
        self.le_connections.clear()
        self.pending_le_connection = None
        self.le_scan_enable = False
        self.le_legacy_advertiser.stop()
        self._reported = set()

    def on_hci_reset_command(self, _command: hci.HCI_Reset_Command) -> hci.HCI_StatusReturnParameters:
        """Begin anew: no links, no scan, no advertisement."""
        self.drop_links(hci.HCI_ErrorCode.REMOTE_DEVICE_TERMINATED_CONNECTION_DUE_TO_POWER_OFF_ERROR)
        return super().on_hci_reset_command(_command)

    def on_hci_le_create_connection_cancel_command(
        self, _command: hci.HCI_LE_Create_Connection_Cancel_Command
    ) -> hci.HCI_StatusReturnParameters:
        """Give up connecting: the pending attempt completes with "unknown connection identifier"."""
        pending, self.pending_le_connection = self.pending_le_connection, None
        if pending is None:
            return hci.HCI_StatusReturnParameters(hci.HCI_ErrorCode.COMMAND_DISALLOWED_ERROR)
        cancelled = hci.HCI_LE_Connection_Complete_Event(
            status=hci.HCI_ErrorCode.UNKNOWN_CONNECTION_IDENTIFIER_ERROR,
            connection_handle=0,
            role=hci.Role.CENTRAL,
            peer_address_type=pending.peer_address.address_type,
            peer_address=pending.peer_address,
            connection_interval=0,
            peripheral_latency=0,
            supervision_timeout=0,
            central_clock_accuracy=0,
        )
        asyncio.get_running_loop().call_soon(self.send_hci_packet, cancelled)  # after the command's completion
        return hci.HCI_StatusReturnParameters(hci.HCI_ErrorCode.SUCCESS)

    def on_hci_le_set_scan_enable_command(
        self, command: hci.HCI_LE_Set_Scan_Enable_Command
    ) -> hci.HCI_StatusReturnParameters:
        """Start or stop scanning; the duplicate filter starts empty."""
        self._reported = set()
        return super().on_hci_le_set_scan_enable_command(command)

    def on_ll_advertising_pdu(self, packet: ll.AdvertisingPdu) -> None:
        """Hear beacons too; Bumble's controller knows connectable advertisements only."""
        if isinstance(packet, ll.AdvNonConnInd):
            if self.le_scan_enable:
                self._report(packet.advertiser_address, packet.data, _ADVERTISEMENT.EventType.ADV_NONCONN_IND)
            return
        super().on_ll_advertising_pdu(packet)

    def on_advertising_pdu(self, pdu: ll.AdvInd | ll.AdvExtInd) -> None:
        """Report an advertisement once, its empty scan response only to an active scanner, then connect if asked.

        Bumble's controller repeats the advertisement as the scan response, so that hosts see everything twice.
        """
        if self.le_scan_enable:
            reported = self._report(pdu.advertiser_address, pdu.data, _ADVERTISEMENT.EventType.ADV_IND)
            if reported and self.le_scan_type == hci.HCI_LE_Set_Scan_Parameters_Command.ACTIVE_SCANNING:
                self._send_report(pdu.advertiser_address, b"", _ADVERTISEMENT.EventType.SCAN_RSP)
        pending = self.pending_le_connection
        if pending is not None and pending.peer_address == pdu.advertiser_address:
            self.create_le_connection(pdu.advertiser_address)

    def _report(self, address: hci.Address, data: bytes, event_type: int) -> bool:
        if self.filter_duplicates:
            if (address, data) in self._reported:
                return False
            self._reported.add((address, data))
        self._send_report(address, data, event_type)
        return True

    def _send_report(self, address: hci.Address, data: bytes, event_type: int) -> None:
        report = _ADVERTISEMENT.Report(
            event_type=event_type,
            address_type=address.address_type,
            address=address,
            data=data,
            rssi=_RSSI_DBM,
        )
        self.send_hci_packet(_ADVERTISEMENT([report]))
