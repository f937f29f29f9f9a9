"""A signed-in client of the API; several can share one application."""

from collections.abc import Mapping
from dataclasses import dataclass

import httpx
from sqlalchemy import insert

from kanhu.cloud.desk.model import Viewer
from kanhu.cloud.ledger import schema
from kanhu.cloud.ledger.writer import Transaction
from kanhu.cloud.staff.accounts import open_session
from kanhu.cloud.staff.session import CSRF_HEADER, cookie_name
from tests.cloud.client import Client
from tests.cloud.town import Town


@dataclass(frozen=True, slots=True)
class Browser:
    """Sends its own cookie and token with each request."""

    client: Client
    cookie: str
    csrf: str

    def get(self, path: str) -> httpx.Response:
        """Look."""
        self._be()
        return self.client.get(path)

    def post(self, path: str, body: Mapping[str, str], *, headers: Mapping[str, str] | None = None) -> httpx.Response:
        """Act."""
        self._be()
        return self.client.post(path, json=dict(body), headers={CSRF_HEADER: self.csrf, **(headers or {})})

    def _be(self) -> None:
        name, _, value = self.cookie.partition("=")
        self.client.cookies.clear()
        self.client.cookies.set(name, value)


def sign_in(client: Client, town: Town, viewer: Viewer) -> Browser:
    """A session without a password: what hashing costs is tested once, elsewhere."""
    token = f"token-of-{viewer.user}"

    def job(transaction: Transaction) -> None:
        transaction.connection.execute(
            insert(schema.staff)
            .prefix_with("OR REPLACE")
            .values(name=viewer.user, display=viewer.name, role=viewer.role.value, place=viewer.place, password="none")
        )
        open_session(transaction, viewer, token)

    if town.county.services.staff.session(token) is None:
        town.county.writer.run(job)
    session = town.county.services.staff.session(token)
    if session is None:
        raise AssertionError(viewer)
    transport = town.county.services.settings.transport
    return Browser(client, f"{cookie_name(transport)}={token}", session.csrf)
