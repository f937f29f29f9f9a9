"""The process on the Pi: devices in, outbox in the middle, county out, until told to stop.

A stop takes the devices first, so that nothing new comes in; then the uplink flushes and says goodbye; then the
outbox is closed. A kill at any instruction loses nothing that was accepted.
"""

import asyncio
import logging
import signal
from collections.abc import Callable, Coroutine
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from kanhu.contract import Clock, GatewayState, Status
from kanhu.edge.cards import Cards
from kanhu.edge.devices import Sink
from kanhu.edge.pipeline import SensingPipeline
from kanhu.edge.sensing import run_devices
from kanhu.edge.whose import SESSION_S, Attendance, People
from kanhu.gateway.account import Account
from kanhu.gateway.alarm.fitted import build_keeper, house_of
from kanhu.gateway.committer import COMMIT_PAUSE_S, Committer
from kanhu.gateway.config import GatewayConfig
from kanhu.gateway.daily.fitted import build_daily
from kanhu.gateway.device_clocks import DeviceClocks, local_span
from kanhu.gateway.device_memory import DeviceMemory
from kanhu.gateway.disk import open_outbox, set_aside_if_damaged
from kanhu.gateway.errors import OutboxDamaged
from kanhu.gateway.identity import tls_context
from kanhu.gateway.intake import Intake
from kanhu.gateway.journal import Journal
from kanhu.gateway.metrics_door import keep_metrics_door
from kanhu.gateway.outbox import Outbox
from kanhu.gateway.renewal import keep_identity
from kanhu.gateway.states import StateLane
from kanhu.gateway.supervisor import Supervisor
from kanhu.gateway.timekeeping import Timekeeper, kept_boots
from kanhu.gateway.unwritten import Unwritten
from kanhu.gateway.updates.keeper import Updates
from kanhu.gateway.updates.release import OWN, fit
from kanhu.gateway.updates.start import Start
from kanhu.gateway.uplink import Uplink
from kanhu.gateway.watchdog import ServiceManager, beat
from kanhu.vitals import Judge, Profile, Runs, profile_from_tags

if TYPE_CHECKING:
    from kanhu.gateway.page.clinic import Clinic

_SENSING_END_S = 5.0  # a radio that hangs must not keep what is owed from leaving, nor the goodbye
_STATES_END_S = 3.0  # detector states: a new card would know what happened since the last of them
_DAMAGE_PAUSE_S = 5.0  # a dying card is not asked oftener
_GOODBYE_S = 8.0  # flush and goodbye; systemd and the demo wait longer than this
_TASKS = (
    *("sensing", "uplink", "alarm", "daily", "page", "account", "identity", "updates", "watchdog", "metrics"),
    *("states", "states heard"),
)
_NO_MANAGER = ServiceManager()

_log = logging.getLogger(__name__)

_Work = Callable[[], Coroutine[object, object, None]]

Source = Callable[[Sink], Coroutine[object, object, None]]
"""Hands readings to a sink until cancelled."""


async def run_gateway(
    config: GatewayConfig,
    *,
    clock: Clock,
    source: Source | None = None,
    manager: ServiceManager = _NO_MANAGER,
    updates: Updates | None = None,
) -> None:
    """Run until SIGTERM or SIGINT; readings come from `source` where there is one, else from the devices named.

    `manager` hears that it is ready, lives and stops; `updates` may end the run as well, for another release.

    Raises:
        OutboxError: the outbox cannot be opened; nothing was started.
    """
    config.folder.mkdir(parents=True, exist_ok=True)
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    updates = updates or Updates(config, Start(fit(config, OWN)), clock=clock)
    asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, updates.ask_now)
    unwritten = Unwritten(config.gateway)
    file, max_mib = config.outbox_file, config.outbox.max_mib
    while not stop.is_set():
        outbox, aside = open_outbox(file, clock=clock, max_mib=max_mib)
        _tell_damage(aside)
        try:
            committer = Committer(outbox, pause_s=COMMIT_PAUSE_S)
            await _run_with(
                committer, config, unwritten, updates, clock=clock, source=source, manager=manager, stop=stop
            )
        except OutboxDamaged as error:
            _log.error("%s", error)
            _tell_damage(await asyncio.to_thread(set_aside_if_damaged, file, clock=clock, max_mib=max_mib))
            await clock.sleep(_DAMAGE_PAUSE_S)
    await updates.ended()
    _log.info("%s stopped", config.gateway)


async def _run_with(
    committer: Committer,
    config: GatewayConfig,
    unwritten: Unwritten,
    updates: Updates,
    *,
    clock: Clock,
    source: Source | None,
    manager: ServiceManager,
    stop: asyncio.Event,
) -> None:
    try:
        timekeeper = Timekeeper(await committer.call(kept_boots), clock=clock)
        clocks = DeviceClocks(await committer.call(Outbox.notes), zone=config.zone)
        states = StateLane(config.gateway, committer, clock=clock)
        await states.begin()
        with Journal(config.journal_file) as journal:
            gateway = _Gateway(
                config,
                committer,
                timekeeper,
                clocks,
                unwritten,
                updates,
                states,
                journal=journal,
                clock=clock,
                source=source,
            )
            await gateway.run(stop, manager)
    finally:
        await committer.close()


def _tell_damage(aside: Path | None) -> None:
    if aside is not None:
        _log.error("the outbox was damaged: it is kept as %s, and a new one begins", aside)


class _Gateway:
    """The parts of one gateway, and the order in which they start and end."""

    def __init__(
        self,
        config: GatewayConfig,
        committer: Committer,
        timekeeper: Timekeeper,
        clocks: DeviceClocks,
        unwritten: Unwritten,
        updates: Updates,
        states: StateLane,
        *,
        journal: Journal,
        clock: Clock,
        source: Source | None,
    ) -> None:
        self._states = states
        self._config = config
        self._source = source or self._devices
        self._committer = committer
        self._timekeeper = timekeeper
        self._updates = updates
        self._clock = clock
        self._supervisor = Supervisor(clock)
        self._uplink = Uplink(
            config.gateway,
            committer,
            broker=config.broker,
            config=config.uplink,
            heartbeat_s=config.heartbeat_s,
            clock=clock,
            status=self._status,
            timekeeper=timekeeper,
            unwritten=unwritten,
            tls=partial(tls_context, config.folder, clock=clock) if config.broker.tls else None,
        )
        self._alarm = build_keeper(
            config.alarm,
            committer,
            house=house_of(config, updates.pack),
            clock=clock,
            announce=self._uplink.announce,
            confirmed=unwritten.is_confirmed,
        )
        self._intake = Intake(
            committer,
            journal=journal,
            uplink=self._uplink,
            timekeeper=timekeeper,
            clocks=clocks,
            unstored=self._alarm.sound,
        )
        self._daily = build_daily(config, committer, self._alarm, pack=updates.pack, timekeeper=timekeeper, clock=clock)
        self._intake.listeners.append(self._daily)
        states.judged_by(self._intake)
        self._intake.on_states = lambda judged, decides: states.changed(judged.states, decides=decides)
        self._uplink.answers.on_states = states.heard
        session_s = SESSION_S if config.page is None else config.page.session_s
        self._attendance = Attendance(clock=clock, session_s=session_s)
        stays = [stay.in_zone(config.zone) for stay in config.stay]
        residents = [resident.id for resident in config.resident]
        self._cards = Cards(self._attendance, config.cards)
        self._people = People(
            clock=clock, attendance=self._attendance, stays=stays, residents=residents, cards=self._cards
        )
        self._account = Account(
            config,
            committer,
            intake=self._intake,
            people=self._people,
            timekeeper=timekeeper,
            clocks=clocks,
            unwritten=unwritten,
            requests=self._uplink.requests,
            restarts=self._supervisor.restarts,
            alarm=self._alarm.standing,
            updates=updates,
            clock=clock,
        )
        self._clinic = None if config.page is None else self._open_clinic()
        self._profiles: dict[str, Profile] = {
            resident.id: profile_from_tags(resident.id, resident.tags, spo2_limit_percent=resident.spo2_limit_percent)
            for resident in config.resident
        }

    async def run(self, stop: asyncio.Event, manager: ServiceManager) -> None:
        """Until `stop`.

        Raises:
            OutboxDamaged: the file turned out to be damaged, and nothing can be accepted any more.
        """
        _log.info("%s starts, epoch %s", self._config.gateway, self._committer.epoch)
        async with asyncio.TaskGroup() as tasks:
            sensing = tasks.create_task(self._supervisor.keep("sensing", self._sense), name="sensing")
            uplink = tasks.create_task(self._supervisor.keep("uplink", self._uplink.run), name="uplink")
            beside = [
                tasks.create_task(self._supervisor.keep(name, work), name=name)
                for name, work in self._beside(manager, stop).items()
            ]
            states = [
                tasks.create_task(self._supervisor.keep(name, work), name=name)
                for name, work in {"states": self._send_states, "states heard": self._states.listen}.items()
            ]
            ends = [
                tasks.create_task(stop.wait(), name="stop"),
                tasks.create_task(self._committer.damaged.wait(), name="damage"),
            ]
            await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
            for task in (*ends, *beside):
                task.cancel()
            if stop.is_set():
                with suppress(OSError):  # a goodbye that nobody hears is no reason to stay
                    manager.tell("STOPPING=1")
            sensing.cancel()
            await asyncio.wait({sensing}, timeout=_SENSING_END_S)
            if stop.is_set():
                self._states.finish()
                with suppress(TimeoutError):
                    async with asyncio.timeout(_STATES_END_S):
                        await self._states.idle()
            for task in states:
                task.cancel()
            if stop.is_set():
                self._uplink.stop()
                await asyncio.wait({uplink}, timeout=_GOODBYE_S)
            uplink.cancel()
        if not stop.is_set():
            raise OutboxDamaged(f"{self._config.outbox_file} gave nonsense while in use")

    def _beside(self, manager: ServiceManager, stop: asyncio.Event) -> dict[str, _Work]:
        """What runs beside sensing and uplink, and ends first."""
        port = self._config.metrics.port
        work: dict[str, _Work] = {
            "alarm": self._alarm.run,
            "daily": self._daily.run,
            "page": self._serve_page,
            "account": self._account.keep,
            "identity": self._keep_identity,
            "updates": partial(self._updates.keep, partial(self._account.facts, self._uplink), stop.set),
            "watchdog": partial(beat, manager, self._committer, self._supervisor, clock=self._clock),
        }
        return work if port is None else {**work, "metrics": partial(self._answer, port)}

    async def _send_states(self) -> None:
        await self._states.speak(self._uplink.say_state, most_bytes=self._uplink.state_bytes)

    async def _sense(self) -> None:
        judge = Judge(self._updates.pack, Runs.GATEWAY, self._profiles, self._config.zone)
        pipeline = SensingPipeline(judge, profiles=self._profiles)
        for subject in pipeline.restore(await self._committer.states()):
            _log.warning("the state of %s is of another version: its rules start afresh", subject)
        self._intake.judge_with(pipeline)
        await self._daily.beside(self._source, self._intake)

    async def _devices(self, sink: Sink) -> None:
        devices = tuple(device.as_edge(gateway=self._config.gateway) for device in self._config.device)
        await run_devices(
            devices,
            sink,
            clock=self._clock,
            radio=self._config.radio,
            people=self._people,
            local_time=lambda: local_span(self._timekeeper.now(), self._config.zone),
            memory=DeviceMemory(self._committer),
        )

    def _open_clinic(self) -> "Clinic":
        from kanhu.gateway.page.clinic import Clinic  # noqa: PLC0415  # a gateway without a page pays nothing for it

        clinic = Clinic(
            self._config,
            committer=self._committer,
            attendance=self._attendance,
            people=self._people,
            cards=self._cards,
            seen=self._intake.seen,
            doses=self._daily,
            clock=self._clock,
        )
        self._intake.listeners.append(clinic)
        self._uplink.answers.on_receipt = clinic.receipt
        return clinic

    async def _serve_page(self) -> None:
        if self._clinic is None or self._config.page is None:
            return
        from kanhu.gateway.page.serve import serve_page  # noqa: PLC0415  # the same

        await serve_page(self._clinic, self._config.page, pack=self._updates.pack)

    async def _keep_identity(self) -> None:
        if self._config.broker.tls:
            await keep_identity(self._config.folder, gateway=self._config.gateway, clock=self._clock)
        await asyncio.Event().wait()  # nothing to keep: nobody asks who this is

    async def _answer(self, port: int) -> None:
        await keep_metrics_door(port, partial(self._account.metrics, self._uplink, tasks=_TASKS))

    async def _status(self, state: GatewayState) -> Status:
        return await self._account.status(state)
