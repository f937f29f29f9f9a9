"""Build each part's wheel, install the gateway's alone in a clean environment, and compare with the allowed list.

The list, and a reason for each name on it, stand in harness/limits.toml.
"""

import argparse
import importlib.metadata
import json
import os
import re
import subprocess
import sys
import tempfile
import venv
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.table import Table

from kanhu.harness.errors import HarnessError, ProgramFailed
from kanhu.harness.licences import LicenceVerdict, judge_licence, stated_licence
from kanhu.harness.report import Output, Report, console, finish, read_limits, settings

__all__ = ["Installed", "Trial", "build_wheels", "figures", "main", "must_run", "wheel_faults"]

NAME = "wheels"
ROOT = Path(__file__).resolve().parents[4]
PARTS = ("contract", "vitals", "edge", "gateway", "cloud", "firmware-sim", "harness")

_IMPORT_EVERY_MODULE = """
import importlib, pkgutil
import kanhu.gateway
for module in pkgutil.walk_packages(kanhu.gateway.__path__, "kanhu.gateway."):
    if not module.name.endswith("__main__"):
        importlib.import_module(module.name)
"""

_STEP_LIMIT_S = 600  # a slow line fetches numpy in minutes, not in ten


@dataclass(frozen=True, slots=True)
class Installed:
    """One distribution in the clean environment, and where pip took it from."""

    name: str
    version: str
    licence: str
    source: str

    @property
    def is_ours(self) -> bool:
        """Whether it carries our name."""
        return self.name.startswith("kanhu-")

    @property
    def licence_verdict(self) -> LicenceVerdict:
        """What its stated licence means for us."""
        return judge_licence(self.licence)


@dataclass(frozen=True, slots=True)
class Trial:
    """What was built and installed, and how the gateway answered."""

    wheels: Mapping[str, Sequence[str]]  # file name of each wheel, with the names inside it
    installed: Sequence[Installed]
    import_works: bool
    command_works: bool


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the trial and print what it found."""
    parser = argparse.ArgumentParser(prog="./run wheels", description=__doc__)
    parser.add_argument("--json", action="store_true", help="end with one JSON object on a line of its own")
    output = Output.TABLE_AND_JSON if parser.parse_args(arguments).json else Output.TABLE
    try:
        section = settings(NAME)
        with tempfile.TemporaryDirectory(prefix="kanhu-wheels-") as folder:
            trial = _try_out(Path(folder))
        limits = read_limits(NAME)
    except HarnessError as error:
        print(f"wheels: {error}", file=sys.stderr)
        return 1
    measured = figures(trial, allowed=section["allowed"], forbidden=section["forbidden"])
    console().print(_installed_table(trial.installed, section["allowed"]))
    versions = {item.name: item.version for item in trial.installed}
    return finish(Report(NAME, measured, limits, versions=versions), output=output)


def figures(trial: Trial, *, allowed: Mapping[str, str], forbidden: Mapping[str, str]) -> dict[str, int]:
    """Count every way in which the trial may displease."""
    names = {item.name for item in trial.installed}
    faults = [wheel_faults(contents) for contents in trial.wheels.values()]
    ours_by_file = {name.partition("-")[0].replace("_", "-") for name in trial.wheels}
    return {
        "wheels_built": len(trial.wheels),
        "namespace_breakers": sum("namespace" in found for found in faults),
        "untyped_wheels": sum("untyped" in found for found in faults),
        "unlicensed_wheels": sum("unlicensed" in found for found in faults),
        "installed": len(names),
        "unexpected": len(names - set(allowed)),
        "forbidden": len(names & set(forbidden)),
        "not_as_wheel": sum(not item.source.endswith(".whl") for item in trial.installed),
        "foreign_kanhu": sum(
            item.is_ours and (item.name not in ours_by_file or not item.source.startswith("file:"))
            for item in trial.installed
        ),
        "licences_refused": sum(item.licence_verdict.refused for item in trial.installed),
        "import_failed": int(not trial.import_works),
        "command_failed": int(not trial.command_works),
    }


def wheel_faults(contents: Sequence[str]) -> set[str]:
    """Name what is wrong with the files of one wheel."""
    faults = set()
    if "kanhu/__init__.py" in contents:
        faults.add("namespace")
    if not any(re.fullmatch(r"kanhu/[a-z_]+/py\.typed", name) for name in contents):
        faults.add("untyped")
    if not any(name.endswith(".dist-info/licenses/LICENSE") for name in contents):
        faults.add("unlicensed")
    return faults


def build_wheels(parts: Sequence[str], folder: Path) -> None:
    """Build the wheels of these parts into a folder; equal where SOURCE_DATE_EPOCH is.

    Raises:
        ProgramFailed: a part does not build.
    """
    for part in parts:
        _say(f"building kanhu-{part}")
        build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(ROOT / part)]
        must_run(f"building kanhu-{part}", build)


def must_run(doing: str, command: Sequence[str]) -> None:
    """Run a program to its end.

    Raises:
        ProgramFailed: it did not end well.
    """
    done = _run(command)
    if done.returncode != 0:
        raise ProgramFailed(doing, done.stdout)


def _try_out(folder: Path) -> Trial:
    wheels = folder / "wheels"
    wheels.mkdir()
    build_wheels(PARTS, wheels)
    contents = {path.name: zipfile.ZipFile(path).namelist() for path in sorted(wheels.glob("*.whl"))}

    _say("installing the gateway's wheel alone")
    clean = folder / "clean"
    venv.create(clean, with_pip=True)
    python = clean / "bin" / "python"
    already = {item.name for item in _distributions(clean)}
    pip_report = folder / "installed.json"
    gateway = next(wheels.glob("kanhu_gateway-*.whl"))
    pip = [str(python), "-m", "pip", "install", "--quiet", "--only-binary", ":all:", "--find-links", str(wheels)]
    must_run("installing kanhu-gateway", [*pip, "--report", str(pip_report), str(gateway)])
    sources = _sources(pip_report)

    _say("asking the gateway to answer")
    works = _runs([str(python), "-I", "-c", _IMPORT_EVERY_MODULE])
    answers = _runs([str(clean / "bin" / "kanhu-gateway"), "--help"])
    installed = [
        Installed(item.name, item.version, item.licence, sources.get(item.name, "unknown"))
        for item in _distributions(clean)
        if item.name not in already
    ]
    return Trial(contents, installed, works, answers)


def _distributions(environment: Path) -> list[Installed]:
    """List what an environment holds, by name."""
    folders = [str(path) for path in environment.glob("lib/python3.*/site-packages")]
    found = [
        Installed(_normalised(item.name), item.version, stated_licence(item.metadata), "unknown")  # type: ignore[arg-type]  # typeshed's PackageMetadata is the Message it wraps
        for item in importlib.metadata.distributions(path=folders)
    ]
    return sorted(found, key=lambda item: item.name)


def _sources(pip_report: Path) -> dict[str, str]:
    """Return where pip took each distribution from."""
    entries = json.loads(pip_report.read_text(encoding="utf-8"))["install"]
    return {_normalised(entry["metadata"]["name"]): str(entry["download_info"]["url"]) for entry in entries}


def _installed_table(installed: Sequence[Installed], allowed: Mapping[str, str]) -> Table:
    table = Table(title="installed with the gateway", title_justify="left")
    for heading in ("distribution", "version", "what for", "licence", "verdict"):
        table.add_column(heading, overflow="fold")
    for item in installed:
        what_for = allowed.get(item.name, "NOT ON THE LIST")
        table.add_row(item.name, item.version, what_for, item.licence or "not stated", item.licence_verdict.value)
    return table


def _runs(command: Sequence[str]) -> bool:
    """Return whether a program ends well; what it said is shown where it does not."""
    try:
        done = _run(command)
    except OSError as error:
        _say(f"{command[0]}: {error}")
        return False
    if done.returncode != 0:
        _say(f"{' '.join(command)} ended with {done.returncode}:\n{done.stdout.rstrip()}")
    return done.returncode == 0


def _run(command: Sequence[str]) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if name not in {"PYTHONPATH", "PYTHONHOME"}}
    return subprocess.run(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
        text=True,
        env={**environment, "PIP_DISABLE_PIP_VERSION_CHECK": "1"},
        timeout=_STEP_LIMIT_S,
    )


def _normalised(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _say(text: str) -> None:
    print(f"wheels: {text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
