"""Why a release does not run here."""

from kanhu.contract.remote import ReleaseReason
from kanhu.gateway.errors import GatewayError


class ReleaseRefused(GatewayError):
    """A release that this gateway cannot run."""

    def __init__(self, reason: ReleaseReason, detail: str) -> None:
        """Keep both."""
        super().__init__(f"{reason.value}: {detail}")
        self.reason = reason
        self.detail = detail
