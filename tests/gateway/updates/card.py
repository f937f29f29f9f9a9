"""Settings of a gateway that takes releases, and releases for it."""

from importlib.resources import files
from pathlib import Path

from kanhu.gateway import GatewayConfig, load_config
from kanhu.gateway.updates.release import Release
from kanhu.gateway.updates.store import Named, Store

CORE = files("kanhu.vitals.packs").joinpath("core.toml").read_text(encoding="utf-8")
FASTER = "heartbeat_s = 30\n"
WATCHED = """
[alarm]
player = ["aplay", "{file}"]
[[resident]]
id = "r-0003"
well_check = { by = "08:30", signs = ["measurement"] }
"""
"""A person of this gateway agreed to give a sign each day."""


def settings(folder: Path, *, port: int = 1, updates: str = '[updates]\nroot = "root.json"\n') -> GatewayConfig:
    file = folder / "gateway.toml"
    file.write_text(
        f'gateway = "home-03"\ndata = "data"\ntimezone = "Asia/Shanghai"\n[broker]\nport = {port}\n{updates}',
        encoding="utf-8",
    )
    config = load_config(file)
    config.folder.mkdir(exist_ok=True)
    return config


def staged(config: GatewayConfig, number: int = 1, settings_toml: str = FASTER) -> Named:
    return Store(config.folder).stage(Release(number, {"settings.toml": settings_toml}))
