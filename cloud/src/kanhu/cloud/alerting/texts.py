"""The words of a finding in both languages, from the rule pack; a finding without words is shown all the same."""

from kanhu.cloud.alerting.state import Texts
from kanhu.contract import Finding
from kanhu.vitals import Language, RulePack, VitalsError, render

_LIMIT = 600  # an honest sentence has under 300 characters; what a foreign gateway sends may have any number


def texts_of(pack: RulePack, finding: Finding) -> Texts:
    """Title, sentence and the source of the limit."""
    rule = pack.rule(finding.rule)
    source = "" if rule is None else rule.source
    try:
        zh = render(pack, finding, Language.ZH)
        en = render(pack, finding, Language.EN)
    except VitalsError:
        name = finding.rule[:_LIMIT]
        said = "; ".join(f"{key} {value}" for key, value in finding.params.items())[:_LIMIT]
        return Texts(f"警报 {name}", f"Alert {name}", f"网关报告：{said}", f"The gateway reports: {said}", source)
    return Texts(zh.title[:_LIMIT], en.title[:_LIMIT], zh.text[:_LIMIT], en.text[:_LIMIT], source)
