"""Rooms, beds, stays, labels and the page's own table: what contradicts itself is named with key and remedy."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from kanhu.edge.whose import Stay
from kanhu.gateway import ConfigRefused, load_config

GOOD = """
gateway = "home-03"
data = "data"
timezone = "Asia/Shanghai"

[page]

[[resident]]
id = "r-0003"
label = "3-1"
card = "KH0003"

[[resident]]
id = "r-0004"
label = "3-2"

[[bed]]
id = "3-1"
room = "3"

[[stay]]
bed = "3-1"
resident = "r-0003"
since = 2026-03-01T14:00:00
until = 2026-04-01T09:00:00

[[stay]]
bed = "3-1"
resident = "r-0004"
since = 2026-04-01T09:00:00

[[device]]
id = "cuff-31"
kind = "cuff-ble"
address = "F0:0D:00:00:00:03"
bed = "3-1"
"""


def write(folder: Path, text: str) -> Path:
    file = folder / "gateway.toml"
    file.write_text(text, encoding="utf-8")
    return file


def test_a_home_with_beds_is_read_and_its_times_are_local(tmp_path: Path) -> None:
    config = load_config(write(tmp_path, GOOD))
    assert config.page is not None
    assert (config.page.host, config.page.language, config.page.session_s) == ("127.0.0.1", "zh", 300)
    assert config.device[0].as_edge(gateway="home-03").bed == "3-1"
    assert config.stay[0].in_zone(config.zone) == Stay(
        bed="3-1",
        resident="r-0003",
        since=datetime(2026, 3, 1, 6, 0, tzinfo=UTC),
        until=datetime(2026, 4, 1, 1, 0, tzinfo=UTC),
    )


@pytest.mark.parametrize(
    ("change", "key", "remedy"),
    [
        (("[page]", '[page]\nhost = "0.0.0.0"'), "page.host", "one address"),
        (("[page]", '[page]\nhost = "clinic.example"'), "page.host", "one address"),
        (("[page]", "[page]\nport = 80"), "page.port", "docs/gateway.md"),
        (("[page]", '[page]\nlanguage = "de"'), "page.language", "docs/gateway.md"),
        (("[page]", "[page]\nsession_s = 5"), "page.session_s", "docs/gateway.md"),
        (('label = "3-2"', 'label = "3-1"'), "resident[1].label", "taken for each other"),
        (('label = "3-2"', 'label = "3-2\\u0007"'), "resident[1].label", "initials"),
        (('label = "3-2"', 'label = " "'), "resident[1].label", "initials"),
        (('label = "3-2"', f'label = "{"x" * 25}"'), "resident[1].label", "docs/gateway.md"),
        (('label = "3-2"', 'card = "KH0003"'), "resident.card", "one person"),
        (('label = "3-2"', 'card = "r-0003"'), "resident.card", "one person"),
        (('[[bed]]\nid = "3-1"', '[[bed]]\nid = "9-9"'), "device[0].bed", "[[bed]]"),
        (('[[bed]]\nid = "3-1"', '[[bed]]\nid = "3-1"\n[[bed]]\nid = "3-1"'), "bed[1].id", "one table"),
        (('[[stay]]\nbed = "3-1"', '[[stay]]\nbed = "3-9"'), "stay[0].bed", "[[bed]]"),
        (('resident = "r-0003"\nsince', 'resident = "r-0009"\nsince'), "stay[0].resident", "[[resident]]"),
        (("until = 2026-04-01T09:00:00", "until = 2026-04-01T09:00:01"), "stay[1].since", "until"),
        (("until = 2026-04-01T09:00:00", ""), "stay[1].since", "until"),
        (("until = 2026-04-01T09:00:00", "until = 2026-02-01T09:00:00"), "stay[0].until", "times"),
        (('kind = "cuff-ble"', 'kind = "cuff-ble"\nresident = "r-0003"'), "device[0].bed", "bed says by itself"),
    ],
)
def test_a_fault_is_named_with_key_and_remedy(tmp_path: Path, change: tuple[str, str], key: str, remedy: str) -> None:
    assert change[0] in GOOD
    with pytest.raises(ConfigRefused) as refused:
        load_config(write(tmp_path, GOOD.replace(change[0], change[1], 1)))
    assert refused.value.key == key
    assert remedy in refused.value.remedy


def test_a_refused_label_is_not_repeated(tmp_path: Path) -> None:
    for label in ("王小明", "王小明 "):
        text = GOOD.replace('label = "3-1"', 'label = "王小明"').replace('label = "3-2"', f'label = "{label}"')
        with pytest.raises(ConfigRefused) as refused:
            load_config(write(tmp_path, text))
        assert "王小明" not in str(refused.value)
