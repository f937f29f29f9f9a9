"""How gateways come in from elsewhere: the authority, the broker that knows it, the door, and who keeps them."""

import ssl
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

import uvicorn

from kanhu.cloud.authority.door import create_door
from kanhu.cloud.authority.store import Authority, equip, open_authority
from kanhu.cloud.broker.child import BrokerChild
from kanhu.cloud.broker.guarded import GuardedNats, Mosquitto, reached_at
from kanhu.cloud.broker.list_gate import ListGate
from kanhu.cloud.broker.nats_gate import NatsGate
from kanhu.cloud.config import EMBEDDED, MOSQUITTO, CloudConfig, Identity
from kanhu.cloud.county import County
from kanhu.cloud.updates.freshness import FOLDER, SERVED
from kanhu.contract import Clock

Duties = Mapping[str, Callable[[], Awaitable[None]]]
_GOODBYE_S = 2


@dataclass(frozen=True, slots=True)
class Gatehouse:
    """What `serve` starts, connects with and keeps."""

    broker: BrokerChild | None
    url: str
    tls: Callable[[], ssl.SSLContext]
    duties: Duties
    door: uvicorn.Config


def open_gatehouse(config: CloudConfig, identity: Identity, county: County, *, clock: Clock) -> Gatehouse:
    """Put it together; nothing runs yet.

    Raises:
        AuthorityUnusable: keys or certificates cannot be read or made.
    """
    authority = open_authority(config.data, name=config.county.en, now=clock.now())
    hosts = [identity.host, reached_at(identity)]
    address = urlsplit(config.broker if "://" in config.broker else f"mqtts://{hosts[-1]}:{identity.broker_port}")
    host, port = address.hostname or hosts[-1], address.port or identity.broker_port
    equip(authority, hosts=[*hosts, host], now=clock.now())
    certificate, key = authority.files("server")
    served, came_back = config.data / FOLDER / SERVED, county.deciding.came_back
    door = uvicorn.Config(
        create_door(authority, identity, county.writer, came_back=came_back, updates=served, clock=clock),
        ssl_certfile=str(certificate),
        ssl_keyfile=str(key),
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,  # the door ends TLS itself: nobody else may say where a request comes from
        lifespan="off",
        timeout_graceful_shutdown=_GOODBYE_S,
    )
    broker, duties = _broker(config, identity, county, authority, where=(host, port), clock=clock)
    return Gatehouse(broker, f"mqtts://{host}:{port}", authority.client_context, duties, door)


def _broker(
    config: CloudConfig,
    identity: Identity,
    county: County,
    authority: Authority,
    *,
    where: tuple[str, int],
    clock: Clock,
) -> tuple[BrokerChild | None, Duties]:
    folder = config.data / "broker"
    if config.broker == EMBEDDED:
        kind = GuardedNats(authority, identity)
        gate = NatsGate(kind, county.ledger, county.writer, clock)
        return BrokerChild(folder, clock, kind), {"gate": gate.answer, "revocation": gate.enforce}
    child = BrokerChild(folder, clock, Mosquitto(authority, identity)) if config.broker == MOSQUITTO else None
    reload = child.reload if child is not None else _nothing
    listed = ListGate(authority, county.ledger, county.writer, clock, reload=reload)
    listed.write()

    async def enforce() -> None:
        await listed.enforce(host=where[0], port=where[1])

    return child, {"revocation": enforce}


def _nothing() -> None:
    """A broker elsewhere reads its list by its own means: docs/cloud.md, section Identity of gateways."""
