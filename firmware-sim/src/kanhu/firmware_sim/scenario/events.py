"""What happens to a device of a scenario: the events that are written, and habits, day after day, as events."""

from collections.abc import Iterator

from kanhu.firmware_sim.scenario.model import (
    SESSION_PAUSE_S,
    WINDOW_S,
    DeviceEntry,
    DeviceKind,
    Event,
    Habit,
    Home,
    Measure,
    Press,
    Remove,
    Scenario,
    Wear,
    start_of_day_s,
)
from kanhu.firmware_sim.scenario.times import DAY_S, second_of_day

__all__ = ["all_events", "shortest_s"]


def all_events(scenario: Scenario, home: Home, device: DeviceEntry) -> list[Event]:
    """What happens to one device in order, habits among it; what is written stands in for a habit at the same time."""
    written = [event for event in home.event if event.device == device.id]
    busy = [(event.at_s, event.at_s + shortest_s(event) + SESSION_PAUSE_S) for event in written]
    kept = [
        event
        for event in _habits_of(scenario, home, device)
        if not any(from_s - shortest_s(event) - SESSION_PAUSE_S <= event.at_s <= to_s for from_s, to_s in busy)
    ]
    return sorted((*written, *kept), key=lambda event: event.at_s)


def shortest_s(event: Event) -> float:
    """How many seconds an event keeps its device busy at least."""
    if isinstance(event, Wear):
        return sum(window.count for window in event.windows) * WINDOW_S
    return 0.0


def _habits_of(scenario: Scenario, home: Home, device: DeviceEntry) -> list[Event]:
    events: list[Event] = []
    for habit in (habit for resident in home.resident for habit in resident.habit if habit.device == device.id):
        end_s = scenario.duration_s if habit.to_s is None else min(habit.to_s, scenario.duration_s)
        for at_s in _habit_times(scenario, habit):
            if habit.from_s <= at_s <= end_s:
                events += _as_events(habit, device.kind, at_s)
    return sorted((event for event in events if event.at_s <= scenario.duration_s), key=lambda event: event.at_s)


def _habit_times(scenario: Scenario, habit: Habit) -> Iterator[float]:
    starts_s = start_of_day_s(scenario)
    days = int((starts_s + scenario.duration_s) // DAY_S) + 1
    for day in range(0, days, habit.every_days):
        for text in habit.times:
            yield day * DAY_S + (second_of_day(text) or 0.0) - starts_s


def _as_events(habit: Habit, kind: DeviceKind, at_s: float) -> list[Event]:
    match kind:
        case DeviceKind.OXIMETER:
            return [Wear(at_s=at_s, device=habit.device, windows=habit.windows)]
        case DeviceKind.STRAP:
            wear = Wear(
                at_s=at_s,
                device=habit.device,
                rhythm=habit.rhythm,
                rr_file=habit.rr_file,
                rr_first_beat=habit.rr_first_beat,
            )
            return [wear, Remove(at_s=at_s + habit.worn_for_s, device=habit.device)]
        case DeviceKind.BUTTON:
            return [Press(at_s=at_s, device=habit.device)]
        case _:
            return [Measure(at_s=at_s, device=habit.device)]
