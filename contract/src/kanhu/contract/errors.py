"""Everything that can go wrong with the shared words.

ContractError
├── UnknownMetric      a metric code that is not in the table
├── InvalidRecord      a record whose fields contradict each other
├── InvalidTopic       a topic or gateway id outside the grammar
├── RemoteRefused      a file of a release that no gateway takes; names file, key, problem and remedy
└── MessageRefused     bytes from the wire that are not a message; carries a named reason
    └── MessageTooLarge    an envelope over the limit; split it
"""

from enum import StrEnum


class RefusalReason(StrEnum):
    """Why bytes from the wire, or a record in them, were refused."""

    EMPTY = "empty"
    TOO_LARGE = "too_large"
    NOT_KANHU = "not_kanhu"
    UNKNOWN_VERSION = "unknown_version"
    UNKNOWN_COMPRESSION = "unknown_compression"
    BAD_COMPRESSION = "bad_compression"
    EXPANDS_TOO_FAR = "expands_too_far"
    MALFORMED = "malformed"
    INCONSISTENT = "inconsistent"
    WRONG_GATEWAY = "wrong_gateway"
    UNKNOWN_GATEWAY = "unknown_gateway"
    NOT_STORABLE = "not_storable"


class ContractError(Exception):
    """Base of this part's errors."""


class UnknownMetric(ContractError, ValueError):
    """A metric code that is not in the table."""

    def __init__(self, code: str) -> None:
        """Keep the offending code."""
        super().__init__(f"unknown metric {code!r}")
        self.code = code


class InvalidRecord(ContractError, ValueError):
    """A record whose fields contradict each other."""


class InvalidTopic(ContractError, ValueError):
    """A topic or gateway id outside the grammar."""


class RemoteRefused(ContractError):
    """A file of a release that no gateway takes."""

    def __init__(self, file: str, key: str, problem: str, *, remedy: str) -> None:
        """Keep the pieces; the text is for the county's administrator."""
        super().__init__(f"{file}: {key}: {problem}; {remedy}")
        self.file = file
        self.key = key
        self.problem = problem
        self.remedy = remedy


class MessageRefused(ContractError):
    """Bytes from the wire that are not a message of this contract."""

    def __init__(self, reason: RefusalReason, detail: str) -> None:
        """Keep the named reason; `detail` is for people."""
        super().__init__(f"{reason.value}: {detail}")
        self.reason = reason
        self.detail = detail


class MessageTooLarge(MessageRefused):
    """An envelope over the size limit; the sender splits it."""
