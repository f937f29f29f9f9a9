"""When a reading arrived, by the gateway's clocks."""

from kanhu.contract import Clock, Times


def arrived(clock: Clock) -> Times:
    """Now; a codec adds the device's own time where it was sent."""
    return Times(clock.wall_ms(), clock.mono_ns(), clock.boot, clock.state())
