"""How large a parcel may be: learnt from what passed, for any link, and no alert waits long behind one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kanhu.contract.envelope import MAX_ENVELOPE_BYTES
from kanhu.gateway.allowance import FIRST_BYTES, LEAST_BYTES, PASSES_IN_S, Allowance

_ALERT_BYTES = 200
_PARCELS = 40

_rates = st.floats(min_value=300, max_value=1e7)
"""Bytes a second."""
_delays = st.floats(min_value=0.0, max_value=1.0)
"""Seconds there and back."""


class Link:
    """Carries parcels one after the other at one rate; an acknowledgement comes one round trip later."""

    def __init__(self, bytes_per_s: float, delay_s: float) -> None:
        self.bytes_per_s = bytes_per_s
        self.delay_s = delay_s
        self.free_s = 0.0

    def acknowledged_s(self, size: int, *, left_s: float) -> float:
        """When the acknowledgement of a parcel comes that is handed over now."""
        self.free_s = max(self.free_s, left_s) + size / self.bytes_per_s
        return self.free_s + self.delay_s


class SixtyKib(Allowance):
    """The broken variant: whole envelopes, whatever the link."""

    def passed(self, *_: object, **__: object) -> None:
        self.parcel_bytes = MAX_ENVELOPE_BYTES


def drain(allowance: Allowance, link: Link, *, parcels: int = _PARCELS) -> tuple[float, list[float]]:
    """Send full parcels one after the other; how long each took."""
    now_s, took_s = 0.0, []
    for _ in range(parcels):
        passage = allowance.leave(allowance.parcel_bytes)
        back_s = link.acknowledged_s(passage.size, left_s=now_s)
        allowance.passed(passage, seconds=back_s - now_s)
        took_s.append(back_s - now_s)
        now_s = back_s
    return now_s, took_s


@given(_rates, _delays)
def test_on_any_steady_link_a_parcel_comes_to_take_the_time_aimed_at(bytes_per_s: float, delay_s: float) -> None:
    allowance = Allowance()
    _, took_s = drain(allowance, Link(bytes_per_s, delay_s))
    assert took_s[-1] <= PASSES_IN_S * 1.01 or allowance.parcel_bytes == LEAST_BYTES
    assert took_s[-1] >= PASSES_IN_S * 0.9 or allowance.parcel_bytes in {LEAST_BYTES, MAX_ENVELOPE_BYTES}


@given(_rates, _delays)
def test_growing_never_overshoots(bytes_per_s: float, delay_s: float) -> None:
    allowance = Allowance()
    first_s = FIRST_BYTES / bytes_per_s + delay_s
    _, took_s = drain(allowance, Link(bytes_per_s, delay_s))
    assert max(took_s) <= max(first_s, PASSES_IN_S) * 1.01


@given(_rates, _delays, _rates)
def test_a_link_that_changes_in_the_middle_is_learnt_anew(before: float, delay_s: float, after: float) -> None:
    allowance, link = Allowance(), Link(before, delay_s)
    drain(allowance, link)
    link.free_s, link.bytes_per_s = 0.0, after
    _, took_s = drain(allowance, link)
    assert took_s[-1] <= PASSES_IN_S * 1.01 or allowance.parcel_bytes == LEAST_BYTES


_ACTS = st.lists(
    st.tuples(
        st.sampled_from(["passed", "stuck", "begin"]),
        st.integers(1, MAX_ENVELOPE_BYTES),
        st.floats(min_value=0.0, max_value=1000.0),
    ),
    max_size=60,
)


@given(_ACTS)
def test_whatever_happens_it_stays_between_its_bounds_and_changes_by_half_at_most(
    acts: list[tuple[str, int, float]],
) -> None:
    allowance = Allowance()
    for act, size, seconds in acts:
        before = allowance.parcel_bytes
        if act == "begin":
            allowance.begin()
            assert allowance.parcel_bytes == min(before, FIRST_BYTES)
            continue
        passage = allowance.leave(size)
        if act == "passed":
            allowance.passed(passage, seconds=seconds)
        else:
            allowance.stuck(passage, seconds=seconds)
        assert LEAST_BYTES <= allowance.parcel_bytes <= MAX_ENVELOPE_BYTES
        assert allowance.parcel_bytes >= before // 2
        assert allowance.parcel_bytes <= max(before, 2 * size), "nothing grows beyond twice what has passed"


@given(st.integers(1, 1000), st.floats(min_value=0.0, max_value=30.0))
def test_small_parcels_that_took_a_round_trip_say_nothing_of_the_rate(size: int, seconds: float) -> None:
    allowance = Allowance()
    allowance.passed(allowance.leave(size), seconds=seconds)
    assert allowance.parcel_bytes == FIRST_BYTES


def test_an_alert_that_waited_behind_a_parcel_is_not_taken_for_a_slow_link() -> None:
    allowance, link = Allowance(), Link(8000, 0.0)
    parcel = allowance.leave(16_000)
    parcel_s = link.acknowledged_s(parcel.size, left_s=0.0)
    alert = allowance.leave(_ALERT_BYTES)
    alert_s = link.acknowledged_s(alert.size, left_s=0.0)
    allowance.passed(parcel, seconds=parcel_s)
    allowance.passed(alert, seconds=alert_s)
    assert allowance.parcel_bytes > 15_000


def test_what_does_not_pass_at_all_halves_it_and_what_was_cut_early_does_not() -> None:
    allowance = Allowance()
    allowance.stuck(allowance.leave(4000), seconds=0.5)
    assert allowance.parcel_bytes == FIRST_BYTES
    allowance.stuck(allowance.leave(4000), seconds=20)
    assert allowance.parcel_bytes == FIRST_BYTES // 2
    allowance.begin()
    assert allowance.parcel_bytes == FIRST_BYTES // 2, "a slow link is remembered over a connection"


@pytest.mark.parametrize(("kind", "kept"), [(Allowance, True), (SixtyKib, False)])
@pytest.mark.parametrize("kbit_per_s", [9.6, 64])
def test_an_alert_waits_at_most_the_time_aimed_at_wherever_in_a_drain_it_comes(
    kind: type[Allowance], *, kept: bool, kbit_per_s: float
) -> None:
    waits_s = []
    for tenths in range(100):
        allowance, link = kind(), Link(kbit_per_s * 125, 0.1)
        now_s, _ = drain(allowance, link, parcels=20)
        link.acknowledged_s(allowance.parcel_bytes, left_s=now_s)
        raised_s = now_s + tenths * PASSES_IN_S / 100
        waits_s.append(link.acknowledged_s(_ALERT_BYTES, left_s=raised_s) - raised_s)
    assert (max(waits_s) <= PASSES_IN_S + 0.5) is kept
