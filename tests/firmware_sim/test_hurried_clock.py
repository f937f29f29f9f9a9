"""A clock that hurries: everybody who asks it sees the same time pass faster."""

from pathlib import Path

import pytest

from kanhu.contract import FakeClock
from kanhu.firmware_sim.cli import main
from kanhu.firmware_sim.hurried_clock import HurriedClock


def test_ten_seconds_pass_in_two_at_speed_five() -> None:
    real = FakeClock()
    clock = HurriedClock(real, speed=5)
    mono_ns, wall_ms, now = clock.mono_ns(), clock.wall_ms(), clock.now()
    assert (mono_ns, wall_ms, now) == (real.mono_ns(), real.wall_ms(), real.now())
    real.advance(2)
    assert clock.mono_ns() - mono_ns == 10_000_000_000
    assert clock.wall_ms() - wall_ms == 10_000
    assert (clock.now() - now).total_seconds() == 10


@pytest.mark.parametrize("speed", ["0", "50", "-1", "fast", "nan"])
def test_a_speed_that_cannot_be_played_is_refused(
    speed: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["serve", "--scenario", "x", "--state", str(tmp_path), "--journal", "x", "--speed", speed])
    assert ended.value.code == 2
    assert "is no number from 0.1 to 20" in capsys.readouterr().err
