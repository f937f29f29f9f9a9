"""A Polar H10 behind its measurement service: what it answers, and the frames it sends by a given time. No clock.

idle --start--> streaming --frame full--> due ... --stop, or the host is gone--> idle
"""

from collections.abc import Sequence
from dataclasses import dataclass

from kanhu.firmware_sim.bodies.signals import (
    ACCELERATION,
    ECG,
    RecordedSignal,
    resting_acceleration,
    resting_ecg,
)
from kanhu.firmware_sim.wire.polar_pmd import (
    ACCELERATION_SAMPLE_BYTES,
    ECG_SAMPLE_BYTES,
    HEADER_BYTES,
    Pmd,
    PmdError,
    PmdOp,
    SettingType,
    acceleration_frame,
    ecg_frame,
    pmd_answer,
    pmd_settings,
)

__all__ = ["FIRST_TIME_NS", "PolarStrap"]

FIRST_TIME_NS = 599_616_000_000_000_000
"""2019-01-01 in nanoseconds since 2000: where an H10's clock begins until somebody sets it (TimeSystemExplained)."""

_ATT_HEADER_BYTES = 3
_SMALLEST_MTU, _LARGEST_MTU = 70, 232  # polar-ble-sdk, issues 55 and 227
_OFFERED: dict[Pmd, dict[SettingType, tuple[int, ...]]] = {
    Pmd.ECG: {SettingType.SAMPLE_RATE: (130,), SettingType.RESOLUTION: (14,)},
    Pmd.ACC: {
        SettingType.SAMPLE_RATE: (25, 50, 100, 200),
        SettingType.RESOLUTION: (16,),
        SettingType.RANGE: (2, 4, 8),
    },
}
_NOT_OFFERED = {
    SettingType.SAMPLE_RATE: PmdError.INVALID_SAMPLE_RATE,
    SettingType.RESOLUTION: PmdError.INVALID_RESOLUTION,
    SettingType.RANGE: PmdError.INVALID_RANGE,
}
_SETTING_BYTES = 4  # type, count, value
_NS_PER_S = 1_000_000_000


@dataclass(slots=True)
class _Running:
    rate_hz: int
    began_ns: int
    signal: RecordedSignal
    a_frame: int
    sent: int = 0


class PolarStrap:
    """One strap. Its signals are played again from their beginning when they end."""

    def __init__(self, signals: Sequence[RecordedSignal] = (), *, clock_ns: int = FIRST_TIME_NS) -> None:
        """What is not among `signals` is that of a resting body; `clock_ns` is what its clock shows at time zero."""
        played = {signal.columns: signal for signal in (resting_ecg(), resting_acceleration(), *signals)}
        self._signals = {Pmd.ECG: played[ECG], Pmd.ACC: played[ACCELERATION]}
        self._clock_ns = clock_ns
        self._running: dict[Pmd, _Running] = {}

    @property
    def streaming(self) -> frozenset[Pmd]:
        """What runs."""
        return frozenset(self._running)

    def asked(self, request: bytes, *, att_mtu: int, now_ns: int) -> bytes:
        """The answer to what a host wrote to the control point."""
        op, kind = request[0] if request else 0, request[1] if len(request) > 1 else 0
        if len(request) < 2:
            return pmd_answer(op, kind, PmdError.INVALID_LENGTH)
        if att_mtu < _SMALLEST_MTU:
            return pmd_answer(op, kind, PmdError.INVALID_MTU)
        if kind not in set(Pmd):
            return pmd_answer(op, kind, PmdError.INVALID_MEASUREMENT_TYPE)
        match op:
            case PmdOp.GET:
                return pmd_answer(op, kind, parameters=pmd_settings(_OFFERED[Pmd(kind)]))
            case PmdOp.START:
                error = self._start(Pmd(kind), request[2:], att_mtu=att_mtu, now_ns=now_ns)
                return pmd_answer(op, kind, error, b"\0")
            case PmdOp.STOP:
                stopped = self._running.pop(Pmd(kind), None)
                return pmd_answer(op, kind, PmdError.ALREADY_IN_STATE if stopped is None else PmdError.SUCCESS)
        return pmd_answer(op, kind, PmdError.INVALID_OP_CODE)

    def due(self, now_ns: int) -> list[bytes]:
        """Frames that are full by now and were not given yet."""
        return [frame for kind, running in self._running.items() for frame in self._full(kind, running, now_ns)]

    def unlinked(self) -> None:
        """The host is gone: nothing is streamed until it is asked for again."""
        self._running.clear()

    def _start(self, kind: Pmd, settings: bytes, *, att_mtu: int, now_ns: int) -> PmdError:
        if kind in self._running:
            return PmdError.ALREADY_IN_STATE
        offered = _OFFERED[kind]
        chosen: dict[int, int] = {}
        for at in range(0, len(settings), _SETTING_BYTES):
            one = settings[at : at + _SETTING_BYTES]
            if len(one) < _SETTING_BYTES or one[1] != 1 or one[0] not in offered:
                return PmdError.INVALID_PARAMETER
            chosen[one[0]] = int.from_bytes(one[2:], "little")
        if set(chosen) != set(offered):  # an H10 wants each of them
            return PmdError.INVALID_PARAMETER
        for setting, values in offered.items():
            if chosen[setting] not in values:
                return _NOT_OFFERED[setting]
        rate_hz = chosen[SettingType.SAMPLE_RATE]
        room = min(att_mtu, _LARGEST_MTU) - _ATT_HEADER_BYTES - HEADER_BYTES
        size = ECG_SAMPLE_BYTES if kind is Pmd.ECG else ACCELERATION_SAMPLE_BYTES
        self._running[kind] = _Running(rate_hz, now_ns, self._signals[kind], room // size)
        return PmdError.SUCCESS

    def _full(self, kind: Pmd, running: _Running, now_ns: int) -> list[bytes]:
        frames = []
        while (passed := running.sent + running.a_frame) * _NS_PER_S <= (now_ns - running.began_ns) * running.rate_hz:
            signal, count = running.signal, running.signal.count(running.rate_hz)
            played = [signal.sample(one % count, running.rate_hz) for one in range(running.sent, passed)]
            last_ns = self._clock_ns + running.began_ns + passed * _NS_PER_S // running.rate_hz
            if kind is Pmd.ECG:
                frames.append(ecg_frame(last_ns, [microvolts for (microvolts,) in played]))
            else:
                frames.append(acceleration_frame(last_ns, played))
            running.sent = passed
        return frames
