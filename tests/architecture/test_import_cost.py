"""What is imported, counted in a fresh process: a Pi pays for no county software, and a command for no screens."""

import json
import subprocess
import sys

_HEAVY = {"fastapi", "starlette", "sqlalchemy", "sklearn", "bumble", "jinja2", "alembic", "babel", "pydantic", "numpy"}

_IMPORT_THE_PACKAGE = "import kanhu.gateway"
_IMPORT_EVERY_MODULE = """
import importlib, pkgutil
import kanhu.gateway
for module in pkgutil.walk_packages(kanhu.gateway.__path__, "kanhu.gateway."):
    if not module.name.endswith("__main__"):
        importlib.import_module(module.name)
"""


def test_importing_the_gateway_loads_nothing_heavy() -> None:
    assert _loaded_by(_IMPORT_THE_PACKAGE) & _HEAVY == set()


def test_no_module_of_the_gateway_loads_anything_heavy() -> None:
    assert _loaded_by(_IMPORT_EVERY_MODULE) & _HEAVY == set()


def test_cryptography_and_tuf_never_stay_in_a_running_gateway() -> None:
    running = _loaded_by("import kanhu.gateway.run, kanhu.gateway.cli, kanhu.gateway.doctor")
    assert running & {"cryptography", "tuf", "securesystemslib", "urllib3"} == set()
    assert "cryptography" in _loaded_by("import kanhu.gateway.enrol"), "a process of its own loads it"
    assert {"tuf", "urllib3"} <= _loaded_by("import kanhu.gateway.updates.fetch"), "another one loads them"


def test_a_command_of_the_county_loads_neither_screens_nor_migrations_nor_numpy() -> None:
    assert _loaded_by("import kanhu.cloud.cli") & (_HEAVY - {"sqlalchemy"} | {"tuf"}) == {"tuf"}


def test_a_heavy_import_would_be_seen() -> None:
    assert "jinja2" in _loaded_by("import kanhu.gateway, jinja2")


def _loaded_by(source: str) -> set[str]:
    """Return the top-level modules a fresh process holds after running the source."""
    script = (
        f"{source}\nimport json, sys\nprint(json.dumps(sorted({{name.partition('.')[0] for name in sys.modules}})))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True, text=True, timeout=60)
    return set(json.loads(done.stdout.splitlines()[-1]))
