"""`./run prove starve`: what it refuses and compares. That gateways take turns: tests/cloud/test_receiver.py."""

import pytest

from kanhu.harness.prove import starve
from kanhu.harness.report import Verdict, read_limits


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--seconds", "1"], "5 to 3600"),
        (["--seconds", "nan"], "5 to 3600"),
        (["--rate", "0"], "1 to 20000"),
        (["--broken", "acl"], "invalid choice"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_starts(
    capsys: pytest.CaptureFixture[str], words: list[str], said: str
) -> None:
    with pytest.raises(SystemExit) as ended:
        starve.main(words)
    assert ended.value.code == 2
    assert said in capsys.readouterr().err


@pytest.mark.parametrize(("beside_ms", "kept"), [(499.0, True), (700.0, False)])
def test_waits_are_compared_with_those_of_the_same_county_left_alone(beside_ms: float, kept: bool) -> None:
    quiet = {"receipt_p50_ms": 20.0, "receipt_p99_ms": 250.0, "owed": 0, "receipts_silent": 0}
    beside = {"receipt_p50_ms": 90.0, "receipt_p99_ms": beside_ms, "owed": 0, "sent": 4000, "receipts_silent": 0}
    figures = starve._figures(quiet, beside)
    assert figures["p99_times"] == round(beside_ms / 250, 2)
    verdict = read_limits("prove-starve")["p99_times"].judge(figures["p99_times"])
    assert verdict is (Verdict.KEPT if kept else Verdict.BROKEN)
