"""Collect the root distribution's metadata from the manifests of the parts.

A third-party need is written once, in the part that uses it; `pip install -e .` takes them all.
Every extra of a part is taken too, since the demo plays every transport; but not a tool of one proof, nor what only
fits models.
"""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

from hatchling.metadata.plugin.interface import MetadataHookInterface

PARTS = ("contract", "vitals", "edge", "gateway", "cloud", "firmware-sim", "harness")
APART = frozenset({"fuzz", "plot", "train"})
"""Extras of parts that are asked for by name only."""
_OWN_DISTRIBUTION = re.compile(r"kanhu-[a-z-]+(\[[a-z,]+\])?([=<>~! ].*)?")
_VERSION = re.compile(r'^VERSION = "([^"]+)"$', re.MULTILINE)


class PartsMetadataHook(MetadataHookInterface):
    """Fill version, dependencies and scripts of the all-in-one install."""

    def update(self, metadata: dict[str, Any]) -> None:
        """Set the dynamic fields from the parts' manifests."""
        root = Path(self.root)
        metadata["version"] = read_version(root)
        needs: set[str] = set()
        scripts: dict[str, str] = {}
        for part in PARTS:
            project = tomllib.loads((root / part / "pyproject.toml").read_text(encoding="utf-8"))["project"]
            needs.update(project.get("dependencies", []))
            for extra, asked in project.get("optional-dependencies", {}).items():
                if extra not in APART:
                    needs.update(asked)
            scripts.update(project.get("scripts", {}))
        metadata["dependencies"] = sorted(need for need in needs if not _OWN_DISTRIBUTION.fullmatch(need))
        metadata["scripts"] = scripts


def read_version(root: Path) -> str:
    """Return the one version of all parts."""
    found = _VERSION.search((root / "contract/src/kanhu/contract/version.py").read_text(encoding="utf-8"))
    if found is None:
        message = 'contract/src/kanhu/contract/version.py has no line VERSION = "..."'
        raise ValueError(message)
    return found.group(1)
