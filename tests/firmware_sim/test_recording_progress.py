"""How far a recording has come is told in the form that its reader needs."""

import io
import json

from kanhu.contract import FakeClock
from kanhu.firmware_sim.recording.progress import Progress, ProgressForm


def _told(form: ProgressForm, *, step_s: float, before: int = 0) -> str:
    """Two villages of four days; `before` of them were whole already."""
    out, clock = io.StringIO(), FakeClock()
    progress = Progress(out, form=form, of=8, clock=clock)
    for village in range(before):
        progress.told(f"v{village}", 4, 4)
    for village in range(before, 2):
        for day in range(1, 5):
            clock.advance(step_s)
            progress.told(f"v{village}", day, 4)
    progress.end()
    return out.getvalue()


def test_a_program_gets_a_line_a_village_day() -> None:
    lines = [json.loads(line) for line in _told(ProgressForm.JSON, step_s=0.0).splitlines()]
    assert [line["done"] for line in lines] == [*range(1, 9)]
    assert lines[-1] == {"village": "v1", "done": 8, "of": 8}


def test_a_terminal_gets_one_line_that_moves_and_leaves_nothing() -> None:
    shown = _told(ProgressForm.TERMINAL, step_s=1.0)
    assert "\n" not in shown
    assert "50 %, 4 of 8 village-days, 0:04 left" in shown
    assert shown.endswith("\r\x1b[K")


def test_a_file_gets_a_line_every_quarter_of_a_minute_at_most() -> None:
    assert _told(ProgressForm.FILE, step_s=1.0) == ""
    lines = _told(ProgressForm.FILE, step_s=8.0).splitlines()
    assert lines == [
        "recording:  25 %, 2 of 8 village-days, 0:48 left",
        "recording:  50 %, 4 of 8 village-days, 0:32 left",
        "recording:  75 %, 6 of 8 village-days, 0:16 left",
        "recording: 100 %, 8 of 8 village-days, 0:00 left",
    ]


def test_what_was_whole_before_says_nothing_about_the_time_left() -> None:
    assert "75 %, 6 of 8 village-days, 0:16 left" in _told(ProgressForm.FILE, step_s=8.0, before=1)
