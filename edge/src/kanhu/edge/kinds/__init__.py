"""One module a kind of device, named as the kind is: how it is reached, and what becomes of its bytes.

Here live the shipped kinds, found by the name of their module, and how those of other packages are found.
Not here: decoding (codecs), the radio and the ports (transports), whose reading it is (sessions).
"""

import importlib
import pkgutil
from functools import cache
from importlib import metadata

from kanhu.edge.errors import KindUnusable
from kanhu.edge.kinds.kind import (
    AskedKind,
    ButtonKind,
    ConnectedKind,
    HeardKind,
    Kind,
    PeerKind,
    SerialKind,
    StreamedKind,
)

__all__ = [
    "AskedKind",
    "ButtonKind",
    "ConnectedKind",
    "HeardKind",
    "Kind",
    "PeerKind",
    "SerialKind",
    "StreamedKind",
    "find_kind",
    "kind_names",
    "kind_of",
]

ENTRY_POINTS = "kanhu.devices"
"""Group in which another package names a kind of its own: `name-of-kind = "package.module:KIND"`."""
_KINDS = SerialKind | ConnectedKind | StreamedKind | AskedKind | ButtonKind | HeardKind
_NO_KIND = "kind"  # the module of the words themselves


def find_kind(name: str) -> Kind | None:
    """The kind of this name, None where nobody ships one; a shipped kind cannot be replaced by another package.

    Raises:
        KindUnusable: the package that ships it cannot be loaded, or names something else.
    """
    if name in _shipped():
        kind: Kind = importlib.import_module(f"{__name__}.{name.replace('-', '_')}").KIND
        return kind
    for point in metadata.entry_points(group=ENTRY_POINTS, name=name):
        try:
            found = point.load()
        except Exception as error:  # code of another package: whatever it raises, the kind cannot be used
            raise KindUnusable(name, f"{point.value} cannot be loaded: {type(error).__name__}: {error}") from error
        if not isinstance(found, _KINDS) or found.name != name:
            raise KindUnusable(name, f"{point.value} is no kind of this name")
        return found
    return None


def kind_of(name: str) -> Kind:
    """The kind of a device whose settings were accepted.

    Raises:
        LookupError: there is none of this name.
        KindUnusable: as `find_kind`.
    """
    kind = find_kind(name)
    if kind is None:
        raise LookupError(f"no kind of device {name!r}")
    return kind


def kind_names() -> tuple[str, ...]:
    """All that can be configured, shipped first; nothing is imported for it."""
    others = sorted({point.name for point in metadata.entry_points(group=ENTRY_POINTS)} - set(_shipped()))
    return (*_shipped(), *others)


@cache
def _shipped() -> tuple[str, ...]:
    modules = (module.name for module in pkgutil.iter_modules(__path__))
    return tuple(sorted(name.replace("_", "-") for name in modules if name != _NO_KIND))
