"""Every number of the beat detector, with its source."""

import msgspec


class BeatSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Seconds, hertz and shares; a share is of the level of beats, a height of the envelope, unless it says otherwise.

    Project choices unless a source is named; chosen on six records of the MIT-BIH Arrhythmia Database.
    """

    hop_s: float = 0.5
    """The signal is looked at in steps of this length, whatever the length of the blocks that bring it."""
    band_low_hz: float = 5.0
    """Pan and Tompkins 1985, "A real-time QRS detection algorithm": the QRS stands out from 5 Hz on."""
    band_high_hz: float = 20.0
    filter_s: float = 0.4
    envelope_s: float = 0.1
    """About as long as a QRS: Elgendi 2013, "Fast QRS detection with an optimized knowledge-based method", 97 ms."""
    refractory_s: float = 0.2
    """No second beat follows within it: Pan and Tompkins 1985."""
    learning_s: float = 3.0
    level_beats: int = 8
    """Pan and Tompkins 1985: eight beats make the level and the usual interval."""
    level_quantile: float = 0.35
    threshold_share: float = 0.38
    search_share: float = 0.2
    search_noise_times: float = 2.5
    """A beat found late stands out this often from what was refused, else P waves in a pause would be beats."""
    search_after_intervals: float = 1.66
    """Pan and Tompkins 1985."""
    t_wave_s: float = 0.36
    """Pan and Tompkins 1985: what follows within it may be a T wave, which is less steep."""
    t_wave_slope_share: float = 0.5
    p_wave_s: float = 0.28
    """What leads to a steeper peak within it may be a P wave."""
    p_wave_slope_share: float = 1.0
    relearn_after_s: float = 8.0
    """No pause of the heart that anybody survives at home lasts as long; electrodes come loose."""
    refine_s: float = 0.07
    window_s: float = 5.0
    lost_share: float = 0.2
    """Of the samples of a window that are no numbers."""
    flat_share: float = 0.95
    """Of the steps of a window that are none."""
    clipped_run_s: float = 0.05
    clipped_share: float = 0.02
    noisy_ratio: float = 0.26
    """Of the median of the envelope to its 95th percentile: between beats the heart is quiet. Chosen on strips of
    the CinC 2017 challenge: about one in thirteen that people could read is refused, half of the noise found."""
