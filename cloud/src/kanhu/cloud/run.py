"""`kanhu-cloud serve`: broker, ingest, deadlines and screens, each a supervised task of one process."""

import asyncio
import fcntl
import logging
import signal
import socket
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import uvicorn

from kanhu.cloud.alerting.deadlines import MOST_A_TICK
from kanhu.cloud.app import create_app
from kanhu.cloud.broker.child import BrokerChild
from kanhu.cloud.config import EMBEDDED, CloudConfig
from kanhu.cloud.county import County, open_county
from kanhu.cloud.errors import ConfigInvalid, LedgerUnusable
from kanhu.cloud.gatehouse import open_gatehouse
from kanhu.cloud.ingest.receiver import LinkState, Receiver
from kanhu.cloud.ledger.writer import Job
from kanhu.cloud.supervise import Supervisor
from kanhu.cloud.updates.freshness import keep_fresh
from kanhu.contract import Clock
from kanhu.vitals import core_pack

_TICK_S = 1.0
_LOCK_FILE = "serve.lock"
_GOODBYE_S = 2  # open streams never end by themselves

_log = logging.getLogger(__name__)


class _Server(uvicorn.Server):
    """uvicorn without hands on the process's signals: `serve` stops everything in order."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals alone."""
        yield


async def serve(config: CloudConfig, *, clock: Clock) -> None:
    """Run until SIGTERM or SIGINT; what is waiting in the writer is committed before this returns.

    Raises:
        ConfigInvalid, LedgerUnusable, BrokerUnusable: nothing was served.
    """
    with _bound(config.http.host, config.http.port, key="http") as door, _alone(config.data):
        if config.identity is None:
            await _serve(config, door, None, clock=clock)
            return
        with _bound(config.identity.listen, config.identity.enrol_port, key="identity") as enrolment:
            await _serve(config, door, enrolment, clock=clock)


async def _serve(config: CloudConfig, door: socket.socket, enrolment: socket.socket | None, *, clock: Clock) -> None:
    receiver: Receiver | None = None

    def broker_state() -> str:
        if receiver is None or receiver.state is LinkState.CONNECTED:
            return LinkState.CONNECTING.value if receiver is None else receiver.state.value
        return f"{receiver.state.value}: {receiver.detail}" if receiver.detail else receiver.state.value

    county = open_county(config, pack=core_pack(), clock=clock, broker=broker_state)
    broker: BrokerChild | None = None
    try:
        duties: dict[str, Callable[[], Awaitable[None]]] = {}
        if config.identity is not None and enrolment is not None:
            house = open_gatehouse(config, config.identity, county, clock=clock)
            broker = house.broker
            duties = {**house.duties, "enrolment": partial(_serve_enrolment, house.door, enrolment)}
            receiver = Receiver(lambda: house.url, county.ingest, writer=county.writer, clock=clock, tls=house.tls)
        else:
            plain = broker = BrokerChild(config.data / "broker", clock) if config.broker == EMBEDDED else None
            address = (lambda: config.broker) if plain is None else (lambda: plain.url)
            receiver = Receiver(address, county.ingest, writer=county.writer, clock=clock)
        if broker is not None:
            await broker.start()
        duties = {**duties, "updates": partial(keep_fresh, config.data, clock=clock)}
        await _run(county, receiver, broker=broker, door=door, duties=duties, clock=clock)
    finally:
        if broker is not None:
            await broker.stop()
        county.close()


async def _serve_enrolment(door: uvicorn.Config, listening: socket.socket) -> None:
    await _Server(door).serve(sockets=[listening.dup()])  # uvicorn closes what it serves on


async def _run(
    county: County,
    receiver: Receiver,
    *,
    broker: BrokerChild | None,
    door: socket.socket,
    duties: Mapping[str, Callable[[], Awaitable[None]]],
    clock: Clock,
) -> None:
    server = _Server(
        uvicorn.Config(
            create_app(county.services),
            log_config=None,
            access_log=False,
            timeout_graceful_shutdown=_GOODBYE_S,
            server_header=False,
        )
    )
    supervisor = Supervisor(clock)
    loop = asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, _stop, server)
    tasks = [
        asyncio.create_task(supervisor.keep("ingest", receiver.run), name="ingest"),
        # Each a task of its own: what fails in one of them, again and again, must not keep the others from their work.
        *(
            asyncio.create_task(supervisor.keep(name, partial(_tick, county, duty, clock)), name=name)
            for name, duty in county.duties().items()
        ),
        *(asyncio.create_task(supervisor.keep(name, duty), name=name) for name, duty in duties.items()),
    ]
    if broker is not None:
        tasks.append(asyncio.create_task(supervisor.keep("broker", lambda: _keep_broker(broker)), name="broker"))
    _log.info("screens on http://%s:%d", *door.getsockname()[:2])
    try:
        await server.serve(sockets=[door])
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


@contextmanager
def _bound(host: str, port: int, *, key: str) -> Iterator[socket.socket]:
    """An address taken before anything else starts; it answers once an application listens."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        door = socket.socket(family, kind, protocol)
    except OSError as error:
        raise ConfigInvalid("cloud.toml", key=f"{key}.host", remedy=f"{host}: {error.strerror}") from error
    with door:
        try:
            door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # a county that was killed comes back at once
            door.bind(address)
        except OSError as error:
            remedy = f"{host}:{port}: {error.strerror}; is kanhu-cloud running already? choose another"
            raise ConfigInvalid("cloud.toml", key=key, remedy=remedy) from error
        yield door


@contextmanager
def _alone(data: Path) -> Iterator[None]:
    """One service a data folder: a second one would take the broker, its connection and its messages from the first."""
    try:
        data.mkdir(parents=True, exist_ok=True)
        file = (data / _LOCK_FILE).open("ab")
    except OSError as error:
        raise LedgerUnusable(f"{data}: {error.strerror}; change `data` in cloud.toml") from error
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)  # let go by the kernel, however this process ends
        except OSError as error:
            raise LedgerUnusable(f"{data}: another kanhu-cloud serves this folder; stop it first") from error
        yield


def _stop(server: uvicorn.Server) -> None:
    server.should_exit = True


async def _tick(county: County, duty: Job, clock: Clock) -> None:
    while True:
        done = await asyncio.wrap_future(county.writer.submit(duty))
        if done != MOST_A_TICK:  # else more is due: at once, but behind the messages and claims that wait
            await clock.sleep(_TICK_S)


async def _keep_broker(broker: BrokerChild) -> None:
    if not broker.running:
        await broker.start()
    await broker.wait()
