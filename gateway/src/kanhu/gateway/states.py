"""The way of detector states: to the county while all is well, and back when the card is another one.

    fresh card ── ask ──▶ given, page by page ──▶ joined to what was judged meanwhile ──▶ own
    old card ───────────────────────────────────────────────────────────────────────────▶ own
    own: changed ── a day, a stop, or minutes after what decides a finding ──▶ sent ──▶ kept

It is no part of the promise about readings: nothing is owed, nothing waits. One page is under way at a time, and none
is said while an alert is owed. A state is named by (epoch, seq) of the outbox that it was committed in, so what comes
late, twice or from elsewhere is told apart, counted, and changes nothing.
"""

import asyncio
import logging
import secrets
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Mapping
from collections.abc import Set as AbstractSet
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from kanhu.contract import (
    Checkpoint,
    Clock,
    MessageRefused,
    MessageTooLarge,
    StateRefusal,
    StatesAsked,
    StatesGiven,
    StatesKept,
    StatesSent,
    decode_states,
    encode_states,
)
from kanhu.contract.states import PAGE_BYTES, first_page, sealed
from kanhu.edge.pipeline import Resumed
from kanhu.gateway.committer import Committer
from kanhu.gateway.errors import OutboxError
from kanhu.gateway.outbox import Outbox
from kanhu.gateway.senders import wait_for
from kanhu.vitals import StateRefused, alerts_in

EVERY_S = 86_400.0
"""From one round with all that changed to the next."""
SOON_S = 300.0
"""After a change that decides a finding: a strap worn through an episode then costs some 200 kB a day at most."""
ANSWER_S = 30.0
"""So long is one answer waited for; a county that keeps no states never sends one."""
_SEND_AGAIN_S = 600.0  # where a connection broke, or nobody answered
_ASK_AGAIN_S = 600.0  # at the latest, while nobody answers; each time twice as long from ANSWER_S on
_MOST_HEARD = 16  # a county says one thing at a time; more is somebody's noise

KEPT = "states_kept_ms"
RESUMED = "states_resumed"
RESUMED_AT = "states_resumed_ms"
TAKEN_AT = "states_taken_ms"
AFRESH = "states_afresh"
REFUSED = "states_refused_"
WANTED_TEXT, OWN_TEXT = "wanted", "own"
STATES_TEXT = "states"
_SETTLED_FOR_GOOD = frozenset(
    {
        StateRefusal.OLDER,
        StateRefusal.CONFLICT,
        StateRefusal.CORRUPT,
        StateRefusal.TOO_MANY,
        StateRefusal.TOO_LARGE,
    }
)

_log = logging.getLogger(__name__)

Say = Callable[[bytes], Awaitable[None]]
"""Publishes one message on this lane, once there is a connection on which no alert is owed."""


class Resume(Protocol):
    """Whoever judges."""

    async def resume(
        self, states: Mapping[str, tuple[str, bytes]], *, ended: frozenset[str], unknown: frozenset[str]
    ) -> Resumed:
        """Go on from states, each with its name, and return once that is committed."""


@dataclass(slots=True)
class _UnderWay:
    seqs: dict[str, int]
    answered: asyncio.Event


def are_wanted_by(said: str | None) -> bool:
    """Whether what an outbox says of its states is that those of before have not come yet."""
    return said == WANTED_TEXT


class StateLane:
    """One outbox's detector states on their way."""

    def __init__(self, gateway: str, committer: Committer, *, clock: Clock) -> None:
        """`begin` comes before the first reading, `judged_by` before the first connection."""
        self._gateway = gateway
        self._committer = committer
        self._clock = clock
        self._judge: Resume | None = None
        self._wanted = False
        self._nonce = ""
        self._after = ""
        self._asked = asyncio.Event()
        self._changed: set[str] = set()
        self._soon: set[str] = set()
        self._soon_ns: int | None = None
        self._round_ns = 0
        self._under_way: _UnderWay | None = None
        self._since_taken: set[str] = set()
        """Changed after the states under way were read: what the county has of them is the one before."""
        self._wake = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()
        self._notes: Counter[str] = Counter()
        self._heard: asyncio.Queue[bytes] = asyncio.Queue(_MOST_HEARD)
        self._has_answered = False

    async def begin(self) -> None:
        """See what there is; before the first reading, or a fresh card would not be known as one.

        Raises:
            OutboxError: the file could not be read.
        """
        said = await self._committer.call(lambda outbox: outbox.text(STATES_TEXT))
        if not said:  # a file of this moment, or of a program that knew no such lane
            said = OWN_TEXT if self._committer.last_seq else WANTED_TEXT
            try:
                await self._committer.call(lambda outbox: outbox.keep_text(STATES_TEXT, said))
            except OutboxError as error:  # a card that takes nothing now is no reason not to watch
                _log.warning("whether this card is new could not be written down: %s", error)
        self._wanted = are_wanted_by(said)
        notes = await self._committer.call(Outbox.notes)
        self._notes.update({name: count for name, count in notes.items() if name.startswith(REFUSED)})
        self._changed |= (await self._committer.states()).keys()  # by whom, before this process, nobody knows
        since_s = (self._clock.wall_ms() - notes.get(KEPT, 0)) / 1000
        left_s = EVERY_S - since_s if 0 <= since_s < EVERY_S else 0.0
        self._round_ns = self._clock.mono_ns() + round(left_s * 1e9)

    def judged_by(self, judge: Resume) -> None:
        """Give what comes to this judge."""
        self._judge = judge

    def changed(self, subjects: Iterable[str], *, decides: bool) -> None:
        """States of these were committed; `decides`: a finding hangs on it, it goes up within minutes."""
        named = set(subjects)
        self._changed |= named
        self._since_taken |= named
        if decides and named:
            self._soon |= named
            if self._soon_ns is None:
                self._soon_ns = self._clock.mono_ns() + round(SOON_S * 1e9)
                self._wake.set()

    def finish(self) -> None:
        """A stop: all that changed goes up now, as far as there is a connection."""
        self._soon |= self._changed
        if self._soon and not self._wanted:
            self._soon_ns = self._clock.mono_ns()
            self._idle.clear()
        self._wake.set()

    async def idle(self) -> None:
        """Return once nothing that was due is under way; at once where the county was never heard on this lane."""
        if self._has_answered:
            await self._idle.wait()

    # ---------------------------------------------------------------------------------------------- say

    async def speak(self, say: Say, *, most_bytes: Callable[[], int]) -> None:
        """Ask, then send what is due, until cancelled; what broke off or was not answered is said again."""
        self._under_way = None
        if self._wanted:
            await self._ask(say)
        while True:
            self._wake.clear()
            left_s = self._due_in_s()
            if left_s > 0:
                self._idle.set()
                await wait_for(self._wake, left_s)
                continue
            await self._send_due(say, most_bytes)

    async def _ask(self, say: Say) -> None:
        wait_s = ANSWER_S
        self._after = ""
        while self._wanted:
            self._nonce = secrets.token_hex(8)
            self._asked.clear()
            await say(encode_states(StatesAsked(self._gateway, self._committer.epoch, self._nonce, self._after)))
            await wait_for(self._asked, wait_s)
            if not self._asked.is_set():
                wait_s = min(2 * wait_s, _ASK_AGAIN_S)

    def _due_in_s(self) -> float:
        due_ns = self._round_ns if self._soon_ns is None else min(self._round_ns, self._soon_ns)
        return (due_ns - self._clock.mono_ns()) / 1e9

    async def _send_due(self, say: Say, most_bytes: Callable[[], int]) -> None:
        is_round = self._clock.mono_ns() >= self._round_ns
        due = frozenset(self._changed if is_round else self._soon & self._changed)
        self._soon_ns = None
        is_answered = False
        try:
            is_answered = await self._send_all(say, due, most_bytes)
        finally:
            again_ns = self._clock.mono_ns() + round((EVERY_S if is_answered else _SEND_AGAIN_S) * 1e9)
            if is_round:
                self._round_ns = again_ns
            elif not is_answered:
                self._soon_ns = again_ns
        if is_round and is_answered:
            await self._note({KEPT: self._clock.wall_ms()})

    async def _send_all(self, say: Say, due: frozenset[str], most_bytes: Callable[[], int]) -> bool:
        """Send page by page; False as soon as one is not answered."""
        take = partial(_taken, gateway=self._gateway, subjects=due, now_ms=self._clock.wall_ms())
        self._since_taken.clear()
        try:
            left = await self._committer.call(take)
        except OutboxError as error:
            _log.warning("detector states could not be read: %s", error)
            return False
        self._forget(due - {one.subject for one in left})
        while left:
            page = self._page(left, min(PAGE_BYTES, most_bytes()))
            left = left[max(1, len(page.checkpoints)) :]
            if page.checkpoints and not await self._send(say, page):
                return False
        return True

    def _page(self, left: tuple[Checkpoint, ...], most_bytes: int) -> StatesSent:
        page = first_page(StatesSent(self._gateway, self._committer.epoch, left), most_bytes=most_bytes)
        try:
            encode_states(page)
        except MessageTooLarge as error:
            self._refused("too_large", str(error))
            self._forget({page.checkpoints[0].subject})
            return StatesSent(self._gateway, self._committer.epoch, ())
        return page

    async def _send(self, say: Say, page: StatesSent) -> bool:
        under_way = _UnderWay({one.subject: one.seq for one in page.checkpoints}, asyncio.Event())
        self._under_way = under_way
        try:
            await say(encode_states(page))
            await wait_for(under_way.answered, ANSWER_S)
        finally:
            self._under_way = None
        return under_way.answered.is_set()

    def _forget(self, subjects: AbstractSet[str]) -> None:
        """These need not be sent again, as far as they have not changed meanwhile."""
        settled = subjects - self._since_taken
        self._changed -= settled
        self._soon -= settled

    # --------------------------------------------------------------------------------------------- hear

    def heard(self, wire: bytes) -> None:
        """The county said this; what finds no room is dropped, and asked for or sent again."""
        with suppress(asyncio.QueueFull):
            self._heard.put_nowait(wire)

    async def listen(self) -> None:
        """Take what was heard, one by one, until cancelled: receipts wait for none of it."""
        while True:
            await self.hear(await self._heard.get())

    async def hear(self, wire: bytes) -> None:
        """Take what the county says on this lane; what is not for this outbox is counted and changes nothing."""
        try:
            message = decode_states(wire)
        except MessageRefused as error:
            await self._refuse(error.reason.value, str(error))
            return
        ours = message.gateway == self._gateway and message.epoch == self._committer.epoch
        self._has_answered |= ours
        if isinstance(message, StatesKept) and ours:
            await self._kept(message)
        elif isinstance(message, StatesGiven) and ours and self._nonce and message.nonce == self._nonce:
            self._nonce = ""  # once: whoever says it again repeats an old answer
            await self._given(message)
        else:
            await self._refuse("foreign", "an answer to another card, or to no question of this one")

    async def _kept(self, message: StatesKept) -> None:
        under_way = self._under_way
        if under_way is None:
            return  # later than it was waited for: it is sent again and answered again
        for answer in message.answers:
            if under_way.seqs.get(answer.subject) != answer.seq:
                continue
            del under_way.seqs[answer.subject]
            if answer.refused is None or answer.refused in _SETTLED_FOR_GOOD:
                self._forget({answer.subject})
            if answer.refused is not None:
                await self._refuse(f"by_county_{answer.refused.value}", "the county keeps another state of a person")
        under_way.answered.set()

    async def _given(self, given: StatesGiven) -> None:
        if self._judge is None:
            raise RuntimeError("judged_by comes first")
        usable: dict[str, Checkpoint] = {}
        for checkpoint in given.checkpoints:
            if not checkpoint.is_of(self._gateway):
                await self._refuse(StateRefusal.CORRUPT.value, "a state is damaged, or of another gateway")
            elif checkpoint.epoch == self._committer.epoch:
                await self._refuse(StateRefusal.OTHER_EPOCH.value, "a state of this very card was given back")
            else:
                usable[checkpoint.subject] = checkpoint
        states = {subject: (f"{one.epoch}:{one.seq}", one.state) for subject, one in usable.items()}
        try:
            resumed = await self._judge.resume(states, ended=frozenset(given.ended), unknown=frozenset(given.unknown))
            await self._tell(usable, resumed)
            if given.more and given.checkpoints:
                self._after = given.checkpoints[-1].subject
            else:
                await self._committer.call(_settle)
                self._wanted = False
        except OutboxError as error:  # asked again, and what is joined already is not joined twice
            _log.warning("states that the county gave could not be kept: %s", error)
            return
        self._asked.set()

    async def _tell(self, usable: Mapping[str, Checkpoint], resumed: Resumed) -> None:
        for subject, reason in resumed.refused.items():
            await self._refuse(
                StateRefusal.UNREADABLE.value, f"the state of {subject}: {reason}; its rules start afresh"
            )
        for subject, rules in resumed.afresh.items():
            _log.warning("%s: the rules %s are of another version and start afresh", subject, ", ".join(rules))
        if not usable:
            return
        self._notes[RESUMED] += len(resumed.states)
        self._notes[AFRESH] += sum(map(len, resumed.afresh.values()))
        oldest_ms = min(one.taken_ms for one in usable.values())
        known_ms = self._notes.get(TAKEN_AT)
        self._notes[TAKEN_AT] = oldest_ms if known_ms is None else min(known_ms, oldest_ms)
        self._notes[RESUMED_AT] = self._clock.wall_ms()
        _log.info("goes on from what an earlier card knew of %d people", len(resumed.states))
        await self._note(dict(self._notes))

    async def _refuse(self, reason: str, detail: str) -> None:
        self._refused(reason, detail)
        await self._note({f"{REFUSED}{reason}": self._notes[f"{REFUSED}{reason}"]})

    def _refused(self, reason: str, detail: str) -> None:
        self._notes[f"{REFUSED}{reason}"] += 1
        _log.warning("detector states: %s: %s", reason, detail)

    async def _note(self, notes: Mapping[str, int]) -> None:
        try:
            await self._committer.call(lambda outbox: outbox.remember(notes))
        except OutboxError as error:
            _log.warning("%s", error)


def _taken(outbox: Outbox, *, gateway: str, subjects: frozenset[str], now_ms: int) -> tuple[Checkpoint, ...]:
    """Checkpoints of these people as they are committed now; a state that this program cannot read stays here."""
    epoch, seq = outbox.epoch, outbox.last_seq
    found = []
    for subject, state in sorted(outbox.states().items()):
        if subject in subjects:
            try:
                alerts = alerts_in(state)
            except StateRefused:
                continue
            found.append(sealed(gateway, Checkpoint(subject, epoch, seq, now_ms, alerts, state, b"")))
    return tuple(found)


def _settle(outbox: Outbox) -> None:
    outbox.keep_text(STATES_TEXT, OWN_TEXT)
