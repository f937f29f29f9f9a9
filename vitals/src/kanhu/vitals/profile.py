"""Clinical settings of one person, known here under the pseudonym only."""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from difflib import get_close_matches

import msgspec

from kanhu.vitals.errors import ProfileMismatch

LIVES_ALONE = "lives_alone"
CHRONIC_LUNG = frozenset({"chronic_lung", "copd"})
TAGS = frozenset(
    {
        LIVES_ALONE,
        *CHRONIC_LUNG,
        "high_risk",
        "hypertension",
        "diabetes",
        "heart_failure",
        "disabled",
        "discharged",
        "pregnant",
    }
)
"""Every tag a register may hold. A closed list, because a misspelt one would take a person off the watch list."""


class Profile(msgspec.Struct, frozen=True, kw_only=True):
    """What rules need to know of a person; the default is somebody about whom nothing is recorded."""

    subject: str
    lives_alone: bool = False
    chronic_lung: bool = False
    spo2_limit_percent: Decimal | None = None
    """Set by a clinician for this person: a reading below it is below the limit. None: the pack's own limit."""
    tags: frozenset[str] = frozenset()


def unknown_tag(tags: Iterable[str]) -> str | None:
    """What to tell whoever wrote a tag that does not exist; None where all are known."""
    for tag in tags:
        if tag not in TAGS:
            near = get_close_matches(tag, sorted(TAGS), n=1)
            return (
                f"unknown tag {tag!r}{f', did you mean {near[0]!r}' if near else ''}; known: {', '.join(sorted(TAGS))}"
            )
    return None


def check_profiles(profiles: Mapping[str, Profile]) -> None:
    """Refuse profiles that stand under another person's id: limits of one would judge another.

    Raises:
        ProfileMismatch: names the first such id.
    """
    for subject, profile in profiles.items():
        if profile.subject != subject:
            raise ProfileMismatch(subject, profile.subject)


def profile_from_tags(subject: str, tags: Iterable[str], *, spo2_limit_percent: Decimal | None = None) -> Profile:
    """Settings that follow from a register's tags: `lives_alone`; `chronic_lung` or `copd`."""
    known = frozenset(tags)
    return Profile(
        subject=subject,
        lives_alone=LIVES_ALONE in known,
        chronic_lung=not known.isdisjoint(CHRONIC_LUNG),
        spo2_limit_percent=spo2_limit_percent,
        tags=known,
    )
