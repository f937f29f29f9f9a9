"""What a reading means: quality, scores, personal baselines, rhythm, falls, inactivity, rule packs.

Not here: any input or output, clock or asyncio; any third-party package but numpy and msgspec.
"""

from kanhu.vitals.decisions import Decision, DecisionReason
from kanhu.vitals.errors import PackRefused, ProfileMismatch, SentenceRefused, StateRefused, VitalsError
from kanhu.vitals.judge import MAX_STATE_BYTES, Judge, alerts_in
from kanhu.vitals.packs import core_pack
from kanhu.vitals.profile import TAGS, Profile, profile_from_tags, unknown_tag
from kanhu.vitals.quality import QualityGate, assess
from kanhu.vitals.rules import Rule, RuleKind, RulePack, Runs, load_pack
from kanhu.vitals.rules.records import Language
from kanhu.vitals.sentences import Sentence, render

__all__ = [
    "MAX_STATE_BYTES",
    "TAGS",
    "Decision",
    "DecisionReason",
    "Judge",
    "Language",
    "PackRefused",
    "Profile",
    "ProfileMismatch",
    "QualityGate",
    "Rule",
    "RuleKind",
    "RulePack",
    "Runs",
    "Sentence",
    "SentenceRefused",
    "StateRefused",
    "VitalsError",
    "alerts_in",
    "assess",
    "core_pack",
    "load_pack",
    "profile_from_tags",
    "render",
    "unknown_tag",
]
