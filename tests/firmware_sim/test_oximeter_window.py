"""Oximeter windows carry their truth, and each artefact spoils them in its own way."""

from itertools import pairwise
from statistics import median

import pytest

from kanhu.firmware_sim.devices.oximeter_window import OximeterWindow, PulseWave
from kanhu.firmware_sim.scenario.model import Artefact


def _window(artefact: Artefact | None, *, seed: str = "1") -> OximeterWindow:
    return PulseWave(seed=seed).window(95, 72, artefact=artefact)


def test_a_clean_window_is_600_valid_packets_of_the_true_values() -> None:
    window = _window(None)
    assert len(window.packets) == window.valid_packets == 600
    assert {(packet.spo2_percent, packet.pulse_bpm) for packet in window.packets} == {(95, 72)}


def test_a_clean_window_beats_as_often_as_its_pulse() -> None:
    assert sum(packet.beep for packet in _window(None).packets) == 12


def test_the_wave_runs_on_from_one_window_into_the_next() -> None:
    wave = PulseWave(seed="1")
    packets = wave.window(95, 72).packets + wave.window(95, 72).packets
    steps = [abs(later.pleth - earlier.pleth) for earlier, later in pairwise(packets)]
    assert steps[599] <= max(steps[:599])


def test_a_loose_finger_shows_false_low_values_between_packets_that_say_the_finger_is_out() -> None:
    window = _window(Artefact.LOOSE_FINGER)
    out = [packet for packet in window.packets if packet.finger_out]
    shown = [packet.spo2_percent for packet in window.packets if not packet.finger_out]
    assert 100 <= len(out) <= 200
    assert {(packet.spo2_percent, packet.pulse_bpm) for packet in out} == {(127, 255)}
    assert 70 <= min(shown) <= median(shown) <= max(shown) <= 80
    assert window.spo2_percent == 95


@pytest.mark.parametrize(
    ("artefact", "valid"), [(Artefact.FINGER_OUT, 0), (Artefact.SEARCHING, 420), (Artefact.WEAK_SIGNAL, 600)]
)
def test_an_artefact_leaves_so_many_valid_packets(artefact: Artefact, valid: int) -> None:
    assert _window(artefact).valid_packets == valid


def test_an_unstable_window_jumps() -> None:
    shown = {packet.spo2_percent for packet in _window(Artefact.UNSTABLE).packets}
    assert max(shown) - min(shown) >= 4


def test_the_same_seed_spoils_a_window_the_same_way() -> None:
    assert _window(Artefact.LOOSE_FINGER) == _window(Artefact.LOOSE_FINGER)
    assert _window(Artefact.LOOSE_FINGER) != _window(Artefact.LOOSE_FINGER, seed="2")
