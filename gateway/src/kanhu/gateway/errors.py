"""Everything that can go wrong on a gateway.

GatewayError
├── ConfigRefused        the settings file; names file, key, problem and remedy
├── IdentityUnusable     this gateway cannot prove who it is; names problem and remedy
├── EnrolmentFailed      the county gave no certificate; names problem and remedy
└── OutboxError
    ├── OutboxRefused    not an outbox this software may write: other program, newer schema, pragmas that did not hold
    ├── OutboxBusy       another process has it open
    ├── OutboxFull       no room left even after thinning; nothing of the call was stored
    └── OutboxFailed     the card or the file gave an error; nothing of the call was stored
        └── OutboxDamaged    the file is no database any more, or one with broken pages
"""

from pathlib import Path


class GatewayError(Exception):
    """Base of this part's errors."""


class ConfigRefused(GatewayError):
    """A settings file that cannot be used as it stands."""

    def __init__(self, file: Path, *, key: str, problem: str, remedy: str) -> None:
        """Keep the pieces; the text is for the installer."""
        super().__init__(f"{file}: {key}: {problem}. {remedy}")
        self.file = file
        self.key = key
        self.problem = problem
        self.remedy = remedy


class _WithRemedy(GatewayError):
    """Problem and remedy, for the installer."""

    def __init__(self, problem: str, *, remedy: str) -> None:
        """Keep both."""
        super().__init__(f"{problem}. {remedy}")
        self.problem = problem
        self.remedy = remedy


class IdentityUnusable(_WithRemedy):
    """This gateway cannot prove who it is."""


class EnrolmentFailed(_WithRemedy):
    """The county gave no certificate."""


class OutboxError(GatewayError):
    """The outbox could not do what was asked; what was accepted before is untouched."""


class OutboxRefused(OutboxError):
    """Not an outbox this software may write."""


class OutboxBusy(OutboxError):
    """Another process has the outbox open."""


class OutboxFull(OutboxError):
    """No room left even after thinning."""


class OutboxFailed(OutboxError):
    """The card or the file gave an error."""


class OutboxDamaged(OutboxFailed):
    """The file is no database any more, or one with broken pages."""
