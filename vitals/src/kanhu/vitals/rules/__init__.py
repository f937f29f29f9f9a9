"""Rule packs and the way each kind of rule confirms, raises and clears.

Here lives what a pack may say and how it is obeyed, one file a way of confirming. Not here: any clinical number, which
lives in the pack; scores, rhythm and baselines, which have their own folders.
"""

from kanhu.vitals.rules.pack import load_pack
from kanhu.vitals.rules.records import Rule, RuleKind, RulePack, Runs

__all__ = ["Rule", "RuleKind", "RulePack", "Runs", "load_pack"]
