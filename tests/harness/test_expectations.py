"""What has to be raised is data with sources, and a file that says nonsense is refused."""

from pathlib import Path

import pytest

from kanhu.firmware_sim.truth import HappeningKind
from kanhu.harness.errors import ExpectationsRefused
from kanhu.harness.report import Limit
from kanhu.harness.scoring.expectations import EXPECTATIONS_PATH, read_expectations
from kanhu.harness.scoring.figures import scaled_limits
from kanhu.vitals import core_pack


def test_every_kind_of_happening_is_expected_with_a_source() -> None:
    expectations = read_expectations()
    assert set(expectations.kinds) == set(HappeningKind)
    assert all(each.source for each in expectations.kinds.values())


NOT_SIMULATED = {
    *("ALARM-BAD", "SENSOR-BAD", "CAME-BACK", "GATEWAY-FLOOD"),
    *("ROOM-COLD", "ROOM-HEAT", "SMOKE", "CARBON-MONOXIDE", "GAS", "WATER"),
    *("BP-LOW", "GLU-HIGH", "TEMP-LOW", "RR-EXTREME", "HR-HIGH"),
}
"""Equipment, rooms, and what happens to nobody in the simulated county; tests and stories of the library have them."""


def test_every_rule_of_the_shipped_pack_answers_something_that_is_simulated() -> None:
    answering = {rule for each in read_expectations().kinds.values() for rule in each.raises}
    assert {rule.id for rule in core_pack().rules} - answering == NOT_SIMULATED


@pytest.mark.parametrize(
    ("find", "put", "said"),
    [
        ('kind = "call"', 'kind = "misuse"', "call"),
        ("least_s = 300", "least_s = true", "least_s"),
        ("least_s = 300", "at_least_s = 300", "at_least_s"),
        ("spo2 = 1.0", "sp02 = 1.0", "sp02"),
        ('measured_by = ["bp"]', 'measured_by = ["cuff"]', "cuff"),
        ('priority = "medium"', 'priority = "amber"', "amber"),
        ("[staff]", "[staff", "line"),
    ],
)
def test_a_file_that_says_nonsense_is_refused(tmp_path: Path, find: str, put: str, said: str) -> None:
    path = tmp_path / "expectations.toml"
    text = EXPECTATIONS_PATH.read_text(encoding="utf-8")
    assert find in text
    path.write_text(text.replace(find, put, 1), encoding="utf-8")
    with pytest.raises(ExpectationsRefused, match=said):
        read_expectations(path=path)


def test_limits_for_a_full_county_shrink_with_the_run_and_never_to_nothing() -> None:
    limits = {
        "missed": Limit("equals", 0, "all"),
        "false_high": Limit("at_most", 30, "aim"),
        "seconds_total": Limit("at_most", 900, "patience"),
    }
    scaling = {"false_high": 30_000.0, "seconds_total": 30_000.0}
    small = scaled_limits(limits, scaling, person_days=250)
    assert {name: limit.bound for name, limit in small.items()} == {"missed": 0, "false_high": 1}
    full = scaled_limits(limits, scaling, person_days=30_000)
    assert {name: limit.bound for name, limit in full.items()} == {"missed": 0, "false_high": 30, "seconds_total": 900}
