"""The names of all targets, without the fuzzer."""

import fnmatch
from collections.abc import Sequence

from kanhu.harness.fuzz.targets import find_targets

__all__ = ["BROKEN", "target_names"]

BROKEN = "broken"
"""A target that is wrong on purpose."""


def target_names(patterns: Sequence[str]) -> list[str]:
    """Those that one of the patterns names."""
    return [name for name in find_targets() if any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns)]
