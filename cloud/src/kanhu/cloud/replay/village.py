"""One village from the first reading to the last: gateways, the county's door, its duties and its staff, in order.

    recording ─▶ virtual gateway ─▶ door ─▶ alerts ─▶ tellings ─▶ staff ─┐
                     ▲  waits while its link is silent        ▲ ticks    │ claims, closes
                     └── heartbeats                           └──────────┘

A county ticks every second and hears every gateway every minute. Here both happen only where they can change an
answer, at the same second at which they would have: a tick where a stored deadline has come, a heartbeat before and
after a silence and where a gateway's clock changed. Who is heard is not silent, so silence is looked for among the
others only. Readings that nothing follows from wait in parcels until the night's work, or until their link goes silent.
"""

from collections.abc import Callable, Iterable, Mapping
from functools import partial

from sqlalchemy import Connection, func, select

from kanhu.cloud.alerting import acts
from kanhu.cloud.alerting.deadlines import MOST_A_TICK
from kanhu.cloud.alerting.listening import Listening
from kanhu.cloud.alerting.log import TimerKind
from kanhu.cloud.alerting.policy import DAY_MS, Policy
from kanhu.cloud.deciding import assemble
from kanhu.cloud.desk.model import ActResult, Outcome
from kanhu.cloud.errors import ReplayRefused
from kanhu.cloud.ledger import schema
from kanhu.cloud.ledger.writer import Job, Transaction
from kanhu.cloud.people.site import Site, load_site
from kanhu.cloud.replay.account import Account
from kanhu.cloud.replay.calendar import Calendar, Order
from kanhu.cloud.replay.outcome import Line
from kanhu.cloud.replay.silences import first_beat_ms, heard, last_beat_ms
from kanhu.cloud.replay.staff import Reacting, Staff
from kanhu.cloud.replay.told import Following, Telling
from kanhu.cloud.replay.virtual_clock import VirtualClock
from kanhu.cloud.replay.virtual_gateway import HEARTBEAT_MS, LOOK_MS, ClockShown, Parcel, Taken, VirtualGateway
from kanhu.contract import Lane
from kanhu.contract.recording import Manifest, Recorded, VillagePlan
from kanhu.vitals import Profile, RulePack, profile_from_tags

__all__ = ["VillageReplay"]

_TICK_MS = 1000
_FULL_PARCEL = 500
_DOUBTFUL_MS = 60_000
"""Where a gateway's clock is wrong the county dates readings by when they come: then they leave as on a real one."""
_UNANSWERED_MS = 20_000
"""The receipt of what left so shortly before a link broke is lost with it: the gateway sends it again."""
_EVERYWHERE = "/"
_FOREVER_MS = float("inf")
_FIRST_NIGHT = select(func.min(schema.timer.c.due_ms)).where(schema.timer.c.kind == TimerKind.NIGHTLY.value)
_FIRST_DEADLINE = select(func.min(schema.timer.c.due_ms)).where(
    (schema.timer.c.kind == TimerKind.ESCALATE.value)
    | (schema.timer.c.kind == TimerKind.RECHECK.value)
    | (schema.timer.c.kind == TimerKind.ANNUNCIATE.value)
)
_SILENCES = select(schema.timer.c.key, schema.timer.c.due_ms).where(schema.timer.c.kind == TimerKind.SILENCE.value)


class VillageReplay:
    """Plays one village into a ledger that is new and its own."""

    def __init__(
        self,
        connection: Connection,
        *,
        manifest: Manifest,
        site: Site,
        plan: VillagePlan,
        pack: RulePack,
        policy: Policy,
    ) -> None:
        """Load the register; the recording has not begun.

        Raises:
            ReplayRefused: the pack calls a gateway silent that beats in time.
        """
        if policy.silence.technical_ms <= HEARTBEAT_MS:
            raise ReplayRefused(
                f"rule pack {pack.version}: WATCH-LOST after {policy.silence.technical_ms} ms; gateways beat every "
                f"{HEARTBEAT_MS} ms, so write more"
            )
        self._connection = connection
        self._manifest = manifest
        self._plan = plan
        self._zone = policy.timezone
        self._pack = pack
        self._clock = VirtualClock(manifest.starts_ms)
        self._listening = Listening(stalled_ms=_FOREVER_MS, keep_every_ms=_FOREVER_MS)
        self._deciding = assemble(policy, pack, clock=self._clock, listening=self._listening)
        self._staff = Staff(plan)
        self._calendar = Calendar()
        self._profiles = _profiles(site)
        self._gateways = {gateway.id: self._gateway(gateway.id) for gateway in site.gateway}
        homes = {resident.id: resident.gateway for resident in site.resident}
        self._following = Following({**homes, **{gateway.id: gateway.id for gateway in site.gateway}})
        self._cut: set[str] = set()
        """Whose link is down: what they find waits."""
        self._silent: set[str] = set()
        """Those of them for whom it lasts long enough to be noticed."""
        self._said: dict[str, ClockShown] = {}
        self._sent: dict[str, tuple[int, list[Parcel]]] = {}
        self._unanswered: dict[str, list[Parcel]] = {}
        self._hasty: set[str] = set()
        self._looking: set[str] = set()
        self._due_ms: dict[str, int | None] = {}
        self._ticked_ms: dict[str, int] = {}
        silence = partial(self._deciding.ingest.watch.tick, among=self._silent)
        self._duties: dict[str, Job] = {**self._deciding.duties(), "silence": silence}
        self._account = Account()
        load_site(connection, site)

    def play(self, readings: Iterable[Recorded], *, place: str, day_done: Callable[[int], None]) -> list[Line]:
        """Play all of it; `place` names the readings in errors, `day_done` hears how many days have passed.

        Raises:
            RecordingRefused, ReplayRefused: the recording is damaged, or does not rise in time.
        """
        self._begin()
        days = 0
        for recorded in readings:
            if recorded.true_ms < self._clock.wall_ms() or recorded.true_ms >= self._manifest.ends_ms:
                where = f"{place}: gateway {recorded.gateway}, number {recorded.seq}"
                raise ReplayRefused(f"{where}: {recorded.true_ms} ms is before an earlier reading or past the end")
            self._until(recorded.true_ms)
            while recorded.true_ms >= self._manifest.starts_ms + (days + 1) * DAY_MS:
                days += 1
                self._connection.commit()
                self._connection.begin()
                day_done(days)
            self._take(recorded)
        self._until(self._manifest.ends_ms - 1)
        self._clock.move(self._manifest.ends_ms)
        for gateway in sorted(self._gateways):
            self._flush(gateway, self._manifest.ends_ms)
        counts = self._account.counts(self._connection, self._plan.village, self._gateways.values())
        return [*self._following.alerts(self._plan.village), counts]

    # ------------------------------------------------------------------------------------------ time

    def _begin(self) -> None:
        starts_ms, ends_ms = self._manifest.starts_ms, self._manifest.ends_ms
        self._listening.begin(self._connection, mono_ns=self._clock.mono_ns())
        for gateway in sorted(self._gateways):
            stretches = [*heard(self._plan.silences, gateway, starts_ms=starts_ms, ends_ms=ends_ms)]
            if not stretches or stretches[0][0] != starts_ms:
                self._cut.add(gateway)
            for number, (from_ms, to_ms) in enumerate(stretches):
                first_ms = first_beat_ms(gateway, from_ms, starts_ms=starts_ms)
                if number == 0 and first_ms < to_ms:
                    back = self._beat if from_ms == starts_ms else self._link_back
                    self._calendar.add(first_ms, Order.LINK, partial(back, gateway))
                if to_ms < ends_ms:
                    back_ms = stretches[number + 1][0] if number + 1 < len(stretches) else ends_ms
                    self._plan_silence(gateway, last_beat_ms(first_ms, to_ms), from_ms=to_ms, to_ms=back_ms)
        self._tick("night", starts_ms)

    def _plan_silence(self, gateway: str, last_beat_ms: int, *, from_ms: int, to_ms: int) -> None:
        """A silence too short to be noticed, in which no night's work falls, only keeps what is found waiting."""
        noticed = to_ms - last_beat_ms >= self._deciding.policy.silence.technical_ms
        if noticed or self._deciding.nightly.next_ms(from_ms) <= to_ms:
            if last_beat_ms < from_ms:
                self._calendar.add(last_beat_ms, Order.LINK, partial(self._beat, gateway))
            self._calendar.add(from_ms, Order.LINK, partial(self._link_lost, gateway))
            self._calendar.add(to_ms, Order.LINK, partial(self._link_back, gateway))
        else:
            self._calendar.add(from_ms, Order.LINK, partial(self._link_pauses, gateway))
            self._calendar.add(to_ms, Order.LINK, partial(self._link_goes_on, gateway))

    def _until(self, limit_ms: int) -> None:
        """Let everything happen that comes no later than this; then it is this moment."""
        while True:
            planned_ms = self._calendar.next_ms()
            duty, tick_ms = min(
                ((name, due_ms) for name, due_ms in self._due_ms.items() if due_ms is not None),
                key=lambda due: due[1],
                default=("", None),
            )
            if planned_ms is not None and (tick_ms is None or planned_ms <= tick_ms):
                if planned_ms > limit_ms:
                    break
                self._clock.move(planned_ms)
                self._calendar.take()(planned_ms)
            elif tick_ms is not None and tick_ms <= limit_ms:
                self._clock.move(tick_ms)
                self._tick(duty, tick_ms)
            else:
                break
        self._clock.move(limit_ms)

    def _tick(self, duty: str, at_ms: int) -> None:
        self._ticked_ms[duty] = at_ms
        if duty == "night":
            for gateway in sorted(self._gateways):
                self._flush(gateway, at_ms)
        transaction = Transaction(self._connection, at_ms)
        while self._duties[duty](transaction) == MOST_A_TICK:
            pass  # more is due: at once, as in the service
        self._settle(transaction)
        if duty == "silence":
            self._look_for_silence()
        elif duty == "night":
            self._plan_tick("night", self._connection.execute(_FIRST_NIGHT).scalar())

    def _plan_tick(self, duty: str, due_ms: int | None) -> None:
        """The county ticks at whole seconds; what is still due after a tick waits for the next one."""
        if due_ms is not None:
            starts_ms = self._manifest.starts_ms
            due_ms = starts_ms - (starts_ms - due_ms) // _TICK_MS * _TICK_MS
            due_ms = max(due_ms, self._ticked_ms.get(duty, 0) + _TICK_MS)
        self._due_ms[duty] = due_ms

    # ------------------------------------------------------------------------------------------ readings and links

    def _take(self, recorded: Recorded) -> None:
        gateway = self._gateways.get(recorded.gateway)
        if gateway is None:  # of nobody's register: the county will say so
            gateway = self._gateways[recorded.gateway] = self._gateway(recorded.gateway)
        taken = gateway.take(recorded)
        if gateway.looks and gateway.id not in self._looking:
            self._looking.add(gateway.id)
            self._calendar.add(recorded.true_ms + LOOK_MS, Order.PARCEL, partial(self._look, gateway.id))
        if gateway.id in self._cut:
            return
        if taken is Taken.URGENT or len(gateway.routine) >= _FULL_PARCEL:
            self._flush(gateway.id, recorded.true_ms)
        elif gateway.shown.is_doubtful() and gateway.id not in self._hasty:
            self._hasty.add(gateway.id)
            self._calendar.add(recorded.true_ms + _DOUBTFUL_MS, Order.PARCEL, partial(self._hurry, gateway.id))

    def _look(self, gateway: str, at_ms: int) -> None:
        """How long a home has been silent; asked again and again to the end."""
        taken = self._gateways[gateway].look(at_ms)
        if taken is Taken.URGENT:
            self._flush(gateway, at_ms)
        if at_ms + LOOK_MS < self._manifest.ends_ms:
            self._calendar.add(at_ms + LOOK_MS, Order.PARCEL, partial(self._look, gateway))

    def _hurry(self, gateway: str, at_ms: int) -> None:
        self._hasty.discard(gateway)
        self._flush(gateway, at_ms)

    def _flush(self, gateway: str, at_ms: int) -> None:
        """Send what waits, where the link is there."""
        if gateway not in self._cut:
            self._send(gateway, self._gateways[gateway].collect(Lane.LIVE), at_ms)

    def _send(self, gateway: str, parcels: list[Parcel], at_ms: int) -> None:
        if not parcels:
            return
        shown = self._gateways[gateway].shown
        if gateway not in self._said or shown.differs(self._said[gateway]):
            self._beat(gateway, at_ms)
        self._sent[gateway] = at_ms, parcels
        transaction = Transaction(self._connection, at_ms)
        receipts = self._deciding.ingest.take(transaction, [parcel.message for parcel in parcels]).receipts
        self._account.answered(parcels, receipts)
        self._settle(transaction)

    def _beat(self, gateway: str, at_ms: int) -> None:
        """One heartbeat of a gateway that is heard."""
        virtual = self._gateways[gateway]
        self._said[gateway] = virtual.shown
        transaction = Transaction(self._connection, at_ms)
        self._listening.tick(self._connection, mono_ns=self._clock.mono_ns())
        self._deciding.ingest.watch.heard(transaction, virtual.heartbeat(at_ms))
        self._settle(transaction)

    def _link_lost(self, gateway: str, at_ms: int) -> None:
        self._flush(gateway, at_ms)
        sent_ms, parcels = self._sent.get(gateway, (0, []))
        self._unanswered[gateway] = parcels if at_ms - sent_ms <= _UNANSWERED_MS else []
        self._cut.add(gateway)
        self._silent.add(gateway)
        self._look_for_silence()

    def _link_back(self, gateway: str, at_ms: int) -> None:
        self._cut.discard(gateway)
        self._silent.discard(gateway)
        self._beat(gateway, at_ms)
        waiting = self._gateways[gateway].collect(Lane.BACKFILL)
        self._send(gateway, [*self._unanswered.pop(gateway, ()), *waiting], at_ms)
        self._look_for_silence()

    def _link_pauses(self, gateway: str, _: int) -> None:
        self._cut.add(gateway)

    def _link_goes_on(self, gateway: str, at_ms: int) -> None:
        self._cut.discard(gateway)
        virtual = self._gateways[gateway]
        if virtual.urgent or virtual.shown.is_doubtful():
            self._flush(gateway, at_ms)

    def _look_for_silence(self) -> None:
        due = [row.due_ms for row in self._connection.execute(_SILENCES) if row.key in self._silent]
        self._plan_tick("silence", self._manifest.starts_ms + min(due) if due else None)

    # ------------------------------------------------------------------------------------------ alerts and staff

    def _settle(self, transaction: Transaction) -> None:
        """What follows once something was logged: people hear of it, and deadlines may have changed."""
        if not transaction.revision:
            if transaction.now_ms == self._ticked_ms.get("deadlines"):
                self._plan_tick("deadlines", self._connection.execute(_FIRST_DEADLINE).scalar())
            return
        for telling in self._following.read(self._connection):
            self._tell(telling)
        self._plan_tick("deadlines", self._connection.execute(_FIRST_DEADLINE).scalar())

    def _tell(self, telling: Telling) -> None:
        reacting = self._staff.reacts(telling.sounds_ms)
        if reacting is not None:
            self._calendar.add(reacting.claim_ms, Order.STAFF, partial(self._claim, telling.alert, reacting))

    def _claim(self, alert: str, reacting: Reacting, at_ms: int) -> None:
        transaction = Transaction(self._connection, at_ms)
        viewer = self._staff.on_duty(self._following.state(alert).level)
        answer = acts.claim(transaction, viewer, alert, key=f"{at_ms}", area=_EVERYWHERE, policy=self._deciding.policy)
        self._settle(transaction)
        if answer.result is ActResult.DONE:
            close = partial(self._close, alert, viewer.user)
            self._calendar.add(at_ms + reacting.close_after_ms, Order.STAFF, partial(close, at_ms))

    def _close(self, alert: str, user: str, claimed_ms: int, at_ms: int) -> None:
        """Whoever took it has done with it, unless it called anew meanwhile, which is for whoever hears that."""
        if self._following.told_ms(alert) > claimed_ms:
            return
        transaction = Transaction(self._connection, at_ms)
        viewer = self._staff.named(user)
        acts.close(transaction, viewer, alert, outcome=Outcome.TRUE_ACTION, note="", key=f"{at_ms}", area=_EVERYWHERE)
        self._settle(transaction)

    def _gateway(self, gateway: str) -> VirtualGateway:
        profiles = self._profiles.get(gateway, {})
        return VirtualGateway(gateway, pack=self._pack, profiles=profiles, timezone=self._zone)


def _profiles(site: Site) -> Mapping[str, dict[str, Profile]]:
    """As each gateway's own settings name its residents."""
    profiles: dict[str, dict[str, Profile]] = {}
    for resident in site.resident:
        profiles.setdefault(resident.gateway, {})[resident.id] = profile_from_tags(resident.id, resident.tags)
    return profiles
