"""What the field's own libraries say: three readings of a frame compared, and the process that a library runs in."""

import ast
import asyncio
import json
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from kanhu.harness.apart import Apart, remedy_of
from kanhu.harness.errors import ProgramFailed
from kanhu.harness.report import Output
from kanhu.harness.vectors.file import read_vectors
from kanhu.harness.vectors.second_opinion import peer
from kanhu.harness.vectors.second_opinion.opinions import Opinion, Reading, Second, compare, ours_of
from kanhu.harness.vectors.second_opinion.outcome import give_second_opinion, hear
from kanhu.harness.vectors.second_opinion.questions import LIBRARIES, asked_of, question
from kanhu.harness.vectors.second_opinion.words import said_by
from kanhu.harness.vectors.vector import Vector

_SHIPPED = Path(__file__).resolve().parents[1] / "vectors" / "device_vectors.json"
_THERMOMETER = {
    "id": "t",
    "protocol": "Govee H5074",
    "layer": "BLE advertisement fields",
    "hex": "88ec001b0a9b196402",
    "input": {"device": "Govee_H5074_1234", "manufacturerdata": "88ec001b0a9b196402"},
    "expected": {"tempc": 25.87, "hum": 65.55, "batt": 100},
}
_RATE = {"id": "r", "protocol": "BLE HRS 0x2A37", "hex": "0055", "expected": {"heart_rate_bpm": 85}}
_PEER = """
import json, sys
told = json.loads({answers!r})
print(json.dumps([told[sys.argv[1]] for _ in json.load(sys.stdin)]))
"""


def vector(record: dict[str, Any], **changed: Any) -> Vector:
    one = {**record, **changed}
    return Vector(one["id"], one["protocol"], bytes.fromhex(one["hex"]), one["expected"], one)


def judged(one: Vector, library: str, **told: object) -> Second:
    ours = ours_of(one)
    assert ours is not None
    return compare(one, library, {"told": told or None, "value": question(one)["value"]}, ours=ours)


def answering(folder: Path, answers: dict[str, Any]) -> list[str]:
    """How to start a peer that gives each library the one answer, whatever it is asked."""
    script = folder / "peer.py"
    script.write_text(_PEER.format(answers=json.dumps(answers)), encoding="utf-8")
    return [sys.executable, "-I", str(script)]


def test_a_library_that_says_the_same_in_its_own_words_agrees() -> None:
    found = judged(vector(_THERMOMETER), "govee-ble", Temperature=25.87, Humidity=65.55, Battery=100)
    assert found.opinion is Opinion.AGREE
    assert found.fields == 3


def test_a_difference_names_the_field_and_all_three_values() -> None:
    found = judged(vector(_THERMOMETER), "govee-ble", Temperature=25.87, Humidity=65.5)
    assert found.opinion is Opinion.DIFFER
    assert [str(one) for one in found.differences] == ["Humidity: ours 65.55, theirs 65.5, published 65.55"]
    assert not found.against_us, "what was published is ours"


def test_a_value_that_nobody_published_differs_and_is_not_against_us() -> None:
    found = judged(vector(_THERMOMETER, expected={"tempc": 25.87}), "govee-ble", Battery=99)
    assert [str(one) for one in found.differences] == ["Battery: ours 100, theirs 99, published nothing"]
    assert not found.against_us


def test_a_library_and_the_publisher_together_are_against_us() -> None:
    planted = vector(_THERMOMETER, expected={"tempc": 25.88, "hum": 65.55})
    assert judged(planted, "govee-ble", Temperature=25.88).against_us
    assert not judged(planted, "govee-ble", Temperature=25.89).against_us


def test_a_field_that_both_tell_and_we_do_not_is_against_us() -> None:
    more = vector(_THERMOMETER, expected={"tempc": 25.87, "co2": 700})
    found = judged(more, "govee-ble", **{"Temperature": 25.87, "Carbon Dioxide": 700})
    assert [str(one) for one in found.differences] == ["Carbon Dioxide: ours nothing, theirs 700, published 700"]
    assert found.against_us


def test_no_number_is_no_agreement() -> None:
    assert judged(vector(_THERMOMETER), "govee-ble", Temperature=float("nan")).opinion is Opinion.DIFFER


def test_what_we_dispute_is_listed_and_not_held_against_us() -> None:
    disputed = next(one for one in read_vectors(_SHIPPED) if one.id == "469f2ecc06a6")
    found = judged(disputed, "TheengsDecoder", tempc=-7.3481, hum=48.1)
    (difference,) = found.differences
    assert difference.disputed
    assert difference.published_is_theirs
    assert not found.against_us
    assert found.own_frame
    assert judged(disputed, "govee-ble", Temperature=-7.3).opinion is Opinion.AGREE


def test_a_frame_that_both_refuse_as_published_is_agreement() -> None:
    short = vector(_RATE, hex="1701", expected={"error": "truncated"})
    assert ours_of(short) is Reading.REFUSED
    assert judged(short, "bluetooth-sig").opinion is Opinion.AGREE
    found = judged(short, "bluetooth-sig", heart_rate=1)
    assert found.opinion is Opinion.DIFFER
    assert not found.against_us, "its publisher calls it an error, as we do"


def test_a_frame_that_only_we_refuse_is_against_us() -> None:
    assert judged(vector(_RATE, hex="1701"), "bluetooth-sig", heart_rate=85).against_us


def test_a_library_that_tells_nothing_or_raises_cannot_decode() -> None:
    assert judged(vector(_RATE), "bluetooth-sig").opinion is Opinion.CANNOT_DECODE
    ours = ours_of(vector(_RATE))
    assert ours is not None
    raised = compare(vector(_RATE), "bluetooth-sig", {"raised": "ValueError: no"}, ours=ours)
    assert (raised.opinion, raised.said) == (Opinion.CANNOT_DECODE, "ValueError: no")


def test_words_of_no_common_meaning_are_neither_agreement_nor_difference() -> None:
    assert judged(vector(_RATE), "bluetooth-sig", sensor_location=3).opinion is Opinion.NOTHING_IN_COMMON


@pytest.mark.parametrize(
    ("theirs", "opinion"),
    [(25.87, Opinion.AGREE), (25.9, Opinion.DIFFER), (26, Opinion.DIFFER)],
)
def test_a_value_agrees_to_the_two_digits_that_libraries_round_to(theirs: float, opinion: Opinion) -> None:
    assert judged(vector(_THERMOMETER), "govee-ble", Temperature=theirs).opinion is opinion


def test_units_of_a_library_become_ours() -> None:
    said = said_by("ruuvitag-ble", {"Voltage": 2977, "Acceleration X": 9.81, "Acceleration Total": 9.81})
    assert set(said) == {"voltage", "acceleration x"}
    assert said["voltage"].value == Decimal("2.977")
    gravity = said["acceleration x"]
    assert isinstance(gravity.value, Decimal)
    assert abs(gravity.value - 1000) <= gravity.rounding


def test_records_of_a_characteristic_are_compared_field_by_field() -> None:
    monitor = vector(
        _RATE, protocol="BLE CGMS 0x2AA7", hex="06000c100600",
        expected={"records": [{"glucose_mg_dl": 120.0, "time_offset_min": 6}]},
    )  # fmt: skip  # words by rows
    agreed = judged(monitor, "bluetooth-sig", records=[{"size": 6, "glucose_concentration": 120.0, "time_offset": 6}])
    assert agreed.opinion is Opinion.AGREE
    found = judged(monitor, "bluetooth-sig", records=[{"glucose_concentration": 1.2e-06, "time_offset": 6}])
    assert [str(one) for one in found.differences] == [
        "records[0].glucose_mg_dl: ours 120, theirs 1.2e-06, published 120.0"
    ]


def test_only_libraries_meant_for_a_protocol_are_asked() -> None:
    assert asked_of(vector(_THERMOMETER)) == ["govee-ble", "TheengsDecoder"]
    assert asked_of(vector(_RATE)) == ["bluetooth-sig"]
    assert asked_of(vector(_RATE, protocol="Yonker BP")) == []


def test_every_library_is_asked_of_some_shipped_frame_and_can_be_asked_for() -> None:
    asked = {library for one in read_vectors(_SHIPPED) for library in asked_of(one)}
    assert asked == set(LIBRARIES) == set(peer.READERS)


def test_every_package_is_pinned_with_its_licence() -> None:
    lines = [
        line
        for line in Apart("second-opinion").pinned.read_text(encoding="utf-8").splitlines()
        if line and not line.startswith("#")
    ]
    assert [line for line in lines if "==" not in line or "  # " not in line] == []
    assert set(LIBRARIES) <= set(Apart("second-opinion").versions())


def test_the_program_of_the_other_environment_knows_nothing_of_kanhu() -> None:
    tree = ast.parse(Path(peer.__file__).read_text(encoding="utf-8"))
    imported = {name.name for node in ast.walk(tree) if isinstance(node, ast.Import) for name in node.names}
    imported |= {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert {name.partition(".")[0] for name in imported} <= set(sys.stdlib_module_names)


def test_exit_codes_and_figures_say_who_is_against_whom(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    some = [vector(_RATE), vector(_RATE, id="y", protocol="Yonker BP")]
    agreeing = answering(tmp_path, {"bluetooth-sig": {"told": {"heart_rate": 85}}})
    assert give_second_opinion(some, output=Output.TABLE_AND_JSON, peer=agreeing) == 0
    told = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert told["figures"] == {
        "libraries": 1, "answers": 1, "agree": 1, "differ": 0, "cannot_decode": 0, "nothing_in_common": 0,
        "agree_on_own_frames": 0, "fields": 1, "not_asked": 1, "against_us": 0,
    }  # fmt: skip  # words by rows
    differing = answering(tmp_path, {"bluetooth-sig": {"told": {"heart_rate": 84}}})
    assert give_second_opinion(some, output=Output.TABLE, peer=differing) == 0
    assert "heart_rate_bpm: ours 85, theirs 84, published 85" in capsys.readouterr().out


def test_a_planted_disagreement_goes_red(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    planted = [vector(_RATE, expected={"heart_rate_bpm": 84})]
    start = answering(tmp_path, {"bluetooth-sig": {"told": {"heart_rate": 84}}})
    assert give_second_opinion(planted, output=Output.TABLE, peer=start) == 1
    assert "AGAINST US, BLE HRS 0x2A37 r, bluetooth-sig: heart_rate_bpm: ours 85" in capsys.readouterr().out


def test_a_run_in_which_nothing_was_compared_goes_red(tmp_path: Path) -> None:
    start = answering(tmp_path, {"bluetooth-sig": {"told": None}})
    assert give_second_opinion([vector(_RATE)], output=Output.TABLE, peer=start) == 1


@pytest.mark.parametrize(
    ("source", "named"),
    [
        ("import sys; sys.exit('no such library')", "no such library"),
        ("print('[]')", "0 answers to 1 frames"),
        ("print('what?')", "no JSON"),
        ("import os; os.abort()", "asking bluetooth-sig failed"),
    ],
)
def test_a_library_that_does_not_answer_is_an_error_and_no_opinion(tmp_path: Path, source: str, named: str) -> None:
    script = tmp_path / "peer.py"
    script.write_text(source, encoding="utf-8")
    one = vector(_RATE)
    ours = ours_of(one)
    assert ours is not None
    with pytest.raises(ProgramFailed, match=named):
        asyncio.run(hear("bluetooth-sig", [(one, ours)], peer=[sys.executable, "-I", str(script)]))


def test_the_real_program_runs_alone_and_says_which_library_is_missing() -> None:
    one = vector(_RATE)
    ours = ours_of(one)
    assert ours is not None
    with pytest.raises(ProgramFailed, match="No module named 'pynmea2'"):
        asyncio.run(hear("pynmea2", [(one, ours)], peer=[sys.executable, "-I", peer.__file__]))


@pytest.mark.parametrize(
    ("said", "remedy"),
    [
        ("OSError: [Errno 28] No space left on device", "the disk is full"),
        ("NewConnectionError(... Temporary failure in name resolution)", "check the network"),
        ("ERROR: No matching distribution found for aranet4==2.6.0", "check the network"),
        ("CMake Error: CMAKE_CXX_COMPILER not set", "apt-get install g++ cmake"),
        ("something else", "remove its folder"),
    ],
)
def test_an_installation_that_fails_says_what_to_do(said: str, remedy: str) -> None:
    assert remedy in remedy_of(said)
