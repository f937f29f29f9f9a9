"""Streams the signals of a strap to who asks for them, with its faults."""

import asyncio
from collections.abc import Callable, Mapping

from kanhu.contract.clock import Clock
from kanhu.firmware_sim.air import Peripheral, StreamService
from kanhu.firmware_sim.alone.course import AloneFault, Course, Options
from kanhu.firmware_sim.alone.model import Model
from kanhu.firmware_sim.bodies.signals import load_signal
from kanhu.firmware_sim.devices.polar_strap import FIRST_TIME_NS, PolarStrap
from kanhu.firmware_sim.wire.polar_pmd import PMD_CONTROL, PMD_DATA, PMD_SERVICE, Pmd, pmd_features

__all__ = ["StrapStream"]

_LOOK_S = 0.02
_NS_PER_S = 1_000_000_000


class StrapStream:
    """The streams of one strap."""

    def __init__(
        self, model: Model, options: Options, *, clock: Clock, say: Callable[[Mapping[str, object]], None]
    ) -> None:
        """Load what it plays.

        Raises:
            RecordRefused, OSError: a recording cannot be played, or read.
        """
        self._course = Course(model, options, clock=clock)
        self._clock = clock
        self._say = say
        self._began_ns = clock.mono_ns()
        signals = [load_signal(file) for file in options.recordings]
        self._strap = PolarStrap(signals, clock_ns=FIRST_TIME_NS + round(self._course.ahead_s * _NS_PER_S))
        self._answers: asyncio.Queue[bytes] = asyncio.Queue()  # whoever asked may be gone before it is answered
        self.service = StreamService(PMD_SERVICE, PMD_CONTROL, PMD_DATA, pmd_features([*Pmd]), self._asked)

    async def run(self, peripheral: Peripheral) -> None:
        """Answer and stream until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._stream(peripheral), name="stream data")
            while True:
                tasks.create_task(peripheral.answer(await self._answers.get()), name="stream answer")

    def _asked(self, request: bytes, att_mtu: int) -> None:
        answer = self._strap.asked(request, att_mtu=att_mtu, now_ns=self._now_ns())
        self._say({"asked": request.hex(), "answered": answer.hex()})
        self._answers.put_nowait(answer)

    async def _stream(self, peripheral: Peripheral) -> None:
        while True:
            await self._clock.sleep(_LOOK_S)
            if not peripheral.has_listener():
                self._strap.unlinked()
                continue
            for frame in self._strap.due(self._now_ns() - round(self._course.late_s * _NS_PER_S)):
                for each in self._course.messages(frame):
                    await peripheral.stream(each)
                if self._course.happens(AloneFault.DISCONNECTS):
                    self._say({"dropped": frame[:1].hex()})
                    await peripheral.drop()
                    break

    def _now_ns(self) -> int:
        return self._clock.mono_ns() - self._began_ns
