"""Fits on one core: scikit-learn's threads, waiting for a core that others use, made a fit 25 times slower."""

import os

__all__ = ["keep_to_one_core"]


def keep_to_one_core() -> None:
    """Unless the environment says how many; call it before scikit-learn is imported, when its threads are counted."""
    os.environ.setdefault("OMP_NUM_THREADS", "1")
