"""Ten seconds of a CMS50D+ as packets: a pulse wave, the values on its display, and what spoils them."""

import math
import random
from dataclasses import dataclass, replace

from kanhu.firmware_sim.scenario.model import PACKETS_PER_WINDOW, Artefact
from kanhu.firmware_sim.wire import NO_PULSE, NO_SPO2, OximeterPacket
from kanhu.firmware_sim.wire.cms50d import PACKETS_PER_S

_GOOD_SIGNAL, _WEAK_SIGNAL = 6, 2
_PLETH_MIDDLE, _PLETH_SWING = 60, 50
_PLETH_PER_BAR = 8
_FINGER_OUT = OximeterPacket(spo2_percent=NO_SPO2, pulse_bpm=NO_PULSE, signal_strength=0, finger_out=True)
_SEARCHING = OximeterPacket(spo2_percent=NO_SPO2, pulse_bpm=NO_PULSE, signal_strength=1, searching=True)
# A loose finger: out for two thirds of a second, back with false values for two seconds, and again.
_LOOSE_OUT_PACKETS, _LOOSE_CYCLE_PACKETS = 40, 160
_LOOSE_SPO2_PERCENT = (70, 80)
_LOOSE_PULSE_BPM = (88, 150)
_SEARCHING_PACKETS = 180
_UNSTABLE_EVERY_PACKETS, _UNSTABLE_POINTS = 45, 6
_HOLD_PACKETS = 60  # false values change once a second, as the display does


@dataclass(frozen=True, slots=True)
class OximeterWindow:
    """600 packets and their truth."""

    packets: tuple[OximeterPacket, ...]
    spo2_percent: int
    pulse_bpm: int
    artefact: Artefact | None

    @property
    def valid_packets(self) -> int:
        """Packets that carry both values."""
        return sum(_carries_values(packet) for packet in self.packets)


class PulseWave:
    """Makes windows; the wave runs on from one window into the next."""

    def __init__(self, *, seed: str) -> None:
        """Draw from `seed`."""
        self._draw = random.Random(f"{seed}/pulse-wave")
        self._phase = 0.0

    def window(self, spo2_percent: int, pulse_bpm: int, *, artefact: Artefact | None = None) -> OximeterWindow:
        """The next window with these true values."""
        clean = [self._clean_packet(spo2_percent, pulse_bpm) for _ in range(PACKETS_PER_WINDOW)]
        packets = clean if artefact is None else self._spoil(clean, artefact)
        return OximeterWindow(tuple(packets), spo2_percent, pulse_bpm, artefact)

    def _clean_packet(self, spo2_percent: int, pulse_bpm: int) -> OximeterPacket:
        before, self._phase = self._phase, (self._phase + pulse_bpm / 60 / PACKETS_PER_S) % 1.0
        # A steep rise and a slower fall with a shoulder: two harmonics are enough for a display.
        turn = 2 * math.pi * self._phase
        height = 0.8 * math.sin(turn) + 0.35 * math.sin(2 * turn + 0.9)
        pleth = max(0, min(127, round(_PLETH_MIDDLE + _PLETH_SWING * height)))
        return OximeterPacket(
            spo2_percent=spo2_percent,
            pulse_bpm=pulse_bpm,
            signal_strength=_GOOD_SIGNAL,
            pleth=pleth,
            bar=pleth // _PLETH_PER_BAR,
            beep=self._phase < before,
        )

    def _spoil(self, clean: list[OximeterPacket], artefact: Artefact) -> list[OximeterPacket]:
        match artefact:
            case Artefact.FINGER_OUT:
                return [_FINGER_OUT] * len(clean)
            case Artefact.SEARCHING:
                return [_SEARCHING] * _SEARCHING_PACKETS + clean[_SEARCHING_PACKETS:]
            case Artefact.WEAK_SIGNAL:
                return [replace(packet, signal_strength=_WEAK_SIGNAL) for packet in clean]
            case Artefact.LOOSE_FINGER:
                return self._loose(clean)
            case Artefact.UNSTABLE:
                return self._unstable(clean)

    def _loose(self, clean: list[OximeterPacket]) -> list[OximeterPacket]:
        packets = []
        spo2_percent, pulse_bpm = _LOOSE_SPO2_PERCENT[0], _LOOSE_PULSE_BPM[0]
        for number, packet in enumerate(clean):
            if number % _HOLD_PACKETS == 0:
                spo2_percent = self._draw.randint(*_LOOSE_SPO2_PERCENT)
                pulse_bpm = self._draw.randint(*_LOOSE_PULSE_BPM)
            out = number % _LOOSE_CYCLE_PACKETS < _LOOSE_OUT_PACKETS
            packets.append(
                _FINGER_OUT
                if out
                else replace(packet, spo2_percent=spo2_percent, pulse_bpm=pulse_bpm, signal_strength=_WEAK_SIGNAL)
            )
        return packets

    def _unstable(self, clean: list[OximeterPacket]) -> list[OximeterPacket]:
        packets = []
        jump = 0
        for number, packet in enumerate(clean):
            if number % _UNSTABLE_EVERY_PACKETS == 0:
                jump = self._draw.randint(-_UNSTABLE_POINTS, _UNSTABLE_POINTS)
            packets.append(replace(packet, spo2_percent=max(1, min(100, packet.spo2_percent + jump))))
        return packets


def _carries_values(packet: OximeterPacket) -> bool:
    flagged = packet.finger_out or packet.searching or packet.probe_error
    return not flagged and packet.spo2_percent not in {0, NO_SPO2} and packet.pulse_bpm not in {0, NO_PULSE}
