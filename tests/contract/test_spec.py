"""The published spec names every topic, reason, field, word, limit and metric, and its examples are true."""

import re
from enum import StrEnum
from importlib import resources
from pathlib import Path

import msgspec
import pytest

from kanhu.contract import (
    ALL_UP,
    METRICS,
    AlarmStatus,
    Alone,
    Ask,
    Boot,
    Checkpoint,
    ClockState,
    Context,
    DeviceStatus,
    Down,
    Evidence,
    Finding,
    Gap,
    GapReason,
    GatewayState,
    Lane,
    Mark,
    Meal,
    MetricKind,
    Motion,
    Observation,
    Oxygen,
    Part,
    Phase,
    Posture,
    Priority,
    Quality,
    QualityLevel,
    QualityReason,
    Receipt,
    Refusal,
    RefusalReason,
    Request,
    Running,
    StateKept,
    StateRefusal,
    StatesAsked,
    StatesGiven,
    StatesKept,
    StatesSent,
    Status,
    Subject,
    SubjectKind,
    Times,
    Up,
    Waveform,
    alert_id,
    vocabulary,
)
from kanhu.contract import envelope as envelope_module
from kanhu.contract import receipt as receipt_module
from kanhu.contract import records as records_module
from kanhu.contract import request as request_module
from kanhu.contract import states as states_module
from kanhu.contract import status as status_module
from kanhu.contract._columns import Columns, Origin
from kanhu.contract.remote import ReleaseReason
from kanhu.contract.status import ReadingCount, ReleaseStatus, Tally
from tests.contract.golden import FOLDER
from tests.contract.test_identity import FIRST, PERSON

SPEC = Path(__file__).parents[2] / "docs" / "spec"
PAGES = {path.name: path.read_text(encoding="utf-8") for path in SPEC.glob("*.md")}

WORDS: dict[type[StrEnum], str] = {
    RefusalReason: "receipt.md",
    StateRefusal: "states.md",
    GatewayState: "status.md",
    ClockState: "time.md",
    GapReason: "gap.md",
    Ask: "request.md",
    MetricKind: "metrics.md",
    ReleaseReason: "updates.md",
    **dict.fromkeys((Lane, Up, Down), "topics.md"),
    **dict.fromkeys((Priority, Phase, SubjectKind, QualityLevel, QualityReason), "records.md"),
    **dict.fromkeys((Meal, Motion, Posture, Oxygen), "records.md"),
}
FIELDS: dict[type[msgspec.Struct], str] = {
    **dict.fromkeys((Observation, Waveform, Finding, Gap), "records.md"),
    **dict.fromkeys((Part, Subject, Times, Quality, Context, Evidence), "records.md"),
    **dict.fromkeys((Receipt, Refusal), "receipt.md"),
    **dict.fromkeys(
        (Status, DeviceStatus, Running, Boot, Mark, AlarmStatus, Alone, ReleaseStatus, Tally, ReadingCount), "status.md"
    ),
    Request: "request.md",
    **dict.fromkeys((Columns, Origin), "envelope.md"),
    **dict.fromkeys((Checkpoint, StatesSent, StatesAsked, StateKept, StatesKept, StatesGiven), "states.md"),
}


def unnamed(page: str, names: list[str]) -> list[str]:
    """Those that the page does not show as `code`, alone or as the last part of a topic."""
    return [name for name in names if not re.search(rf"`(?:[^`\s]*/)?{re.escape(name)}`", page)]


@pytest.mark.parametrize("words", WORDS, ids=lambda words: words.__name__)
def test_every_word_on_the_wire_is_explained(words: type[StrEnum]) -> None:
    assert unnamed(PAGES[WORDS[words]], [word.value for word in words]) == []


@pytest.mark.parametrize("struct", FIELDS, ids=lambda struct: struct.__name__)
def test_every_field_on_the_wire_is_explained(struct: type[msgspec.Struct]) -> None:
    assert unnamed(PAGES[FIELDS[struct]], list(struct.__struct_fields__)) == []


def test_a_word_that_the_spec_forgets_is_caught() -> None:
    page = PAGES["receipt.md"]
    assert unnamed(page.replace("`too_large`", "too large"), ["too_large", "empty"]) == ["too_large"]


def test_every_closed_word_list_is_held_to_the_spec() -> None:
    lists = {each for each in vars(vocabulary).values() if isinstance(each, type) and issubclass(each, StrEnum)}
    assert lists - {StrEnum} - set(WORDS) == set()


@pytest.mark.parametrize("struct", [Columns, Receipt, Checkpoint, Request], ids=lambda struct: struct.__name__)
def test_numbered_elements_stand_in_their_order_on_the_wire(struct: type[msgspec.Struct]) -> None:
    numbered = dict(re.findall(r"^\| (\d+) \| `(\w+)` \|", PAGES[FIELDS[struct]], flags=re.MULTILINE))
    assert numbered == {str(at): name for at, name in enumerate(struct.__struct_fields__)}


@pytest.mark.parametrize("record", [Observation, Waveform, Finding, Gap], ids=lambda record: record.__name__)
def test_record_fields_stand_in_their_order_on_the_wire(record: type[msgspec.Struct]) -> None:
    section = PAGES["records.md"].split(f"\n## {record.__name__}\n")[1].split("\n## ")[0]
    rows = re.findall(r"^\| (\d+)(\*?) \| `(\w+)` \|", section, flags=re.MULTILINE)
    required = len(record.__struct_fields__) - len(record.__struct_defaults__)
    assert rows == [
        (str(at), "*" if at > required else "", name) for at, name in enumerate(record.__struct_fields__, start=1)
    ]


def test_every_topic_is_listed_whole() -> None:
    page = PAGES["topics.md"]
    assert f"`{ALL_UP}`" in page
    listed = set(re.findall(r"^\| `(\S+)` \|", page, flags=re.MULTILINE))
    assert listed == {f"kanhu/v1/up/<gateway>/{kind.value}" for kind in Up} | {
        f"kanhu/v1/down/<gateway>/{kind.value}" for kind in Down
    }


LIMITS = {
    "envelope.md": (
        envelope_module.MAX_ENVELOPE_BYTES,
        envelope_module.MAX_RECORDS,
        envelope_module.MAX_BODY_BYTES,
    ),
    "receipt.md": (receipt_module.MAX_RECEIPT_BYTES, receipt_module.MAX_RANGES, receipt_module.MAX_REFUSED),
    "status.md": (status_module.MAX_STATUS_BYTES, status_module.MAX_TALLIED, status_module.MAX_REQUESTS),
    "states.md": (
        states_module.MAX_STATES_BYTES,
        states_module.MAX_STATE_BYTES,
        states_module.MAX_BODY_BYTES,
        states_module.PAGE_BYTES,
        states_module.MAX_CHECKPOINTS,
        states_module.MAX_ALERTS,
    ),
    "request.md": (request_module.MAX_REQUEST_BYTES, request_module.MAX_LIVE_MINUTES, receipt_module.MAX_RANGES),
    "gap.md": (records_module.MAX_GAP_RANGES,),
    "records.md": (
        records_module.MAX_TEXT_CHARACTERS,
        records_module.MAX_SERIES,
        records_module.MAX_SAMPLE_BYTES,
        records_module.MAX_EVIDENCE,
        records_module.MAX_PARAMS,
        records_module.MAX_ACTIONS,
        records_module.MAX_FINDING_CHARACTERS,
    ),
}


@pytest.mark.parametrize("page", LIMITS)
def test_every_limit_is_stated(page: str) -> None:
    numbers = {int(number.replace(",", "")) for number in re.findall(r"\d[\d,]*\d|\d", PAGES[page])}
    assert set(LIMITS[page]) - numbers == set()


def test_the_dictionary_is_described_as_shipped() -> None:
    shipped = resources.files("kanhu.contract").joinpath("envelope_v1.zdict").read_bytes()
    number = int.from_bytes(shipped[4:8], "little")
    assert f"`envelope_v1.zdict`, {len(shipped)} bytes, id {number} (`{number:X}`)" in PAGES["envelope.md"]


def test_the_table_of_metrics_is_the_table_of_metrics() -> None:
    rows = [line[2:-2].split(" | ") for line in PAGES["metrics.md"].splitlines() if line.startswith("| `")]
    stated = {row[0].strip("`"): [cell.strip() for cell in row[1:]] for row in rows}
    assert set(stated) == set(METRICS)
    for code, cells in stated.items():
        row = METRICS[code]
        expected = (row.kind.value, row.en, row.zh, row.ucum or "", str(row.steps_per_unit), ", ".join(row.loinc))
        assert tuple(cells[:6]) == expected
        assert f"{row.mdc_name} {row.mdc}" in cells[6:] if row.mdc else "MDC" not in "".join(cells[6:])
        assert tuple(re.findall(r"`(\w+)`", " ".join(cells[6:]))) == row.parts


def test_the_worked_example_is_the_golden_message() -> None:
    shown = PAGES["envelope.md"].split("## Worked example")[1].split("```")[1]
    columns = [re.match(r"(?:[0-9a-f]{2} ?)+(?=\s|$)", line) for line in shown.strip().splitlines()]
    given = bytes.fromhex("".join(found[0] for found in columns if found))
    assert given == (FOLDER / "envelope_uncompressed.bin").read_bytes()


def test_the_worked_alert_id_is_true() -> None:
    shown = PAGES["alert-id.md"].split("```")[1]
    key = (PERSON.kind.value, PERSON.id, "SPO2-LOW", FIRST.device, FIRST.metric, FIRST.boot, FIRST.mono_ns)
    *packed, given = shown.split()
    assert bytes.fromhex("".join(packed)) == msgspec.msgpack.encode(key)
    assert given == alert_id(PERSON, "SPO2-LOW", FIRST)


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_to_pages_and_every_page_is_in_the_contents(page: str) -> None:
    linked = set(re.findall(r"\]\(([\w-]+\.md)\)", PAGES[page]))
    assert linked - set(PAGES) == set()
    assert page == "README.md" or f"]({page})" in PAGES["README.md"]
