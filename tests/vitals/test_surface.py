"""What other parts may import is pinned."""

import kanhu.vitals
import kanhu.vitals.baselines
import kanhu.vitals.scores


def test_public_names_are_these() -> None:
    assert kanhu.vitals.__all__ == [
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
    assert kanhu.vitals.baselines.__all__ == [
        "AgreedScore", "Direction", "TrendAgreement", "TrendDetector", "TrendScore", "TrendSignal",
    ]  # fmt: skip  # in one row
    assert kanhu.vitals.scores.__all__ == ["Band", "Consciousness", "News2Score", "Spo2Scale", "VitalSigns", "news2"]


def test_public_names_exist() -> None:
    for module in (kanhu.vitals, kanhu.vitals.baselines, kanhu.vitals.scores):
        assert all(hasattr(module, name) for name in module.__all__)
