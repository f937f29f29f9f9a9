"""Values of one stream in order; one wrong clock silences nobody for good."""

from datetime import UTC, datetime, timedelta

import pytest

from kanhu.vitals.arrival import LATE_IN_A_ROW, Arrival, Order

NOW = datetime(2026, 3, 1, tzinfo=UTC)


def test_later_values_count_and_others_do_not() -> None:
    order = Order()
    taken = [order.take(NOW + timedelta(seconds=second)) for second in (0, 1, 1, -5, 2)]
    assert taken == ["next", "next", "duplicate", "out_of_order", "next"]


def test_a_clock_that_was_ahead_once_is_forgotten() -> None:
    order = Order()
    order.take(NOW + timedelta(days=4000))
    taken = [order.take(NOW + timedelta(seconds=second)) for second in range(LATE_IN_A_ROW + 1)]
    assert taken == [*["out_of_order"] * (LATE_IN_A_ROW - 1), "anew", "next"]


def test_a_time_without_zone_is_no_time() -> None:
    assert Order().take(NOW.replace(tzinfo=None)) is Arrival.CLOCK_UNSET


@pytest.mark.parametrize(("last", "late"), [(float("nan"), 0), (float("inf"), 0), (0.0, -1), (0.0, 99)])
def test_what_no_order_can_be_is_refused(last: float, late: int) -> None:
    with pytest.raises(ValueError, match="not an order"):
        Order(last, late)
