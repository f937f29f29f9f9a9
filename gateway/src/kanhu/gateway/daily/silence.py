"""The silence of one home on the card: heard with every reading, looked at once a minute.

What the silence comes to is `vitals.inactivity.HomeWatch`. Nothing is looked at while nobody knows the time.
"""

import base64
import binascii
import logging
from collections.abc import Callable
from functools import partial
from zoneinfo import ZoneInfo

from kanhu.contract import Observation
from kanhu.gateway.committer import Committer
from kanhu.gateway.daily.hours import Moment
from kanhu.gateway.daily.settings import InactivityConfig
from kanhu.gateway.errors import OutboxError
from kanhu.gateway.outbox import Outbox
from kanhu.vitals import StateRefused
from kanhu.vitals.inactivity import HomeStep, HomeWatch, local_s
from kanhu.vitals.rules.records import Asked

__all__ = ["KEPT", "Silence", "kept_home"]

KEPT = "silence"
"""Under which name the outbox file keeps what is known of the home."""
_LOOK_NS = 60 * 10**9
_WRITTEN_NS = 240 * 10**9
"""The card is written this often, and at every step: so a short restart is no time without a look."""

_log = logging.getLogger(__name__)


def kept_home(outbox: Outbox, resident: str, config: InactivityConfig, asked: Asked) -> HomeWatch:
    """As the card has it; one that learns afresh where that is damaged, or not there."""
    make = partial(HomeWatch, resident, way_out=lambda device: device in config.way_out, answer_s=_answer_s(asked))
    text = outbox.text(KEPT)
    try:
        return make(state=base64.b64decode(text, validate=True)) if text else make()
    except (StateRefused, binascii.Error, ValueError) as error:
        _log.error("what was known of the home is lost, its days are learned anew: %s", error)
        return make()


class Silence:
    """Of the one person who lives at this gateway."""

    def __init__(
        self, resident: str, config: InactivityConfig, *, asked: Asked, committer: Committer, zone: ZoneInfo
    ) -> None:
        """Nothing is read yet."""
        self.resident = resident
        self._read = partial(kept_home, resident=resident, config=config, asked=asked)
        self._committer = committer
        self._zone = zone
        self._watch: HomeWatch | None = None
        self._boot = ""
        self._looked_ns = self._written_ns = -_WRITTEN_NS
        self.pending: tuple[HomeStep, int] | None = None
        """To be told, with its minutes; kept until that has been stored."""

    def hear(self, observation: Observation, now: Moment) -> None:
        """A reading was taken; what came before the card was read is no sign."""
        at_s = self._local_s(now)
        if self._watch is not None and at_s is not None and self._watch.hear(observation, at_s) is HomeStep.ACTIVE:
            self.pending = (HomeStep.ACTIVE, 0)

    async def look(self, now: Moment, *, ask: Callable[[], object]) -> None:
        """Once a minute: `ask` is called where the person is to be asked, `pending` says what is to be told.

        Raises:
            OutboxError: the card cannot be read; nothing was looked at.
        """
        if self._watch is None:
            self._watch = await self._committer.call(self._read)
        if self._boot != now.boot:
            self._boot, self._looked_ns, self._written_ns = now.boot, now.mono_ns - _LOOK_NS, now.mono_ns
        at_s = self._local_s(now)
        if self.pending is not None or at_s is None or now.mono_ns - self._looked_ns < _LOOK_NS:
            return
        self._looked_ns = now.mono_ns
        step = self._watch.look(at_s)
        if step is HomeStep.ASK:
            ask()
        elif step is not HomeStep.NOTHING:
            self.pending = (step, self._watch.silence_min(at_s))
        if step is not HomeStep.NOTHING or now.mono_ns - self._written_ns >= _WRITTEN_NS:
            self._written_ns = now.mono_ns
            if self.pending is None:
                await self.write()

    async def write(self) -> None:
        """On the card; goes on in memory where it takes nothing."""
        if self._watch is None:
            return
        text = base64.b64encode(self._watch.state()).decode("ascii")
        try:
            await self._committer.call(partial(Outbox.keep_text, name=KEPT, text=text))
        except OutboxError as error:
            _log.error("what is known of the home could not be written down: %s", error)

    def _local_s(self, now: Moment) -> float | None:
        if now.ms is None:
            return None
        try:
            return local_s(now.ms, self._zone)
        except (ValueError, OverflowError, OSError):  # outside the calendar
            return None


def _answer_s(asked: Asked) -> float:
    return asked.prompts * asked.apart_s
