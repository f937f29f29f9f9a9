"""Fuzzing over several sittings: what each codec has had is kept, and is worth what the code is that had it."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from kanhu.contract import FakeClock
from kanhu.harness.errors import ProgramFailed
from kanhu.harness.fuzz.account import Account, forget, read_account, source_of, write_account
from kanhu.harness.fuzz.fuzzer import Fuzzed
from kanhu.harness.fuzz.proof import main
from kanhu.harness.fuzz.sittings import Sitting, sit

_NAMES = ("one", "two", "three")


class Fuzzer:
    """Takes as long as it is told, finds a frame a second, and keeps who was fuzzed, for how long, from which seed."""

    def __init__(self, clock: FakeClock) -> None:
        self.done: list[tuple[str, int, int]] = []
        self.exceptions: set[str] = set()
        self.before: Callable[[str], None] = lambda _name: None
        self._clock = clock

    async def __call__(self, name: str, seconds: int, seed: int, _folder: Path) -> Fuzzed:
        self.before(name)
        self._clock.advance(seconds)
        self.done.append((name, seconds, seed))
        failed = name in self.exceptions
        return Fuzzed(name, frames=seconds, edges=7, exceptions=int(failed), kept="5a09" if failed else "")


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def fuzzer(clock: FakeClock) -> Fuzzer:
    return Fuzzer(clock)


@pytest.fixture
def sitting(tmp_path: Path) -> Callable[..., Sitting]:
    def of(budget_s: float | None = None, *, seconds_each: int = 100) -> Sitting:
        return Sitting(seconds_each=seconds_each, budget_s=budget_s, corpus=tmp_path, seed=1, jobs=1)

    return of


async def test_the_next_sitting_goes_on_where_the_budget_ended_this_one(
    clock: FakeClock, fuzzer: Fuzzer, sitting: Callable[..., Sitting]
) -> None:
    first = await sit(_NAMES, sitting(130.0), clock=clock, fuzz=fuzzer, source=str)
    assert [(name, seconds) for name, seconds, _ in fuzzer.done] == [("one", 60), ("one", 40), ("two", 30)]
    assert [account.seconds for account in first.values()] == [100, 30, 0]
    fuzzer.done.clear()
    second = await sit(_NAMES, sitting(), clock=clock, fuzz=fuzzer, source=str)
    assert fuzzer.done == [("three", 60, 1), ("three", 40, 2), ("two", 60, 2), ("two", 10, 3)], (
        "fresh ones first, and no seed twice"
    )
    assert [account.frames for account in second.values()] == [100, 100, 100]
    fuzzer.done.clear()
    assert await sit(_NAMES, sitting(), clock=clock, fuzz=fuzzer, source=str) == second
    assert fuzzer.done == [], "all have had their time"


async def test_more_time_is_what_is_missing_to_it(
    clock: FakeClock, fuzzer: Fuzzer, sitting: Callable[..., Sitting]
) -> None:
    await sit(_NAMES, sitting(), clock=clock, fuzz=fuzzer, source=str)
    fuzzer.done.clear()
    await sit(_NAMES, sitting(seconds_each=120), clock=clock, fuzz=fuzzer, source=str)
    assert [(name, seconds) for name, seconds, _ in fuzzer.done] == [("one", 20), ("two", 20), ("three", 20)]


async def test_what_ends_in_the_middle_keeps_the_pieces_that_are_whole(
    clock: FakeClock, fuzzer: Fuzzer, sitting: Callable[..., Sitting], tmp_path: Path
) -> None:
    def falls_over(name: str) -> None:
        if name == "two":
            raise ProgramFailed("the fuzzer", "killed")

    fuzzer.before = falls_over
    with pytest.raises(ProgramFailed):
        await sit(_NAMES, sitting(), clock=clock, fuzz=fuzzer, source=str)
    assert read_account("one", corpus=tmp_path, source="one").seconds == 100
    assert read_account("two", corpus=tmp_path, source="two") == Account("two")


async def test_a_codec_that_was_changed_begins_anew_also_while_it_is_fuzzed(
    clock: FakeClock, fuzzer: Fuzzer, sitting: Callable[..., Sitting]
) -> None:
    code = dict.fromkeys(_NAMES, "old")
    fuzzer.exceptions = {"one"}
    first = await sit(_NAMES, sitting(), clock=clock, fuzz=fuzzer, source=code.__getitem__)
    assert first["one"].exceptions == 2
    code["one"] = "mended"
    fuzzer.exceptions, fuzzer.done = set(), []
    second = await sit(_NAMES, sitting(), clock=clock, fuzz=fuzzer, source=code.__getitem__)
    assert second["one"] == Account("mended", seconds=100, pieces=2, frames=100, edges=7)
    assert {name for name, _, _ in fuzzer.done} == {"one"}

    def mend_again(name: str) -> None:
        if len(fuzzer.done) == 1:
            code[name] = "mended again"

    fuzzer.before, fuzzer.done = mend_again, []
    code["one"] = "spoiled"
    third = await sit(_NAMES, sitting(), clock=clock, fuzz=fuzzer, source=code.__getitem__)
    assert [seconds for _, seconds, _ in fuzzer.done] == [60, 40, 60, 40], "old and new code have no time in common"
    assert third["one"] == Account("mended again", seconds=100, pieces=2, frames=100, edges=7)


async def test_an_exception_of_an_earlier_sitting_is_not_forgotten(
    clock: FakeClock, fuzzer: Fuzzer, sitting: Callable[..., Sitting]
) -> None:
    fuzzer.exceptions = {"two"}
    await sit(_NAMES, sitting(), clock=clock, fuzz=fuzzer, source=str)
    fuzzer.exceptions = set()
    again = await sit(_NAMES, sitting(seconds_each=200), clock=clock, fuzz=fuzzer, source=str)
    assert (again["two"].exceptions, again["two"].kept) == (2, "5a09")


@pytest.mark.parametrize("text", ["", "{", "[]", '{"source": 3}', '{"source": "s", "seconds": "many"}'])
def test_an_account_that_cannot_be_read_is_an_empty_one(text: str, tmp_path: Path) -> None:
    write_account("one", Account("s", seconds=60), corpus=tmp_path)
    (file,) = tmp_path.iterdir()
    assert json.loads(file.read_text(encoding="utf-8"))["seconds"] == 60
    file.write_text(text, encoding="utf-8")
    assert read_account("one", corpus=tmp_path, source="s") == Account("s")
    forget("one", corpus=tmp_path)
    forget("one", corpus=tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def codecs(tmp_path: Path) -> Path:
    """`cuff` decodes with `floats`; `readings` observes what it decodes, with `units`; `other` knows none of them."""
    folder = tmp_path / "codecs"
    folder.mkdir()
    for name, text in {
        "floats": "X = 1",
        "units": "X = 1",
        "cuff": "from kanhu.edge.codecs.floats import X",
        "readings": "from kanhu.edge.codecs import cuff, units\ndef observe(cuff): pass",
        "framing": "from kanhu.edge.codecs.floats import X",
        "other": "X = 1",
    }.items():
        (folder / f"{name}.py").write_text(text, encoding="utf-8")
    return folder


@pytest.mark.parametrize(
    ("changed", "anew"),
    [
        ("floats", {"cuff.decode", "framing.Framer"}),
        ("units", {"cuff.decode"}),
        ("readings", {"cuff.decode"}),
        ("cuff", {"cuff.decode"}),
        ("framing", {"framing.Framer"}),
        ("other", set()),
    ],
)
def test_a_codec_begins_anew_where_what_it_runs_through_was_changed(changed: str, anew: set[str], codecs: Path) -> None:
    targets = ("cuff.decode", "framing.Framer")
    framers = codecs / "framing.py"
    before = {name: source_of(name, folder=codecs, framers=framers) for name in targets}
    with (codecs / f"{changed}.py").open("a", encoding="utf-8") as file:
        file.write("\n# another word")
    assert {name for name in targets if source_of(name, folder=codecs, framers=framers) != before[name]} == anew


@pytest.mark.parametrize(
    "arguments", [["--budget-minutes", "3"], ["--anew"], ["--seconds-each", "3", "--jobs", "0"]], ids=" ".join
)
def test_time_is_counted_only_where_it_is_asked_for(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    assert "--" in capsys.readouterr().err
