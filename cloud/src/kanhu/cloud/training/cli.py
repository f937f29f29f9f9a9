"""`kanhu-cloud train`: fit one model on a folder of recordings."""

import argparse
import sys
from collections.abc import Callable, Mapping
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from kanhu.cloud.errors import RecordingsRefused

if TYPE_CHECKING:
    from kanhu.vitals.models import Model

__all__ = ["TRAINED", "fill_train"]

Fit = Callable[[Mapping[str, Path], int, Callable[[str], None]], "Model"]

TRAINED: Mapping[str, str] = {
    "deterioration": "deterioration",
    "falls-waist": "falls_waist",
    "falls-wrist": "falls_wrist",
    "glucose": "glucose",
    "rhythm": "rhythm",
}
"""By the name of the model the module below training/ whose `fit(sets, seed, say)` makes it."""


def fill_train(parser: argparse.ArgumentParser) -> None:
    """Say what may be trained, on what."""
    parser.add_argument("model", choices=sorted(TRAINED), help="which one")
    parser.add_argument("--data", type=Path, required=True, metavar="DIR", help="folder of the sets of recordings")
    parser.add_argument("--out", type=Path, required=True, metavar="FILE", help="where the model goes")
    parser.add_argument("--seed", type=int, default=1, help="of everything drawn (default 1)")
    parser.set_defaults(command=_train)


def _train(options: argparse.Namespace) -> int:
    if find_spec("sklearn") is None:
        raise RecordingsRefused("kanhu-cloud train", "scikit-learn is not installed; pip install 'kanhu-cloud[train]'")
    from kanhu.cloud.training.one_core import keep_to_one_core  # noqa: PLC0415
    from kanhu.cloud.training.recordings import find_sets  # noqa: PLC0415  # no other command needs numpy

    keep_to_one_core()
    sets = find_sets(options.data)
    fit: Fit = import_module(f"kanhu.cloud.training.{TRAINED[options.model]}").fit
    model = fit(sets, options.seed, lambda text: print(f"kanhu-cloud: {text}", file=sys.stderr, flush=True))
    content = model.encoded()
    options.out.write_bytes(content)
    people = sum(len(one.people) for one in model.trained_on.sets)
    print(f"{options.out}: {model.name} {model.version}, fitted on {people} people, {len(content)} bytes")
    return 0
