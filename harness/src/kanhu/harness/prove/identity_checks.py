"""Nineteen things that nobody may be able to do to a county; each answers "" where it held, else what happened.

An attacker holds whatever can be had: any key, a valid certificate of `home-01`, an invitation that was read over
somebody's shoulder. The victim is `home-02`.
"""

import asyncio
import secrets
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from random import Random

import aiomqtt
from cryptography import x509

from kanhu.cloud.authority.certificates import fingerprint, issue_gateway, key_digest, read_key
from kanhu.cloud.authority.store import open_authority
from kanhu.cloud.broker.settings import COUNTY_NAME
from kanhu.contract import Lane, SystemClock
from kanhu.harness.prove.gatehouse_rig import Key, Pass, Rig, heartbeat, letter, long_ago, new_epoch
from kanhu.harness.prove.topic_drawing import draw_topics
from kanhu.harness.prove.topic_fuzz import listens_around, says_around

__all__ = ["CHECKS", "Cast", "Check", "prepare"]

REVOCATION_S = 60.0
_HEAR_S = 2.0
_WILL_S = 1.0
_MINE, _VICTIM, _INVITED = "home-01", "home-02", "home-04"
_TRIES = 5


@dataclass
class Cast:
    """Who plays."""

    rig: Rig
    attacker: Pass
    victim: Pass
    used_token: str
    fresh_token: str
    draw: Random
    topics: int
    revocation_s: float = 0.0


async def prepare(rig: Rig, *, topics: int, seed: int = 1) -> Cast:
    """Enrol attacker and victim, and see that honest letters arrive: else everything below would hold for nothing.

    `topics` is how many are drawn, half of them to publish to and half to subscribe to.
    """
    used, other, fresh = [await rig.token(name) for name in (_MINE, _VICTIM, _INVITED)]
    attacker, victim = await rig.enrol(_MINE, used), await rig.enrol(_VICTIM, other)
    cast = Cast(rig, attacker, victim, used, fresh, Random(seed), topics)
    for holder in (cast.attacker, cast.victim):
        await _say_something_honest(cast, holder)
    return cast


async def _token_wrong(cast: Cast) -> str:
    return await _asked(cast, _INVITED, secrets.token_urlsafe(24), expect="unknown_token")


async def _token_used(cast: Cast) -> str:
    return await _asked(cast, _MINE, cast.used_token, expect="token_used")


async def _token_of_other_gateway(cast: Cast) -> str:
    return await _asked(cast, "home-03", cast.fresh_token, expect="other_gateway")


async def _token_expired(cast: Cast) -> str:
    past_ms = SystemClock().wall_ms() - 1
    cast.rig.write("UPDATE invitation SET until_ms = ? WHERE gateway = ?", past_ms, _INVITED)
    return await _asked(cast, _INVITED, cast.fresh_token, expect="token_expired")


async def _self_signed(cast: Cast) -> str:
    key = Key()
    return await _let_in(cast, cast.rig.shown(_MINE, key, key.signs(_MINE, key, begins=long_ago(1), days=90)))


async def _other_authority(cast: Cast) -> str:
    key = Key()
    return await _let_in(cast, cast.rig.shown(_MINE, key, Key().signs(_MINE, key, begins=long_ago(1), days=90)))


async def _ran_out(cast: Cast) -> str:
    """Signed by the county itself and in its ledger, 100 days ago."""
    key, rig = Key(), cast.rig
    began = long_ago(100)
    issuer = open_authority(rig.data, name="", now=began).issuer
    public = read_key(key.pem).public_key()
    pem = issue_gateway(issuer, public, gateway=_MINE, until=began + timedelta(days=90))
    certificate = x509.load_pem_x509_certificate(pem)
    rig.write(
        "INSERT INTO certificate (serial, gateway, issued_ms, until_ms, sha256, key_sha256, pem) "
        "VALUES (?, ?, ?, ?, ?, ?, ?)",
        f"{certificate.serial_number:x}", _MINE, 0, 0, fingerprint(certificate), key_digest(public), pem,
    )  # fmt: skip  # one row
    return await _let_in(cast, rig.shown(_MINE, key, pem))


async def _name_and_client_id(cast: Cast) -> str:
    """Refused, or let in under the certificate's own name: never with the rights of the name it gave itself."""
    epoch, before = new_epoch(), cast.rig.reached_as(_VICTIM)
    heard: list[str] = []
    try:
        async with cast.rig.client(cast.attacker, client_id=_VICTIM) as client, _hearing(client, heard):
            await client.subscribe(f"kanhu/v1/down/{_VICTIM}/#")
            await client.publish(*letter(_VICTIM, epoch), qos=1)
            await _victim_beats(cast)
            if cast.rig.kind == "embedded":
                return "let in under another client id"
    except aiomqtt.MqttError:
        pass
    await _say_something_honest(cast, cast.attacker)
    return _said(cast, before, heard)


async def _name_and_topic(cast: Cast) -> str:
    """An own letter on another's topic: as a message, retained, and as a last will."""
    before = cast.rig.reached_as(_VICTIM)
    topic, body = letter(_MINE, new_epoch(), topic_of=_VICTIM)
    for retain in (False, True):
        await _publish(cast, topic, body, retain=retain)
    will = aiomqtt.Will(topic, body, qos=1)
    try:
        async with cast.rig.client(cast.attacker, will=will) as client:
            left = client._client.socket()  # a goodbye would take the will back, so the line is cut
            if isinstance(left, socket.socket):
                left.shutdown(socket.SHUT_RDWR)
    except (aiomqtt.MqttError, OSError):
        pass
    await asyncio.sleep(_WILL_S)  # a broker publishes a will when it has noticed, not before
    await _county_listens_anew(cast)  # what was retained would come now
    await _say_something_honest(cast, cast.attacker)
    return _said(cast, before, [])


async def _name_and_body(cast: Cast) -> str:
    epoch = new_epoch()
    await _publish(cast, *letter(_VICTIM, epoch, topic_of=_MINE))
    await _say_something_honest(cast, cast.attacker)
    if cast.rig.rows("SELECT 1 FROM segment WHERE epoch = ?", epoch):
        return "stored under the name in its body"
    named = cast.rig.rows("SELECT 1 FROM quarantine WHERE reason = 'wrong_gateway' AND topic LIKE ?", f"%/{_MINE}/%")
    return "" if named else "neither stored nor named as wrong_gateway"


async def _writes_as_other(cast: Cast) -> str:
    before = cast.rig.reached_as(_VICTIM)
    for lane in Lane:
        await _publish(cast, *letter(_VICTIM, new_epoch(), lane=lane))
    await _say_something_honest(cast, cast.attacker)
    return _said(cast, before, [])


async def _reads_others(cast: Cast) -> str:
    return await _overhears(cast, f"kanhu/v1/down/{_VICTIM}/receipt", "kanhu/v1/down/+/receipt", "kanhu/v1/down/#")


async def _reads_all(cast: Cast) -> str:
    return await _overhears(cast, "#", "+/+/+/+/+", "kanhu/#")


async def _reads_system(cast: Cast) -> str:
    return await _overhears(cast, "$SYS/#", "$SYS/broker/clients/total", "$MQTT/#")


async def _says_on_drawn(cast: Cast) -> str:
    return await says_around(cast.rig, cast.attacker, cast.victim, _drawn(cast))


async def _listens_to_drawn(cast: Cast) -> str:
    return await listens_around(cast.rig, cast.attacker, cast.victim, _drawn(cast))


def _drawn(cast: Cast) -> list[str]:
    return draw_topics(cast.draw, cast.topics // 2, mine=_MINE, victim=_VICTIM)


async def _open_session_ends(cast: Cast) -> str:
    """Measured from the moment in the ledger: the command itself takes a while to come and go."""
    async with cast.rig.client(cast.victim) as client:
        await client.subscribe(f"kanhu/v1/down/{_VICTIM}/receipt")
        listening = asyncio.create_task(_until_lost(client), name="victim")
        await cast.rig.command("gateway", "revoke", _VICTIM)
        await asyncio.wait({listening}, timeout=REVOCATION_S)
        ended_ms = listening.result() if listening.done() else SystemClock().wall_ms()
        ((revoked_ms,),) = cast.rig.rows("SELECT max(revoked_ms) FROM certificate WHERE gateway = ?", _VICTIM)
        cast.revocation_s = (ended_ms - revoked_ms) / 1000
        if not listening.done():
            listening.cancel()
            return f"still open after {REVOCATION_S:.0f} s"
    return ""


async def _until_lost(client: aiomqtt.Client) -> int:
    """When the connection was lost, Unix ms."""
    try:
        async for _ in client.messages:
            pass
    except aiomqtt.MqttError:
        pass
    return SystemClock().wall_ms()


async def _revoked_comes_back(cast: Cast) -> str:
    for _ in range(_TRIES):
        said = await _let_in(cast, cast.victim)
        if said:
            return said
    return ""


async def _displaces(cast: Cast) -> str:
    """A valid certificate of its own, and the victim's client id, again and again: the victim stays."""
    async with cast.rig.client(cast.victim) as client:
        await client.subscribe(f"kanhu/v1/down/{_VICTIM}/receipt")
        for _ in range(_TRIES):
            try:
                async with cast.rig.client(cast.attacker, client_id=_VICTIM):
                    pass
            except aiomqtt.MqttError:
                pass
        try:
            await client.publish(*heartbeat(_VICTIM), qos=1)
            async with asyncio.timeout(_HEAR_S * 5):
                async for _ in client.messages:
                    return ""
        except (aiomqtt.MqttError, TimeoutError) as error:
            return f"the victim was thrown off: {error!r}"
    return "the victim hears nothing"


@dataclass(frozen=True)
class Check:
    """One of them."""

    name: str
    tries: Callable[[Cast], Awaitable[str]]


CHECKS = (
    Check("token: guessed", _token_wrong),
    Check("token: used before", _token_used),
    Check("token: of another gateway", _token_of_other_gateway),
    Check("token: older than 72 h", _token_expired),
    Check("certificate: signed by itself", _self_signed),
    Check("certificate: of another authority", _other_authority),
    Check("certificate: ran out", _ran_out),
    Check("name: differs from the client id", _name_and_client_id),
    Check("name: differs from the topic", _name_and_topic),
    Check("name: differs from the body", _name_and_body),
    Check("topics: writes as another", _writes_as_other),
    Check("topics: reads what is for another", _reads_others),
    Check("topics: subscribes to everything", _reads_all),
    Check("topics: reads of the broker itself", _reads_system),
    Check("topics: drawn ones, published and willed", _says_on_drawn),
    Check("topics: drawn ones, subscribed to", _listens_to_drawn),
    Check("takeover: another's client id", _displaces),
    Check("revoked: the open session ends", _open_session_ends),
    Check("revoked: comes back", _revoked_comes_back),
)


async def _asked(cast: Cast, gateway: str, token: str, *, expect: str) -> str:
    answer = await cast.rig.ask("/enrol", {"gateway": gateway, "token": token, "request": Key().request(gateway)})
    word = answer.get("answer")
    return "" if word == expect and "certificate" not in answer else f"answered {word}"


async def _let_in(cast: Cast, holder: Pass) -> str:
    try:
        async with cast.rig.client(holder):
            return "let in"
    except aiomqtt.MqttError as error:
        return f"no answer, so nothing can be said: {error}" if "timed out" in str(error) else ""


async def _publish(cast: Cast, topic: str, body: bytes, *, retain: bool = False) -> None:
    """Try it; a broker may acknowledge what it throws away, or end the connection."""
    try:
        async with cast.rig.client(cast.attacker) as client:
            await client.publish(topic, body, qos=1, retain=retain)
    except aiomqtt.MqttError:
        pass


async def _county_listens_anew(cast: Cast) -> None:
    """Throw the county off for a moment, with its own certificate: it comes back and subscribes again."""
    folder = cast.rig.data / "authority"
    own = cast.rig.folder / "county.pem"
    own.write_bytes((folder / "county.key").read_bytes() + (folder / "county.pem").read_bytes())
    async with cast.rig.client(Pass(COUNTY_NAME, own)):
        pass


async def _say_something_honest(cast: Cast, holder: Pass) -> None:
    epoch = new_epoch()
    for _ in range(_TRIES):  # the county may be just connecting, and a broker remembers nothing for it
        async with cast.rig.client(holder) as client:
            await client.publish(*letter(holder.name, epoch), qos=1)
            if await _within(cast, epoch):
                return
    await cast.rig.until_stored(epoch)


async def _within(cast: Cast, epoch: str) -> bool:
    ends = time.monotonic() + _HEAR_S
    while time.monotonic() < ends:
        if cast.rig.rows("SELECT 1 FROM segment WHERE epoch = ?", epoch):
            return True
        await asyncio.sleep(0.05)
    return False


async def _overhears(cast: Cast, *filters: str) -> str:
    """Listen while the county answers the victim; anything that is not the attacker's own is too much."""
    heard: list[str] = []
    for one in filters:
        try:
            async with cast.rig.client(cast.attacker) as client, _hearing(client, heard):
                await client.subscribe(one)
                await _victim_beats(cast)
                await asyncio.sleep(_HEAR_S / 2)  # whatever comes comes behind the victim's own receipt
        except aiomqtt.MqttError:
            continue
    return f"heard {sorted(set(heard))[:3]}" if heard else ""


async def _victim_beats(cast: Cast) -> None:
    """The victim sends a heartbeat and gets its receipt."""
    async with cast.rig.client(cast.victim) as client:
        await client.subscribe(f"kanhu/v1/down/{_VICTIM}/receipt")
        await client.publish(*heartbeat(_VICTIM), qos=1)
        try:
            async with asyncio.timeout(_HEAR_S * 5):
                async for _ in client.messages:
                    return
        except TimeoutError:
            return  # nothing to overhear; the honest letters say that the county answers


@asynccontextmanager
async def _hearing(client: aiomqtt.Client, heard: list[str]) -> AsyncIterator[None]:
    async def listen() -> None:
        try:
            async for message in client.messages:
                topic = str(message.topic)
                heard.extend([topic] if not topic.startswith(f"kanhu/v1/down/{_MINE}/") else [])
        except aiomqtt.MqttError:
            pass

    task = asyncio.create_task(listen(), name="hearing")
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def _said(cast: Cast, before: int, heard: list[str]) -> str:
    came = cast.rig.reached_as(_VICTIM) - before
    if came:
        return f"{came} letters got through as {_VICTIM}"
    return f"heard {sorted(set(heard))[:3]}" if heard else ""
