"""Asks one library of the field where the beats are; runs in an environment of its own and imports nothing of kanhu.

`python peers_beats.py LIBRARY QUESTION.npz ANSWER.npz`. The question: `signal` in mV, records one after another,
`offsets` of the records, `rate_hz`. The answer: `beats`, samples within their record, with `offsets`; `seconds` in all.
"""

import sys
import time
from collections.abc import Callable, Mapping
from importlib import import_module
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

Signal = NDArray[np.float64]
Found = Callable[[Signal, float], Any]
"""Beats of one record, from its signal in mV and its rate in Hz."""


def _xqrs(signal: Signal, rate_hz: float) -> Any:
    return import_module("wfdb.processing").xqrs_detect(sig=signal, fs=rate_hz, verbose=False)


def _gqrs(signal: Signal, rate_hz: float) -> Any:
    return import_module("wfdb.processing").gqrs_detect(
        d_sig=np.rint(signal * 200).astype(int), fs=rate_hz, adc_gain=200, adc_zero=0
    )


def _neurokit(signal: Signal, rate_hz: float) -> Any:
    library = import_module("neurokit2")
    _, found = library.ecg_peaks(library.ecg_clean(signal, sampling_rate=rate_hz), sampling_rate=rate_hz)
    return found["ECG_R_Peaks"]


def _biosppy(signal: Signal, rate_hz: float) -> Any:
    return import_module("biosppy.signals.ecg").ecg(signal=signal, sampling_rate=rate_hz, show=False)["rpeaks"]


def _ecgdetectors(way: str) -> Found:
    return lambda signal, rate_hz: getattr(import_module("ecgdetectors").Detectors(rate_hz), way)(signal)


LIBRARIES: Mapping[str, Found] = {
    "wfdb_xqrs": _xqrs,
    "wfdb_gqrs": _gqrs,
    "neurokit2": _neurokit,
    "biosppy": _biosppy,
    "ecgdetectors_pan_tompkins": _ecgdetectors("pan_tompkins_detector"),
    "ecgdetectors_hamilton": _ecgdetectors("hamilton_detector"),
    "ecgdetectors_engzee": _ecgdetectors("engzee_detector"),
}
"""Each with its own defaults."""


def main(library: str, question: str, answer: str) -> None:
    """Every record, one after another; a record on which a library fails has no beats."""
    found, seconds, failed = [], 0.0, 0
    with np.load(question) as asked:
        signal, offsets, rate_hz = asked["signal"], asked["offsets"].tolist(), float(asked["rate_hz"])
    for first, end in pairwise(offsets):
        began = time.perf_counter()
        try:
            beats = np.asarray(LIBRARIES[library](signal[first:end], rate_hz), dtype=np.int64)
        except Exception as error:  # noqa: BLE001  # whatever a library raises, the others are asked all the same
            print(f"record at {first}: {error!r}")
            beats, failed = np.zeros(0, dtype=np.int64), failed + 1
        seconds += time.perf_counter() - began
        found.append(beats)
    counts = np.cumsum([0, *map(len, found)])
    np.savez(
        answer, beats=np.concatenate(found), offsets=counts, seconds=np.asarray(seconds), failed=np.asarray(failed)
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
