"""What both oxygen detectors ask of a reading before it counts."""

import math
from datetime import datetime
from enum import StrEnum

from kanhu.contract import Motion
from kanhu.vitals.arrival import Arrival, Order
from kanhu.vitals.oxygen.settings import OxygenSettings

__all__ = ["OxygenReason", "doubted"]


class OxygenReason(StrEnum):
    """The closed list of answers. docs/detection/oxygen.md explains each."""

    # These have to be said.
    DROPPED = "dropped"
    BACK = "back"
    # Counted: a dip at night has ended.
    SHALLOW_DIP = "shallow_dip"
    DEEP_DIP = "deep_dip"
    # The reading counts, and nothing is said, or not again.
    COLLECTING = "collecting"
    LEARNING = "learning"
    AS_USUAL = "as_usual"
    CONFIRMING = "confirming"
    ALREADY_SAID = "already_said"
    FALLEN = "fallen"
    NOT_A_DIP = "not_a_dip"
    # The reading is not believed.
    MOVING = "moving"
    LOW_PERFUSION = "low_perfusion"
    JUMP = "jump"
    NO_VALUE = "no_value"
    OUT_OF_RANGE = "out_of_range"
    CLOCK_UNSET = "clock_unset"
    DUPLICATE = "duplicate"
    OUT_OF_ORDER = "out_of_order"


def doubted(
    spo2_percent: float, at: datetime, *, perfusion_percent: float | None, motion: Motion | None, order: Order,
    settings: OxygenSettings,
) -> tuple[OxygenReason | None, Arrival]:  # fmt: skip  # words by rows
    """Why a reading does not count, None where it does; only the time of one that may count is taken into `order`."""
    low, high = settings.possible_percent
    if not math.isfinite(spo2_percent):
        return OxygenReason.NO_VALUE, Arrival.NEXT
    if not low <= spo2_percent <= high:
        return OxygenReason.OUT_OF_RANGE, Arrival.NEXT
    if motion is Motion.MOVING:
        return OxygenReason.MOVING, Arrival.NEXT
    # A strength that is no number is not known, as where the device does not send one.
    if perfusion_percent is not None and perfusion_percent < settings.least_perfusion_percent:
        return OxygenReason.LOW_PERFUSION, Arrival.NEXT
    arrival = order.take(at)
    if arrival in {Arrival.NEXT, Arrival.ANEW}:
        return None, arrival
    return OxygenReason(arrival.value), arrival
