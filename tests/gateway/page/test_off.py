"""A gateway without a page pays nothing for it, and one whose extra is missing says so and goes on."""

import subprocess
import sys
from pathlib import Path

_ROOT = Path(__file__).resolve().parents[3]
_HEAVY = {"uvicorn", "h11", "click"}

_RUN_FOR_A_MOMENT = """
import asyncio, os, signal, sys
from pathlib import Path
{before}
from kanhu.contract import SystemClock
from kanhu.gateway import load_config
from kanhu.gateway.run import run_gateway

async def source(sink):
    await asyncio.sleep(0.3)
    os.kill(os.getpid(), signal.SIGTERM)

asyncio.run(run_gateway(load_config(Path({file!r})), clock=SystemClock(), source=source))
print(" ".join(sorted(sys.modules)))
"""


def modules_of_a_run(folder: Path, *, page: str, before: str = "") -> tuple[set[str], str]:
    file = folder / "gateway.toml"
    text = f'gateway = "home-03"\ndata = "data"\ntimezone = "Asia/Shanghai"\n{page}\n[broker]\nport = 1\n'
    file.write_text(text, encoding="utf-8")
    script = _RUN_FOR_A_MOMENT.format(file=str(file), before=before)
    command = [sys.executable, "-c", script]
    done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=60, cwd=_ROOT)
    return set(done.stdout.split()), done.stderr


def page_modules(loaded: set[str]) -> set[str]:
    return {name for name in loaded if name.startswith("kanhu.gateway.page") or name.partition(".")[0] in _HEAVY}


def test_a_gateway_without_a_page_loads_nothing_of_it(tmp_path: Path) -> None:
    loaded, _ = modules_of_a_run(tmp_path, page="")
    assert "kanhu.gateway.run" in loaded
    assert page_modules(loaded) == set()


def test_a_gateway_with_one_loads_it(tmp_path: Path, free_port: int) -> None:
    loaded, said = modules_of_a_run(tmp_path, page=f"[page]\nport = {free_port}")
    assert {"uvicorn", "h11", "kanhu.gateway.page.serve"} <= page_modules(loaded)
    assert "failed" not in said
    assert not loaded & {"jinja2", "starlette", "fastapi", "uvloop", "httptools", "websockets", "watchfiles"}


def test_a_gateway_whose_extra_is_missing_measures_all_the_same(tmp_path: Path, free_port: int) -> None:
    page = f"[page]\nport = {free_port}"
    loaded, said = modules_of_a_run(tmp_path, page=page, before="sys.modules['uvicorn'] = None")
    assert "kanhu.gateway.run" in loaded
    assert "page failed" in said
