"""What staff read: every rule has words in both languages, and none of them is a diagnosis."""

import msgspec
import pytest

from kanhu.contract import Finding, Phase
from kanhu.vitals import Judge, Language, RulePack, Runs, SentenceRefused, core_pack, render
from kanhu.vitals.rules.records import Texts
from tests.vitals.story import RESIDENT, Story, intervals

FORBIDDEN = (
    "fibrillation", "has fallen", "crisis", "hypertension", "hypoxaemia", "arrhythmia", "diagnos",
    "房颤", "纤颤", "跌倒了", "危象", "高血压", "心律失常", "低氧血症", "诊断",
)  # fmt: skip  # a list reads by lines


def findings() -> list[Finding]:
    """One life with every rule of the gateway in it."""
    story = Story()
    story.press()
    for value in (90, 90, 90, 84, 84, 84, 97, 97):
        story.wait(10)
        story.oximeter(value)
    for systolic in (190, 190, 120, 120):
        story.wait(60)
        story.cuff(systolic, 80)
    story.strap_for(601, 140)
    story.strap_for(601, 80)
    for _ in range(2):
        story.beats(intervals("afdb_06995_fibrillation"))
        story.wait(86_400)
    return story.findings


@pytest.mark.parametrize("language", list(Language))
def test_every_finding_of_the_gateway_has_words(language: Language) -> None:
    told = findings()
    assert {finding.rule for finding in told} == {"SOS", "SPO2-LOW", "BP-SEVERE", "HR-EXTREME", "RHYTHM"}
    for finding in told:
        sentence = render(core_pack(), finding, language)
        assert sentence.title
        assert not {"{", "}", "None"} & set(sentence.text)
        assert sentence.text != sentence.title


def test_sentence_says_value_limit_and_what_to_do() -> None:
    [finding] = [found for found in findings() if found.rule == "BP-SEVERE" and found.phase is Phase.START]
    sentence = render(core_pack(), finding, Language.EN)
    assert sentence.title == "Blood pressure reading above the set limit"
    assert sentence.text.startswith("Blood pressure 190/80 mmHg, mean of 2 readings 1 min apart; set limit ≥ 180 or")


def test_clearing_has_its_own_words() -> None:
    [finding] = [found for found in findings() if found.rule == "SPO2-LOW" and found.phase is Phase.END]
    assert "clear of the set limit" in render(core_pack(), finding, Language.EN).text
    assert "已离开设定界限" in render(core_pack(), finding, Language.ZH).text


def test_vitals_of_a_trend_are_named_in_the_readers_language() -> None:
    finding = changed({"changes": "heart_rate:above,spo2:below,unheard:of"})
    assert (
        "heart rate above usual, oxygen saturation below usual, unheard:of"
        in render(core_pack(), finding, Language.EN).text
    )
    assert "心率高于平时、血氧低于平时" in render(core_pack(), finding, Language.ZH).text


def test_finding_of_another_pack_is_refused_by_name() -> None:
    with pytest.raises(SentenceRefused, match="TREND"):
        render(core_pack(), changed({}), Language.EN)
    with pytest.raises(SentenceRefused, match="not in pack"):
        render(RulePack("empty", ()), changed({}), Language.EN)


def test_no_text_is_a_diagnosis() -> None:
    for rule in core_pack().rules:
        source = Texts(en=rule.source, zh=rule.source)  # staff read it beside the limit
        texts = [rule.title, rule.sentence, source, *([] if rule.cleared is None else [rule.cleared])]
        for text in texts:
            for word in FORBIDDEN:
                assert word not in text.en.lower(), rule.id
                assert word not in text.zh, rule.id


def changed(params: dict[str, str]) -> Finding:
    story = Story()
    story.press()
    return msgspec.structs.replace(story.findings[0], rule="TREND", params=params)


def test_rule_that_is_not_approved_counts_and_says_nothing() -> None:
    pack = core_pack()
    shadow = tuple(msgspec.structs.replace(rule, approved_by=" ") for rule in pack.rules)
    story = Story(pack=RulePack("shadow", shadow))
    assert story.press() == ["shadow"]
    story.wait(1)
    assert story.press() == ["shadow"]
    assert story.findings == []
    assert Judge(story.pack, Runs.CLOUD, {}, story.judge._timezone).state(RESIDENT.id)
