"""Data of companies as a device sends them now: BlueZ keeps what it heard of each company and hands all of it over.

There are sensors that put their values where the company belongs, so that each new value is another company.
"""

from collections.abc import Mapping

__all__ = ["NewestMakers"]


class NewestMakers:
    """Remembers, by address, what was handed over last."""

    def __init__(self) -> None:
        """Begin having heard nothing."""
        self._held: dict[str, Mapping[int, bytes]] = {}
        self._newest: dict[str, Mapping[int, bytes]] = {}

    def of(self, address: str, makers: Mapping[int, bytes]) -> Mapping[int, bytes]:
        """What changed since the last time; where nothing did, what changed then. One company alone is always new."""
        before = self._held.get(address, {})
        changed = {company: data for company, data in makers.items() if before.get(company) != data}
        self._held[address] = dict(makers)
        if len(makers) < 2 or changed:
            self._newest[address] = changed or dict(makers)
        return self._newest[address]
