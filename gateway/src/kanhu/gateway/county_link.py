"""What the doctor looks at on the way to the county: who this gateway is, and whether the broker answers."""

import asyncio
import ipaddress
import ssl
from contextlib import suppress

import aiomqtt

from kanhu.contract import Clock
from kanhu.gateway.check import Check, Level
from kanhu.gateway.config import GatewayConfig
from kanhu.gateway.errors import IdentityUnusable
from kanhu.gateway.identity import earliest_ms, read_identity, tls_context

_PATIENCE_S = 5.0
_TURNED_AWAY_S = 1.0
"""With TLS 1.3 a broker says only after the handshake that it does not like our certificate."""
_DAY_MS = 86_400_000
_ENDS_SOON_DAYS = 15
"""It is asked for the next one daily in the last 30; half of them without it, or a provisional one, is worth a look."""


async def county_checks(config: GatewayConfig, *, clock: Clock) -> list[Check]:
    """Identity, then broker."""
    broker = _guarded_broker(config, clock) if config.broker.tls else _plain_broker(config)
    return [_identity(config, clock), await broker]


def _identity(config: GatewayConfig, clock: Clock) -> Check:
    if not config.broker.tls:
        if _is_this_machine(config.broker.host):
            return Check("identity", Level.OK, "not needed: the broker is on this machine")
        found = "readings leave this machine unencrypted, and the county cannot know from whom they are"
        remedy = "Enrol, and set `broker.tls`: docs/gateway.md, section Identity"
        return Check("identity", Level.ATTENTION, found, remedy)
    try:
        identity = read_identity(config.folder)
    except IdentityUnusable as error:
        return Check("identity", Level.BROKEN, error.problem, error.remedy)
    if identity.about.gateway != config.gateway:
        found = f"the certificate is of {identity.about.gateway}"
        return Check("identity", Level.BROKEN, found, "Correct `gateway`, or enrol again")
    left_days = (identity.about.until_ms - earliest_ms(config.folder, clock=clock, identity=identity)) // _DAY_MS
    if left_days < 0:
        remedy = (
            "Let the gateway run with a link: it is renewed within 180 days, and somebody says on the county's "
            "equipment page that it stands where it should; else let the county invite again"
        )
        return Check("identity", Level.BROKEN, f"the certificate ran out {-left_days} days ago", remedy)
    if left_days < _ENDS_SOON_DAYS:
        found = f"the certificate of {config.gateway} ends in {left_days} days at most, and no next one has come"
        return Check("identity", Level.ATTENTION, found, "Run kanhu-gateway renew: it says what the county waits for")
    return Check("identity", Level.OK, f"certificate of {config.gateway}, good for {left_days} days at most")


def _is_this_machine(host: str) -> bool:
    with suppress(ValueError):
        return ipaddress.ip_address(host).is_loopback
    return host == "localhost"


async def _guarded_broker(config: GatewayConfig, clock: Clock) -> Check:
    """TLS only: an MQTT connection with this certificate would throw the running gateway off the broker."""
    where = f"{config.broker.host}:{config.broker.port}"
    try:
        context = await asyncio.to_thread(tls_context, config.folder, clock=clock)
        async with asyncio.timeout(2 * _PATIENCE_S):
            reader, writer = await asyncio.open_connection(config.broker.host, config.broker.port, ssl=context)
        try:
            with suppress(TimeoutError):
                async with asyncio.timeout(_TURNED_AWAY_S):
                    if not await reader.read(1):
                        raise ConnectionResetError("closed at once")  # the same words for the same thing
        finally:
            writer.close()
    except IdentityUnusable as error:
        return Check("broker", Level.BROKEN, f"{where} was not asked: {error.problem}", error.remedy)
    except (ssl.SSLError, ConnectionResetError) as error:
        remedy = "The certificate was revoked or ran out, or this is another county: ask it"
        return Check("broker", Level.BROKEN, f"{where} and this gateway do not trust one another: {error}", remedy)
    except (TimeoutError, OSError) as error:
        return _silent(where, error)
    return Check("broker", Level.OK, f"{where} answers, and each proves who it is")


async def _plain_broker(config: GatewayConfig) -> Check:
    where = f"{config.broker.host}:{config.broker.port}"
    client = aiomqtt.Client(
        config.broker.host,
        config.broker.port,
        identifier=f"{config.gateway}-doctor",  # never the gateway's own id: that would throw it off the broker
        timeout=_PATIENCE_S,
    )
    try:
        async with asyncio.timeout(2 * _PATIENCE_S), client:
            return Check("broker", Level.OK, f"{where} answers")
    except aiomqtt.exceptions.MqttConnectError as error:
        remedy = "The broker runs and refuses us: check its access list"
        return Check("broker", Level.ATTENTION, f"{where} refuses: {error}", remedy)
    except (aiomqtt.MqttError, TimeoutError, OSError) as error:
        return _silent(where, error)


def _silent(where: str, error: Exception) -> Check:
    remedy = "Check `broker.host` and `broker.port`, the network, and that the broker runs"
    return Check("broker", Level.BROKEN, f"{where} does not answer: {error}", remedy)
