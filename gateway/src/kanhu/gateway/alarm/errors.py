"""What can go wrong with a short message.

AlarmError
├── PduRefused     bytes or a text that cannot be a protocol unit
└── ModemError     a message did not leave; `reason` says why
"""

from enum import StrEnum

from kanhu.gateway.errors import GatewayError


class ModemReason(StrEnum):
    """Why a modem did not take a message."""

    UNPLUGGED = "unplugged"
    SILENT = "silent"
    """It is there and does not answer."""
    SIM_MISSING = "sim_missing"
    PIN_MISSING = "pin_missing"
    """The card wants one and none is set."""
    PIN_REFUSED = "pin_refused"
    """The card refused it, now or at an earlier try; it is not tried again before the file changes."""
    PUK_NEEDED = "puk_needed"
    NO_NETWORK = "no_network"
    REGISTRATION_DENIED = "registration_denied"
    COMMAND_REFUSED = "command_refused"
    SEND_REFUSED = "send_refused"
    TEXT_REFUSED = "text_refused"


class AlarmError(GatewayError):
    """Base of this package's errors."""


class PduRefused(AlarmError, ValueError):
    """Bytes or a text that cannot be a protocol unit."""


class ModemError(AlarmError):
    """A message did not leave."""

    def __init__(self, reason: ModemReason, detail: str = "") -> None:
        """`detail` is the modem's own answer, never a number or a text."""
        super().__init__(f"{reason.value} {detail}".strip())
        self.reason = reason
        self.detail = detail
