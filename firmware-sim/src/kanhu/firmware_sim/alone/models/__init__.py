"""One module a model, named as the kind of device is; each makes its MODEL anew, because some have a memory.

Here lives how a model is found: among these modules, or by an entry point `kanhu.simulators` of another package.
Not here: what serves a model, and the bytes it says.
"""

import importlib
import pkgutil
from collections.abc import Callable
from importlib import metadata

from kanhu.firmware_sim.alone.model import Model
from kanhu.firmware_sim.errors import ModelRefused

__all__ = ["find_model", "model_names"]

ENTRY_POINTS = "kanhu.simulators"
"""Group in which another package names a model of its own: `name-of-kind = "package.module:make"`."""


def find_model(name: str) -> Model:
    """A new one of this name; a shipped one cannot be replaced.

    Raises:
        ModelRefused: there is none, or the package that ships it cannot be used.
    """
    if name in _shipped():
        module = importlib.import_module(f"{__name__}.{name.replace('-', '_')}")
        make: Callable[[], Model] = module.make
        return make()
    for point in metadata.entry_points(group=ENTRY_POINTS, name=name):
        try:
            found = point.load()()
        except Exception as error:  # code of another package: whatever it raises, the model cannot be used
            raise ModelRefused(name, f"{point.value} cannot be used: {type(error).__name__}: {error}") from error
        if isinstance(found, Model) and found.name == name:
            return found
        raise ModelRefused(name, f"{point.value} makes no model of this name")
    raise ModelRefused(name, f"there is none; there are {', '.join(model_names())}")


def model_names() -> tuple[str, ...]:
    """All that can be served, shipped first; nothing is imported for it."""
    others = sorted({point.name for point in metadata.entry_points(group=ENTRY_POINTS)} - set(_shipped()))
    return (*_shipped(), *others)


def _shipped() -> tuple[str, ...]:
    return tuple(sorted(module.name.replace("_", "-") for module in pkgutil.iter_modules(__path__)))
