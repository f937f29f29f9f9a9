"""`./run bench devices`: codecs are measured on frames that they decode, and its twelve devices can be played."""

from pathlib import Path

import pytest

from kanhu.edge.errors import DecodeError
from kanhu.firmware_sim.scenario import load_scenario
from kanhu.harness.bench import codec_speed
from kanhu.harness.bench.__main__ import main
from kanhu.harness.bench.devices import _scenario
from kanhu.harness.fuzz.published import published_frames
from kanhu.harness.fuzz.targets import find_targets


def test_a_codec_that_is_slower_is_told_as_slower(monkeypatch: pytest.MonkeyPatch) -> None:
    def slow(frame: bytes) -> None:
        sum(range(20_000 + len(frame)))

    def quick(frame: bytes) -> None:
        del frame

    def refuses(frame: bytes) -> None:
        raise DecodeError.__new__(DecodeError)

    targets = {"glucose.slow": slow, "glucose.quick": quick, "glucose.refuses": refuses, "nowhere.quick": quick}
    monkeypatch.setattr(codec_speed, "find_targets", lambda: targets)
    found = codec_speed.microseconds_a_frame(seconds_each=0.05)
    assert set(found) == {"glucose.slow", "glucose.quick"}, "what has no frame, or decodes none, is not measured"
    assert found["glucose.slow"] > 10 * found["glucose.quick"]


def test_most_codecs_have_published_frames() -> None:
    modules = {name.split(".", 1)[0] for name in find_targets()}
    assert sum(any(published_frames(module)) for module in modules) > len(modules) / 2


def test_the_twelve_devices_are_a_scenario_that_can_be_played(tmp_path: Path) -> None:
    file = tmp_path / "devices.toml"
    file.write_text(_scenario(60), encoding="utf-8")
    scenario = load_scenario(file, recordings=None)
    kinds = [device.kind.value for device in scenario.home[0].device]
    assert sorted({kind: kinds.count(kind) for kind in kinds}.items()) == [
        ("cuff-ble", 2),
        ("oximeter-cms50d", 4),
        ("strap-ble", 6),
    ]


@pytest.mark.parametrize("words", [["devices", "--minutes", "0"], ["devices", "--minutes", "nothing"]])
def test_a_time_that_makes_no_sense_is_refused(words: list[str]) -> None:
    with pytest.raises(SystemExit) as refused:
        main(words)
    assert refused.value.code == 2
