"""The rule packs shipped with kanhu, as data.

Here lives `core.toml` and the one function that reads it from the installed package. Not here: how a pack is checked
(rules/pack.py), packs that a site writes for itself.
"""

from importlib.resources import files

from kanhu.vitals.rules.pack import load_pack
from kanhu.vitals.rules.records import RulePack

__all__ = ["core_pack"]


def core_pack() -> RulePack:
    """The rules shipped with this version."""
    return load_pack(files(__name__).joinpath("core.toml").read_bytes())
