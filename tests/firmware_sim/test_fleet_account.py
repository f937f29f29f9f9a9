"""The outbox of a virtual gateway, and the account that is settled with it."""

import json
from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kanhu.contract import ClockState, Receipt, SeqRanges, Times
from kanhu.firmware_sim.errors import FleetRefused
from kanhu.firmware_sim.fleet.account import receipts_alone, settle
from kanhu.firmware_sim.fleet.outbox import DIGEST_BYTES, Outbox
from kanhu.firmware_sim.fleet.readings import read

_EPOCH = "0f" * 16
_NAME = "fleet-00001"


def _outbox(records: int) -> Outbox:
    outbox = Outbox(_EPOCH)
    draw = Random(1)
    for number in range(records):
        times = Times(1_790_000_000_000 + number, number, "0" * 32, ClockState.SYNCED)
        outbox.accept(read(draw, gateway=_NAME, times=times))
    return outbox


def _receipt(contiguous: int, ranges: tuple[tuple[int, int], ...] = ()) -> Receipt:
    return Receipt(1, _NAME, _EPOCH, contiguous, ranges)


_spans = st.tuples(st.integers(1, 40), st.integers(0, 10)).map(lambda span: (span[0], span[0] + span[1]))


@given(st.lists(st.tuples(st.integers(0, 30), st.lists(_spans, max_size=3)), max_size=6), st.integers(1, 7))
def test_owed_is_what_no_receipt_has_named_whatever_they_name(
    receipts: list[tuple[int, list[tuple[int, int]]]], limit: int
) -> None:
    outbox, owed = _outbox(25), {*range(1, 26)}
    for contiguous, spans in receipts:
        ranges = tuple(SeqRanges(spans))
        outbox.settle(_receipt(contiguous, ranges))
        owed -= {*range(1, contiguous + 1)}
        owed = {seq for seq in owed if seq not in SeqRanges(ranges)}
        outbox.reconnect()
        flown: list[int] = []
        while taken := outbox.take(limit, upto=outbox.accepted, now_ns=1):
            assert len(taken) <= limit
            flown += [seq for seq, _ in taken]
        assert flown == sorted(owed)
        assert outbox.owed == len(owed)
        assert outbox.in_flight == bool(owed)


def test_the_time_to_a_receipt_counts_from_the_first_send() -> None:
    outbox = _outbox(3)
    outbox.take(2, upto=3, now_ns=100)
    outbox.reconnect()
    outbox.take(3, upto=3, now_ns=200)
    assert outbox.settle(_receipt(3)) == {100, 200}


def _line(outbox: Outbox, seq: int, *, kind: str = "reading", digest: str = "", epoch: str = _EPOCH) -> str:
    own = outbox.digests[(seq - 1) * DIGEST_BYTES : seq * DIGEST_BYTES].hex()
    return json.dumps({"gateway": _NAME, "epoch": epoch, "seq": seq, "sha256": digest or own, "kind": kind})


@pytest.mark.parametrize(
    ("planted", "lost", "duplicated", "wrong"),
    [
        pytest.param("nothing", 0, 0, 0, id="all is well"),
        pytest.param("missing", 1, 0, 0, id="a record with a receipt is not in the ledger"),
        pytest.param("twice", 0, 1, 0, id="a record is stored twice"),
        pytest.param("bytes", 1, 0, 1, id="a record is stored with other bytes"),
        pytest.param("conflict", 0, 0, 1, id="another record is kept under the same key"),
        pytest.param("invented", 0, 0, 1, id="a record that nobody accepted"),
        pytest.param("stranger", 0, 0, 0, id="another outbox is another's concern"),
    ],
)
def test_every_way_to_break_the_promise_has_its_figure(
    tmp_path: Path, planted: str, lost: int, duplicated: int, wrong: int
) -> None:
    outbox = _outbox(4)
    lines = {seq: [_line(outbox, seq)] for seq in range(1, 5)}
    match planted:
        case "missing":
            del lines[2]
        case "twice":
            lines[2].append(_line(outbox, 2))
        case "bytes":
            lines[2] = [_line(outbox, 2, digest="00" * 32)]
        case "conflict":
            lines[2].append(_line(outbox, 2, digest="00" * 32, kind="conflict"))
        case "invented":
            lines[9] = [_line(outbox, 9, digest="00" * 32)]
        case "stranger":
            lines[9] = [_line(outbox, 2, epoch="00" * 16)]
    outbox.settle(_receipt(4))
    dump = tmp_path / "ledger.ndjson"
    dump.write_text("\n".join(line for of_key in lines.values() for line in of_key), encoding="utf-8")
    account = settle(dump, {_NAME: outbox})
    assert (account.lost, account.duplicated, account.wrong) == (lost, duplicated, wrong)


def test_stored_without_a_receipt_counts_as_lost(tmp_path: Path) -> None:
    outbox = _outbox(2)
    outbox.settle(_receipt(1))
    dump = tmp_path / "ledger.ndjson"
    dump.write_text(f"{_line(outbox, 1)}\n{_line(outbox, 2)}\n", encoding="utf-8")
    assert settle(dump, {_NAME: outbox}).lost == 1
    assert receipts_alone([outbox]).lost == 1


def test_a_file_that_is_no_ledger_is_refused_with_its_line(tmp_path: Path) -> None:
    dump = tmp_path / "ledger.ndjson"
    dump.write_text('{"gateway": "a"}\n', encoding="utf-8")
    with pytest.raises(FleetRefused, match="line 1"):
        settle(dump, {})
    row = '{"gateway": %s, "epoch": "e", "seq": %s, "sha256": "", "kind": "finding"}\n'
    for text in (row % ('"a"', "1e999"), row % ('"a"', "1.5"), "[" * 100_000):
        dump.write_text(text, encoding="utf-8")
        with pytest.raises(FleetRefused, match="line 1"):
            settle(dump, {})
    dump.write_text(row % ("[]", "1"), encoding="utf-8")
    assert settle(dump, {}).stored == 0
    dump.write_bytes(b"\xff\xfe")
    with pytest.raises(FleetRefused, match="no ledger"):
        settle(dump, {})
    with pytest.raises(FleetRefused, match="No such file"):
        settle(tmp_path / "absent", {})
