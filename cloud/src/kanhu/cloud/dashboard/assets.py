"""Static files under names that carry their content's hash, compressed once, cached for ever."""

import gzip
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

__all__ = ["Asset", "assets", "url_of"]

STATIC = Path(__file__).parent / "static"

_TYPES = {".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml"}
_HASH_DIGITS = 12  # 48 bits: two versions of one file never meet


@dataclass(frozen=True, slots=True)
class Asset:
    """One file as served."""

    name: str
    """`app.1a2b3c4d5e6f.css`."""
    media_type: str
    etag: str
    plain: bytes
    gzipped: bytes


@cache
def assets() -> Mapping[str, Asset]:
    """Every file by its served name."""
    found = (_load(path) for path in sorted(STATIC.rglob("*")) if path.suffix in _TYPES)
    return {asset.name: asset for asset in found}


@cache
def url_of(file: str) -> str:
    """Where a page finds a file of `static/`, `vendor/` included."""
    path = STATIC / file
    return f"/static/{_load(path).name}"


def _load(path: Path) -> Asset:
    content = path.read_bytes()
    digest = hashlib.sha256(content).hexdigest()
    return Asset(
        name=f"{path.stem}.{digest[:_HASH_DIGITS]}{path.suffix}",
        media_type=_TYPES[path.suffix],
        etag=f'"{digest[:32]}"',
        plain=content,
        gzipped=gzip.compress(content, 9, mtime=0),
    )
