"""Everything that can go wrong with meaning.

VitalsError
├── PackRefused     a rule pack that must not run; names the rule, the field and the remedy
├── StateRefused    stored state of a detector that cannot be read back; start it afresh
├── SentenceRefused a finding that its pack has no words for
├── ModelRefused    a table of numbers that is no model, or not of this software
└── ProfileMismatch settings of one person under the id of another
"""


class VitalsError(Exception):
    """Base of this part's errors."""


class PackRefused(VitalsError, ValueError):
    """A rule pack that must not run."""

    def __init__(self, rule: str, field: str, problem: str, *, remedy: str) -> None:
        """Keep each piece; `rule` is "" where the pack itself is at fault."""
        where = f"rule {rule!r}, " if rule else ""
        super().__init__(f"{where}field {field!r}: {problem}; {remedy}")
        self.rule = rule
        self.field = field
        self.problem = problem
        self.remedy = remedy


class StateRefused(VitalsError, ValueError):
    """Stored state that cannot be read back."""


class SentenceRefused(VitalsError, KeyError):
    """A finding that its pack has no words for."""

    def __init__(self, rule: str, problem: str) -> None:
        """Keep the rule; `problem` is for people."""
        super().__init__(f"rule {rule!r}: {problem}")
        self.rule = rule


class ModelRefused(VitalsError, ValueError):
    """A table of numbers that is no model, or not of this software."""

    def __init__(self, model: str, problem: str) -> None:
        """Keep the name; `problem` is for people."""
        super().__init__(f"model {model!r}: {problem}" if model else problem)
        self.model = model
        self.problem = problem


class ProfileMismatch(VitalsError, ValueError):
    """Settings of one person under the id of another."""

    def __init__(self, subject: str, found: str) -> None:
        """Keep both ids."""
        super().__init__(f"profile under {subject!r} belongs to {found!r}")
        self.subject = subject
        self.found = found
