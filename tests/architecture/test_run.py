"""The one door: it helps, refuses what is not built, and knows when an install is stale."""

import importlib.machinery
import importlib.util
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from tests.architecture.layout import PARTS, ROOT
from tests.debian import PROVIDES

_NOT_BUILT = ("docs",)
_BUILT = ("demo", "test", "check", "wheels", "package", "score", "vectors", "prove", "bench", "county", "conform")
_VERBS = (*_BUILT, *_NOT_BUILT)


@pytest.fixture
def door(tmp_path: Path) -> Path:
    """A copy of ./run alone, so that an install would be seen."""
    return Path(shutil.copy(ROOT / "run", tmp_path))


@pytest.mark.parametrize("verb", _NOT_BUILT)
def test_verb_that_is_not_built_says_so_in_one_line_and_ends_with_2(door: Path, verb: str) -> None:
    done = _run(door, verb, "--json")
    assert done.returncode == 2
    assert done.stderr == f"kanhu: ./run {verb} is not built yet; ./run --help lists what is.\n"
    assert not (door.parent / ".venv").exists()


@pytest.mark.parametrize(("verb", "task"), [("score", "weather"), ("prove", "power"), ("bench", "outbox")])
def test_a_task_that_is_not_built_says_so_and_ends_with_2(door: Path, verb: str, task: str) -> None:
    done = _run(door, verb, task, "--json")
    assert done.returncode == 2
    assert "not built yet" in done.stderr
    assert not (door.parent / ".venv").exists()


def test_unknown_verb_is_refused(door: Path) -> None:
    done = _run(door, "frobnicate")
    assert (done.returncode, done.stdout) == (2, "")
    assert "frobnicate" in done.stderr


def test_help_lists_every_verb_and_installs_nothing(door: Path) -> None:
    done = _run(door, "--help")
    assert done.returncode == 0
    assert [verb for verb in _VERBS if not re.search(rf"^  {verb} ", done.stdout, re.MULTILINE)] == []
    assert not (door.parent / ".venv").exists()


@pytest.mark.parametrize("verb", _VERBS)
def test_help_of_every_verb_shows_an_example(door: Path, verb: str) -> None:
    done = _run(door, verb, "--help")
    assert done.returncode == 0
    assert f"  ./run {verb}" in done.stdout.partition("examples:")[2]


def test_help_of_the_demo_names_each_of_its_options(door: Path) -> None:
    program = (ROOT / "harness/src/kanhu/harness/demo/__main__.py").read_text(encoding="utf-8")
    options = set(re.findall(r'add_argument\(\s*"(--[a-z-]+)"', program))
    assert options
    assert set(re.findall(r"^  (--[a-z-]+)", _run(door, "demo", "--help").stdout, re.MULTILINE)) == options


def test_help_of_the_county_names_each_of_its_options(door: Path) -> None:
    program = (ROOT / "harness/src/kanhu/harness/county/__main__.py").read_text(encoding="utf-8")
    described = program.partition("def _parser()")[2]
    options = set(re.findall(r'add_argument\(\s*"(--[a-z-]+)"', described))
    assert options
    assert set(re.findall(r"^  (--[a-z-]+)", _run(door, "county", "--help").stdout, re.MULTILINE)) == options


def test_comparing_two_counties_has_a_help_of_its_own(door_code: ModuleType) -> None:
    assert "compare" in door_code.VERBS["county"].tasks


def test_make_knows_the_same_verbs() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    listed = re.search(r"^VERBS := (.+)$", makefile, re.MULTILINE)
    assert listed is not None
    assert set(listed.group(1).split()) == set(_VERBS)


@pytest.mark.parametrize(
    "changed",
    [
        "pyproject.toml",
        "hatch_build.py",
        "contract/src/kanhu/contract/version.py",
        *(f"{part.folder}/pyproject.toml" for part in PARTS),
    ],
)
def test_a_changed_manifest_makes_the_install_stale(manifests: Path, door_code: ModuleType, changed: str) -> None:
    before = door_code.fingerprint(manifests)
    with (manifests / changed).open("a", encoding="utf-8") as file:
        file.write("# changed\n")
    assert door_code.fingerprint(manifests) != before


def test_a_new_manifest_makes_the_install_stale(manifests: Path, door_code: ModuleType) -> None:
    before = door_code.fingerprint(manifests)
    (manifests / "terminal").mkdir()
    (manifests / "terminal" / "pyproject.toml").touch()
    assert door_code.fingerprint(manifests) != before


def test_sources_do_not_make_the_install_stale(manifests: Path, door_code: ModuleType) -> None:
    before = door_code.fingerprint(manifests)
    (manifests / "contract/src/kanhu/contract/clock.py").touch()
    assert door_code.fingerprint(manifests) == before


def test_failed_step_shows_what_was_said_and_the_remedy(door: Path) -> None:
    broken_venv = 'import sys\nsys.exit("ensurepip is not available")\n'
    (door.parent / "venv.py").write_text(broken_venv, encoding="utf-8")  # `python -m venv` meets this one first
    done = _run(door, "test")
    assert done.returncode == 1
    step, said, remedy = done.stderr.splitlines()
    assert re.fullmatch(r"kanhu: +[0-9.]+ s  making the virtual environment .venv ... FAILED after [0-9.]+ s", step)
    assert said == "ensurepip is not available"
    assert "apt-get install python3-venv" in remedy


def test_missing_venv_module_is_answered_with_its_debian_package(door_code: ModuleType) -> None:
    said = "The virtual environment was not created successfully because ensurepip is not available."
    assert "apt-get install python3-venv" in door_code._venv_remedy(said)


def test_nothing_of_another_python_leaks_into_programs(door_code: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", "elsewhere")
    monkeypatch.setenv("PYTHONHOME", "elsewhere")
    assert "elsewhere" not in door_code.child_environment().values()


def test_the_demo_runs_where_the_person_stands(
    door_code: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """`--report demo.json` lands there; -P, because Python would look for modules there too."""
    began: list[tuple[Path, list[str]]] = []
    monkeypatch.setattr(door_code, "ensure_installed", lambda _purpose: None)
    monkeypatch.setattr(
        door_code.os, "execve", lambda _path, command, _environment: began.append((Path.cwd(), command))
    )
    monkeypatch.chdir(tmp_path)
    door_code.demo(["--report", "demo.json"])
    ((folder, command),) = began
    assert folder == tmp_path
    assert command[1:] == ["-P", "-m", "kanhu.harness.demo", "--report", "demo.json"]


@pytest.mark.parametrize(("proof", "purpose"), [("arm64", "development"), ("chaos", "demo")])
def test_a_proof_that_builds_a_package_has_what_builds_it(
    door_code: ModuleType, monkeypatch: pytest.MonkeyPatch, proof: str, purpose: str
) -> None:
    asked: list[str] = []
    monkeypatch.setattr(door_code, "ensure_installed", asked.append)
    monkeypatch.setattr(door_code.os, "execve", lambda *_: None)
    door_code.prove([proof, "--json"])
    assert asked == [purpose]


def test_second_run_waits_while_the_first_installs(door: Path) -> None:
    """Two processes take the lock in turn; the second says that it waits."""
    script = (
        "import importlib.machinery, importlib.util, sys\n"
        f"loader = importlib.machinery.SourceFileLoader('door', {str(door)!r})\n"
        "module = importlib.util.module_from_spec(importlib.util.spec_from_loader('door', loader))\n"
        "sys.modules['door'] = module\n"
        "loader.exec_module(module)\n"
        "with module._only_one_installs():\n"
        "    print('inside', flush=True)\n"
        "    sys.stdin.readline()\n"
    )
    command = [shutil.which("python3") or "python3", "-c", script]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, **pipes) as first:  # type: ignore[call-overload]  # one set of pipes for both
        assert first.stdout.readline() == "inside\n"
        with subprocess.Popen(command, **pipes) as second:  # type: ignore[call-overload]  # the same
            assert "waiting" in second.stderr.readline()
            first.communicate("leave\n", timeout=30)
            assert second.stdout.readline() == "inside\n"
            second.communicate("leave\n", timeout=30)


def test_ci_installs_what_tests_may_ask_for() -> None:
    listed = re.search(r"^packages=\((.+)\)$", (ROOT / ".ci/run").read_text(encoding="utf-8"), re.MULTILINE)
    assert listed is not None
    assert set(listed.group(1).split()) == {*PROVIDES, "python3-venv"}


@pytest.mark.parametrize("script", ["run", ".ci/run"])
def test_scripts_are_executable(script: str) -> None:
    assert os.access(ROOT / script, os.X_OK)


@pytest.fixture
def manifests(tmp_path: Path) -> Path:
    """A copy of every file the fingerprint covers."""
    for name in ["pyproject.toml", "hatch_build.py", "contract/src/kanhu/contract/version.py"]:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    for part in PARTS:
        (tmp_path / part.folder).mkdir(exist_ok=True)
        shutil.copy(ROOT / part.folder / "pyproject.toml", tmp_path / part.folder)
    return tmp_path


@pytest.fixture
def door_code(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """./run as a module."""
    loader = importlib.machinery.SourceFileLoader("door", str(ROOT / "run"))
    spec = importlib.util.spec_from_loader("door", loader)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "door", module)  # dataclasses look their module up
    loader.exec_module(module)
    return module


def _run(door: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": os.environ["PATH"]}
    return subprocess.run(
        [str(door), *arguments], capture_output=True, check=False, text=True, env=environment, timeout=30
    )
