"""Times of scenario files, as people write them."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kanhu.firmware_sim import ScenarioRefused, load_scenario
from kanhu.firmware_sim.scenario.times import in_seconds, second_of_day

_MORNING_S = 7.5 * 3600


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("90 s", 90),
        ("5 min", 300),
        ("1 h 30 min", 5400),
        ("3 days", 259_200),
        ("0.5 s", 0.5),
        ("08:00", 1800),
        ("07:30:05", 5),
        ("day 2 07:30", 86_400),
        ("day 3 00:00", 2 * 86_400 - _MORNING_S),
    ],
)
def test_a_time_is_read_as_people_write_it(text: str, seconds: float) -> None:
    assert in_seconds(text, starts_s=_MORNING_S) == seconds


@pytest.mark.parametrize("text", ["", "soon", "5", "5 weeks", "25:00", "day two 08:00", "-5 s", "day 1", "8:5"])
def test_what_is_no_time_is_none(text: str) -> None:
    assert in_seconds(text, starts_s=0) is None


@given(st.text(max_size=20))
def test_any_text_is_a_time_or_none(text: str) -> None:
    seconds = in_seconds(text, starts_s=0)
    assert seconds is None or seconds >= 0


@given(st.integers(0, 86_399))
def test_every_second_of_the_day_is_read_back(second: int) -> None:
    text = f"{second // 3600:02}:{second // 60 % 60:02}:{second % 60:02}"
    assert second_of_day(text) == second


def _refusal(folder: Path, text: str) -> str:
    file = folder / "scenario.toml"
    file.write_text(f'name = "test"\n{text}', encoding="utf-8")
    with pytest.raises(ScenarioRefused) as refused:
        load_scenario(file)
    return str(refused.value)


_HOME = """
[[home]]
id = "home-01"
resident = [{ id = "r-0001", age_years = 80, sex = "f" }]
device = [{ id = "cuff-01", kind = "cuff-ble", person = "r-0001" }]
"""


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('duration = "1 h"\ndurations = 3\n' + _HOME, "did you mean duration?"),
        ('duration = "1 hour and more"\n' + _HOME, 'a length such as "90 s"'),
        ('duration = "1 h"\nduration_s = 5\n' + _HOME, "duration"),
        (
            'duration = "1 h"\n' + _HOME + '[[home.event]]\nat = "07:00"\ndevice = "cuff-01"\naction = "measure"',
            "event",
        ),
        (
            'duration = "1 h"\n'
            + _HOME
            + '[[home.event]]\nat_s = 1\ndevice = "cuff-01"\naction = "measure"\nsystolc = 1',
            "home home-01, event 1: systolc is no key here",
        ),
        ('duration = "1 h"\n' + _HOME + "[[expected]]\nrule = 'SOS'", "expected 1: by is missing"),
        (
            'duration = "1 h"\n' + _HOME + "[[expected]]\nrule = 'SOS'\nby = '2 s'\nsubject = 'r-9'",
            "no resident or home r-9",
        ),
        ('duration = "1 h"\n' + _HOME + "[[fault]]\nat_s = 1\non = 'gatway home-01'\nwhat = 'kill'", "gatway"),
        (
            'duration = "1 h"\ndepth = "pure"\n' + _HOME + "[[fault]]\nat_s = 1\non = 'broker'\nwhat = 'kill'",
            "needs depth process",
        ),
        (
            'duration = "1 h"\ndepth = "pure"\n' + _HOME + "[[fault]]\nat_s = 1\non = 'clock home-01'\nwhat = 'step'",
            "is wrong from 0 s on",
        ),
        ('duration = "1 h"\n' + _HOME.replace("cuff-ble", "scale"), 'write depth = "pure"'),
    ],
)
def test_a_refusal_names_file_place_and_remedy(tmp_path: Path, text: str, said: str) -> None:
    refusal = _refusal(tmp_path, text)
    assert said in refusal
    assert str(tmp_path / "scenario.toml") in refusal
