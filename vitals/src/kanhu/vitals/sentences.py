"""The words of a finding, in the reader's language, from the templates of its pack."""

import msgspec

from kanhu.contract import METRICS, Finding, Phase
from kanhu.vitals.errors import SentenceRefused
from kanhu.vitals.rules.records import Language, RulePack, Texts

# A trend names its vitals by code, `heart_rate:above`; people read words.
_CHANGES = "changes"
_DIRECTIONS = {
    "above": Texts(en="{vital} above usual", zh="{vital}高于平时"),
    "below": Texts(en="{vital} below usual", zh="{vital}低于平时"),
}
# So do names of equipment, and how far a clock is off.
_WORDS = {
    "part": {
        "voice": Texts(en="the voice at home", zh="家中语音"),
        "light": Texts(en="the light at home", zh="家中灯光"),
        "modem": Texts(en="the modem that writes messages", zh="发短信的调制解调器"),
    },
    "unit": {"min": Texts(en="min", zh="分钟"), "h": Texts(en="h", zh="小时"), "d": Texts(en="days", zh="天")},
    "way": {"ahead": Texts(en="ahead", zh="快"), "behind": Texts(en="behind", zh="慢")},
}
_BETWEEN = Texts(en=", ", zh="、")


class Sentence(msgspec.Struct, frozen=True):
    """What staff read: a few words, and what was measured with what to do next."""

    title: str
    text: str


def render(pack: RulePack, finding: Finding, language: Language) -> Sentence:
    """Title and text of a finding.

    Raises:
        SentenceRefused: the pack does not have the rule, or the finding was made for other templates.
    """
    rule = pack.rule(finding.rule)
    if rule is None:
        raise SentenceRefused(finding.rule, f"not in pack {pack.version}")
    params = dict(finding.params)
    if _CHANGES in params:
        params[_CHANGES] = _in_words(params[_CHANGES], language)
    for name, words in _WORDS.items():
        if params.get(name) in words:
            params[name] = words[params[name]].in_language(language)
    try:
        title = rule.title.in_language(language).format_map(params)
        template = rule.cleared if finding.phase is Phase.END and rule.cleared is not None else rule.sentence
        text = template.in_language(language).format_map(params)
    except KeyError as error:
        raise SentenceRefused(finding.rule, f"the finding has no {error}") from error
    return Sentence(title, text)


def _in_words(changes: str, language: Language) -> str:
    words = []
    for change in changes.split(","):
        code, _, direction = change.partition(":")
        row, texts = METRICS.get(code), _DIRECTIONS.get(direction)
        if row is None or texts is None:
            words.append(change)
            continue
        name = row.zh if language is Language.ZH else row.en
        words.append(texts.in_language(language).format(vital=name))
    return _BETWEEN.in_language(language).join(words)
