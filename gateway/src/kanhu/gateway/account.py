"""What a gateway says of itself: heartbeats to the county, notes on its card for the doctor, figures to Prometheus."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial

import msgspec

from kanhu.contract import AlarmStatus, Clock, GatewayState, Running, Status
from kanhu.edge.whose import NOBODY_KNOWN, People
from kanhu.gateway.card import CardMeter
from kanhu.gateway.committer import Committer
from kanhu.gateway.config import GatewayConfig
from kanhu.gateway.device_clocks import DeviceClocks
from kanhu.gateway.errors import OutboxError
from kanhu.gateway.heartbeat import heartbeat, tallied
from kanhu.gateway.intake import Intake
from kanhu.gateway.metrics import OutboxFigures, exposition, figures
from kanhu.gateway.outbox import Outbox
from kanhu.gateway.requests import Requests
from kanhu.gateway.timekeeping import Timekeeper, keep_boots
from kanhu.gateway.unwritten import Unwritten
from kanhu.gateway.updates.facts import Facts, facts_of
from kanhu.gateway.updates.keeper import Updates
from kanhu.gateway.uplink import SessionEnd, Uplink

_TALLY_EVERY_S = 3600.0
_CONNECTED = "connected:"
_BAD_BYTES = "bad_bytes:"
_NOBODY = "nobody:"


class Account:
    """Of one gateway."""

    def __init__(
        self,
        config: GatewayConfig,
        committer: Committer,
        *,
        intake: Intake,
        people: People,
        timekeeper: Timekeeper,
        clocks: DeviceClocks,
        unwritten: Unwritten,
        requests: Requests,
        restarts: Mapping[str, int],
        alarm: Callable[[Outbox], AlarmStatus],
        updates: Updates,
        clock: Clock,
    ) -> None:
        """`restarts` is counted by the supervisor, by task; `alarm` is asked in the outbox's thread."""
        self._config = config
        self._committer = committer
        self._intake = intake
        self._people = people
        self._timekeeper = timekeeper
        self._clocks = clocks
        self._unwritten = unwritten
        self._requests = requests
        self._restarts = restarts
        self._alarm = alarm
        self._updates = updates
        self._clock = clock
        self._card = CardMeter(clock)
        self._tally_due_ns = 0

    async def keep(self) -> None:
        """Write down for the doctor how each device is reached, and what is known of the time; only what changed."""
        written: dict[str, int] = {}
        while True:
            seen = self._intake.seen.values()
            found = {f"{_CONNECTED}{device.device}": int(device.connected) for device in seen}
            found |= {f"{_BAD_BYTES}{device.device}": device.bad_bytes for device in seen}
            found |= {f"{_NOBODY}{reason}": self._people.reasons[reason] for reason in NOBODY_KNOWN}
            found |= self._clocks.notes() | self._card.hourly()
            changed = {name: value for name, value in found.items() if written.get(name) != value}
            if changed:
                await self._committer.call(lambda outbox, changed=changed: outbox.remember(changed))  # type: ignore[misc]  # mypy cannot infer a lambda's default
                written |= changed
            boots = self._timekeeper.to_keep()
            if boots is not None:
                await self._committer.call(partial(keep_boots, boots=boots))
            with suppress(OutboxError):  # what was not dropped goes the next time
                await self._committer.call(partial(Outbox.expire_delivered, after_s=self._config.outbox.kept_h * 3600))
            await self._intake.catch_up()
            await self._clock.sleep(self._config.heartbeat_s)

    async def status(self, state: GatewayState) -> Status:
        """A heartbeat of this moment, or the last will."""
        status = await self._committer.call(
            partial(
                heartbeat,
                gateway=self._config.gateway,
                state=state,
                heartbeat_s=self._config.heartbeat_s,
                clock=self._clock,
                running=Running(self._timekeeper.asking(), self._timekeeper.boots()),
                devices=self._config.device,
                seen=dict(self._intake.seen),
                last_reading_ms=dict(self._intake.last_reading_ms),
                restarts=dict(self._restarts),
                clocks=self._clocks,
                alarm=self._alarm,
            )
        )
        owed = status.owed + len(self._unwritten)
        tally = await self._committer.call(tallied) if self._is_tally_due(state) else msgspec.UNSET
        requests = self._requests.taken
        return msgspec.structs.replace(status, owed=owed, release=self._updates.status, tally=tally, requests=requests)

    async def facts(self, uplink: Uplink) -> Facts:
        """What updates have to know of this moment."""
        return await self._committer.call(
            partial(
                facts_of,
                receipts=uplink.answers.receipts,
                receipt_ms=uplink.notes.values.get("receipt_ms"),
                reading_ms=max(self._intake.last_reading_ms.values(), default=None),
                restarts=dict(self._restarts),
                time=self._timekeeper.now(),
                wall_ms=self._clock.wall_ms(),
                heartbeat_s=self._config.heartbeat_s,
                in_memory=len(self._unwritten),
            )
        )

    def _is_tally_due(self, state: GatewayState) -> bool:
        """At the start, on a stop, and once an hour: thirty people are 2 kB."""
        now_ns = self._clock.mono_ns()
        if state is GatewayState.ONLINE and now_ns >= self._tally_due_ns:
            self._tally_due_ns = now_ns + round(_TALLY_EVERY_S * 1e9)
            return True
        return state is GatewayState.STOPPED

    async def metrics(self, uplink: Uplink, *, tasks: tuple[str, ...]) -> str:
        """Figures of this moment, for these tasks, as Prometheus reads them."""
        values = figures(
            await self._committer.call(OutboxFigures.of),
            receipts=uplink.answers.receipts,
            link_ends={end.value: uplink.ends[end] for end in SessionEnd},
            restarts={task: self._restarts.get(task, 0) for task in tasks},
            card=self._card,
            updates=self._updates.state,
            folder=self._config.folder,
            clock=self._clock,
        )
        return exposition(values)
