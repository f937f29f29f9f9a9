"""The rule packs shipped with kanhu, as data.

Here lives `core.toml`, the one function that reads it from the installed package, and what a pack must keep that is to
take its place (replacement.py). Not here: how a pack is checked by itself (rules/pack.py).
"""

from importlib.resources import files

from kanhu.vitals.errors import PackRefused
from kanhu.vitals.packs.replacement import check_replacement
from kanhu.vitals.rules.pack import load_pack
from kanhu.vitals.rules.records import RulePack

__all__ = ["core_pack", "load_replacement"]


def core_pack() -> RulePack:
    """The rules shipped with this version."""
    return load_pack(files(__name__).joinpath("core.toml").read_bytes())


def load_replacement(data: bytes) -> RulePack:
    """Read a pack that is to take the place of the shipped one: other numbers and words for the same rules.

    A rule that is missing or silenced looks like calm, and one that the county does not know has no words there.

    Raises:
        PackRefused: it cannot be read; a rule is missing or new, or differs in more than numbers and words.
    """
    pack, core = load_pack(data), core_pack()
    theirs, ours = ({rule.id: rule for rule in each.rules} for each in (pack, core))
    for rule_id in sorted(theirs.keys() ^ ours.keys()):
        said = "is missing" if rule_id in ours else "is not one of the shipped rules"
        raise PackRefused(rule_id, "id", said, remedy="change numbers and words of the shipped rules only")
    for rule_id, rule in ours.items():
        check_replacement(theirs[rule_id], rule)
    return pack
