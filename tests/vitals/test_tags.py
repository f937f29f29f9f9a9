import pytest

from kanhu.vitals import TAGS, profile_from_tags, unknown_tag


def test_known_tags_have_no_problem() -> None:
    assert unknown_tag(TAGS) is None
    assert unknown_tag(()) is None


@pytest.mark.parametrize(
    ("tag", "hint"), [("lives_alnoe", "did you mean 'lives_alone'"), ("zzz", "known: chronic_lung")]
)
def test_a_misspelt_tag_is_named_with_the_likely_one(tag: str, hint: str) -> None:
    problem = unknown_tag(["copd", tag])
    assert problem is not None
    assert repr(tag) in problem
    assert hint in problem


def test_tags_that_rules_read_are_in_the_closed_list() -> None:
    assert profile_from_tags("r-1", ["copd"]).chronic_lung
    assert profile_from_tags("r-1", ["lives_alone"]).lives_alone
    assert {"copd", "lives_alone"} <= TAGS
