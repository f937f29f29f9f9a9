"""Fits `falls-waist`."""

from collections.abc import Callable, Mapping
from pathlib import Path

from kanhu.cloud.training.falls import fit_site
from kanhu.vitals.falls import Site
from kanhu.vitals.models import Model


def fit(sets: Mapping[str, Path], seed: int, say: Callable[[str], None]) -> Model:
    """The model of the waist."""
    return fit_site("falls-waist", Site.WAIST, sets, seed, say)
