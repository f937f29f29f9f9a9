"""How long each codec has been fuzzed on this machine, over all sittings; kept beside the frames that were found.

A file a target, `TARGET.json`, written anew after each piece of work and whole at any time. It holds for the code that
was fuzzed: where what the target runs through has changed, the account begins anew.
"""

import ast
import hashlib
from functools import cache
from pathlib import Path

import msgspec

import kanhu.edge.codecs
from kanhu.edge import framing

__all__ = ["Account", "forget", "read_account", "source_of", "write_account"]

_CODECS = Path(kanhu.edge.codecs.__path__[0])
_FRAMING = Path(framing.__file__)


class Account(msgspec.Struct, frozen=True):
    """What one codec was put through, as it is written now."""

    source: str
    """SHA-256 of the code that it runs through."""
    seconds: int = 0
    pieces: int = 0
    """So many runs of the fuzzer: each draws from a seed of its own."""
    frames: int = 0
    edges: int = 0
    """Branches reached, in the piece that reached most."""
    exceptions: int = 0
    kept: str = ""
    """The first of them, with their frames."""


def read_account(name: str, *, corpus: Path, source: str) -> Account:
    """An empty one where none is there, none can be read, or it is about other code."""
    try:
        account = msgspec.json.decode(_file(name, corpus).read_bytes(), type=Account)
    except (FileNotFoundError, msgspec.DecodeError):
        return Account(source)
    return account if account.source == source else Account(source)


def write_account(name: str, account: Account, *, corpus: Path) -> None:
    """In place of the one before, whole or not at all."""
    file = _file(name, corpus)
    beside = file.with_suffix(".part")
    beside.write_bytes(msgspec.json.encode(account) + b"\n")
    beside.replace(file)


def forget(name: str, *, corpus: Path) -> None:
    """Begin its time anew; the frames that were found stay."""
    _file(name, corpus).unlink(missing_ok=True)


def source_of(target: str, *, folder: Path = _CODECS, framers: Path = _FRAMING) -> str:
    """Of the module that decodes, of those that observe its records, and of all that these import of the codecs."""
    codes = {file.stem: file.read_bytes() for file in (*folder.glob("*.py"), framers)}
    first = target.split(".", 1)[0]
    observing = [name for name, code in codes.items() if first in _imported(code) and _observes(code)]
    reached: set[str] = set()
    waiting = [first, *observing]
    while waiting:
        name = waiting.pop()
        if name in codes and name not in reached:
            reached.add(name)
            waiting += _imported(codes[name])
    digest = hashlib.sha256()
    for name in sorted(reached):
        digest.update(name.encode() + b"\0" + hashlib.sha256(codes[name]).digest())
    return digest.hexdigest()


def _file(name: str, corpus: Path) -> Path:
    return corpus / f"{name}.json"


@cache
def _imported(code: bytes) -> frozenset[str]:
    """The last part of the name of each module, and names that may be modules."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.ImportFrom) and node.module is not None:
            found |= {node.module.rsplit(".", 1)[-1], *(one.name for one in node.names)}
        elif isinstance(node, ast.Import):
            found |= {one.name.rsplit(".", 1)[-1] for one in node.names}
    return frozenset(found)


@cache
def _observes(code: bytes) -> bool:
    return any(isinstance(node, ast.FunctionDef) and node.name.startswith("observe") for node in ast.parse(code).body)
