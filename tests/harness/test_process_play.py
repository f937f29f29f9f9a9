"""One home in real processes: the button is pressed into a silent link, told once that is back, and answered."""

from pathlib import Path

import pytest

from kanhu.firmware_sim import load_scenario
from kanhu.firmware_sim.scenario import site_of
from kanhu.harness.faults import Fault, Kind, Place, Target
from kanhu.harness.prove.desk import Worker
from kanhu.harness.prove.process_play import ProcessPlay, play_processes
from kanhu.harness.prove.process_scenario import village_homes
from kanhu.harness.prove.village import deliveries
from kanhu.harness.village.settings import Pace

_STORY = """
name = "one"
duration_s = 7

[[home]]
id = "home-01"
resident = [{ id = "r-01", age_years = 80, sex = "f" }]
device = [{ id = "button-01", kind = "button-bthome", person = "r-01" }]
event = [{ at_s = 2, device = "button-01", action = "press" }]
"""


@pytest.mark.broker
@pytest.mark.timeout(120)
async def test_a_call_pressed_into_a_silent_link_is_told_once_the_link_is_back(tmp_path: Path) -> None:
    file = tmp_path / "one.toml"
    file.write_text(_STORY, encoding="utf-8")
    scenario = load_scenario(file)
    silent = Fault(1.0, 3.0, Target(Place.LINK, "home-01"), Kind.SILENT)
    course = await play_processes(
        ProcessPlay(
            scenario=file,
            site=site_of(scenario),
            homes=village_homes(scenario),
            faults=(silent,),
            seconds=7,
            seed=1,
            workers=(Worker(0.2, 0.2),),
            pace=Pace(heartbeat_s=1),
        ),
        lambda _: None,
    )
    assert [(alert.subject, alert.rule, alert.priority) for alert in course.alerts] == [("r-01", "SOS", "high")]
    (delivery,) = deliveries(course)
    (broken,) = course.disturbances
    assert delivery.heard_ns is not None
    assert delivery.promise.accepted_ns < broken.to_ns <= delivery.heard_ns, "accepted in the silence, told after it"
    assert (delivery.took_ns or 0) < 10e9
    assert (course.claimed, course.closed, course.drained) == (1, 1, True)
    assert course.account is not None
    assert course.account.broken_promises() == []
