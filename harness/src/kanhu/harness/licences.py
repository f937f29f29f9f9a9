"""Judge the licence a distribution states: may it stand beside Apache-2.0 on a box we hand out?

Not a lawyer: it sorts the words of the metadata, and refuses what it cannot name.
"""

import re
from collections.abc import Sequence
from email.message import Message
from enum import StrEnum

__all__ = ["LicenceVerdict", "judge_licence", "stated_licence"]

_LONGEST_NAME = 80  # a License field longer than this holds the licence's text, not its name

_LESSER = re.compile(r"LGPL|(?:Library or )?Lesser General Public", re.IGNORECASE)
_STRONG = re.compile(r"GPL|General Public Licen[cs]e", re.IGNORECASE)
# libgfortran and libgcc inside a wheel: the exception lets any program link them.
_RUNTIME_EXCEPTION = re.compile(r"GPL-[23]\.0(?:-only|-or-later)? WITH GCC-exception-[0-9.]+", re.IGNORECASE)
_PERMISSIVE = re.compile(
    r"\b(?:MIT|0?BSD|ISC|Apache|Zlib|CC0|PSF|Python Software Foundation|Python-2\.0|Unlicense|MPL|Mozilla|EPL|Eclipse)",
    re.IGNORECASE,
)


class LicenceVerdict(StrEnum):
    """What a stated licence means for us."""

    PERMISSIVE = "taken"
    LESSER_GPL = "taken: lesser GPL, used as a library of its own"
    GPL = "refused: GPL"
    UNKNOWN = "refused: cannot be named"

    @property
    def refused(self) -> bool:
        """Whether the distribution may not be installed."""
        return self in {LicenceVerdict.GPL, LicenceVerdict.UNKNOWN}


_BEST_FIRST = (LicenceVerdict.PERMISSIVE, LicenceVerdict.LESSER_GPL, LicenceVerdict.UNKNOWN, LicenceVerdict.GPL)


def stated_licence(metadata: Message) -> str:
    """Return what the metadata states: the expression, else the classifiers, else the short name; "" if nothing."""
    expression = metadata.get("License-Expression")
    if expression:
        return str(expression)
    classifiers: Sequence[str] = metadata.get_all("Classifier") or []
    named = [line.rpartition(" :: ")[2] for line in classifiers if line.startswith("License :: ")]
    if named:
        return " OR ".join(name for name in named if name != "OSI Approved") or ""
    name = str(metadata.get("License") or "").strip()
    return name if len(name) <= _LONGEST_NAME else name.splitlines()[0][:_LONGEST_NAME]


def judge_licence(stated: str) -> LicenceVerdict:
    """Judge a stated licence: of alternatives the best may be chosen, of parts all hold."""
    if " OR " in stated and " AND " not in stated and "(" not in stated.replace("(c)", ""):
        return min((_judge_all(choice) for choice in stated.split(" OR ")), key=_BEST_FIRST.index)
    return _judge_all(stated)


def _judge_all(stated: str) -> LicenceVerdict:
    parts = re.split(r" AND | OR ", _RUNTIME_EXCEPTION.sub("0BSD", stated))
    return max((_judge_one(part) for part in parts), key=_BEST_FIRST.index)


def _judge_one(name: str) -> LicenceVerdict:
    if _STRONG.search(_LESSER.sub("", name)):
        return LicenceVerdict.GPL
    if _LESSER.search(name):
        return LicenceVerdict.LESSER_GPL
    return LicenceVerdict.PERMISSIVE if _PERMISSIVE.search(name) else LicenceVerdict.UNKNOWN
