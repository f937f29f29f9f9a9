"""The county at the gate of a broker that reads a revocation list, such as Mosquitto.

Such a broker looks at the list when a connection begins; an open one it leaves alone. But it binds client ids to
certificates, and two connections cannot have one client id: so the county, which can be anybody, connects for a moment
under the name of a gateway that was revoked, and the open one is gone. It cannot come back: the list was read before.
"""

import asyncio
import ssl
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import aiomqtt

from kanhu.cloud.authority.certificates import issue_client, revocation_list
from kanhu.cloud.authority.enrolment import TakenBack, taken_back
from kanhu.cloud.authority.late import run_out
from kanhu.cloud.authority.store import Authority, write_revoked
from kanhu.cloud.broker.nats_gate import SWEEP_S, ended
from kanhu.cloud.ledger.database import Ledger
from kanhu.cloud.ledger.writer import Writer
from kanhu.contract import Clock

_RELOAD_S = 1.0
"""A broker takes a moment to read its list; more than a second also keeps the times of two lists apart."""
_LATELY_MS = 3_600_000
"""At a start, sessions of certificates taken back within this time are ended; older ones were."""
_STAND_IN_LASTS = timedelta(minutes=5)
_PATIENCE_S = 5.0


class ListGate:
    """Writes the list, has it read, and ends open sessions."""

    def __init__(
        self, authority: Authority, ledger: Ledger, writer: Writer, clock: Clock, *, reload: Callable[[], None]
    ) -> None:
        """`reload` makes the broker read the list."""
        self._authority = authority
        self._ledger = ledger
        self._writer = writer
        self._clock = clock
        self._reload = reload
        self._done: set[int] | None = None

    def write(self) -> list[TakenBack]:
        """Write the list as it is now; a broker needs one before it starts."""
        with self._ledger.read() as connection:
            taken = taken_back(connection)
        serials = [(row.serial, datetime.fromtimestamp(row.revoked_ms / 1000, UTC)) for row in taken]
        write_revoked(self._authority, revocation_list(self._authority.issuer, serials, now=self._clock.now()))
        return taken

    async def enforce(self, *, host: str, port: int) -> None:
        """Look for certificates that were taken back, every few seconds.

        Raises:
            OSError, aiomqtt.MqttError: the broker is not there; the supervisor begins again.
        """
        while True:
            taken = await asyncio.to_thread(self._taken)
            if self._done is None:
                earliest_ms = self._clock.wall_ms() - _LATELY_MS
                self._done = {row.serial for row in taken if row.revoked_ms < earliest_ms}
            new = [row for row in taken if row.serial not in self._done]
            if new:
                await asyncio.to_thread(self.write)
                self._reload()
                await self._clock.sleep(_RELOAD_S)
                for gateway in sorted({row.gateway for row in new}):
                    await self._displace(gateway, host=host, port=port)
                    self._writer.submit(partial(ended, gateway=gateway))
                self._done |= {row.serial for row in new}
            await self._clock.sleep(SWEEP_S)

    def _taken(self) -> list[TakenBack]:
        """Also those that ran out unconfirmed; these need no place in the list, since TLS turns them away."""
        with self._ledger.read() as connection:
            return [*taken_back(connection), *run_out(connection, now_ms=self._clock.wall_ms())]

    async def _displace(self, gateway: str, *, host: str, port: int) -> None:
        context = await asyncio.to_thread(self._stand_in, gateway)
        async with aiomqtt.Client(host, port, identifier=gateway, tls_context=context, timeout=_PATIENCE_S):
            pass

    def _stand_in(self, gateway: str) -> ssl.SSLContext:
        leaf = issue_client(self._authority.issuer, name=gateway, now=self._clock.now(), lifetime=_STAND_IN_LASTS)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.load_verify_locations(self._authority.authority_file)
        with tempfile.TemporaryDirectory(dir=self._authority.folder) as folder:  # whose mode is the owner's only
            file = Path(folder) / "stand-in.pem"
            file.write_bytes(leaf.key + leaf.certificate)
            context.load_cert_chain(file)
        return context
