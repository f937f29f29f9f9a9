"""The disk of `./run prove power-cut`: what a cut may leave, where it can be, and how a trace is read."""

import random
from collections.abc import Sequence
from pathlib import Path

import pytest

from kanhu.harness.prove.power.card import SECTOR_BYTES, Card, Fate
from kanhu.harness.prove.power.cuts import State, states_of
from kanhu.harness.prove.power.trace import (
    Cut,
    Deed,
    FolderSynced,
    Made,
    Removed,
    Renamed,
    Said,
    Step,
    Synced,
    TraceRefused,
    Wrote,
    read_trace,
)

_MADE: tuple[Deed, ...] = (Made("a"), Wrote("a", 0, b"old"), Synced("a"), FolderSynced("."))
_FOLDER, _SAID = Path("/data"), Path("/pipe")


def left(*deeds: Deed, fate: Fate, seed: int = 1) -> dict[str, bytes]:
    card = Card()
    for deed in deeds:
        card.take(deed)
    return card.after_cut(fate, random.Random(seed))


@pytest.mark.parametrize("fate", Fate)
def test_what_was_synced_survives_every_cut(fate: Fate) -> None:
    assert left(*_MADE, fate=fate) == {"a": b"old"}


@pytest.mark.parametrize(("fate", "content"), [(Fate.NONE, b"old"), (Fate.ALL, b"new\0\0!")])
def test_what_was_not_synced_is_lost_or_kept_and_holes_are_zeros(fate: Fate, content: bytes) -> None:
    assert left(*_MADE, Wrote("a", 0, b"new"), Wrote("a", 5, b"!"), fate=fate) == {"a": content}


def test_a_torn_write_is_old_or_new_in_each_sector_and_both_happen() -> None:
    size = 4 * SECTOR_BYTES
    old, new = b"o" * size, b"n" * size
    deeds = (Made("a"), Wrote("a", 0, old), Synced("a"), FolderSynced("."), Wrote("a", 0, new))
    seen = {left(*deeds, fate=Fate.PART, seed=seed)["a"] for seed in range(300)}
    sectors = [{content[at : at + SECTOR_BYTES] for content in seen} for at in range(0, size, SECTOR_BYTES)]
    assert sectors == [{b"o" * SECTOR_BYTES, b"n" * SECTOR_BYTES}] * 4
    # later sectors without earlier ones: reordered, not only cut short
    assert any(content.endswith(b"n") and not content.startswith(b"n") for content in seen)


def test_a_name_that_was_not_synced_is_lost_and_a_removed_one_comes_back() -> None:
    assert left(Made("a"), Wrote("a", 0, b"x"), Synced("a"), fate=Fate.NONE) == {}
    assert left(*_MADE, Removed("a"), fate=Fate.NONE) == {"a": b"old"}
    assert left(*_MADE, Removed("a"), fate=Fate.ALL) == {}


def test_a_renamed_file_has_one_of_both_names_and_a_size_is_cut_or_not() -> None:
    assert {tuple(left(*_MADE, Renamed("a", "b"), fate=Fate.PART, seed=seed)) for seed in range(20)} == {("a",), ("b",)}
    assert left(*_MADE, Cut("a", 1), fate=Fate.ALL) == {"a": b"o"}
    assert left(*_MADE, Cut("a", 5), fate=Fate.ALL) == {"a": b"old\0\0"}
    assert left(*_MADE, Cut("a", 1), fate=Fate.NONE) == {"a": b"old"}


def steps(*deeds: Deed) -> list[Step]:
    return [Step(float(number), deed) for number, deed in enumerate(deeds)]


def test_cuts_are_everywhere_and_none_is_asked_twice_for_the_same_card() -> None:
    played = steps(*_MADE, Wrote("a", 0, b"new"), Said(b"1\n"), Said(b"2\n"))
    every = states_of(played, count=100, seed=1)
    first = [state for state in every if not state.draw]
    assert State(4, Fate.ALL) in first
    assert [state.fate for state in first if state.steps == 4] == [Fate.ALL]
    assert {state.fate for state in first if state.steps == 7} == {Fate.NONE, Fate.PART, Fate.ALL}
    assert not [state for state in every if state.steps == 6]  # the next promise asks for more of the same card
    assert len(every) == len(set(every)) == 100
    assert len(states_of(played, count=3, seed=1)) == 3


def hexed(text: bytes) -> str:
    return "".join(f"\\x{byte:02x}" for byte in text)


def traced(*calls: str) -> Sequence[Deed]:
    lines = [call if call[0].isdigit() else f"7 {number}.5 {call}" for number, call in enumerate(calls)]
    return [step.deed for step in read_trace(lines, folder=_FOLDER, said=_SAID)]


def test_a_trace_is_read_across_threads_and_what_failed_or_is_elsewhere_is_left_out() -> None:
    file, pipe = f"5<{hexed(b'/data/o.db')}>", f"6<{hexed(b'/pipe')}>"
    assert traced(
        f'openat(AT_FDCWD<{hexed(b"/")}>, "{hexed(b"/data/o.db")}", O_RDWR|O_CREAT|O_CLOEXEC, 0644) = {file}',
        f'openat(AT_FDCWD<{hexed(b"/")}>, "{hexed(b"/etc/o.db")}", O_RDWR|O_CREAT, 0644) = 9<{hexed(b"/etc/o.db")}>',
        f'pwrite64({file}, "{hexed(b"abc")}", 3, 4096) = 2',
        f'pwrite64({file}, "{hexed(b"abc")}", 3, 0) = -1 ENOSPC (No space left on device)',
        f"8 1.0 fdatasync({file} <unfinished ...>",
        f'9 1.1 write({pipe}, "{hexed(b"{}")}", 2) = 2',
        "8 1.2 <... fdatasync resumed>) = 0",
        f"ftruncate({file}, 4096) = 0",
        f'pwrite64(7<{hexed(b"/data/o.db-shm")}>, "{hexed(b"x")}", 1, 4095) = 1',
        f'unlink("{hexed(b"/data/o.db")}") = 0',
        "8 1.3 +++ exited with 0 +++",
    ) == [Made("o.db"), Wrote("o.db", 4096, b"ab"), Said(b"{}"), Synced("o.db"), Cut("o.db", 4096), Removed("o.db")]


def test_a_file_made_and_written_from_beginning_to_end_needs_no_offsets() -> None:
    file = f"5<{hexed(b'/data/state')}>"
    assert traced(
        f'openat(AT_FDCWD<{hexed(b"/")}>, "{hexed(b"/data/state")}", O_WRONLY|O_CREAT|O_EXCL, 0400) = {file}',
        f'write({file}, "{hexed(b"abc")}", 3) = 2',
        f'write({file}, "{hexed(b"c")}", 1) = 1',
    ) == [Made("state"), Wrote("state", 0, b"ab"), Wrote("state", 2, b"c")]


@pytest.mark.parametrize(
    "call",
    [
        "fallocate(5<{file}>, 0, 0, 4096) = 0",
        'write(5<{file}>, "\\x00", 1) = 1',
        "mmap(NULL, 4096, PROT_READ|PROT_WRITE, MAP_SHARED, 5<{file}>, 0) = 0x7f00",
        'openat(AT_FDCWD<{file}>, "{file}", O_WRONLY|O_CREAT|O_TRUNC, 0644) = 5<{file}>',
        'unlink("{relative}") = 0',
        'pwrite64(5<{file}>, "\\x00"..., 4096, 0) = 4096',
    ],
)
def test_what_the_model_does_not_know_is_refused_never_passed_over(call: str) -> None:
    with pytest.raises(TraceRefused):
        traced(call.format(file=hexed(b"/data/o.db"), relative=hexed(b"o.db")))
