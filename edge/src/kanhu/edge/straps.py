"""Straps that stream: a Polar H10 tells its heart rate by itself, and electrocardiogram and acceleration when asked.

    linked --ask--> which settings --choose--> start --+-- taken --> frames --SignalFold--> stretches --> Signals
                                                       +-- refused: told as a remark, and asked again later

Heart rate and beat intervals come whatever becomes of the streams. Without somebody who looks at signals none is asked
for, and the strap's battery lasts longer.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial

from kanhu.contract import Observation, Subject, Times
from kanhu.edge.codecs import heart_rate
from kanhu.edge.codecs.polar_pmd import DATA_UUID, EPOCH_UNIX_MS, EcgFrame, decode_pmd_frame, milli_g
from kanhu.edge.codecs.polar_pmd_control import (
    CONTROL_UUID,
    SERVICE_UUID,
    PmdAnswer,
    PmdCode,
    PmdMeasurement,
    PmdSetting,
    PmdSettings,
    PmdStopped,
    decode_pmd_control,
    decode_pmd_settings,
    encode_pmd_settings_request,
    encode_pmd_start,
    encode_pmd_stop,
)
from kanhu.edge.errors import DecodeError, LinkLost, LinkReason
from kanhu.edge.intake import Intake, refused
from kanhu.edge.linked import LinkedPeer
from kanhu.edge.signals import Gathered, SignalFold, stretch_of
from kanhu.edge.ways import GattTarget, Write

AGAIN_S = 15.0
"""So often it is looked whether both streams flow; project choice: whoever falls should not wait for the next look."""
ANSWER_S = 10.0
"""A request that is not answered within so long is refused; the open client bleakheart waits as long."""
_STALLED_S = 10.0
"""A stream without a frame for so long has stopped: a frame comes every second at the latest."""
_QUIET_S = 300.0
"""As of any strap: on a link that only seems to stand nothing comes at all."""
_MOST_ANSWERS = 64
_FASTEST_HZ = 1000
"""No strap is faster; ten seconds of it fit a waveform."""
_RANGE_G = 8
"""A fall hits with several g; the widest range of an H10."""
_SECOND_NS = 1_000_000_000
_TARGET = GattTarget(
    heart_rate.SERVICE_UUID, heart_rate.CHARACTERISTIC_UUID, quiet_s=_QUIET_S, more_services=(SERVICE_UUID,)
)

_REMEDIES = {
    PmdCode.INVALID_MTU: "its messages are too small on this link; an H10 wants an ATT_MTU of 70 at least, better 232",
    PmdCode.ALREADY_IN_STATE: "another program reads it; end that one",
    PmdCode.NOT_SUPPORTED: "this model has none",
    PmdCode.INVALID_MEASUREMENT: "this model has none",
    PmdCode.IN_CHARGER: "take it off its charger",
}
_REMEDY = "take it off the strap for a minute; if it stays, look for newer firmware"


@dataclass(slots=True)
class _Stream:
    """One measurement of the strap."""

    name: str
    measurement: PmdMeasurement
    wanted_hz: int
    metrics: tuple[str, ...]
    fold: SignalFold | None = None
    """None until it was started."""
    settings: PmdSettings = field(default_factory=PmdSettings)
    heard_ns: int = 0
    """When a frame came last, or it was started."""
    refused: str = ""


class PolarPeer(LinkedPeer):
    """One strap, and what is asked of it. Only its maker's programs set its clock: docs/devices/strap-polar.md."""

    also: tuple[str, ...] = (CONTROL_UUID, DATA_UUID)

    def __init__(self, intake: Intake) -> None:
        """Begin before the first link."""
        super().__init__(intake, _TARGET)
        self.asking = None if intake.signals is None else self
        self._streams = (
            _Stream("ECG", PmdMeasurement.ECG, 130, ("ecg",)),
            _Stream("acceleration", PmdMeasurement.ACCELERATION, 50, tuple(f"acceleration_{axis}" for axis in "xyz")),
        )
        self._answers: asyncio.Queue[PmdAnswer] = asyncio.Queue(_MOST_ANSWERS)
        self._heard_ns = 0
        self._bad_bytes = 0

    def notified(self, value: bytes) -> None:
        """Heart rate and beat intervals."""
        self._heard_ns = self._intake.clock.mono_ns()
        self.inbox.put(partial(self._observe_heart_rate, value, self._sessions.measured()))

    def told(self, characteristic_uuid: str, value: bytes) -> None:
        """A frame, or a word of the control point."""
        self._heard_ns = self._intake.clock.mono_ns()
        try:
            if characteristic_uuid == DATA_UUID:
                self._frame(value)
            else:
                self._control(value)
        except DecodeError as error:
            if characteristic_uuid == DATA_UUID:
                self.inbox.put(refused(error))
            else:  # no reading; what was asked is not answered
                self._bad_bytes += len(value)
                self._intake.bad_bytes(self._bad_bytes)

    async def ask(self, write: Write) -> float:
        """Start what does not flow.

        Raises:
            LinkLost: nothing came for minutes on a link that seems to stand.
        """
        now_ns = self._intake.clock.mono_ns()
        if now_ns - self._heard_ns > _QUIET_S * _SECOND_NS:
            raise LinkLost(LinkReason.TIMED_OUT, f"connected, and no value for {_QUIET_S:.0f} s")
        for stream in self._streams:
            if stream.fold is not None and now_ns - stream.heard_ns < _STALLED_S * _SECOND_NS:
                continue
            try:
                stream.refused = await self._start(stream, write)
            except LinkLost as lost:
                if lost.reason is not LinkReason.SERVICE_MISSING:
                    raise
                stream.refused = "not offered; a strap without Polar's service is configured as strap-ble"
        self._intake.remark("; ".join(f"{one.name}: {one.refused}" for one in self._streams if one.refused))
        return AGAIN_S

    def linked(self, reason: LinkReason) -> None:
        """The strap is connected and subscribed to."""
        self._heard_ns = self._intake.clock.mono_ns()
        super().linked(reason)

    def unlinked(self, reason: LinkReason, detail: str) -> None:
        """The link is gone: what had come until then is handed over, and what comes next does not join."""
        for stream in self._streams:
            self._stop(stream)
        super().unlinked(reason, detail)

    async def _start(self, stream: _Stream, write: Write) -> str:
        """Why it was refused; empty where it was started."""
        self._stop(stream)
        while not self._answers.empty():
            self._answers.get_nowait()
        try:
            offered = await self._request(encode_pmd_settings_request(stream.measurement), write)
            if offered.code != PmdCode.SUCCESS:
                return _why(offered)
            chosen = choose(decode_pmd_settings(offered.parameters), wanted_hz=stream.wanted_hz)
            rate_hz = chosen.get(PmdSetting.RATE_HZ, stream.wanted_hz)
            if not 0 < rate_hz <= _FASTEST_HZ:
                return f"it offers {rate_hz} Hz, which cannot be read; look for newer firmware"
            start = encode_pmd_start(stream.measurement, chosen)
            answer = await self._request(start, write)
            if answer.code == PmdCode.ALREADY_IN_STATE:  # of a link before, or it stalled
                await self._request(encode_pmd_stop(stream.measurement), write)
                answer = await self._request(start, write)
            if answer.code != PmdCode.SUCCESS:
                return _why(answer)
            stream.settings = decode_pmd_settings(answer.parameters)
        except DecodeError as error:
            return f"its answer cannot be read ({error})"
        except TimeoutError:
            return f"no answer within {ANSWER_S:.0f} s; take it off the strap for a minute"
        stream.fold = SignalFold(rate_hz, axes=len(stream.metrics))
        stream.heard_ns = self._intake.clock.mono_ns()
        return ""

    async def _request(self, request: bytes, write: Write) -> PmdAnswer:
        """The answer to one request, in one piece; one is asked at a time."""
        await write(CONTROL_UUID, request)
        parameters = b""
        async with asyncio.timeout(ANSWER_S):
            while True:
                answer = await self._answers.get()
                # A real H10 was seen to name another operation where it refused (phdiethelm/h10_ecg).
                if answer.code == PmdCode.SUCCESS and (answer.operation, answer.measurement) != tuple(request[:2]):
                    continue
                parameters += answer.parameters
                if not answer.more:
                    return PmdAnswer(
                        answer.operation, answer.measurement, answer.code, more=False, parameters=parameters
                    )

    def _control(self, value: bytes) -> None:
        word = decode_pmd_control(value)
        if isinstance(word, PmdStopped):
            for stream in self._streams:
                if stream.measurement in word.measurements:
                    self._stop(stream)
        elif not self._answers.full():  # it answers each request once; more is noise
            self._answers.put_nowait(word)

    def _frame(self, value: bytes) -> None:
        """Raises DecodeError."""
        frame = decode_pmd_frame(value)
        samples: Sequence[Sequence[int]]
        if isinstance(frame, EcgFrame):
            stream = self._streams[0]
            samples = [(microvolts,) for microvolts in frame.microvolts]
        else:
            stream = self._streams[1]
            samples = milli_g(frame, stream.settings.factor)
        if stream.fold is None:  # nobody asked for it on this link
            return
        stream.heard_ns = self._heard_ns
        self._hand_over(stream, stream.fold.add(frame.last_ns, samples))

    def _stop(self, stream: _Stream) -> None:
        if stream.fold is not None:
            self._hand_over(stream, stream.fold.cut())
        stream.fold = None

    def _hand_over(self, stream: _Stream, stretches: tuple[Gathered, ...]) -> None:
        for gathered in stretches:
            self.inbox.put(partial(self._look_at, gathered, stream.metrics, self._sessions.measured()))

    def _look_at(
        self, gathered: Gathered, metrics: tuple[str, ...], subject: Subject, times: Times
    ) -> tuple[Observation, ...]:
        if self._intake.signals is None:
            return ()
        return self._intake.signals.take(
            stretch_of(
                gathered,
                metrics=metrics,
                subject=subject,
                device=self._intake.device.id,
                times=times,
                epoch_ms=EPOCH_UNIX_MS,
            )
        )

    def _observe_heart_rate(self, value: bytes, subject: Subject, times: Times) -> Observation:
        return heart_rate.observe_heart_rate(
            heart_rate.decode_heart_rate(value), subject=subject, device=self._intake.device.id, times=times
        )


def choose(offered: PmdSettings, *, wanted_hz: int) -> dict[PmdSetting, int]:
    """One value of each setting that is offered: the wanted rate or the next faster one, the finest, the widest."""
    chosen: dict[PmdSetting, int] = {}
    for setting, values in offered.values.items():
        if not values or setting is PmdSetting.FACTOR:
            continue
        chosen[setting] = max(values)
        if setting is PmdSetting.RATE_HZ:
            chosen[setting] = min((rate for rate in values if rate >= wanted_hz), default=max(values))
        elif setting is PmdSetting.RANGE_G and _RANGE_G in values:
            chosen[setting] = _RANGE_G
    return chosen


def _why(answer: PmdAnswer) -> str:
    try:
        code = PmdCode(answer.code)
    except ValueError:
        return f"refused with code {answer.code}; {_REMEDY}"
    return f"refused, {code.name.lower().replace('_', ' ')} ({code.value}); {_REMEDIES.get(code, _REMEDY)}"
