"""Everything that can go wrong in the county service.

CloudError
├── ConfigInvalid      a settings file that cannot be used; names file, key and remedy
├── LedgerUnusable     the database cannot keep its promises, or is not there
├── SiteRefused        a site file that contradicts itself
├── StaffRefused       an account that cannot be made
├── BrokerUnusable     the embedded broker does not start
├── AuthorityUnusable  the folder of keys and certificates cannot be used
├── EnrolmentRefused   a gateway that nobody named
├── OutcomeRefused     a file of a replay's outcome that cannot be read back
├── UpdatesRefused     keys, drafts or files of a release that cannot be used; names place and remedy
├── RecordingsRefused  recordings that cannot be trained on; names the place and the remedy
├── ReplayRefused      a recording, a rule pack or a folder that a replay cannot use; names place and remedy
└── NotSignedIn, ForgedRequest   in staff.session: answers to a request, not faults
"""


class CloudError(Exception):
    """Base of this part's errors."""


class ConfigInvalid(CloudError):
    """A settings file that cannot be used."""

    def __init__(self, file: str, *, key: str, remedy: str) -> None:
        """Keep file, key and remedy."""
        super().__init__(f"{file}: {key}: {remedy}")
        self.file = file
        self.key = key
        self.remedy = remedy


class LedgerUnusable(CloudError):
    """The database cannot keep its promises, or is not there."""


class SiteRefused(CloudError):
    """A site file that contradicts itself."""


class StaffRefused(CloudError):
    """An account that cannot be made."""


class BrokerUnusable(CloudError):
    """The embedded broker does not start."""


class AuthorityUnusable(CloudError):
    """The folder of keys and certificates cannot be used."""


class EnrolmentRefused(CloudError):
    """A gateway that nobody named."""


class BudgetRefused(CloudError):
    """A history that no limit can follow from; says what is missing."""


class OutcomeRefused(CloudError):
    """A file of a replay's outcome that cannot be read back."""


class ReplayRefused(CloudError):
    """A recording, a rule pack or a folder that a replay cannot use; names place and remedy."""


class UpdatesRefused(CloudError):
    """Keys, drafts or files of a release that cannot be used; names place and remedy."""


class RecordingsRefused(CloudError):
    """Recordings that cannot be trained on, or scored."""

    def __init__(self, place: str, problem: str) -> None:
        """Keep both; `problem` ends with the remedy."""
        super().__init__(f"{place}: {problem}")
        self.place = place
        self.problem = problem
